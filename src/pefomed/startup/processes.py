"""Which of several training processes this is, as torchrun and `accelerate launch` say it."""

from __future__ import annotations

import os


def rank() -> int:
    """Return this process's number, 0 for the main one and for a process that is alone."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Return whether this process writes what all of them share: recipe, log, checkpoints."""
    return rank() == 0
