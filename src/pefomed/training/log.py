"""The run's training log: one JSON object a line, always written, read by the report."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

from pefomed.errors import RecipeError, nearest
from pefomed.processes import is_main
from pefomed.storage import storage_errors, write


def checked_trackers(names: tuple[str, ...]) -> list[str]:
    """Return Accelerate's trackers of these names; nothing leaves the machine unless one is named.

    Raises:
        RecipeError: a tracker is unknown or its package is not installed.
    """
    for name in names:
        if name not in LOGGER_TYPE_TO_CLASS:
            raise RecipeError(
                f"compute.trackers: no tracker {name!r}", remedy=nearest(name, LOGGER_TYPE_TO_CLASS)
            )
        if name not in {str(kind) for kind in get_available_trackers()}:
            raise RecipeError(
                f"compute.trackers: {name!r} is not installed", remedy=f"pip install {name}, or leave it out"
            )
    return list(names)


class Log:
    """Appends to `log.jsonl`; on resume, lines after the checkpoint are dropped."""

    def __init__(self, path: Path):
        self._path = path
        self._writes = is_main()
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, kind: str, stage: str, **values: Any) -> None:
        """Append one line: `step`, `validation` or `event`; of several processes the main one does.

        JSON has no NaN and no infinity: they are written as null.
        """
        if not self._writes:
            return
        line = json.dumps(_plain({"kind": kind, "stage": stage, **values}), allow_nan=False)
        with storage_errors(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def losses(self, stage: str) -> list[float]:
        """Return the losses of the stage's steps so far, in the process that writes them."""
        there = self._writes and self._path.exists()
        lines = self._path.read_text(encoding="utf-8").splitlines() if there else []
        made = (json.loads(line) for line in lines)
        return [one["loss"] for one in made if one["kind"] == "step" and one["stage"] == stage]

    def rewind(self, stage: str, step: int) -> None:
        """Drop the stage's lines after `step`, which will be written again, and a cut last line."""
        if not self._writes or not self._path.exists():
            return
        kept = []
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # a killed writer's last line
            if line["stage"] != stage or line.get("step", 0) <= step:
                kept.append(text)
        write(self._path, "".join(text + "\n" for text in kept))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
