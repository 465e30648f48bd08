"""The table of metrics: what every part of the program reads off it."""

import subprocess
import sys

from pefomed.evaluation.grounding import MACRO
from pefomed.evaluation.verdicts import RATER_KINDS
from pefomed.metrics.box_values import BOX_METRICS
from pefomed.metrics.captions.corpus import FIGURES as CAPTIONS
from pefomed.metrics.captions.presets import PRESETS
from pefomed.metrics.known import METRICS
from pefomed.metrics.lookup import heads, metric_of, named


def test_everything_that_is_computed_stands_in_the_table() -> None:
    suffixes = [preset.suffix for preset in PRESETS.values()]
    computed = {
        *BOX_METRICS, *(f"{name}_macro" for name in MACRO),
        *(f"{name}{end}" for name in CAPTIONS for end in suffixes),
        *(f"{kind}_accuracy" for kind in RATER_KINDS.values()),
        *(f"wasm_{kind}" for kind in RATER_KINDS.values()),
    }  # fmt: skip
    assert computed <= METRICS.keys()


def test_a_published_name_a_judges_name_and_an_unknown_one() -> None:
    assert metric_of("judge").name == "judge_accuracy"
    assert metric_of("wasm_judge:gpt").most == 4.0
    assert metric_of("some_new_score").title == "Some new score"
    assert metric_of("some_new_score").unit == ""


def test_what_stands_first_of_boxes_has_one_group_of_its_own() -> None:
    assert [(metric.name, group) for metric, group in heads("boxes")][5:7] == [
        ("side_mistake_rate", "overall"), ("iou", "boxes=any"),
    ]  # fmt: skip
    assert named("texts")[:3] == ("bleu_1", "bleu_1_r2gen", "bleu_1_given")


def test_a_file_of_the_room_takes_no_other_that_it_does_not_need() -> None:
    """numpy alone would be 100 modules more."""
    code = "import sys, pefomed.metrics.normalise as _; print(*(m for m in sys.modules if 'pefomed' in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert len(loaded.split()) < 10
    assert "pefomed.schema" not in loaded
