"""The grammar of strict boxes, for decoding that can write nothing else.

An answer is one or more boxes joined by the notation's delimiter (in the papers `{<x0><y0><x1><y1>}` and
`<delim>`), with 0 <= x0 < x1 <= bins and 0 <= y0 < y1 <= bins, numbers without leading zeros unless the
notation fills them up (`spelling`). A text may be written on if it is the beginning of such an answer, and
may end if it is one. Where phrases may be nowhere in the image, the notation's way to say so is one too.
"""

from __future__ import annotations

import re

from pefomed.boxes.spelling import DIGITS, Spelling


def may_go_on(text: str, bins: int, none: bool = False, spelling: Spelling = DIGITS) -> bool:
    """Return whether `text` is the beginning of an answer (a whole answer is one, too).

    Args:
        none: whether an answer may be that there is no box.
    """
    if none and spelling.none.startswith(text):
        return True
    if not text.startswith(spelling.beginning):
        return spelling.beginning.startswith(text)
    rest = text[len(spelling.beginning) :]
    while True:
        behind = _behind_box(rest, bins, spelling)
        if isinstance(behind, bool):
            return behind
        if spelling.delimiter.startswith(behind) or spelling.closing.startswith(behind):
            return True
        if not behind.startswith(spelling.delimiter):
            return False
        rest = behind[len(spelling.delimiter) :]


def may_end(text: str, bins: int, none: bool = False, spelling: Spelling = DIGITS) -> bool:
    """Return whether `text` is a whole answer; see `may_go_on`."""
    if none and text == spelling.none:
        return True
    if not text.startswith(spelling.beginning):
        return False
    rest = text[len(spelling.beginning) :]
    while True:
        behind = _behind_box(rest, bins, spelling)
        if isinstance(behind, bool):
            return False
        if behind == spelling.closing:
            return True
        if not behind.startswith(spelling.delimiter):
            return False
        rest = behind[len(spelling.delimiter) :]


def _behind_box(text: str, bins: int, spelling: Spelling) -> str | bool:
    """Return what stands behind the box that `text` begins with; else whether it may become one."""
    _, width, _ = spelling.digits
    numbers: list[int] = []
    rest = text
    *before, last = spelling.separators
    for separator in before:
        if not rest.startswith(separator):
            return separator.startswith(rest)
        rest = rest[len(separator) :]
        # The first corner leaves room for the second; the second lies beyond the first.
        low, high = (numbers[len(numbers) - 2] + 1, bins) if len(numbers) >= 2 else (0, bins - 1)
        digits = re.match(rf"\d{{0,{width}}}" if width else r"\d*", rest)
        assert digits
        number, rest = digits[0], rest[digits.end() :]
        if len(number) > 9:  # far beyond any `bins`, and Python limits the digits of an integer
            return False
        if not rest:
            return _can_become(number, low, high, width)
        if not number or number != f"{int(number):0{width}d}" or not low <= int(number) <= high:
            return False
        numbers.append(int(number))
    return rest[len(last) :] if rest.startswith(last) else last.startswith(rest)


def _can_become(number: str, low: int, high: int, width: int) -> bool:
    """Return whether digits can be added (or none) to make an integer in [low, high]."""
    if not number:
        return low <= high
    if width:
        left: int = 10 ** (width - len(number))
        return int(number) * left <= high and (int(number) + 1) * left - 1 >= low
    if number != str(int(number)):
        return False
    start, end = int(number), int(number)
    while start <= high:
        if end >= low:
            return True
        if not start:  # nothing follows a leading zero
            return False
        start, end = start * 10, end * 10 + 9
    return False
