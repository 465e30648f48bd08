"""Choices of a question in columns of their own: put behind the question, and never forgotten in silence.

`Choice A`, `Choice B` beside an answer `A`: without the choices nobody could answer, so that is an error
until `columns.choices` names them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.errors import DataError, listed
from pefomed.mapping.cells import cell
from pefomed.mapping.references import listed_in


def with_choices(question: str, row: Mapping[str, Any], columns: Sequence[str], place: str) -> str:
    """Return the question with a line for each choice behind it, `A: Lung`.

    Args:
        columns: one for each choice, or the one with a list or an object of all.

    Raises:
        DataError: there is no such column.
    """
    found: list[tuple[str, str]] = []
    for name in columns:
        value = listed_in(cell(row, name, place))
        if isinstance(value, Mapping):
            found += [(str(label), str(text)) for label, text in value.items()]
        elif isinstance(value, list):
            found += [("", str(text)) for text in value]
        elif value is not None and str(value).strip():
            own = _COLUMN.fullmatch(name.strip())
            found.append(((own[1] or own[2] or "") if own else "", str(value)))
    lines = []
    for number, (label, text) in enumerate(found):
        said = _LABELLED.fullmatch(text.strip())
        label, text = (said[1], said[2]) if said else (label, text)
        letter = label.upper() if len(label) == 1 and label.isalpha() else chr(ord("A") + number)
        lines.append(f"{letter}: {text.strip()}")
    return "\n".join([question, *lines])


def check_choices(question: str, answer: str, row: Mapping[str, Any], place: str) -> None:
    """Refuse an answer that is the letter of a choice if the question does not hold the choices.

    Raises:
        DataError: it is one, and the row's columns have the choices.
    """
    if not _LETTER.fullmatch(answer):
        return
    columns = [name for name, value in row.items() if _COLUMN.fullmatch(name.strip()) and value]
    if not columns or (len(columns) == 1 and len(columns[0]) == 1):
        return
    plain = question.casefold()
    if all(_bare(row[name]).casefold() in plain for name in columns if isinstance(row[name], str)) and any(
        isinstance(row[name], str) for name in columns
    ):
        return
    raise DataError(
        f"{place}: the answer {answer!r} is the letter of a choice, and the question holds no choices",
        found=f"column{'s' if len(columns) > 1 else ''} {listed(columns)}",
        remedy=f"set `columns.choices = [{', '.join(map(repr, columns))}]`, which puts them behind the"
        " question, or name the column with the answer's words",
    )


_LETTER = re.compile(r"\(?[A-Ha-h][).:]?")
_COLUMN = re.compile(
    r"(?i:(?:answer[ _.-]?)?(?:choice|option|opt|op|candidate)s?[ _.-]*)([A-Ha-h]|\d{1,2})?|([A-H])"
)
_LABELLED = re.compile(r"\(?([A-Ha-h])[).:]\s*(.+)", re.DOTALL)


def _bare(text: str) -> str:
    said = _LABELLED.fullmatch(text.strip())
    return said[2].strip() if said else text.strip()
