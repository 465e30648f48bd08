"""Ids of rows that have none: a hash of what a row asks, so that sorting and deleting rows keeps them.

    table-3f9c1a0b7d24e651, table-3f9c1a0b7d24e651-2 for a second row that asks the same

The answer is no part of it: who corrects one means the same sample.
"""

from __future__ import annotations

from collections import Counter

from pefomed.samples.sample_hash import short_hash


class ContentIds:
    """Gives each row of a file an id; what asks the same is counted."""

    def __init__(self, stem: str):
        """Begin a file; `stem` stands before the hash."""
        self._stem = stem
        # As numbers, and counts of repeats alone: a table may have millions of rows.
        self._seen: set[int] = set()
        self._repeats: Counter[int] = Counter()

    def __call__(self, *asked: object) -> str:
        """Return the id of a row that asks `asked`: names of images as written, task, question."""
        digest = short_hash(*asked)
        key = int(digest, 16)
        if key not in self._seen:
            self._seen.add(key)
            return f"{self._stem}-{digest}"
        self._repeats[key] += 1
        return f"{self._stem}-{digest}-{self._repeats[key] + 1}"
