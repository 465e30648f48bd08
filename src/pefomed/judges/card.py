"""A judge's card: who judged, with which settings, what it says to pairs whose label is known, and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pefomed.files.jsonl import read_object
from pefomed.files.storage import write
from pefomed.judges.items import JudgeItem
from pefomed.judges.parse import REFUSED
from pefomed.judges.results import results
from pefomed.runs import RunFolder
from pefomed.schema import Verdict


def counts(items: int, verdicts: Sequence[Verdict], still_open: int = 0) -> dict[str, int]:
    """Return the counts of a card: `items` are answers, everything else verdicts (items times runs).

    `refused` are among the `unscored`; `open` got no reply yet.
    """
    unscored = [verdict for verdict in verdicts if verdict.label is None]
    return {
        "items": items,
        "verdicts": len(verdicts),
        "scored": len(verdicts) - len(unscored),
        "unscored": len(unscored),
        "refused": sum(verdict.reason.startswith(REFUSED) for verdict in unscored),
        "open": still_open,
    }


def results_by_task(items: Sequence[JudgeItem], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return mean, spread, majority mean and flips for each data set and task, without the items."""
    task = {item.sample_id: f"{item.split.stem} {item.task}" for item in items}
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(task[verdict.sample_id], []).append(verdict)
    found = {name: asdict(results(group)) for name, group in groups.items()}
    for each in found.values():
        del each["majority"]
        each["by_run"] = list(each["by_run"].values())
    return found


def write_card(run: Path, rater: str, card: Mapping[str, Any]) -> Path:
    """Write the card and return its path."""
    path = RunFolder(run).rater_card(rater)
    write(path, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return path


def read_card(run: Path, rater: str) -> dict[str, Any] | None:
    """Return the card, None if there is none.

    Raises:
        DataError: it is no JSON object.
    """
    path = RunFolder(run).rater_card(rater)
    return read_object(path, "delete it; the next judging writes it again") if path.exists() else None
