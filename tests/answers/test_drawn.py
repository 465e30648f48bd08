"""Whether drawn answers agree: by hand."""

import math

import pytest

from pefomed.answers.drawn import agreement, support
from pefomed.boxes import Writing
from pefomed.errors import DataError
from pefomed.inference.draws import Drawing
from pefomed.schema import Sample

WRITING = Writing()


def asked(task: str) -> Sample:
    return Sample(id="q", images=("a.png",), task=task, question="liver", size=(100, 100))


def test_words_agree_pair_by_pair() -> None:
    """Of yes, Yes., no, yes: the pairs of the three yes agree, 3 of 6."""
    drawn = ["yes", "Yes.", "no", "yes"]
    assert agreement(asked("vqa"), drawn, WRITING) == pytest.approx(3 / 6)
    assert support(asked("vqa"), "Yes", drawn, WRITING) == pytest.approx(3 / 4)
    assert support(asked("vqa"), "left", drawn, WRITING) == 0


def test_empty_answers_say_the_same() -> None:
    assert agreement(asked("vqa"), ["", " ", "yes"], WRITING) == pytest.approx(1 / 3)


def test_boxes_agree_by_their_iou() -> None:
    """{<0><0><50><100>} and {<25><0><75><100>} share 25 of 75, so the pairs have 1, 1/3, 1/3."""
    drawn = ["{<0><0><50><100>}", "{<0><0><50><100>}", "{<25><0><75><100>}"]
    assert agreement(asked("refer"), drawn, WRITING) == pytest.approx((1 + 2 / 3) / 3)
    # IoU of 1, 1 and 1/3 with the answer: the last is another place.
    assert support(asked("refer"), "{<0><0><50><100>}", drawn, WRITING) == pytest.approx(2 / 3)


def test_no_box_agrees_with_no_box_and_what_is_unreadable_with_nothing() -> None:
    assert agreement(asked("refer"), ["{}", "{}"], WRITING) == 1
    assert agreement(asked("refer"), ["{}", "{<0><0><50><100>}"], WRITING) == 0
    assert agreement(asked("refer"), ["left", "left"], WRITING) == 0


def test_texts_agree_as_far_as_their_words() -> None:
    """`no effusion`, `no effusion seen`: 2 words in common of 2 and 3: 4/5. No text is right as a whole."""
    assert agreement(asked("report"), ["no effusion", "no effusion seen"], WRITING) == pytest.approx(4 / 5)
    assert math.isnan(support(asked("report"), "no", ["no", "no"], WRITING))


def test_draws_that_cannot_differ_are_refused() -> None:
    with pytest.raises(DataError, match="temperature 0 are all the same"):
        Drawing(5, 0.0, 0, 12)
    with pytest.raises(DataError, match="2 or more"):
        Drawing(1, 1.0, 0, 12)
