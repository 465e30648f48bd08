"""When keeping the frozen features on disk pays, by the clock.

Seconds for one image that is asked for k times, on N GPUs of R operations a second that share a disk of D
bytes a second; E operations to encode it, b bytes of features, F bytes of its file, and e = E / (N R),
f = F / D, r = b / D:

    without  k (e + f)
    with     f + (e + f + r) + k r          one process hashes the file; one encodes, writes; then k reads

as if nothing overlapped: the training loop reads and encodes where it stands, and prefetches nothing. So the
cache pays from k = (e + 2 f + r) / (e + f - r) uses of an image, and never if r >= e + f. Filled by an
earlier run, it costs f + k r. Decoding takes no time here, which favours no cache.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """What one image costs; `rate` in operations and `disk` in bytes a second."""

    operations: float
    feature_bytes: float
    file_bytes: float
    gpus: int
    rate: float
    disk: float

    @property
    def encode(self) -> float:
        """Seconds an image takes while all GPUs encode."""
        return self.operations / (self.gpus * self.rate)

    @property
    def read_file(self) -> float:
        """Seconds to read the image's file."""
        return self.file_bytes / self.disk

    @property
    def read(self) -> float:
        """Seconds to read the image's features, or to write them."""
        return self.feature_bytes / self.disk

    @property
    def fill(self) -> float:
        """Seconds to put the image's features on disk."""
        return self.encode + 2 * self.read_file + self.read

    def pays_from(self) -> float | None:
        """Return the uses of the image from which the cache pays, or None if it never does."""
        gain = self.encode + self.read_file - self.read
        return self.fill / gain if gain > 0 else None

    def disk_from(self, uses: float) -> float | None:
        """Return the bytes a second of a disk from which so many uses pay; 0: of any, None: of none."""
        saved = (uses - 1) * self.encode
        more = (2 - uses) * self.file_bytes + (1 + uses) * self.feature_bytes
        if saved <= 0:
            return None
        return max(0.0, more / saved)


def pays_from_run(without: float, filling: float, filled: float) -> int | None:
    """Return the first of several equal runs after which the cache has paid, or None if it never does.

    After n runs, filling + (n - 1) filled < n without.

    Args:
        without, filling, filled: seconds of a run without cache, of the first with it, of each after that.
    """
    return int((filling - filled) / (without - filled)) + 1 if without > filled else None
