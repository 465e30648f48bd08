"""Who labelled a run, with the card that says what they are, and their labels as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pefomed.agreement.coefficient import Floats
from pefomed.evaluation import verdicts
from pefomed.files import jsonl
from pefomed.runs.folder import card_of
from pefomed.schema import Sample
from pefomed.tasks import TASKS, Scale


@dataclass(frozen=True)
class Labeller:
    """One verdict file: a judge with its runs, or a human."""

    name: str
    kind: verdicts.RaterKind
    title: str
    card: Mapping[str, Any]
    """What the card beside the file says; empty without one."""
    labels: Mapping[int, Mapping[str, int | None]]
    """Run -> sample id -> label."""
    reasons: Mapping[str, str]
    """Sample id -> the reason given in the first run that has one."""

    def matrix(self, ids: Sequence[str]) -> Floats:
        """Return the labels of all runs, NaN where there is none, shape (N, runs)."""
        columns = [
            [np.nan if labels.get(name) is None else labels[name] for name in ids]
            for _, labels in sorted(self.labels.items())
        ]
        return np.array(columns, dtype=np.float64).T.reshape(len(ids), len(columns))


def scale_of(sample: Sample) -> Scale | None:
    """Return the scale a sample is judged on, None if it is not judged (boxes)."""
    return TASKS[sample.task].scale


def read_labellers(run: Path, samples: Sequence[Sample], on_cut: list[str] | None = None) -> list[Labeller]:
    """Return everybody who labelled answers of `run`, judges first; none without verdicts.

    Args:
        samples: all samples of the run.
        on_cut: gets a sentence for every last line that a killed writer left unfinished.

    Raises:
        DataError: a verdict is of no sample of the run or off its scale, or a file is damaged.
    """
    raters = verdicts.read_raters(run, samples, on_cut)
    labellers = [_labeller(rater) for rater in raters]
    titles = Counter(labeller.title for labeller in labellers)
    labellers = [
        replace(each, title=f"{each.title} ({each.name})") if titles[each.title] > 1 else each
        for each in labellers
    ]
    return sorted(labellers, key=lambda labeller: labeller.kind == "human")


def _labeller(rater: verdicts.RaterVerdicts) -> Labeller:
    labels: dict[int, dict[str, int | None]] = {}
    reasons: dict[str, str] = {}
    for verdict in rater.verdicts:
        labels.setdefault(verdict.run, {})[verdict.sample_id] = verdict.label
        if verdict.reason:
            reasons.setdefault(verdict.sample_id, verdict.reason)
    path = card_of(rater.path)
    card = jsonl.read_object(path, "delete it or write it again") if path.exists() else {}
    return Labeller(rater.name, rater.kind, str(card.get("title") or rater.name), card, labels, reasons)
