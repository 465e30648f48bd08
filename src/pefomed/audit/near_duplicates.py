"""Images that look the same: saved again, resized, windowed or brightened, or the next slice of a scan.

Two images are near-duplicates if at most `LIMIT` of the 256 bits of their perceptual hashes differ and
their thumbnails correlate by at least `CORRELATION` (Pearson). docs/audit.md says what was measured to
choose both. The search is exact: of four distances that sum to at most `LIMIT`, one is at most a quarter of
it, so only pairs that are close in one of the hash's four words are looked at further. A pair costs about
3 ns, all of 90,000 x 10,000 images a few seconds: faiss is faster, but not so much that it is worth 66 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pefomed.progress import line

BITS = 256
"""Bits of a perceptual hash."""

LIMIT = 36
"""Most bits that differ between near-duplicates."""

CORRELATION = 0.95
"""Least correlation of their thumbnails."""

MOST = 8
"""Nearest images whose thumbnails are compared; the others of a crowd would tell nothing new."""

Words = NDArray[np.uint64]
Indices = NDArray[np.int64]

_ROWS, _COLUMNS = 16, 16_384  # a block of distances fits the processor's second cache
_WORDS = BITS // 64
_TOGETHER = 20_000  # pairs whose thumbnails are in memory at once


@dataclass(frozen=True)
class NearPair:
    """An image and the one of the other side that it looks most like."""

    image: str
    like: str
    bits: int
    """Bits that differ, of `BITS`."""
    correlation: float


def near_duplicates(
    earlier: Mapping[str, bytes],
    later: Mapping[str, bytes],
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]],
) -> list[NearPair]:
    """Return those of `later` that look like one of `earlier`, the most alike first.

    Args:
        earlier, later: key -> perceptual hash (32 bytes; empty ones are left out). A key that is in both
            is the same image and is not compared with itself.
        thumbnails: returns the thumbnails of keys.
    """
    known = [key for key, bits in earlier.items() if bits]
    asked = [key for key, bits in later.items() if bits]
    if not (known and asked):
        return []
    rows, columns, apart = _closest(
        _words(later[key] for key in asked), _words(earlier[key] for key in known)
    )
    pairs = [
        (asked[row], known[column], int(bits))
        for row, column, bits in zip(rows, columns, apart, strict=True)
        if asked[row] != known[column]
    ]
    best: dict[str, NearPair] = {}
    for start in range(0, len(pairs), _TOGETHER):
        some = pairs[start : start + _TOGETHER]
        small = thumbnails([key for image, like, _ in some for key in (image, like)])
        for image, like, bits in some:
            correlation = _correlation(small[image], small[like])
            if correlation >= CORRELATION and (image not in best or correlation > best[image].correlation):
                best[image] = NearPair(image, like, bits, round(correlation, 4))
    return sorted(best.values(), key=lambda near: (near.bits, -near.correlation, near.image))


def _words(hashes: Iterable[bytes]) -> Words:
    """Return hashes as (N, 4) words."""
    return np.frombuffer(b"".join(hashes), dtype=np.uint64).reshape(-1, _WORDS)


def _closest(later: Words, earlier: Words) -> tuple[Indices, Indices, Indices]:
    """Return rows of `later`, rows of `earlier` and distances of pairs within `LIMIT`: `MOST` a row."""
    found = []
    by_word = np.ascontiguousarray(earlier.T)
    with line("comparing images", len(later), "images") as shown:
        for start in range(0, len(later), _ROWS):
            some = later[start : start + _ROWS]
            blocks = [
                _within(some, earlier[first : first + _COLUMNS], by_word[:, first : first + _COLUMNS], first)
                for first in range(0, len(earlier), _COLUMNS)
            ]
            rows, columns, apart = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
            kept = _nearest(rows, apart)
            found.append((rows[kept] + start, columns[kept], apart[kept]))
            shown.advance(len(some))
    rows, columns, apart = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, apart


def _within(some: Words, block: Words, by_word: Words, first: int) -> tuple[Indices, Indices, Indices]:
    hits = [
        np.flatnonzero(np.bitwise_count(some[:, word, None] ^ by_word[word, None, :]) <= LIMIT // _WORDS)
        for word in range(_WORDS)
    ]
    rows, columns = np.divmod(np.unique(np.concatenate(hits)), len(block))
    apart = np.bitwise_count(some[rows] ^ block[columns]).sum(axis=1, dtype=np.int64)
    close = apart <= LIMIT
    return rows[close], columns[close] + first, apart[close]


def _nearest(rows: Indices, apart: Indices) -> Indices:
    """Return the indices of the `MOST` smallest distances of each row."""
    order = np.lexsort((apart, rows))
    ordered = rows[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    return order[rank < MOST]


def _correlation(one: bytes, other: bytes) -> float:
    a, b = (np.frombuffer(each, dtype=np.uint8).astype(np.float64) for each in (one, other))
    a, b = a - a.mean(), b - b.mean()
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0
