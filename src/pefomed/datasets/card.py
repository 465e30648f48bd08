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
class Hub:
    """A copy that the Hugging Face hub offers freely, as this loader reads it."""

    repository: str
    files: tuple[str, ...]
    """Patterns of the files to fetch."""
    megabytes: int
    """What is fetched, about."""
    folder: str
    """Where it is put within the data folder, unless somewhere else is asked for."""
    archives: tuple[str, ...] = ()
    """Zip files among them, to be unpacked."""
    differs: str = ""
    """What it is, where it is not what the card is about."""


@dataclass(frozen=True)
class DataCard:
    """What a reader must know before using a data set."""

    title: str
    licence: str
    link: str
    citation: str
    restricted: bool = False
    """True if its text and images must not leave the machine."""
    training_only: bool = False
    """True if no model may be chosen or scored on it: validation leaves it out, whatever a stage's splits."""
    splits: Mapping[str, Published | None] = field(default_factory=dict)
    """Every split the loader has; None where its size is not fixed."""
    access: str = ""
    """How to get the original: where to apply, what to accept."""
    files: tuple[str, ...] = ()
    """What has to be where within the root; alternatives are separate entries."""
    hub: Hub | None = None
