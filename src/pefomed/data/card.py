"""A data set's card: what it is, where it comes from, and how many samples were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Published:
    """Published counts of one split; None where nothing was published."""

    samples: int
    images: int | None = None
    open: int | None = None
    closed: int | None = None


@dataclass(frozen=True)
class Card:
    """What a reader must know before using a data set."""

    title: str
    licence: str
    link: str
    citation: str
    restricted: bool = False
    """True if its text and images must not leave the machine."""
    splits: Mapping[str, Published | None] = field(default_factory=dict)
    """Every split the loader has; None where its size is not fixed."""
