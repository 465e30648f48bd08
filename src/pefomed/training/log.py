"""The run's training log: one JSON object a line, always written, read by the report."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers

from pefomed.errors import RecipeError, nearest
from pefomed.files.jsonl import drop_cut_line
from pefomed.files.storage import storage_errors, write
from pefomed.progress import note
from pefomed.runs.log import lines
from pefomed.startup.processes import is_main


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
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if self._writes:  # else the next line would become part of it
                drop_cut_line(path)

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
        steps = self._steps(stage).values() if self._writes else ()
        return [float(loss) for loss in steps if isinstance(loss, int | float)]

    def rewind(self, stage: str, step: int) -> None:
        """Drop the stage's lines after `step`, which will be written again, and what cannot be read.

        What should be there and is not is said, in the log too.
        """
        if not self._writes:
            return
        if self._path.exists():
            kept = [text for text, line in lines(self._path) if not _is_after(line, stage, step)]
            write(self._path, "".join(text + "\n" for text in kept))
        if gone := set(range(1, step + 1)) - set(self._steps(stage)):
            text = f"the log lacks {len(gone)} of the {step} steps up to here: their lines were lost"
            self.write("event", stage, step=step, text=text)
            note(f"stage {stage}: {text}")

    def _steps(self, stage: str) -> dict[int, Any]:
        """Return the loss of each step of the stage that the log holds."""
        return {
            line["step"]: line.get("loss")
            for _, line in lines(self._path)
            if line.get("kind") == "step" and line.get("stage") == stage and isinstance(line.get("step"), int)
        }


def _is_after(line: dict[str, Any], stage: str, step: int) -> bool:
    at = line.get("step", 0)
    return line.get("stage") == stage and isinstance(at, int | float) and at > step


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
