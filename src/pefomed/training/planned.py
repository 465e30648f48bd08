"""What a plan asks of a row of samples before the row itself is built."""

from __future__ import annotations

from typing import Protocol

from pefomed.packing.batch import PackedRow


class Planned(Protocol):
    """A row; its length is its number of nodes."""

    def __len__(self) -> int: ...
    @property
    def questions(self) -> int: ...
    @property
    def answer_tokens(self) -> int: ...
    @property
    def images(self) -> tuple[str, ...]: ...
    def built(self) -> PackedRow:
        """Return the row itself."""
