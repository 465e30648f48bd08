"""How a file of a stranger becomes rows, where it does not say so itself: its delimiter, header, sheet ...

Everything is found by itself as far as a file allows it; what is said here counts more.
"""

from __future__ import annotations

import codecs
from typing import Any

from pydantic import ConfigDict, field_validator

from pefomed.checked import Checked
from pefomed.errors import DataError

CELLS, OBJECTS, LINES, COLUMNAR, WORKBOOK, TAR = (
    "text", "JSON", "JSON Lines", "Parquet or Arrow", "workbook", "tar archive"
)  # fmt: skip
"""The forms of tables."""

_FITS = {
    "delimiter": (CELLS,),
    "header": (CELLS, WORKBOOK),
    "sheet": (WORKBOOK,),
    "records": (OBJECTS,),
    "encoding": (CELLS, OBJECTS, LINES),
}


class Format(Checked):
    """How a file is read; the default finds all of it by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delimiter: str | None = None
    """What stands between the cells of a text; by default `,` `;` `|` or a tab, found from the first rows."""
    header: tuple[str, ...] = ()
    """The columns' names of a table whose first line is a row; by default the first line has them. Of a last
    one as `answer...` every row has as many cells as it likes: they are a list."""
    sheet: str | None = None
    """The sheet of a workbook; by default the only one that holds anything."""
    records: str | None = None
    """Where in a JSON file the list of rows is, e.g. `data` or `data.items`; by default it is the file."""
    encoding: str | None = None
    """Of a text, e.g. `cp1252`; by default UTF-8, or UTF-16 and UTF-32 as the first bytes say."""

    def check(self, where: str, *forms: str) -> None:
        """Check that all that is said can be said of a table of one of these forms; `where` names the tables.

        Raises:
            DataError: something cannot.
        """
        for name in self._unfit(*forms):
            raise DataError(
                f"{where}: `{name}` is not for a table of the form {' or '.join(forms)}",
                found=f"{name} = {getattr(self, name)!r}",
                remedy=f"remove it; it is for {' and '.join(_FITS[name])}",
            )

    def fitting(self, form: str) -> Format:
        """Return what can be said of a table of this form."""
        return self.model_copy(update={name: type(self)().__dict__[name] for name in self._unfit(form)})

    def _unfit(self, *forms: str) -> list[str]:
        return [name for name, fit in _FITS.items() if getattr(self, name) and not {*fit} & {*forms}]

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        found = _WRITTEN.get(value, value) if value else value
        if found and (len(found) != 1 or found in '\r\n"'):
            raise ValueError("the cells of a table are separated by one character, e.g. `;` or `tab`")
        return found

    @field_validator("header", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        # As the command line writes several.
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("header")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(name.strip(" .…") for name in value) or len(set(value)) != len(value):
            raise ValueError("every column needs a name of its own")
        return value

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        try:
            # Python's other codecs (zip, hex ...) are of bytes.
            if value and not codecs.lookup(value)._is_text_encoding:
                raise LookupError
        except (LookupError, ValueError):
            raise ValueError(
                "use a name that Python knows: cp1252 (Excel in Western Europe and America), cp1250 (Eastern"
                " Europe), cp1251 (Cyrillic), gb18030 (Chinese), shift_jis (Japanese), mac_roman ..."
            ) from None
        return value


_WRITTEN = {"tab": "\t", "\\t": "\t"}
