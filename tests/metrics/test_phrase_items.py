import numpy as np
import pytest

from pefomed.answers.writing import writing_of
from pefomed.boxes import BoxFormat, PlacedBoxes, Resizing, Writing
from pefomed.boxes.region import iou
from pefomed.metrics.phrase_items import (
    PhraseItem,
    answers_of,
    items_of,
    readings_of,
    written_and_read,
)
from pefomed.schema import Box, Sample


def box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


A, B, C = box(0, 0, 0.2, 0.2), box(0.4, 0.4, 0.6, 0.6), box(0.8, 0.8, 1, 1)


def sample(task: str, **fields: object) -> Sample:
    return Sample.model_validate({"id": task, "images": ("a.png",), "task": task, **fields})


def answered(samples: list[Sample], texts: list[str], writing: Writing = Writing()) -> list[PlacedBoxes]:  # noqa: B008
    return answers_of(items_of(samples), samples, readings_of(texts, writing), writing)


def test_what_is_scored() -> None:
    caption = "A <p>Nodule</p>{0}, a <p>nodule</p>{1,2} and the <p>liver</p>{0}."
    samples = [
        sample("vqa", question="?", reference="yes", boxes=(A,)),
        sample("refer", question="Liver", boxes=(A,), meta={"category": "Liver", "modality": "CT"}),
        sample("detection", question="both lungs", boxes=(A, B)),
        sample("grounding", reference=caption, boxes=(A, B, C), meta={"modality": "MRI"}),
    ]
    items = items_of(samples)
    found = [(i.place, i.phrase, i.occurrence, i.boxes, i.category, i.meta["boxes"]) for i in items]
    assert found == [
        (1, "Liver", 0, (A,), "Liver", "1"),
        (2, "both lungs", 0, (A, B), "both lungs", "several"),
        (3, "Nodule", 0, (A,), "nodule", "1"),
        (3, "nodule", 1, (B, C), "nodule", "several"),
        (3, "liver", 0, (A,), "Liver", "1"),  # the label's spelling: one category
    ]
    assert items[-1].meta["modality"] == "MRI"


def test_boxes_of_an_answer() -> None:
    one = [sample("refer", question="liver", boxes=(A,))]
    assert answered(one, ["{<0><0><20><20>}"]) == [PlacedBoxes((A,))]
    assert answered(one, ["<p>liver</p> {<0><0><20><20>}<delim>{<40><40><60><60>}"]) == [PlacedBoxes((A, B))]
    for nothing in ("", "the liver", "{<0><0><20>"):
        assert answered(one, [nothing]) == [PlacedBoxes((), readable=False)]
    assert answered(one, ["{}"]) == [PlacedBoxes(())]


def test_boxes_of_a_caption_go_to_the_phrase_before_them() -> None:
    caption = "A <p>nodule</p>{0}, a <p>nodule</p>{1} and the <p>liver</p>{2}."
    one = [sample("grounding", reference=caption, boxes=(A, B, C))]
    text = "<p>Liver</p>{<80><80><100><100>}, a <p>nodule</p> {<0><0><20><20>} and <p>cyst</p>{<1><1><9><9>}."
    # In the order of the reference: the second nodule is not mentioned, the cyst is nobody's.
    assert answered(one, [text]) == [PlacedBoxes((A,)), PlacedBoxes(()), PlacedBoxes((C,))]
    assert answered(one, ["A nodule {<0><0><20><20>}."]) == [PlacedBoxes(())] * 3


def test_preprocessing_is_undone() -> None:
    # 100 x 50 pixels in a square of 100: 25 pixels of padding above and below.
    writing = Writing(resizing=Resizing("letterbox", 100))
    corner = box(0, 0, 0.25, 0.5)
    one = [sample("refer", question="liver", boxes=(corner,), size=(100, 50))]
    text = "{<0><25><25><50>}<delim>{<0><0><50><50>}<delim>{<0><80><100><100>}"
    # The first lies in the image, the second reaches from the padding into it, the third is padding.
    assert answered(one, [text], writing) == [PlacedBoxes((corner, box(0, 0, 0.5, 0.5)), outside=1)]
    squashed = [sample("refer", question="liver", boxes=(A,), size=(100, 50))]
    assert answered(squashed, ["{<0><0><20><20>}"]) == [PlacedBoxes((A,))]


def test_without_recipe_100_bins_of_the_image() -> None:
    assert writing_of(None) == Writing(BoxFormat(100, "round"), Resizing("squash"), given=True)


def ceiling(boxes: list[Box], bins: int, rounding: str) -> float:
    samples = [sample("refer", question="it", boxes=(one,)) for one in boxes]
    items = [PhraseItem(place, "it", 0, (one,), {}) for place, one in enumerate(boxes)]
    writing = Writing(BoxFormat(bins, rounding))  # type: ignore[arg-type]
    answers = written_and_read(items, samples, writing)
    pairs = zip(boxes, answers, strict=True)
    return float(np.mean([iou([reference], answer.boxes) for reference, answer in pairs]))


@pytest.mark.parametrize(
    ("bins", "rounding", "published"),
    [(100, "round", 0.959), (100, "truncate", 0.919), (1000, "round", 0.996)],
)
def test_the_published_ceilings(bins: int, rounding: str, published: float) -> None:
    """What bins cost depends on the boxes' size: to first order 1 - IoU = (1/w + 1/h) / (2 bins).

    An edge is off by 1/4 bin on average if it is rounded, and an edge across a side w costs its error / w.
    Cut-off edges are off by 1/2 bin, twice as much. The three published figures are those of one size of
    boxes, sides of about 1/4: 1 - .959 = .041, twice and a tenth of which are .081 and .004.
    """
    random = np.random.default_rng(0)
    sides = random.uniform(0.15, 0.35, (2000, 2))
    corners = random.random((2000, 2)) * (1 - sides)
    boxes = [box(*edges) for edges in np.hstack((corners, corners + sides)).tolist()]
    assert ceiling(boxes, bins, rounding) == pytest.approx(published, abs=0.002)


def test_a_right_answer_reaches_the_ceiling_and_no_more() -> None:
    one = [sample("refer", question="it", boxes=(box(0.123, 0.123, 0.456, 0.456),))]
    assert answered(one, ["{<12><12><46><46>}"]) == written_and_read(items_of(one), one, Writing())
