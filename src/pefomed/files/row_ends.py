"""Rows of a table that end early or go on: several answers, of which every row has its own number.

synpic1|yes|a mass          header = ["image", "answer..."]: the last name holds all that follows, a list
synpic2|left
image,answer,answer_2       a row may end before a column that counts on from another: it is empty there
"""

from __future__ import annotations

import re
from collections.abc import Sequence

DOTS = ("...", "…")
"""Behind the last name of a header: the column holds the rest of a row."""


def open_name(header: Sequence[str]) -> str | None:
    """Return the last column's name if it holds the rest of a row, else None."""
    last = header[-1].rstrip() if header else ""
    return next((last.removesuffix(dots).rstrip() for dots in DOTS if last.endswith(dots)), None)


def counted_on(header: Sequence[str]) -> frozenset[str]:
    """Return the columns that count on from one before them: `answer_2` behind `answer` or `answer_1`.

    Corners are called alike (`x1`, `x2`) and never may be absent: a name has three letters at least.
    """
    found, before = [], set()
    for name in header:
        match = _COUNTED.fullmatch(name)
        stem = match[1].casefold() if match else name.casefold()
        if match and int(match[2]) > 1 and stem in before:
            found.append(name)
        before.add(stem)
    return frozenset(found)


_COUNTED = re.compile(r"(.*[^\W\d_]{3})[ _.-]?(\d{1,3})")
