import pytest

from pefomed.boxes.marks import marked_phrases, without_marks
from pefomed.errors import DataError
from pefomed.schema import Box, Sample

BOXES = tuple(Box(x0=i / 10, y0=0.0, x1=1.0, y1=1.0) for i in range(3))


def grounded(reference: str) -> Sample:
    return Sample(id="s", images=("a.png",), task="grounding", reference=reference, boxes=BOXES)


def test_phrases_and_their_boxes() -> None:
    found = marked_phrases(grounded("The <p>liver</p>{0} and <p>both kidneys</p>{1,2}."))
    assert found == [("liver", BOXES[:1]), ("both kidneys", BOXES[1:])]
    assert marked_phrases(grounded("Nothing is marked.")) == []


def test_a_box_that_is_not_there() -> None:
    with pytest.raises(DataError, match="sample s: the phrase 'liver' names a box that is not there"):
        marked_phrases(grounded("The <p>liver</p>{3}."))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The <p>liver</p>{0} and <p>kidneys</p>{1,2}.", "The liver and kidneys."),
        ("The <p>liver</p>{<1><2><3><4>}<delim>{<5><6><7><8>}.", "The liver."),
        ("The <p>liver</p> {<1><2><3><4>} is large", "The liver is large"),
        ("The <p>liver {<1><2><3> is", "The liver is"),  # cut
        ("the liver <1> <2><3><4>} is", "the liver is"),  # braces missing
        ("a <b> 3 < 4 {c} 5 mm", "a <b> 3 < 4 {c} 5 mm"),
        ("", ""),
    ],
)
def test_text_alone(text: str, plain: str) -> None:
    assert without_marks(text) == plain
