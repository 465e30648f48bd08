from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pefomed.boxes import PlacedBoxes
from pefomed.errors import DataError
from pefomed.evaluation import score_boxes
from pefomed.metrics.box_values import BOX_METRICS, phrase_values
from pefomed.schema import Box, Score


def upright(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.0, x1=x1, y1=1.0)


LEFT, RIGHT, WHOLE = upright(0.0, 0.5), upright(0.5, 1.0), upright(0.0, 1.0)
SIDES = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda edge: edge[1] - edge[0] > 1e-6)
BOXES = st.lists(st.builds(lambda x, y: Box(x0=x[0], y0=y[0], x1=x[1], y1=y[1]), SIDES, SIDES), max_size=3)


def value(scores: list[Score], metric: str, group: str = "overall") -> float:
    [score] = [score for score in scores if (score.metric, score.group) == (metric, group)]
    return score.value


def test_one_item_by_hand() -> None:
    # 0.2 .. 0.8 and 0 .. 0.5: 0.3 of 0.8 in common; its centre 0.5 lies on the reference's edge.
    assert phrase_values([LEFT], PlacedBoxes((upright(0.2, 0.8),))) == pytest.approx(
        {
            "iou": 3 / 8, "dice": 0.6 / 1.1, "acc_0.3": 1.0, "acc_0.5": 0.0, "acc_0.7": 0.0,
            "box_precision": 0.0, "box_recall": 0.0, "pointing": 1.0,
        }
    )  # fmt: skip


def test_several_boxes_by_hand() -> None:
    # The answer covers the whole image, as the references do. 0 .. 0.6 has IoU 5/6 with the left half,
    # 0.4 .. 1 with the right one, 0.45 .. 0.55 with none; all three centres are in a half.
    answer = PlacedBoxes((upright(0.0, 0.6), upright(0.4, 1.0), upright(0.45, 0.55)))
    found = phrase_values([LEFT, RIGHT], answer)
    assert (found["iou"], found["dice"], found["acc_0.7"]) == pytest.approx((1.0, 1.0, 1.0))
    assert (found["box_precision"], found["box_recall"], found["pointing"]) == pytest.approx((2 / 3, 1, 1))
    # One box around both: the same area, but half of the boxes.
    one = phrase_values([LEFT, RIGHT], PlacedBoxes((WHOLE,)))
    assert one["iou"] == 1.0
    assert (one["box_precision"], one["box_recall"]) == (1.0, 0.5)


def test_a_box_in_the_padding_counts_as_given() -> None:
    found = phrase_values([LEFT], PlacedBoxes((LEFT,), outside=1))
    assert (found["iou"], found["box_precision"], found["box_recall"], found["pointing"]) == (1, 0.5, 1, 0.5)


@given(BOXES.filter(bool))
def test_no_answer_is_0_everywhere_and_the_right_one_is_1(references: list[Box]) -> None:
    assert set(phrase_values(references, PlacedBoxes(())).values()) == {0.0}
    assert list(phrase_values(references, PlacedBoxes(tuple(references))).values()) == pytest.approx(
        [1.0] * 8
    )


@given(BOXES.filter(bool), BOXES)
def test_every_value_is_a_share_and_thresholds_are_ordered(references: list[Box], given: list[Box]) -> None:
    found = phrase_values(references, PlacedBoxes(tuple(given)))
    assert list(found) == list(BOX_METRICS)
    assert all(0.0 <= number <= 1.0 for number in found.values())
    assert found["acc_0.3"] >= found["acc_0.5"] >= found["acc_0.7"]
    assert found["dice"] == pytest.approx(2 * found["iou"] / (1 + found["iou"]))


def test_micro_and_macro_means() -> None:
    # Heart: 1, 1, 1, 0, mean 3/4. Lung: 1/2. All: 3.5/5. Mean of the two categories: 5/8.
    references = [[WHOLE]] * 5
    predictions = [[WHOLE], [WHOLE], [WHOLE], [], [LEFT]]
    metas = [{"category": "heart"}] * 4 + [{"category": "lung"}]
    scores = score_boxes(references, predictions, metas=metas)
    assert value(scores, "iou") == pytest.approx(0.7)
    assert value(scores, "iou", "category=heart") == 0.75
    assert value(scores, "iou_macro") == pytest.approx(0.625)
    assert value(scores, "acc_0.5_macro") == pytest.approx((3 / 4 + 1) / 2)
    assert value(scores, "dice_macro") == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert not [score for score in scores if "macro" in score.metric and score.group != "overall"]


def test_a_category_without_items_is_left_out_of_the_macro_mean() -> None:
    # Three images: without the second the first category is all there is. 1/2, without each 1/2, 1, 1/2:
    # variance 2/3 * 1/4, so that the items are worth 1/4 / (1/6) = 1.5, times (1.96 / 4.30)^2: 0.311.
    metas = [{"category": "a"}, {"category": "b"}, {"category": "a"}]
    references, predictions = [[WHOLE], [LEFT], [WHOLE]], [[WHOLE], [RIGHT], [WHOLE]]
    scores = score_boxes(references, predictions, images=["1", "2", "3"], metas=metas)
    [macro] = [score for score in scores if score.metric == "iou_macro"]
    assert macro.value == 0.5
    half = 0.311 / 2
    low, high = stats.beta.ppf(0.025, half, half + 1), stats.beta.ppf(0.975, half + 1, half)
    assert (macro.low, macro.high) == pytest.approx((low, high), abs=1e-6)


def test_items_of_an_image_are_drawn_together() -> None:
    random = np.random.default_rng(5)
    predictions = [[WHOLE] if right else [] for right in np.repeat(random.random(50) < 0.5, 4)]
    alone = score_boxes([[WHOLE]] * 200, predictions)
    together = score_boxes([[WHOLE]] * 200, predictions, images=[f"{i // 4}" for i in range(200)])
    widths = [
        next(score.high - score.low for score in scores if score.metric == "iou")  # type: ignore[operator]
        for scores in (alone, together)
    ]
    assert widths[1] / widths[0] == pytest.approx(2.0, abs=0.2)  # 4 equal items are worth one
    assert together[0].interval == "95 % by image, jackknife, Korn-Graubard limits"


def test_lists_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="references: 1, predictions: 2"):
        score_boxes([[WHOLE]], [[WHOLE], []])


@pytest.mark.parametrize("boxes", [[(0, 0, 1, 1)], [[0.1, 0.2, 0.3, 0.4]], Box(x0=0, y0=0, x1=1, y1=1), None])
def test_what_is_no_list_of_boxes_is_named(boxes: Any) -> None:
    right = [Box(x0=0, y0=0, x1=1, y1=1)]
    with pytest.raises(DataError, match=r"predictions\[1\] must be a list of boxes"):
        score_boxes([right, right], [right, boxes])
