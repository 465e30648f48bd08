"""Where the offline judge's thresholds come from: pairs made of training data, never of a test split.

VQA. Two different training answers to the same training question (asked of different images) are taken as
different in meaning; of those the rules do not decide, at most 1 % may reach the threshold. What it still
accepts is told by the same answers reworded, and with a letter missing.

Reports. From training reports: of the n sentences of a text, some are replaced by sentences of other texts
that are not in it. The share kept says the level: all 4, three quarters 3, half 2, a quarter 1, none 0. The
thresholds are those at which the fewest made-up pairs get another level.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pefomed.judges.embedding import Embedder
from pefomed.judges.similarity import report_similarity, sentences_of, similarity
from pefomed.judges.training_pairs import different_pairs, made_reports, reworded_pairs
from pefomed.schema import Sample

FALSE_ACCEPTS = 0.01


@dataclass(frozen=True)
class Thresholds:
    """The thresholds and how they were chosen."""

    vqa: float
    levels: tuple[float, float, float, float]
    provenance: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Return them as they are written into a card."""
        return {**asdict(self), "levels": list(self.levels)}


def shipped() -> Thresholds:
    """Return the thresholds that come with this package."""
    found = json.loads((Path(__file__).parent / "thresholds.json").read_text(encoding="utf-8"))
    return Thresholds(found["vqa"], tuple(found["levels"]), found["provenance"])


def choose(
    embed: Embedder, questions: Sequence[Sample], reports: Sequence[str], data: Mapping[str, str]
) -> Thresholds:
    """Return thresholds chosen on training (or validation) data.

    Args:
        questions: training questions with their answers.
        reports: training reports of four sentences or more.
        data: what they are, for the record.

    Raises:
        ValueError: the data does not suffice to part the levels.
    """
    different, reworded = different_pairs(questions), reworded_pairs(questions)
    accepted = [similarity(embed, pair.reference, pair.answer) for pair in different]
    kept = [similarity(embed, pair.reference, pair.answer) for pair in reworded]
    vqa = vqa_threshold(accepted)
    made = made_reports([sentences_of(text) for text in dict.fromkeys(reports)])
    scores = [report_similarity(embed, reference, answer) for reference, answer, _ in made]
    wanted = [level for *_, level in made]
    levels = level_thresholds(scores, wanted)
    found = np.searchsorted(levels, scores, side="right")
    return Thresholds(
        vqa,
        levels,
        {
            **data,
            "different_pairs": len(different),
            "different_accepted": round(float(np.mean(np.asarray(accepted) >= vqa)), 4),
            "reworded_pairs": len(reworded),
            "reworded_accepted": round(float(np.mean(np.asarray(kept) >= vqa)), 4),
            "made_reports": len(made),
            "made_reports_at_their_level": round(float(np.mean(found == np.asarray(wanted))), 4),
        },
    )


def vqa_threshold(different: Sequence[float]) -> float:
    """Return the lowest similarity, in hundredths, that at most `FALSE_ACCEPTS` of different pairs reach."""
    values = np.asarray(different)
    steps = np.arange(50, 101) / 100
    allowed = [float(step) for step in steps if (values >= step).mean() <= FALSE_ACCEPTS]
    return allowed[0] if allowed else 1.01


def level_thresholds(scores: Sequence[float], levels: Sequence[int]) -> tuple[float, float, float, float]:
    """Return the four similarities, in hundredths, that part the levels with the fewest mistakes."""
    values, wanted = np.asarray(scores), np.asarray(levels)
    steps = np.arange(1, 101) / 100
    found = []
    for level in range(1, 5):
        wrong = [((values >= step) != (wanted >= level)).sum() for step in steps]
        best = np.flatnonzero(np.array(wrong) == min(wrong))
        found.append(float(steps[best[len(best) // 2]]))  # the middle of equals is safest on both sides
    if any(high <= low for low, high in pairwise(found)):
        raise ValueError(f"the levels cannot be told apart: {found}")
    return (found[0], found[1], found[2], found[3])
