"""What a file gives as a name, number or place, looked for in its free text in whatever way it is joined.

A part of a name that stands for itself is beyond doubt, however short, and so are two parts side by side in
either order. A part inside a longer word (`Karl` in `Karlsruhe`, 王 among other characters) is doubtful: it
is noted and left in the text. How much it takes depends on the script (`_is_sure`).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pefomed.deidentify.affixes import bound_before, bound_behind, is_code
from pefomed.deidentify.folding import UNSPACED, Edge, FoldedText, fold
from pefomed.deidentify.numbers import Number, numbers_in
from pefomed.deidentify.spelling import NamePart

_JOINT = re.compile(r"[^/;|]{0,4}|[/;|]", re.DOTALL)
"""What may stand between two parts of one name, such as `, ` or `__`."""


@dataclass(frozen=True)
class KnownIdentity:
    """What a file says elsewhere."""

    names: tuple[tuple[NamePart, ...], ...] = ()
    """Of each person or place the parts."""
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class TextSpan:
    """Where something known stands in a text."""

    start: int
    end: int
    sure: bool


@dataclass(frozen=True)
class _Run:
    """Parts of one name side by side, as a range of folded letters."""

    start: int
    end: int
    parts: frozenset[int]
    script: str
    torn: bool
    """A gap lies where the name has none."""
    outer: tuple[int, int]
    """Letters of the first part and of the last."""
    initials: int = 0


def places(text: str, known: KnownIdentity) -> list[TextSpan]:
    """Return the places of `text` that hold something known: the sure ones, and doubtful ones beside them.

    A doubtful place is the whole word that holds the name's part.
    """
    word = fold(text)
    ranges = list(numbers_in(word, known.numbers))
    for parts in known.names:
        for run in _runs(word, parts):
            certain = _is_sure(word, run)
            if certain or _is_doubtful(word, run):
                ranges.append((run.start, run.end, certain))
    sure = _joined((start, end) for start, end, certain in ranges if certain)
    found = [TextSpan(word.spans[start][0], word.spans[end - 1][1], True) for start, end in sure]
    words = _Words(word)
    doubtful = {
        words.around(start, end)
        for start, end, certain in ranges
        if not certain and not _overlaps(sure, start, end)
    }
    found += [TextSpan(start, end, False) for start, end in doubtful]
    return sorted(found, key=lambda place: (place.start, place.end))


def _runs(word: FoldedText, parts: tuple[NamePart, ...]) -> Iterator[_Run]:
    """Yield each part's places, and the runs of different parts that touch."""
    singles = [run for number, part in enumerate(parts) for run in _found(word, number, part)]
    yield from singles
    starting: dict[int, list[_Run]] = {}
    for run in [*singles, *_initials(word, parts)]:
        starting.setdefault(run.start, []).append(run)
    waiting, seen = [run for runs in starting.values() for run in runs], set()
    while waiting:
        run = waiting.pop()
        for following in starting.get(run.end, ()):
            if following.parts & run.parts or not _JOINT.fullmatch(word.gap(run.end)):
                continue
            joined = _Run(
                run.start,
                following.end,
                run.parts | following.parts,
                run.script if run.initials == 0 else following.script,
                run.torn or following.torn,
                (run.outer[0], following.outer[1]),
                run.initials + following.initials,
            )
            # Of many parts only how many they are: else a name of parts like each other has too many runs.
            parts_or_count = joined.parts if len(joined.parts) < 4 else len(joined.parts)
            kind = (joined.start, joined.end, parts_or_count, joined.initials, joined.torn, joined.outer)
            if kind in seen:
                continue
            seen.add(kind)
            waiting.append(joined)
            if len(joined.parts) > joined.initials:
                yield joined


def _found(word: FoldedText, number: int, part: NamePart) -> Iterator[_Run]:
    if _is_spelt(part) and len(part.letters) == 1:
        return  # An initial, which counts beside another part alone.
    for match in (match for pattern in part.patterns for match in pattern.finditer(word.letters)):
        start, end = match.start(1), match.end(match.lastindex or 1)
        if _within_a_letter(word, start) or _within_a_letter(word, end):
            continue
        at_pieces = {match.end(group) for group in range(1, match.lastindex or 1)}
        gaps = [place for place in range(start + 1, end) if word.edges[place] is Edge.GAP]
        spaced = len(gaps) == end - start - 1 >= 2  # S c h m i d t
        hyphenated = all("\n" in word.gap(place) and "-" in word.gap(place) for place in gaps)
        wide = not all(_JOINT.fullmatch(word.gap(place)) for place in gaps)
        torn = bool(set(gaps) - at_pieces) and not spaced and not hyphenated
        yield _Run(start, end, frozenset([number]), part.script, torn or wide, (end - start,) * 2)


