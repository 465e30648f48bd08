"""Under which versions and on what kind of machine a run was made: `environment.json`, one entry a session.

An entry is written when a session adds something: trains a stage, or answers. Whatever goes on under other
versions than it was begun with is said in one line; it is no error, but its numbers may be others in the last
bits.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pefomed.files.storage import write
from pefomed.runs.folder import RunFolder

PACKAGES = ("pefomed", "torch", "transformers", "peft", "accelerate")

_BEGAN = datetime.now(UTC).isoformat(timespec="milliseconds")


def versions() -> dict[str, str]:
    """Return the versions of Python and of `PACKAGES`."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine(card: str = "") -> dict[str, str]:
    """Return the machine's kind: processor and cores, operating system, the card that computes, if any."""
    kind = {"cpu": f"{_processor()}, {os.cpu_count()} cores", "system": platform.platform()}
    return kind | ({"card": card} if card else {})


def add(run: Path, what: str, *, begun: bool, card: str = "", **settings: str) -> str:
    """Note that this session adds to `what`, e.g. `stage task`; return what is not as when it was begun.

    Args:
        begun: something of `what` is there already; else what earlier sessions did of it is gone.
        settings: what else the numbers' last bits depend on.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    now = {"versions": versions(), "machine": machine(card), "settings": settings}
    sessions = read(run)
    before = next((one for one in sessions if what in one["did"]), None) if begun else None
    if not begun:
        for one in sessions:
            one["did"] = [each for each in one["did"] if each != what]
        sessions = [one for one in sessions if one["did"]]
    mine = {"began": _BEGAN, **now}
    entry = next((one for one in sessions if {key: one[key] for key in mine} == mine), None)
    if entry is None:
        entry = {**mine, "did": []}
        sessions.append(entry)
    if what not in entry["did"]:
        entry["did"].append(what)
    write(
        RunFolder(run).environment_file,
        json.dumps({"sessions": sessions}, indent=1, ensure_ascii=False) + "\n",
    )
    found = _differences(before, now) if before else []
    return f"begun with {', '.join(found)}" if found else ""


def read(run: Path) -> list[dict[str, Any]]:
    """Return the sessions of a run, those that are whole; none if there is no such file, or it is damaged."""
    try:
        content = json.loads(RunFolder(run).environment_file.read_text(encoding="utf-8"))
        found = content["sessions"]
        return [one for one in found if is_whole(one)] if isinstance(found, list) else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def is_whole(session: Any) -> bool:
    """Return whether a value is an entry as `add` writes it."""
    if not isinstance(session, dict) or not isinstance(session.get("began"), str):
        return False
    did = session.get("did")
    if not isinstance(did, list) or not all(isinstance(one, str) for one in did):
        return False
    for part in ("versions", "machine", "settings"):
        table = session.get(part)
        if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
            return False
    return True


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return ``"torch 2.8.0, now 2.9.0"`` for each value that is another."""
    return [
        f"{name} {then or 'none'} (now {here or 'none'})"
        for part in now
        for name in dict.fromkeys([*before[part], *now[part]])
        if (then := before[part].get(name, "")) != (here := now[part].get(name, ""))
    ]


def _processor() -> str:
    """Return the processor's name, e.g. ``"AMD EPYC 9R14"``."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except (OSError, ValueError):
        pass  # not Linux
    return platform.processor() or platform.machine()
