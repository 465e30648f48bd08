"""A regular expression matched by backtracking, step by step, so that its work can be counted.

Python's own matcher does not say how long it took, and a clock depends on the machine. This one walks over
the tree that `re` itself parses, in the order in which `re` tries; each element tried at a place is a step.
It finds what `re` finds (`test_steps.py` compares them).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

sys.setrecursionlimit(max(sys.getrecursionlimit(), 60_000))

LARGE = range(64, 1001)
"""Bounds of repeats that are made `SMALL`: beyond it work is in proportion, and texts here are short."""

SMALL = 20

_SINGLE = {
    _constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY, _constants.CATEGORY,
}  # fmt: skip

Then = Callable[[int], bool]


class TooMany(Exception):
    """More steps than were allowed."""


class Counter:
    """One expression, and the steps that it has taken."""

    def __init__(self, pattern: re.Pattern[str]):
        self.tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
        self.flags = self.tree.state.flags
        self.steps = 0
        self.most = sys.maxsize
        self._known: dict[tuple[int, int], dict[str, bool]] = {}
        self._compiled: dict[tuple[int, int], re.Pattern[str]] = {}
        self._groups: dict[int, tuple[int, int]] = {}

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the spans of `finditer`."""
        start, further = 0, False
        while start <= len(text):
            found = self.match(text, start, further=further)
            if found is None:
                start, further = start + 1, False
                continue
            yield start, found
            start, further = found, found == start

    def match(self, text: str, start: int = 0, further: bool = False) -> int | None:
        """Return where a match beginning at `start` ends, if there is one; not at once where `further`."""
        end: list[int] = []
        self._groups = {}

        def done(place: int) -> bool:
            if further and place == start:
                return False
            end.append(place)
            return True

        self._text = text
        return end[0] if self._all(self.tree.data, 0, start, self.flags, done) else None

    def _all(self, items: Any, at: int, place: int, flags: int, then: Then) -> bool:
        while True:
            self.steps += 1
            if self.steps > self.most:
                raise TooMany
            if at == len(items):
                return then(place)
            item = items[at]
            if item[0] not in _SINGLE:
                break
            if place >= len(self._text) or not self._is(item, self._text[place], flags):
                return False
            at, place = at + 1, place + 1
        rest: Then = lambda end: self._all(items, at + 1, end, flags, then)  # noqa: E731
        return self._one(item, place, flags, rest)

    def _one(self, item: Any, place: int, flags: int, then: Then) -> bool:
        op, value = item
        if op is _constants.AT:
            return self._compile(item, flags).match(self._text, place) is not None and then(place)
        if op is _constants.SUBPATTERN:
            group, added, removed, body = value
            return self._group(group, body.data, place, (flags | added) & ~removed, then)
        if op is _constants.BRANCH:
            return any(self._all(body.data, 0, place, flags, then) for body in value[1])
        if op in (_constants.ASSERT, _constants.ASSERT_NOT):
            direction, body = value
            start = place if direction > 0 else place - body.getwidth()[0]
            ends = (lambda _: True) if direction > 0 else (lambda end: end == place)
            found = start >= 0 and self._all(body.data, 0, start, flags, ends)
            return found is (op is _constants.ASSERT) and then(place)
        if op is _constants.ATOMIC_GROUP:
            end = self._end(value.data, place, flags)
            return end is not None and then(end)
        if op is _constants.GROUPREF:
            if value not in self._groups:
                return False
            said = self._text[slice(*self._groups[value])]
            self.steps += len(said)
            same = self._text.startswith(said, place)
            return same and then(place + len(said))
        if op is _constants.GROUPREF_EXISTS:
            group, yes, no = value
            body = yes.data if group in self._groups else (no.data if no else [])
            return self._all(body, 0, place, flags, then)
        if op is _constants.FAILURE:
            return False
        low, high, body = value
        low, high = (SMALL if bound in LARGE else bound for bound in (low, high))
        if op is _constants.POSSESSIVE_REPEAT:
            for count in range(high if high is not _constants.MAXREPEAT else sys.maxsize):
                end = self._end(body.data, place, flags)
                if end is None or (end == place and count >= low):
                    return count >= low and then(place)
                place = end
            return then(place)
        greedy = op is _constants.MAX_REPEAT
        if len(body.data) == 1 and body.data[0][0] in _SINGLE:
            return self._run(body.data[0], low, high, greedy, place, flags, then)
        return self._repeat(body.data, low, high, greedy, 0, place, flags, then)

    def _group(self, group: int | None, items: Any, place: int, flags: int, then: Then) -> bool:
        before = self._groups.get(group) if group is not None else None

        def ended(end: int) -> bool:
            if group is not None:
                self._groups[group] = (place, end)
            if then(end):
                return True
            if group is not None:
                self._groups.pop(group) if before is None else self._groups.update({group: before})
            return False

        return self._all(items, 0, place, flags, ended)

    def _run(self, item: Any, low: int, high: int, greedy: bool, place: int, flags: int, then: Then) -> bool:
        most = min(len(self._text) - place, high)
        count = 0
        if not greedy:
            while True:
                if count >= low and then(place + count):
                    return True
                self.steps += 1
                if count >= most or not self._is(item, self._text[place + count], flags):
                    return False
                count += 1
        while count < most and self._is(item, self._text[place + count], flags):
            count += 1
        self.steps += count
        return any(then(place + each) for each in range(count, low - 1, -1))

    def _repeat(
        self, items: Any, low: int, high: int, greedy: bool, count: int, place: int, flags: int, then: Then
    ) -> bool:
        def again(end: int) -> bool:
            if end == place and count >= low:
                return False
            return self._repeat(items, low, high, greedy, count + 1, end, flags, then)

        if not greedy and count >= low and then(place):
            return True
        if count < high and self._all(items, 0, place, flags, again):
            return True
        return greedy and count >= low and then(place)

    def _end(self, items: Any, place: int, flags: int) -> int | None:
        end: list[int] = []
        return end[0] if self._all(items, 0, place, flags, lambda p: not end.append(p)) else None  # type: ignore[func-returns-value]

    def _is(self, item: Any, sign: str, flags: int) -> bool:
        known = self._known.setdefault((id(item), flags), {})
        if sign not in known:
            known[sign] = self._compile(item, flags).match(sign) is not None
        return known[sign]

    def _compile(self, item: Any, flags: int) -> re.Pattern[str]:
        key = id(item), flags
        if key not in self._compiled:
            state = _parser.State()
            state.flags = flags
            found: re.Pattern[str] = _compiler.compile(_parser.SubPattern(state, [item]), flags)
            self._compiled[key] = found
        return self._compiled[key]
