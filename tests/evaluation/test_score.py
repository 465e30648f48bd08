import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import pefomed
from pefomed.errors import DataError
from pefomed.evaluation import score_pairs


def test_a_list_by_hand() -> None:
    # plain: 1 of 4 (yes); VQA-style: 2 of 4 (x-ray too); the empty answer stays in the mean as wrong
    scores = score_pairs(
        ["Yes", "x-ray", "left", "no"],
        ["yes", "x ray", "", "yes"],
        metas=[{"answer_type": kind} for kind in ("CLOSED", "OPEN", "OPEN", "CLOSED")],
    )
    found = {(score.metric, score.group): (score.value, score.n) for score in scores}
    assert found["closed_accuracy", "answer_type=CLOSED"] == (0.5, 2)
    assert found["token_recall", "overall"] == (0.5, 4)
    assert ("closed_accuracy", "overall") not in found
    assert {key: value for key, value in found.items() if key[0].startswith("exact_match")} == {
        ("exact_match", "overall"): (0.25, 4),
        ("exact_match", "answer_type=CLOSED"): (0.5, 2),
        ("exact_match", "answer_type=OPEN"): (0.0, 2),
        ("exact_match_vqa", "overall"): (0.5, 4),
        ("exact_match_vqa", "answer_type=CLOSED"): (0.5, 2),
        ("exact_match_vqa", "answer_type=OPEN"): (0.5, 2),
    }
    assert all(score.interval for score in scores)
    # Two answers of a group are too few, unless both are right or both wrong.
    lows = {(score.metric, score.group): score.low for score in scores}
    assert lows["exact_match", "answer_type=OPEN"] == 0.0
    assert lows["exact_match", "answer_type=CLOSED"] is None
    assert scores[0].implementation.startswith(f"pefomed {pefomed.__version__}, exact_match: ")


def test_where_all_questions_are_closed_their_accuracy_stands_too() -> None:
    scores = score_pairs(["yes", "no"], ["Yes.", "Yes"], metas=[{"answer_type": "closed"}] * 2, draws=0)
    found = [(score.group, score.value, score.n) for score in scores if score.metric == "closed_accuracy"]
    assert found == [("answer_type=CLOSED", 0.5, 2)]


def test_several_references_the_best_counts() -> None:
    scores = score_pairs(
        [["left lung", "lung"], "yes", ["no", "none"]],
        ["Lung", "no", "none seen"],
        metas=[{"answer_type": kind} for kind in ("OPEN", "CLOSED", "CLOSED")],
        draws=0,
    )
    found = {score.metric: score.value for score in scores if score.group == "overall"}
    # `lung`: right by the second. `none seen`: of `none` 1 of 1 words said, 1 of 2 of the answer's.
    assert found["exact_match"] == found["exact_match_vqa"] == pytest.approx(1 / 3)
    assert found["token_recall"] == pytest.approx(2 / 3)
    assert found["token_precision"] == pytest.approx((1 + 0 + 1 / 2) / 3)
    assert found["token_f1"] == pytest.approx((1 + 0 + 2 / 3) / 3)


def test_arrays_are_lists_and_a_text_is_none() -> None:
    scores = score_pairs(np.array(["a", "b"]), np.array(["a", "c"]), draws=0)  # type: ignore[arg-type]
    assert scores[0].value == 0.5
    with pytest.raises(DataError, match="references must be a list of texts"):
        score_pairs("yes", ["yes"])


def test_captions_of_a_list() -> None:
    scores = score_pairs([["a b c d", "e"], "f g h i"], ["a b c d", "f g h i"], task="report", draws=0)
    found = {score.metric: score.value for score in scores}
    assert found["bleu_4"] == found["bleu_4_given"] == pytest.approx(1)
    assert found["rouge_l"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("references", "predictions", "said"),
    [
        ([1], ["1"], r"references\[0\] must be a text or a list of texts"),
        (["a", []], ["a", "b"], r"references\[1\]"),
        (["a", ["b", None]], ["a", "b"], r"references\[1\]"),
        (["a"], [None], r"predictions\[0\] must be a text"),
        (["a"], [["a"]], r"predictions\[0\] must be a text"),
    ],
)
def test_what_is_no_text_is_named(references: Any, predictions: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        score_pairs(references, predictions)


def test_the_interval_draws_images_where_they_are_given() -> None:
    references, predictions = ["yes"] * 40, ["yes", "yes", "no", "no"] * 10
    by_item = score_pairs(references, predictions)[0]
    by_image = score_pairs(references, predictions, images=[str(i // 2) for i in range(40)])[0]
    assert by_item.interval == "95 % by item, jackknife, Korn-Graubard limits"
    assert by_image.interval == "95 % by image, jackknife, Korn-Graubard limits"
    assert None not in (by_item.low, by_image.low)
    # Each image is wholly right or wholly wrong, so 40 pairs are worth 20: the interval is sqrt(2) wider.
    widths = [score.high - score.low for score in (by_image, by_item)]  # type: ignore[operator]
    assert widths[0] / widths[1] == pytest.approx(2**0.5, abs=0.15)


def test_one_image_with_mixed_answers_has_no_interval() -> None:
    score = score_pairs(["a", "b"], ["a", "c"], images=["one", "one"])[0]
    assert (score.value, score.low, score.high, score.interval) == (
        0.5, None, None, "none: too few images: 1"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("references", "predictions", "images"), [(["a"], [], None), ([], [], None), (["a"], ["a"], ["x", "y"])]
)
def test_lists_that_do_not_fit(
    references: list[str], predictions: list[str], images: list[str] | None
) -> None:
    with pytest.raises(DataError, match=f"references: {len(references)}, predictions: {len(predictions)}"):
        score_pairs(references, predictions, images=images)


def test_a_hundred_thousand_answers_in_seconds() -> None:
    n = 100_000
    references = [f"answer {i % 500}" for i in range(n)]
    predictions = [f"answer {i % 700}" for i in range(n)]
    metas = [{"organ": str(i % 10), "kind": str(i % 7)} for i in range(n)]
    start = time.process_time()
    scores = score_pairs(references, predictions, images=[str(i // 5) for i in range(n)], metas=metas)
    assert time.process_time() - start < 15
    assert len(scores) == 6 * (1 + 10 + 7)  # two exact matches, four overlaps


def test_scoring_needs_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from pefomed.evaluation import score_pairs; score_pairs(['a'], ['a']);"
        "print([name for name in ('torch', 'transformers', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
