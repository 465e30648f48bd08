"""Rows of a known data set that are known to be unusable: left out by its loader, counted by the audit.

A loader yields them among its samples; `load_samples` drops them, `load_split` returns them too. In a user's
own table such a row is an error instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """A row that is not among the samples."""

    place: str
    """The file and the place in it."""
    reason: str
    """The same words for every row with this fault, so that rows can be counted by it."""
    found: str = ""
