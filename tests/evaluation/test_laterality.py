"""Left and right mistaken, as scores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.evaluation.grounding import score_boxes
from pefomed.evaluation.score import Questions, listed, score_present, score_share
from pefomed.metrics.laterality import MISTAKES, NAMED, RULE, is_mistaken, laterality_values, side_of
from pefomed.schema import Box, Score


def box(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.1, x1=x1, y1=0.9)


@pytest.mark.parametrize(
    ("boxes", "side"),
    [
        ([], "no box"),
        ([box(0.0, 0.4)], "left"),
        ([box(0.6, 1.0)], "right"),
        ([box(0.0, 1.0)], "middle"),
        # Centres at .45 and .44: 5 % and 6 % of the width from the midline.
        ([box(0.4, 0.5)], "middle"),
        ([box(0.38, 0.5)], "left"),
        ([box(0.0, 0.2), box(0.8, 1.0)], "both"),
        ([box(0.0, 0.2), box(0.4, 0.6)], "left"),
    ],
)
def test_a_side_is_where_the_centre_lies(boxes: list[Box], side: str) -> None:
    assert side_of(boxes) == side


corners = st.tuples(st.integers(0, 999), st.integers(1, 1000)).filter(lambda pair: pair[0] < pair[1])


@given(st.lists(corners, max_size=4))
def test_a_mirrored_answer_mistakes_what_has_one_side(one: list[tuple[int, int]]) -> None:
    boxes = [box(x0 / 1000, x1 / 1000) for x0, x1 in one]
    mirrored = [box(1 - b.x1, 1 - b.x0) for b in boxes]
    assert not is_mistaken(boxes, boxes)
    swapped = {"left": "right", "right": "left"}
    assert side_of(mirrored) == swapped.get(side_of(boxes), side_of(boxes))
    assert is_mistaken(boxes, mirrored) == (side_of(boxes) in swapped)


LEFT, RIGHT, MIDDLE = [box(0.0, 0.3)], [box(0.7, 1.0)], [box(0.3, 0.7)]

PHRASES = ["left lung", "right lung", "mass", "heart", "left mass"]
REFERENCES = [RIGHT, LEFT, LEFT, MIDDLE, RIGHT]
ANSWERS = [LEFT, LEFT, RIGHT, LEFT, []]


def scored(questions: Questions, how: str = "") -> list[Score]:
    return score_present(questions, laterality_values(PHRASES, REFERENCES, ANSWERS), "model", how)


def test_the_rates_are_of_phrases_on_one_side() -> None:
    metas = [{"organ": name} for name in ("lung", "lung", "mass", "heart", "mass")]
    questions = listed(PHRASES, list("aabbc"), metas, "d", "test", 200, 7)
    found = {(s.metric, s.group): s for s in scored(questions, f"{RULE}; by hand")}
    # Of four on one side the first and the third are mirrored; an answer without a box mistakes nothing.
    assert (found[MISTAKES, "overall"].value, found[MISTAKES, "overall"].n) == (0.5, 4)
    # Three say a side, of these the first is mirrored.
    assert found[NAMED, "overall"].value == pytest.approx(1 / 3)
    assert found[NAMED, "overall"].n == 3
    assert (found[MISTAKES, "organ=mass"].value, found[MISTAKES, "organ=mass"].n) == (0.5, 2)
    # The heart is in the middle: no rate of nothing.
    assert (MISTAKES, "organ=heart") not in found
    assert found[NAMED, "organ=mass"].n == 1
    assert "by hand" in found[MISTAKES, "overall"].implementation
    assert "5 %" in found[MISTAKES, "overall"].implementation


def test_draws_and_seed_are_those_of_the_questions() -> None:
    mistaken = [True, False, True, False]  # of those on one side, one image each but for the first two

    def found(draws: int, seed: int) -> tuple[Score, Score]:
        questions = listed(PHRASES, list("aabbc"), None, "d", "test", draws, seed)
        (overall, _) = scored(questions)
        sided = listed([""] * 4, list("aabc"), None, "d", "test", draws, seed)
        return overall, score_share(sided, mistaken, "share", "model", "")

    for draws, seed in ((200, 7), (300, 5), (0, 7)):
        ours, share = found(draws, seed)
        assert (ours.low, ours.high, ours.interval) == (share.low, share.high, share.interval)
    assert ours.interval == ""


def test_lists_of_boxes_have_them_too() -> None:
    (found,) = [s for s in score_boxes(REFERENCES, ANSWERS, draws=0) if s.metric == MISTAKES]
    assert (found.value, found.n) == (0.5, 4)
