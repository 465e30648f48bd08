"""Which column of a table holds masks as run lengths; what their first numbers count is asked."""

from __future__ import annotations

import re
import typing

from pefomed.data.proposals.looked import Looked
from pefomed.data.proposals.names import plain
from pefomed.data.proposals.proposal import Choice, Proposal
from pefomed.data.table_masks import Runs

_NAMES = re.compile(r"encodedpixels|rle|runlengths?|(?:segmentation|mask)(?:rle)?")
_CODE = re.compile(r"\d+(?: \d+){3,}")


def run_lengths(looked: Looked) -> str | None:
    """Return the column that is called so and holds run lengths, pairs of numbers; None if there is none."""
    for name in looked.columns:
        codes = [text for text in looked.texts(name) if text not in _NOTHING]
        pairs = all(_CODE.fullmatch(text) and len(text.split()) % 2 == 0 for text in codes)
        if codes and pairs and _NAMES.fullmatch(plain(name)):
            return name
    return None


def add_run_lengths(proposal: Proposal, looked: Looked, column: str) -> None:
    """Say in a proposal which column has masks, and ask how their numbers count."""
    proposal.set("boxes.mask", column, "by its name, and run lengths are in it")
    kinds = [Choice(kind, "one way that pairs of numbers are counted") for kind in typing.get_args(Runs)]
    proposal.ask("boxes.runs", "run lengths do not say how they count; see docs/own-data.md", *kinds)
    bare = len(looked.rows) - sum(text not in _NOTHING for text in looked.texts(column))
    if bare:
        proposal.ask(
            "boxes.without", f"{bare} of {len(looked.rows)} rows that were looked at have no mask",
            Choice("absent", "what their phrase names is not in the image, and this is the right answer"),
            Choice(["no box"], "these rows are left out and counted", "skip"),
        )  # fmt: skip


_NOTHING = ("-1", "")
