"""Real answers that are wrong: each question with the reference of another question of its kind.

How often a judge calls such an answer right is its false-right rate. It is a bound from above: some drawn
answers say the same in other words (`Axial` for `Transverse Plane`), or are right for more than one image.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.judges.offline_text import key_of
from pefomed.judges.prompts import JudgedPair
from pefomed.schema import Sample

KINDS: Mapping[str, tuple[str, ...]] = {
    "slake": ("content_type", "answer_type"),
    "vqa_rad": ("question_type", "answer_type"),
}
"""What makes two questions of one kind: fields of the samples' meta, by data set."""

Judge = Callable[[JudgedPair], tuple[int | None, str]]


def wrong_pairs(samples: Sequence[Sample], kind: Sequence[str], seed: int = 0) -> list[JudgedPair]:
    """Return each question with an answer drawn from those of its kind that are another text.

    A question is left out if all answers of its kind are its own.
    """
    kinds: dict[tuple[str, ...], list[Sample]] = {}
    for sample in samples:
        if sample.reference:
            kinds.setdefault(tuple(sample.meta[name] for name in kind), []).append(sample)
    drawn = random.Random(seed)
    pairs = []
    for group in kinds.values():
        keys = [key_of(sample.reference) for sample in group]
        for sample, key in zip(group, keys, strict=True):
            others = [other.reference for other, its in zip(group, keys, strict=True) if its != key]
            if others:
                pairs.append(JudgedPair("binary", sample.question, sample.reference, drawn.choice(others)))
    return pairs


def measure(judge: Judge, samples: Sequence[Sample], kind: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Return what a judge says to wrong answers and to the references themselves.

    `false_right_rate` is of the wrong answers it judged; None if it judged none.
    """
    wrong = [judge(pair)[0] for pair in wrong_pairs(samples, kind, seed)]
    same = [
        judge(JudgedPair("binary", sample.question, sample.reference, sample.reference))[0]
        for sample in samples
        if sample.reference
    ]
    judged = len(wrong) - wrong.count(None)
    return {
        "wrong": len(wrong),
        "judged_right": wrong.count(1),
        "not_judged": wrong.count(None),
        "false_right_rate": round(wrong.count(1) / judged, 4) if judged else None,
        "identical": len(same),
        "identical_judged_right": same.count(1),
    }


def shipped_figures() -> dict[str, Any]:
    """Return the figures measured with the shipped rules and thresholds, by data set."""
    path = Path(__file__).parent / "wrong_answers.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
