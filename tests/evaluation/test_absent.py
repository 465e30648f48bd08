"""Phrases that are nowhere in the image: when an answer is right, and what stands beside the means."""

from __future__ import annotations

import pytest

from pefomed.boxes import PlacedBoxes
from pefomed.boxes.region import dice
from pefomed.evaluation import score_boxes
from pefomed.floors.absent import none_floors
from pefomed.floors.boxes import floors_of
from pefomed.metrics.box_values import BOX_METRICS, phrase_values
from pefomed.metrics.phrase_items import PhraseItem
from pefomed.schema import Box, Score

LEFT, RIGHT = Box(x0=0.0, y0=0.0, x1=0.5, y1=1.0), Box(x0=0.5, y0=0.0, x1=1.0, y1=1.0)
WHOLE = Box(x0=0.0, y0=0.0, x1=1.0, y1=1.0)


def value(scores: list[Score], metric: str, group: str = "overall") -> tuple[float, int]:
    [score] = [score for score in scores if (score.metric, score.group) == (metric, group)]
    return score.value, score.n


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (PlacedBoxes(()), 1.0),
        (PlacedBoxes((LEFT,)), 0.0),
        (PlacedBoxes((), outside=1), 0.0),  # a box, if of nothing but padding
        (PlacedBoxes((), readable=False), 0.0),
    ],
)
def test_without_a_box_only_the_answer_that_there_is_none_is_right(answer: PlacedBoxes, right: float) -> None:
    assert phrase_values((), answer) == dict.fromkeys(BOX_METRICS, right)


def test_means_over_all_over_what_is_there_and_both_accuracies_by_hand() -> None:
    # IoU 1/2, 0 (nothing answered), 1 (rightly nothing), 0 (a box of nothing), 1 (rightly nothing).
    scores = score_boxes(
        references=[[LEFT], [RIGHT], [], [], []],
        predictions=[[WHOLE], [], [], [LEFT], []],
        metas=[{"category": name} for name in ("a", "a", "a", "b", "b")],
    )
    assert value(scores, "iou") == (pytest.approx(2.5 / 5), 5)
    assert value(scores, "iou", "boxes=any") == (pytest.approx(0.5 / 2), 2)
    assert value(scores, "dice", "boxes=any") == (pytest.approx(dice([LEFT], [WHOLE]) / 2), 2)
    assert value(scores, "acc_0.5") == (pytest.approx(3 / 5), 5)
    assert value(scores, "n_acc") == (pytest.approx(2 / 3), 3)
    assert value(scores, "t_acc") == (pytest.approx(1 / 2), 2)
    assert value(scores, "n_acc", "category=a") == (1.0, 1)
    assert value(scores, "t_acc", "category=a") == (0.5, 2)
    assert [score.group for score in scores if score.metric == "t_acc"] == [
        "overall",
        "category=a",
        "boxes=any",
    ]
    # (.5 + 0 + 1) / 3 and (0 + 1) / 2.
    assert value(scores, "iou_macro") == (pytest.approx((0.5 + 0.5) / 2), 5)


def test_where_every_phrase_has_a_box_nothing_is_added() -> None:
    scores = score_boxes([[LEFT], [RIGHT]], [[LEFT], []])
    assert {score.metric for score in scores}.isdisjoint({"n_acc", "t_acc"})
    assert {score.group for score in scores} == {"overall"}


def test_where_no_phrase_has_a_box() -> None:
    scores = score_boxes([[], []], [[], [LEFT]])
    assert value(scores, "iou") == value(scores, "n_acc") == (0.5, 2)
    assert {score.group for score in scores} == {"overall"}
    assert not [score for score in scores if score.metric in ("t_acc", "side_mistake_rate")]


def item(category: str, *boxes: Box, **meta: str) -> PhraseItem:
    return PhraseItem(0, category, 0, boxes, {"category": category, **meta})


def test_floors_of_none_by_hand() -> None:
    # Effusions: none in 2 of 3. Masses: in 1 of 2, which is not most.
    training = [
        item("effusion", LEFT), item("effusion"), item("effusion"), item("mass", RIGHT), item("mass"),
    ]  # fmt: skip
    asked = [item("Effusion"), item("mass", RIGHT), item("cyst")]
    medians = floors_of(training, asked)
    none, most = none_floors(training, asked, medians)
    assert (none.name, none.boxes, none.learns) == ("floor:always-none", [(), (), ()], False)
    assert most.name == "floor:none-or-median-box"
    # A cyst was never trained on: of all phrases 3 of 5 have none.
    assert most.boxes == [(), (RIGHT,), ()]
    assert most.how.endswith("3 of 5 training phrases have none")
    assert none_floors(training, asked[1:2], floors_of(training, asked[1:2])) == []
    untrained = none_floors([], asked, floors_of([], asked))
    assert [floor.name for floor in untrained] == ["floor:always-none"]
