"""What an answer says about boxes: a strict parser, and the repairs that are allowed.

Strict is `{<x0><y0><x1><y1>}` with integers 0..bins, x0 < x1 and y0 < y1, several joined by `<delim>`,
each run of boxes after a marked phrase (`<p>liver</p>{<..>}`) belonging to that phrase; of an answer
that is nothing but boxes, no other text. `{}`, alone or behind a marked phrase, says that there is no box;
no text at all says nothing. Repaired are missing braces, spaces, swapped corners, and
coordinates out of range (clipped); a piece that is no box after that is dropped. Each repair is named,
and their share is a score of its own, so that nobody has to trust them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pefomed.boxes.spelling import DELIMITER
from pefomed.schema import Box

State = Literal["strict", "repaired", "empty", "unparsable"]


@dataclass(frozen=True)
class BoxReading:
    """The boxes of an answer, in fractions of the square the model sees."""

    boxes: tuple[Box, ...]
    phrases: tuple[tuple[str, tuple[Box, ...]], ...]
    """The marked phrases with their boxes, in order."""
    state: State
    """`strict` and `repaired` answers have boxes, or say that there is none; `empty` has no text,
    `unparsable` text that says neither."""
    repairs: tuple[str, ...] = ()
    """What was repaired, each kind once, in alphabetical order."""

    @property
    def says_none(self) -> bool:
        """Whether the answer is that there is no box."""
        return not self.boxes and self.state in ("strict", "repaired")


# Spaces are only looked at behind a brace or a number, and not given back (`*+`): an answer of nothing but
# spaces or tags would take the square of its length otherwise.
_NUMBER = r"\s*+(-?\d{1,6}(?:\.\d{1,6})?)\s*+"
_BOX = rf"(?:(?P<open>\{{)\s*+)?<{_NUMBER}>\s*+<{_NUMBER}>\s*+<{_NUMBER}>\s*+<{_NUMBER}>\s*+(?P<close>\}}?)"
_OTHERS = rf"(?P<box>{_BOX})|(?P<delimiter>{DELIMITER})|(?P<broken>[{{}}]|<\s*+-?[\d.]++\s*+>?|</?p>)"
_PIECE = re.compile(rf"(?P<phrase><p>(?P<name>.*?)</p>)|{_OTHERS}", re.DOTALL)
_PIECE_AFTER_ALL_PHRASES = re.compile(rf"(?P<phrase>(?!))|{_OTHERS}")
_NO_BOX = re.compile(r"\{(\s*+)\}")
_STRICT = re.compile(r"\{<\d{1,5}><\d{1,5}><\d{1,5}><\d{1,5}>\}")


def read_boxes(text: str, bins: int = 100) -> BoxReading:
    """Return the boxes of an answer; whatever the text, it never raises."""
    if not text.strip():
        return BoxReading((), (), "empty")
    boxes: list[Box] = []
    phrases: list[tuple[str, list[Box]]] = []
    repairs: set[str] = set()
    open_phrase = False  # the next box belongs to the last phrase
    joined = True  # a delimiter, a phrase or the beginning stands before the next box
    end = 0
    other_text = False
    for piece in _pieces(text):
        between = text[end : piece.start()].strip()
        end = piece.end()
        if between:
            open_phrase, joined, other_text = False, True, True
        if piece["phrase"]:
            phrases.append((piece["name"].strip(), []))
            open_phrase = joined = True
        elif piece["delimiter"]:
            joined = True
        elif piece["box"]:
            box = _box(piece, bins, repairs)
            if not joined:
                repairs.add("delimiter missing")
            joined = False
            if box:
                boxes.append(box)
                if open_phrase:
                    phrases[-1][1].append(box)
        else:
            repairs.add("piece dropped")
    if not phrases and boxes and (other_text or text[end:].strip()):
        repairs.add("other text dropped")
    if not boxes:
        return _without_boxes(text, tuple((name, ()) for name, _ in phrases), repairs)
    marked = tuple((name, tuple(of_phrase)) for name, of_phrase in phrases)
    return BoxReading(tuple(boxes), marked, "repaired" if repairs else "strict", tuple(sorted(repairs)))


def _without_boxes(
    text: str, phrases: tuple[tuple[str, tuple[Box, ...]], ...], repairs: set[str]
) -> BoxReading:
    """Return what a text without a box says: that there is none, if it writes so and no broken box beside."""
    said = [mark[1] for mark in _NO_BOX.finditer(text)]
    rest = _NO_BOX.sub("", text)
    pieces = [piece for piece in _pieces(rest) if not piece["phrase"]]
    if not said or pieces:
        return BoxReading((), phrases, "unparsable", tuple(sorted(repairs)))
    mended = set()
    if len(said) > 1:
        mended.add("said twice")
    if any(said):
        mended.add("spaces or decimals")
    others = "".join(rest[end:start] for end, start in _gaps(rest))
    if others.strip() and not phrases:
        mended.add("other text dropped")
    return BoxReading((), phrases, "repaired" if mended else "strict", tuple(sorted(mended)))


def _gaps(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text is that is in no piece."""
    end = 0
    for piece in _pieces(text):
        yield end, piece.start()
        end = piece.end()
    yield end, len(text)


def _pieces(text: str) -> Iterator[re.Match[str]]:
    last = text.rfind("</p>")
    phrases_end = last + len("</p>") if last >= 0 else 0
    yield from _PIECE.finditer(text, 0, phrases_end)
    yield from _PIECE_AFTER_ALL_PHRASES.finditer(text, phrases_end)


def _box(piece: re.Match[str], bins: int, repairs: set[str]) -> Box | None:
    """Return the box of a match, None if nothing is left of it; what had to be done goes to `repairs`."""
    # The groups of `_BOX`: its braces by name, its four numbers between them.
    first = piece.re.groupindex["open"]
    x0, y0, x1, y1 = (float(piece[first + number]) for number in (1, 2, 3, 4))
    if not (piece["open"] and piece["close"]):
        repairs.add("brace missing")
    if x0 > x1 or y0 > y1:
        repairs.add("corners swapped")
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    if min(x0, y0) < 0 or max(x1, y1) > bins:
        repairs.add("out of range")
        x0, y0, x1, y1 = (min(max(value, 0.0), float(bins)) for value in (x0, y0, x1, y1))
    elif not _STRICT.fullmatch(piece["box"].strip()) and piece["open"] and piece["close"]:
        repairs.add("spaces or decimals")
    if x0 >= x1 or y0 >= y1:
        repairs.add("piece dropped")
        return None
    return Box(x0=x0 / bins, y0=y0 / bins, x1=x1 / bins, y1=y1 / bins)
