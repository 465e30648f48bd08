"""A run's `log.jsonl` as every step reads it, and the events that steps other than training add to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pefomed.files import jsonl
from pefomed.progress import note
from pefomed.runs.folder import RunFolder
from pefomed.schema import Record


class Event(Record):
    """A line that says what happened, or what was left out and why."""

    kind: Literal["event"] = "event"
    stage: str
    """The stage of training, or the step: `evaluate`, `predict`."""
    text: str


def rate_key(part: str) -> str:
    """Return what the log calls the learning rate of a part; one that is frozen has none."""
    return "lr" if part == "lora" else f"{part}_lr"


def lines(path: Path, *, tell: bool = True) -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of a log as text and read; one that is no line of ours is left out.

    Args:
        tell: say so; but a last line without its end is a killed writer's, of that nothing is said.
    """
    if not path.exists():
        return []
    found: list[tuple[str, dict[str, Any]]] = []
    texts = path.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict) and all(isinstance(line.get(key), str) for key in ("kind", "stage")):
            found.append((text, line))
        elif tell and text and number < len(texts):
            note(f"{path}: line {number} cannot be read and is left out")
    return found


def add_once(run: Path, stage: str, texts: Iterable[str]) -> None:
    """Append the events that the log does not hold yet: who does a step again is told nothing twice.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    new = list(dict.fromkeys(texts))
    known = (
        {(line["stage"], line.get("text")) for _, line in lines(RunFolder(run).log_file, tell=False)}
        if new
        else set()
    )
    jsonl.append(
        RunFolder(run).log_file, [Event(stage=stage, text=text) for text in new if (stage, text) not in known]
    )
