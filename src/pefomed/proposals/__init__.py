"""Looks at a file or folder and proposes the part of a recipe that reads it: `pefomed data map`.

Nothing is guessed in silence: each option says how it is known, and what the file does not say is a question
with its possible answers. Only the first rows are looked at; nothing leaves the machine, and of columns that
say whose an image is only the names are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.proposals.proposal import Proposal
    from pefomed.proposals.source import propose

__all__ = ["Proposal", "propose"]

__getattr__ = lazily(
    __name__,
    {
        "Proposal": ".proposal",
        "propose": ".source",
    },
)
