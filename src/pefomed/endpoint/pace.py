"""How fast an endpoint is asked: a fixed number of starts a minute, and a pause when it says so.

Pauses of `openai` and tenacity are a single call's; here one that the server asks for holds for all calls.
"""

from __future__ import annotations

import asyncio
import random
import time
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 600.0
"""Seconds; a server that asks for a longer pause is asked again after this."""


class Pace:
    """Gives leave to start a call: at most `per_minute` a minute, and none during a pause."""

    def __init__(self, per_minute: float | None):
        self._between = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until the next call may start."""
        while (left := self._next - time.monotonic()) > 0:
            await asyncio.sleep(left)  # a pause may have been added meanwhile
        self._next = max(self._next, time.monotonic()) + self._between

    def pause(self, seconds: float) -> None:
        """Let no call start for so long: the server said so to one of them, and means all."""
        self._next = max(self._next, time.monotonic() + min(seconds, LONGEST_WAIT))


def backoff(attempt: int, first: float, longest: float = 60.0) -> float:
    """Return the seconds to wait after the `attempt`-th failure (from 0): doubled each time, jittered.

    Half of it is fixed and half random, so that calls that failed together do not return together.
    """
    whole = min(longest, first * 2.0**attempt)
    return whole * (0.5 + 0.5 * random.random())


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date; None if neither."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None
