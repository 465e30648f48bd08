"""Every reply of a judge as it came, found again by what was asked: nothing is asked, or counted, twice.

    key = SHA-256(messages, model, settings, run index)

The replies are the record; the verdicts follow from them at any time. Items with the same question,
reference and answer share one reply a run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from pefomed.errors import RunError
from pefomed.files import jsonl
from pefomed.files.storage import safe_stem
from pefomed.judges.prompts import JudgedPair, messages
from pefomed.runs import RunFolder
from pefomed.runs.lock import hold
from pefomed.schema import Record


class Reply(Record):
    """One reply: what it answers, and its body verbatim."""

    key: str = Field(min_length=64, max_length=64)
    run: int = Field(ge=0)
    sample_id: str
    """The first item it was asked for; `calibration` for a pair of the card."""
    model: str
    base_url: str
    body: str


def prompt_hash(pair: JudgedPair) -> str:
    """Return the hash of all that is sent about `pair`."""
    asked = json.dumps([messages(pair), pair.scale], ensure_ascii=False)
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def key_of(prompt: str, run: int, settings: Mapping[str, Any]) -> str:
    """Return the key of the prompt with the hash `prompt`, asked in run `run`."""
    asked = json.dumps([prompt, dict(settings), run], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def key_of_try(key: str, number: int) -> str:
    """Return the key of an empty or cut reply after which `key` was asked again."""
    return hashlib.sha256(f"{key}, try {number}".encode()).hexdigest()


def read_replies(path: Path) -> dict[str, Reply]:
    """Return the replies by key, the first of any two.

    Raises:
        DataError: a line other than a cut last one is no reply.
    """
    found: dict[str, Reply] = {}
    for reply in jsonl.read(path, Reply):
        found.setdefault(reply.key, reply)
    return found


def safe_name(name: str) -> str:
    """Return a rater's name as its files are called: other characters than [A-Za-z0-9._-] become `-`.

    Raises:
        RunError: nothing is left, or the name would collide with the files beside the verdicts.
    """
    safe = safe_stem(name)
    if not safe or len(safe) > 120 or safe.endswith(".card"):
        raise RunError(
            f"{name!r} cannot be a rater's name", remedy="choose one with --rater, e.g. --rater gpt-4o"
        )
    return safe


@contextlib.contextmanager
def alone(run: Path, rater: str) -> Iterator[None]:
    """Hold the rater's files for this process; others may judge the run under other names meanwhile.

    Raises:
        RunError: another process judges the same run under the same name.
        StorageError: the folder cannot be written.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(hold(RunFolder(run).verdicts, f".{rater}.lock", again=False))
        except RunError as error:
            raise RunError(
                f"another process is judging {run} as {rater}",
                found=error.found,
                remedy="wait for it, stop it, or give this one another name with --rater",
            ) from None
        yield
