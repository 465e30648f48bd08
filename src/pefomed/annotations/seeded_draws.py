"""Draws by a seeded hash of a name: the same whichever rows are read, in whatever order."""

from __future__ import annotations

import hashlib


def rank_of(name: str, seed: int) -> str:
    """Return what names are sorted by to be in random order."""
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()


def draw(name: str, seed: int) -> float:
    """Return a number in [0, 1), equally likely anywhere."""
    return int(rank_of(name, seed)[:13], 16) / 16**13
