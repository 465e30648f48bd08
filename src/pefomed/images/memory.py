"""Memory for pictures while they are decoded: so much for one, and one budget for all threads together.

A few hundred bytes of a file may say 100 million pixels. What they need is estimated from the header;
a picture beyond the limit is refused, and one that does not fit beside those in work waits for them.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import ImageError

LIMIT = 1_600_000_000
"""Most bytes that one picture may need while it is decoded."""


class Budget:
    """Bytes that threads take and give back, in the order in which they asked."""

    def __init__(self, whole: int):
        self.whole = self.free = whole
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Wait until `size` bytes are free and hold them while the block runs; it must ask for no more."""
        size = min(max(size, 0), self.whole)
        me = object()
        with self._changed:
            # In order, so that a large picture is not passed by small ones for ever.
            self._waiting.append(me)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is me and self.free >= size)
                self.free -= size
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.free += size
                self._changed.notify_all()


PICTURES = Budget(LIMIT)
"""What all pictures of this process share."""


@contextlib.contextmanager
def room_for(path: Path, pixels: int, bytes_per_pixel: float) -> Iterator[None]:
    """Hold what a picture needs while the block decodes it and makes of it what is kept.

    Raises:
        ImageError: it needs more than `LIMIT`.
    """
    needed = int(pixels * bytes_per_pixel)
    if needed > LIMIT:
        raise ImageError(
            f"{path} needs too much memory: at most {LIMIT / 1e9:.1f} GB are used for one picture",
            found=f"{pixels:,} pixels, for which some {needed / 1e9:.1f} GB are needed",
            remedy="save it with 16 or 8 bits a value, scale it down, or cut it into tiles",
        )
    with PICTURES.taken(needed):
        yield
