"""Scores stay the same to the last digit: those of two fixed runs are kept beside what makes the runs.

A change that is meant to move a number writes them anew, and says in its message which and why:
`PEFOMED_GOLDEN=write pytest tests/evaluation/test_golden.py`. METEOR, which needs Java, is not among them.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.evaluation.golden import runs

from pefomed.agreement.run import agreement_of
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs

KEPT = Path(__file__).parent / "golden"


def test_the_scores_of_every_task_and_rater(tmp_path: Path) -> None:
    scores = evaluate_run(runs.everything(tmp_path))
    check("everything", (score.model_dump() for score in scores))
    assert {score.metric for score in scores} >= {
        "exact_match", "closed_accuracy", "cider_r2gen", "n_acc", "iou_macro", "side_mistake_rate",
        "cut_rate", "repaired_rate", "human_accuracy", "judge_accuracy", "wasm_offline_judge",
    }  # fmt: skip


def test_the_scores_of_every_floor(tmp_path: Path) -> None:
    scores = evaluate_run(runs.floors(tmp_path), tmp_path / "data")
    check("floors", (score.model_dump() for score in scores))
    assert {score.system for score in scores} >= {
        "blind", "floor:majority", "floor:nearest-text", "floor:nearest-box", "floor:constant-report",
        "floor:whole-image", "floor:median-box", "floor:nearest-image", "ceiling:bins", "published:PeFoMed",
    }  # fmt: skip


def test_the_agreement_of_raters_and_metrics(tmp_path: Path) -> None:
    found = agreement_of(runs.everything(tmp_path))
    check("agreement", (one.model_dump() for one in found.agreement))


def test_the_differences_of_two_runs(tmp_path: Path) -> None:
    one, other = runs.everything(tmp_path / "one"), runs.everything(tmp_path / "other", turned=True)
    check("differences", map(asdict, compare_runs(one, other)))


def check(name: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Compare records with those that are kept: a line each, every text in it as its number."""
    texts: dict[str, int] = {}
    rows = [json.dumps([_coded(value, texts) for value in record.values()]) for record in records]
    now = "\n".join([json.dumps(list(texts), indent=0), *rows, ""])
    path = KEPT / f"{name}.txt"
    if os.environ.get("PEFOMED_GOLDEN") == "write":
        path.write_text(now)
    assert now.splitlines() == path.read_text().splitlines()


def _coded(value: Any, texts: dict[str, int]) -> Any:
    if isinstance(value, str):
        return texts.setdefault(re.sub(r"^pefomed \d\S*, ", "", value), len(texts))
    return [_coded(each, texts) for each in value] if isinstance(value, list | tuple) else value
