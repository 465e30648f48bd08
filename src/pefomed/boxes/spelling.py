"""How a notation of boxes is spelled, piece by piece: what decoding that writes nothing else needs to know.

An answer is `none`, or `beginning`, boxes joined by `delimiter`, and `closing`. A box is `opening`, then its
four coordinates, each a number written as `number` and what stands in `after` behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

DELIMITER = "<delim>"

NO_BOX = "{}"
"""The answer that the phrase is nowhere in the image."""

SEPARATORS = ("{<", "><", "><", "><", ">}")
"""What stands before, between and behind a box's four numbers."""


class Spelling(NamedTuple):
    """What stands between a box's numbers, so far as it may not be told apart from them by the tokenizer.

    The numbers are the first corner's two, then the second's in the same order: x, y, x, y or y, x, y, x.
    """

    opening: str
    number: str
    """`{}` for digits without leading zeros, `{:04d}` for four of them, with what belongs to the token."""
    after: tuple[str, ...]
    delimiter: str = DELIMITER
    beginning: str = ""
    closing: str = ""
    none: str = NO_BOX
    bins: int | None = None
    """Steps of a coordinate; None: the recipe's `prompt.box_bins`."""

    def texts(self, before: str, numbers: Iterable[int], place: int) -> list[str]:
        """Return `before` and each of the numbers a box's coordinate `place` may be."""
        return [before + self.number.format(number) + self.after[place] for number in numbers]

    @property
    def digits(self) -> tuple[str, int, str]:
        """What stands before a number's digits, to how many they are filled up (0: not), what behind.

        Raises:
            ValueError: `number` is no such format.
        """
        found = re.fullmatch(r"([^{}]*)\{(?::0(\d)d)?\}([^{}]*)", self.number)
        if found is None or len(self.after) != 4:
            raise ValueError(
                f"{self.number!r} is neither '{{}}' nor '{{:04d}}', or there are not four `after`"
            )
        return found[1], int(found[2] or 0), found[3]

    @property
    def separators(self) -> tuple[str, ...]:
        """What stands before, between and behind the digits of a box's four numbers."""
        before, _, behind = self.digits
        first, *others = (self.opening, *self.after)
        between = [behind + text + before for text in others[:-1]]
        return (first + before, *between, behind + others[-1])

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters an answer is made of."""
        return frozenset(
            "".join((*self.separators, self.delimiter, self.beginning, self.closing, self.none, "0123456789"))
        )


DIGITS = Spelling(SEPARATORS[0], "{}", SEPARATORS[1:])
TOKENS = Spelling("{", "<{}>", ("", "", "", "}"))
"""Of location tokens, which nothing else joins."""
