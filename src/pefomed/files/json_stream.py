"""JSON read value by value: a list of any length takes the memory of its largest element.

ijson does that too, but refuses `NaN` and writes `?` for half a surrogate pair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.errors import DataError
from pefomed.files.files import JSON, check_surrogates, json_remedy
from pefomed.files.lines import LINE_LIMIT

WHOLE_LIMIT = 2**28
"""Most letters of a file that is one JSON object; it is held in memory some times over."""


class JsonText:
    """A JSON text and a place in it."""

    def __init__(self, path: Path, pieces: Iterator[str]):
        self.path = path
        self._pieces, self._text, self._at, self._line = pieces, "", 0, 1

    def next(self) -> str:
        """Return the letter that the next value begins with, empty at the end."""
        while True:
            rest = len(self._text) - len(self._text[self._at :].lstrip(_SPACE)) - self._at
            self._skip(rest)
            if self._at < len(self._text) or not self._more(1):
                return self._text[self._at : self._at + 1]

    def take(self, letter: str) -> bool:
        """Return whether the next letter is this one, and go behind it if so."""
        found = self.next() == letter
        if found:
            self._skip(1)
        return found

    def value(self, limit: int = LINE_LIMIT) -> Any:
        """Return the next value, of at most `limit` letters, and go behind it.

        Raises:
            DataError: it is no JSON, or too long.
        """
        self.next()
        while True:
            try:
                value, end = JSON.raw_decode(self._text, self._at)
                check_surrogates(value, self._text[self._at : end])
            except json.JSONDecodeError as error:
                if not self._is_cut(error) or not self._more(len(self._text) - self._at):
                    line = self._line + self._text.count("\n", self._at, error.pos)
                    raise DataError(
                        f"{self.path}, line {line}: not JSON", found=error.msg, remedy=json_remedy(error)
                    ) from None
                if len(self._text) - self._at > limit:
                    raise self._too_long(limit) from None
                continue
            except (RecursionError, ValueError) as error:
                raise DataError(
                    f"{self.path}, line {self._line}: not JSON that can be read", found=str(error)
                ) from None
            if end - self._at > limit:
                raise self._too_long(limit)
            self._skip(end - self._at)
            return value

    def wrong(self, expected: str) -> DataError:
        """Return the error for the next letter."""
        found = self._text[self._at : self._at + 20]
        return DataError(f"{self.path}, line {self._line}: not JSON", found=f"{expected} before {found!r}")

    def _too_long(self, limit: int) -> DataError:
        return DataError(
            f"{self.path}, line {self._line} begins too long a value: at most {limit:,} letters are read",
            remedy="write one object a line in a .jsonl file",
        )

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Return whether a fault may be but the end of what was read so far."""
        return error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _LONGEST

    def _more(self, letters: int) -> bool:
        """Read at least so many letters more; False at the end."""
        read = 0
        parts = []
        for piece in self._pieces:
            parts.append(piece)
            read += len(piece)
            if read >= letters:
                break
        self._text += "".join(parts)
        return read > 0

    def _skip(self, letters: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + letters)
        self._at += letters
        if self._at > 2**16 and 2 * self._at > len(self._text):
            self._text, self._at = self._text[self._at :], 0


_SPACE = " \t\n\r"
_LONGEST = 16  # letters of a word or an escape that may be cut
