"""A split of a data set as the files of a run name it: `<dataset>-<split>`, spelled here alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Split(NamedTuple):
    """A split of a data set: of some runs of somebody else's answers the file's whole name, and no split."""

    dataset: str
    name: str

    @property
    def stem(self) -> str:
        """What the files of the split are called, without their endings."""
        return f"{self.dataset}-{self.name}" if self.name else self.dataset

    @classmethod
    def of(cls, stem: str, known: Iterable[tuple[str, str]] = ()) -> Split:
        """Return the split that a file's name is of.

        Args:
            known: the splits that the recipe names; either part may hold a hyphen, and only they tell where
                one ends. Of others the last hyphen parts them.
        """
        for split in known:
            if cls(*split).stem == stem:
                return cls(*split)
        dataset, _, name = stem.rpartition("-")
        return cls(dataset, name) if dataset else cls(stem, "")
