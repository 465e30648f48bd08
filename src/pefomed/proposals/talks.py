"""A proposal for conversations: what the list of messages is called, and where the pictures are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pefomed.proposals.pictures import image_columns
from pefomed.proposals.proposal import Proposal
from pefomed.proposals.table_sample import look

USUAL = ("conversations", "messages")
"""What the loader finds by itself."""


def talk_key(row: Mapping[str, Any]) -> str | None:
    """Return the key of a row whose value is a list of messages; None if there is none."""
    return next((key for key, value in row.items() if isinstance(value, list) and _is_talk(value)), None)


def add_talks(proposal: Proposal, path: Path, key: str) -> None:
    """Say in a proposal how conversations are read."""
    if key not in USUAL:
        proposal.set("columns.messages", key, "holds a list of messages")
    looked = look(path)
    found = [one for one in image_columns(looked) if one.column != key and "." not in one.column]
    if found and found[0].looked and found[0].folder != ".":
        proposal.set("images", found[0].folder, found[0].why)
    if not found:
        proposal.notes.append(
            "no field holds names of files; the option `images` names the folder of the pictures"
        )


def _is_talk(value: list[Any]) -> bool:
    first = value[0] if value else None
    return (
        isinstance(first, Mapping)
        and bool({"from", "role"} & first.keys())
        and bool({"value", "content"} & first.keys())
    )
