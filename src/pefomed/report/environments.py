"""Under which versions and on what kind of machine a run was made: a row for each that is another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RunEnvironment:
    """What was made alike."""

    what: str
    """E.g. `stage task, answers rad-test`."""
    versions: str
    machine: str


def run_environments(sessions: Sequence[dict[str, Any]]) -> list[RunEnvironment]:
    """Return what the sessions of a run did, those under the same versions on the same machine together."""
    did: dict[tuple[str, str], dict[str, None]] = {}
    for session in sessions:
        versions = ", ".join(f"{_title(name)} {text}" for name, text in session["versions"].items())
        settings = [f"{_title(name)} {text}" for name, text in session["settings"].items()]
        machine = ", ".join([*dict.fromkeys(session["machine"].values()), *settings])
        did.setdefault((versions, machine), {}).update(dict.fromkeys(session["did"]))
    return [RunEnvironment(", ".join(what), versions, machine) for (versions, machine), what in did.items()]


def _title(name: str) -> str:
    return "Python" if name == "python" else name
