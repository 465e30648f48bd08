"""Samples in a file of their own, read back by number: a million of them take some bytes of memory each.

The file is nameless where the system allows it and vanishes with the process, however that ends.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import overload

from pefomed.files.storage import storage_errors
from pefomed.schema import Sample


class SampleStore(Sequence[Sample]):
    """Samples by number, in the order they were added.

    Args:
        folder: where the file is; it needs about as much space as the manifest itself.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """

    def __init__(self, folder: Path, samples: Iterable[Sample] = ()):
        self._folder = folder
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".samples-")  # noqa: SIM115 - lives as long as we
        self._ends = array("Q", [0])
        self.image_keys = bytearray()
        """16 bytes a sample, equal where the images are: their paths would be the largest thing in memory."""
        self._at_end = True
        for sample in samples:
            self.append(sample)

    def append(self, sample: Sample) -> None:
        """Add a sample; its number is the length before."""
        line = sample.model_dump_json().encode()
        with storage_errors(self._folder):
            if not self._at_end:
                self._file.seek(self._ends[-1])
                self._at_end = True
            self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))
        self.image_keys += blake2b("\0".join(sample.images).encode(), digest_size=16).digest()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, number: int) -> Sample: ...
    @overload
    def __getitem__(self, number: slice) -> list[Sample]: ...
    def __getitem__(self, number: int | slice) -> Sample | list[Sample]:
        """Return one sample, or a list of those a slice names."""
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        number %= len(self)
        start, end = self._ends[number], self._ends[number + 1]
        with storage_errors(self._folder):  # what is not yet written is written now
            self._file.seek(start)
            self._at_end = False
            return Sample.model_validate_json(self._file.read(end - start))
