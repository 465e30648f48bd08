"""Reading an answer: strict, repaired with its reason, unparsable; never an exception."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pefomed.boxes import read_boxes
from pefomed.schema import Box

ONE = Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4)
TWO = Box(x0=0.5, y0=0.5, x1=0.6, y1=1.0)


def test_strict_answers() -> None:
    assert read_boxes("{<10><20><30><40>}").boxes == (ONE,)
    several = read_boxes(" {<10><20><30><40>}<delim>{<50><50><60><100>}\n")
    assert several.boxes == (ONE, TWO)
    assert several.state == "strict"


def test_a_box_belongs_to_the_phrase_before_it() -> None:
    text = (
        "The <p>left lung</p>{<10><20><30><40>}<delim>{<50><50><60><100>} and the"
        " <p>liver</p> {<50><50><60><100>} are normal."
    )
    found = read_boxes(text)
    assert found.state == "strict"
    assert found.phrases == (("left lung", (ONE, TWO)), ("liver", (TWO,)))
    assert found.boxes == (ONE, TWO, TWO)


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("<10><20><30><40>}", "brace missing"),
        ("{<10><20><30><40>", "brace missing"),
        ("{<30><20><10><40>}", "corners swapped"),
        ("{<10><40><30><20>}", "corners swapped"),
        ("{ <10> <20> <30> <40> }", "spaces or decimals"),
        ("{<10.0><20><30><40>}", "spaces or decimals"),
        ("It is at {<10><20><30><40>}.", "other text dropped"),
        ("{<10><20><30><40>}<delim>{<50><50>", "piece dropped"),
        ("{<10><20><30><40>}<delim>{<50><50><50><60>}", "piece dropped"),
    ],
)
def test_a_repair_is_named(text: str, repair: str) -> None:
    found = read_boxes(text)
    assert found.boxes == (ONE,)
    assert found.state == "repaired"
    assert repair in found.repairs


def test_out_of_range_is_clipped() -> None:
    found = read_boxes("{<50><50><60><130>}")
    assert (found.boxes, found.repairs) == ((TWO,), ("out of range",))
    # Beyond the image altogether: nothing is left of it.
    assert read_boxes("{<120><10><130><20>}").state == "unparsable"


def test_two_boxes_without_a_delimiter() -> None:
    found = read_boxes("{<10><20><30><40>}{<50><50><60><100>}")
    assert (found.boxes, found.repairs) == ((ONE, TWO), ("delimiter missing",))


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_text_is_empty(text: str) -> None:
    assert read_boxes(text).state == "empty"


@pytest.mark.parametrize("text", ["left upper lobe", "{<10><20><30>}", "{10,20,30,40}", "<p>liver</p>"])
def test_text_without_a_box_is_unparsable(text: str) -> None:
    found = read_boxes(text)
    assert found.state == "unparsable"
    assert found.boxes == ()


def test_a_phrase_without_box_is_kept() -> None:
    found = read_boxes("<p>liver</p> and <p>spleen</p>{<10><20><30><40>}")
    assert found.phrases == (("liver", ()), ("spleen", (ONE,)))


def test_bins_are_the_recipes() -> None:
    assert read_boxes("{<100><200><300><400>}", 1000).boxes == (ONE,)


@example("{}", 10)
@given(st.text(alphabet="{}<>0123456789 .-delimp/a", max_size=60), st.sampled_from([10, 100, 1000]))
def test_whatever_the_text_every_box_lies_in_the_image(text: str, bins: int) -> None:
    found = read_boxes(text, bins)
    assert (found.state in ("strict", "repaired")) == (bool(found.boxes) or found.says_none)
    assert (found.state == "repaired") <= bool(found.repairs)


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        ("{}", ()),
        (" {}\n", ()),
        ("<p>effusion</p>{}", ()),
        ("{ }", ("spaces or decimals",)),
        ("There is no effusion: {}", ("other text dropped",)),
        ("{}<delim>{}", None),
    ],
)
def test_that_there_is_no_box_is_an_answer(text: str, repairs: tuple[str, ...] | None) -> None:
    found = read_boxes(text)
    if repairs is None:  # a delimiter joins boxes
        assert (found.state, found.says_none) == ("unparsable", False)
        return
    assert (found.boxes, found.state) == ((), "repaired" if repairs else "strict")
    assert found.repairs == repairs
    assert found.says_none


@pytest.mark.parametrize(
    "text", ["", "none", "{", "}{", "{{}}", "{<10><20><30>}{}", "{<10><20>{}<30><40>}", "{0}"]
)
def test_silence_and_broken_boxes_do_not_say_that_there_is_none(text: str) -> None:
    found = read_boxes(text)
    assert (found.boxes, found.says_none) == ((), False)
    assert found.state in ("empty", "unparsable")


def test_a_box_beside_none_counts() -> None:
    found = read_boxes("{}<delim>{<10><20><30><40>}")
    assert (found.boxes, found.state, found.says_none) == ((ONE,), "repaired", False)
