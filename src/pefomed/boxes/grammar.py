"""The grammar of strict boxes, for decoding that can write nothing else.

An answer is one or more `{<x0><y0><x1><y1>}` joined by `<delim>`, with 0 <= x0 < x1 <= bins and
0 <= y0 < y1 <= bins, numbers without leading zeros. A text may be written on if it is the beginning of
such an answer, and may end if it is one. Where phrases may be nowhere in the image, `{}` is an answer too.
"""

from __future__ import annotations

import re

from pefomed.boxes.text import DELIMITER, NO_BOX, SEPARATORS

ALPHABET = frozenset("{}<>0123456789" + DELIMITER)
"""The characters an answer is made of."""


def may_go_on(text: str, bins: int, none: bool = False) -> bool:
    """Return whether `text` is the beginning of an answer (a whole answer is one, too).

    Args:
        none: whether an answer may be that there is no box.
    """
    if none and NO_BOX.startswith(text):
        return True
    *whole, last = text.split(DELIMITER)
    if any(not _is_box(piece, bins) for piece in whole):
        return False
    if _is_box(last, bins):
        return True
    body, cut, tail = last.partition("}")
    if cut:  # after a box only a delimiter may come
        return _is_box(body + cut, bins) and DELIMITER.startswith(tail)
    return _begins_box(last, bins)


def may_end(text: str, bins: int, none: bool = False) -> bool:
    """Return whether `text` is a whole answer; see `may_go_on`."""
    return (none and text == NO_BOX) or all(_is_box(piece, bins) for piece in text.split(DELIMITER))


def _is_box(text: str, bins: int) -> bool:
    match = re.fullmatch(r"\{<(\d{1,9})><(\d{1,9})><(\d{1,9})><(\d{1,9})>\}", text)
    if not match or any(number != str(int(number)) for number in match.groups()):
        return False
    x0, y0, x1, y1 = map(int, match.groups())
    return x0 < x1 <= bins and y0 < y1 <= bins


def _begins_box(text: str, bins: int) -> bool:
    numbers: list[int] = []
    rest = text
    for separator in SEPARATORS:
        if not rest.startswith(separator):
            return separator.startswith(rest)
        rest = rest[len(separator) :]
        # The first corner leaves room for the second; the second lies beyond the first.
        low, high = (numbers[len(numbers) - 2] + 1, bins) if len(numbers) >= 2 else (0, bins - 1)
        digits = re.match(r"\d*", rest)
        assert digits
        number, rest = digits[0], rest[digits.end() :]
        if len(number) > 9:  # far beyond any `bins`, and Python limits the digits of an integer
            return False
        if not rest:
            return _can_become(number, low, high)
        if not number or number != str(int(number)) or not low <= int(number) <= high:
            return False
        numbers.append(int(number))
    return False


def _can_become(number: str, low: int, high: int) -> bool:
    """Return whether digits can be added (or none) to make an integer in [low, high]."""
    if not number:
        return low <= high
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
