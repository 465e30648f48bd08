"""Texts on which a regular expression may take longest, made from the expression itself.

An expression is slow where a long run of what it repeats does not lead to a match: so what it repeats, and
what it repeats behind its own beginning, stands many times over, with and without an end that fits nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants  # type: ignore[attr-defined]
from typing import Any

from tests.growth.steps import Counter

MOST = 16
"""Texts to repeat of one expression: the longest ones have dozens that differ little."""

_SIGNS = "aX1 .-_@/<>()[]{}'\"\n\t,:;&#*`!?+=~%$^|\\\u4e2d\u00e9\u00bd\u24d0bpisoTN0"


def pumps(pattern: re.Pattern[str]) -> list[str]:
    """Return what to repeat."""
    counter = Counter(pattern)
    found: dict[str, None] = {}
    for before, body, flags in _repeats(counter.tree.data, "", counter.flags, counter):
        repeated = _sample(body, flags, counter)
        for text in (repeated, before + repeated, before + 3 * repeated, before):
            if text:
                found.setdefault(text)
    singles = [text for text in found if len(text) == 1][:4]
    for one in singles:
        for other in singles:
            if one != other:
                found.setdefault(one + other)
    return list(found)[:MOST]


def texts(pattern: re.Pattern[str], length: int) -> Iterator[tuple[str, str]]:
    """Yield names and texts of about `length` signs."""
    for pump in pumps(pattern):
        run = pump * max(1, length // len(pump))
        yield repr(pump), run
        yield f"{pump!r}, within", "\x00" + run + "\x00"
        if "^" in pattern.pattern:
            yield f"{pump!r}, ended", run + "\x00"


def _repeats(items: Any, before: str, flags: int, counter: Counter) -> Iterator[tuple[str, Any, int]]:
    """Yield what stands before each repeat (a text that leads there), what it repeats, and the flags."""
    for op, value in items:
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
            if value[1] > 9:
                yield before, value[2].data, flags
            yield from _repeats(value[2].data, before, flags, counter)
        elif op is _constants.SUBPATTERN:
            inner = (flags | value[1]) & ~value[2]
            yield from _repeats(value[3].data, before, inner, counter)
        elif op is _constants.BRANCH:
            for body in value[1]:
                yield from _repeats(body.data, before, flags, counter)
        elif op in (_constants.ASSERT, _constants.ASSERT_NOT):
            yield from _repeats(value[1].data, before, flags, counter)
        elif op is _constants.ATOMIC_GROUP:
            yield from _repeats(value.data, before, flags, counter)
        before += _sample([(op, value)], flags, counter)


def _sample(items: Any, flags: int, counter: Counter) -> str:
    text = ""
    for item in items:
        op, value = item
        if op is _constants.LITERAL:
            text += chr(value)
        elif op in (_constants.NOT_LITERAL, _constants.IN, _constants.ANY):
            text += next((sign for sign in _SIGNS if counter._is(item, sign, flags)), "") or _first(value)
        elif op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
            text += _sample(value[2].data, flags, counter) * max(1, min(value[0], 20))
        elif op is _constants.SUBPATTERN:
            text += _sample(value[3].data, flags, counter)
        elif op is _constants.BRANCH:
            text += _sample(value[1][0].data, flags, counter)
        elif op is _constants.ATOMIC_GROUP:
            text += _sample(value.data, flags, counter)
    return text


def _first(value: Any) -> str:
    """Return a sign of a class that holds none of the usual ones."""
    for op, what in value if isinstance(value, list) else []:
        if op is _constants.LITERAL:
            return chr(what)
        if op is _constants.RANGE:
            return chr(what[0])
    return ""
