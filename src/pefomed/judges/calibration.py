"""Pairs with a known label, which every judge is asked about and every judge's card shows.

The first four are the paper's examples, all of them right: a judge that says 1 to everything gets them all.
Beside each stands one of ours that is wrong, and for reports one at each end of the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pefomed.judges.prompts import JudgedPair


@dataclass(frozen=True)
class Known:
    """A pair and the label it should get."""

    pair: JudgedPair
    expected: int
    source: str
    """`paper` or `ours`."""


def _vqa(question: str, reference: str, answer: str, expected: int, source: str) -> Known:
    return Known(JudgedPair("binary", question, reference, answer), expected, source)


_WHICH_PART = "Which part of the pancreas is abnormal?"
_REPORT = (
    "The heart is enlarged. There is a left pleural effusion. The right lung is clear."
    " There is no pneumothorax."
)

PAPER: tuple[Known, ...] = (
    _vqa("What kind of image is this?", "x-ray", "chest x-ray", 1, "paper"),
    _vqa(_WHICH_PART, "pancreatic head", "head", 1, "paper"),
    _vqa("Which lungs are affected?", "both", "bilateral", 1, "paper"),
    _vqa("Is the spleen present?", "on patient's left", "yes", 1, "paper"),
)
OURS: tuple[Known, ...] = (
    _vqa("What kind of image is this?", "x-ray", "chest CT", 0, "ours"),
    _vqa(_WHICH_PART, "pancreatic head", "tail", 0, "ours"),
    _vqa("Which lungs are affected?", "both", "left", 0, "ours"),
    _vqa("Is the spleen present?", "on patient's left", "no", 0, "ours"),
)
REPORTS: tuple[Known, ...] = (
    Known(JudgedPair("level", "", _REPORT, _REPORT), 4, "ours"),
    Known(JudgedPair("level", "", _REPORT, "The image shows a fracture of the left wrist."), 0, "ours"),
)


def pairs(scales: Sequence[str]) -> tuple[Known, ...]:
    """Return the pairs a judge of these scales is asked about; the paper's four always."""
    return PAPER + OURS + (REPORTS if "level" in scales else ())


def shown(known: Known, labels: Sequence[int | None]) -> dict[str, Any]:
    """Return the pair as a judge's card shows it, with the label of each run."""
    pair = known.pair
    return {
        "question": pair.question,
        "reference": pair.reference,
        "answer": pair.answer,
        "expected": known.expected,
        "labels": list(labels),
        "scale": pair.scale,
        "source": known.source,
    }