def _is_spelt(part: NamePart) -> bool:
    """Return whether the script has letters and spaces, so that names have initials."""
    return part.script not in UNSPACED and part.script != "HANGUL"


def _within_a_letter(word: FoldedText, place: int) -> bool:
    """Return whether `place` parts what is one letter in the text, as ß or a consonant with its vowel."""
    return 0 < place < len(word.spans) and word.spans[place - 1] == word.spans[place]


def _initials(word: FoldedText, parts: tuple[NamePart, ...]) -> Iterator[_Run]:
    for place, letter in enumerate(word.letters):
        if Edge.NONE in word.edges[place : place + 2]:
            continue
        for number, part in enumerate(parts):
            if _is_spelt(part) and part.letters[0] == letter:
                yield _Run(place, place + 1, frozenset([number]), part.script, False, (1, 1), 1)


def _is_sure(word: FoldedText, run: _Run) -> bool:
    size, alone = run.end - run.start, len(run.parts) == 1
    before, behind = bound_before(word, run.start, run.script), bound_behind(word, run.end, run.script)
    bound = before and behind
    parted = any(edge is Edge.GAP for edge in word.edges[run.start + 1 : run.end])
    if run.script in ("CJK", "HANGUL"):
        if size == 1:
            # With spaces around; a title makes a surname of it, as in 王先生.
            return _stands_apart(word, run) or bound_behind(word, run.end, run.script, by_title=True)
        if run.script == "HANGUL" and not run.torn:
            return bound or size >= 3 or (not alone and before)
        return size >= 3 or (bound and not run.torn) or not (alone or parted)
    if run.torn:
        return bound and size >= (5 if run.script in UNSPACED else 8 if alone else 7)
    if run.script in ("HIRAGANA", "KATAKANA"):
        return size >= 2 and (bound or size >= (5 if alone else 4))
    if run.script in UNSPACED:
        return size >= 2 and (bound or not alone or size >= 5)
    if not alone:
        # `Schmidt karlsruhe` is not Schmidt, Karl; `schmidtkarlsruhe` may be anything, and is masked.
        known = all(
            is_bound or not parted or outer >= 5
            for is_bound, outer in zip((before, behind), run.outer, strict=True)
        )
        return bound or (size >= 8 and known)
    if size <= 3:
        return size > 1 and bound and all(_is_firm(word, run, at) for at in (run.start, run.end))
    return bound


def _is_doubtful(word: FoldedText, run: _Run) -> bool:
    size = run.end - run.start
    if run.torn or run.initials:
        return False
    at_an_edge = bound_before(word, run.start, run.script) or bound_behind(word, run.end, run.script)
    if run.script == "CJK":
        return True
    if run.script == "HANGUL":
        return size > 1 or bound_before(word, run.start, run.script)
    return size > 1 and (at_an_edge or size >= 4)


def _stands_apart(word: FoldedText, run: _Run) -> bool:
    return word.edges[run.start] is Edge.GAP and word.edges[run.end] is Edge.GAP


def _is_firm(word: FoldedText, run: _Run, at: int) -> bool:
    """Return whether more than a capital parts a short name from its neighbour (`NaCl`), or a code."""
    if word.edges[at] is not Edge.CASE:
        return True
    step = -1 if at == run.start else 1
    first = at
    while 0 < first < len(word.letters) and (first == at or word.edges[first] is Edge.NONE):
        first += step
    return is_code(word.letters[min(at, first) : max(at, first)])


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges with those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _overlaps(ranges: list[tuple[int, int]], start: int, end: int) -> bool:
    """Return whether one of the ranges, ascending and apart from each other, holds a letter of this one."""
    following = bisect_left(ranges, (end,))
    return following > 0 and start < ranges[following - 1][1]


_AROUND = 4
"""Characters shown on either side in a script without spaces."""


class _Words:
    """Where the words of a text begin and end; by search, as a word may be as long as the text."""

    def __init__(self, word: FoldedText):
        self._word = word
        self._gaps = [place for place, edge in enumerate(word.edges) if edge is Edge.GAP]
        self._unspaced = [place for place, script in enumerate(word.scripts) if script in UNSPACED]

    def around(self, start: int, end: int) -> tuple[int, int]:
        """Return from where to where in the text the word reaches that holds these folded letters."""
        size = len(self._word.letters)
        first = max(_last_to(self._gaps, start), _last_to(self._unspaced, start - _AROUND), 0)
        following = bisect_left(self._gaps, end)
        last = min(self._gaps[following], size) if following < len(self._gaps) else size
        if self._word.scripts[min(end, size - 1)] in UNSPACED:
            last = min(last, end + _AROUND)
        return self._word.spans[first][0], self._word.spans[last - 1][1]


def _last_to(places: list[int], most: int) -> int:
    """Return the last of the ascending places that is at most `most`, -1 if none is."""
    following = bisect_right(places, most)
    return places[following - 1] if following else -1
