"""A split is read and checked once in a run, though checks, audit, training, answers and scores ask for it.

Only within `read_once()`, which the steps of a run open. What a file holds meanwhile is taken as it was at
the first reading: what is trained on is what was audited. Elsewhere each call reads the file anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

Records = Iterable[Sample | LeftOut]

MOST = 100_000
"""Records that are kept in all, some 2 KB each; splits beyond that are read again each time, as streams."""


@contextmanager
def read_once() -> Iterator[None]:
    """Keep the splits that are read within; the outermost of several such blocks lets go of them."""
    global _kept
    before = _kept
    _kept = {} if before is None else before
    try:
        yield
    finally:
        _kept = before


def cached_records(key: str, read: Callable[[], Records]) -> Iterator[Sample | LeftOut]:
    """Yield what `read()` yields, from memory if it was read to its end before under the same `key`."""
    store = _kept
    if store is None:
        yield from read()
        return
    if key in store:
        yield from store[key]
        return
    room = MOST - sum(map(len, store.values()))
    found: list[Sample | LeftOut] = []
    for each in read():
        if len(found) < room + 1:
            found.append(each)
        yield each
    if len(found) <= room:
        store[key] = tuple(found)


_kept: dict[str, tuple[Sample | LeftOut, ...]] | None = None
