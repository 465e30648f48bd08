"""The fields of a row of a user's table, each read with the error that names the place and the column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.errors import DataError, nearest
from pefomed.files.rows import is_number
from pefomed.mapping.paths import ABSENT, at, known_paths
from pefomed.mapping.references import references
from pefomed.mapping.skip import Unusable
from pefomed.mapping.source import AnySource, ConstantSource, One, Words, formed, is_template, parts_of

JOINED_BY = " "
"""What stands between several texts that are joined."""


def answers(
    row: Mapping[str, Any],
    sources: Sequence[AnySource],
    separator: str,
    place: str,
    numbers_as_text: bool,
    joined_by: str = JOINED_BY,
) -> tuple[str, ...]:
    """Return the different answers of a row, at least one; a number only if it is meant.

    Raises:
        DataError: there is none, or one is a number or no text.
    """

    def of(value: Any, column: str) -> str:
        if isinstance(value, list | dict | bool):
            raise DataError(
                f"{place}: the answer in column {column!r} must be text",
                found=repr(value)[:80],
                remedy=_what_of(value, column),
            )
        found = _plain(value)
        if is_nothing(found):
            raise Unusable(
                f"{place}: column {column!r} holds {found!r}, which is no answer", "empty answer", _FILL
            )
        if is_number(found) and not numbers_as_text:
            raise DataError(
                f"{place}: the answer in column {column!r} is a number",
                found=found,
                remedy="if it is meant so, set the option `numbers_as_text = true`; if it is a class"
                ' number, name the column that holds the words, or say them: `answer = { column = "..",'
                ' words = { 0 = "no", 1 = "yes" } }`',
            )
        return found

    values = [(said(source), cell(row, source, place, joined_by=joined_by)) for source in sources]
    found = references(values, separator, of)
    if not found:
        raise Unusable(f"{place}: column {said(sources[0])!r} is empty", "empty answer", "fill it in")
    return found


def question_text(row: Mapping[str, Any], source: AnySource, place: str, joined_by: str = JOINED_BY) -> str:
    """Return the text of a question, which must not be empty.

    Raises:
        DataError: it is empty, or there is no such column.
    """
    value = cell(row, source, place, joined_by=joined_by)
    if isinstance(value, list | dict):
        raise _no_text(said(source), value, place)
    found = _plain(value)
    if is_nothing(found):
        raise Unusable(
            f"{place}: column {said(source)!r} holds {found!r}, which is no question", "empty question", _FILL
        )
    if not found:
        raise Unusable(f"{place}: column {said(source)!r} is empty", "empty question", "fill it in")
    return found


def text(
    row: Mapping[str, Any],
    source: AnySource,
    place: str,
    option: str = "columns",
    joined_by: str = JOINED_BY,
) -> str:
    """Return the text of a cell, empty for none.

    Raises:
        DataError: there is no such column, or it holds an object or several texts.
    """
    value = cell(row, source, place, option, joined_by)
    # What a column itself holds is told as it is, whatever it may be.
    if isinstance(value, list | dict) and not (isinstance(source, str) and source in row):
        raise _no_text(said(source), value, place)
    return _plain(value)


def cell(
    row: Mapping[str, Any],
    source: AnySource,
    place: str,
    option: str = "columns",
    joined_by: str = JOINED_BY,
) -> Any:
    """Return what a source holds in a row: of a single column as it was read, else text.

    Args:
        option: the option that names the column.
        joined_by: what stands between several texts.

    Raises:
        DataError: there is no such column.
    """
    if not isinstance(source, tuple):
        return _one(row, source, place, option)
    texts = [_joinable(_one(row, each, place, option), said(each), place) for each in source]
    return joined_by.join(each for each in texts if each and not is_nothing(each))


def has(row: Mapping[str, Any], source: AnySource) -> bool:
    """Return whether a row has what a source names."""
    try:
        cell(row, source, "")
    except DataError:
        return False
    return True


def is_empty(value: Any) -> bool:
    """Return whether a cell holds nothing; a number that is none stands for that in columns of numbers."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def is_nothing(text: str) -> bool:
    """Return whether a text stands for a value that is not there: a spreadsheet's error, `nan` of a program.

    `None` and `N/A` are no such: they are answers, too.
    """
    return text in _ERRORS or text.casefold() == "nan"


_ERRORS = frozenset(
    "#N/A #REF! #DIV/0! #VALUE! #NAME? #NUM! #NULL! #NV #BEZUG! #WERT! #ZAHL! #SPILL! #CALC!".split()
)
_FILL = "write what is meant, or leave the cell empty"


def said(source: AnySource) -> str:
    """Return a source as messages name it."""
    if isinstance(source, tuple):
        return " + ".join(said(each) for each in source)
    if isinstance(source, ConstantSource):
        return source.constant
    return source.column if isinstance(source, Words) else source


def _what_of(value: list[Any] | dict[str, Any] | bool, column: str) -> str:
    if isinstance(value, bool):
        return (
            f'say the words: `answer = {{ column = "{column}", words = {{ true = "yes", false = "no" }} }}`'
        )
    if isinstance(value, dict) and value:
        name = next((key for key in value if key in ("answer", "text", "value")), next(iter(value)))
        return f'name a field of it, e.g. `columns.answer = "{column}.{name}"`'
    return f'name one of its texts, e.g. `columns.answer = "{column}.0"`'


def _one(row: Mapping[str, Any], source: One, place: str, option: str) -> Any:
    if isinstance(source, ConstantSource):
        return source.constant
    if isinstance(source, Words):
        return _word(source, _found(row, source.column, place, option), place)
    if source not in row and is_template(source):
        return _filled_in(row, source, place, option)
    return _found(row, source, place, option)


def _found(row: Mapping[str, Any], name: str, place: str, option: str) -> Any:
    value = at(row, name)
    if value is ABSENT:
        raise DataError(
            f"{place}: no column {name!r}",
            remedy=f"correct the option `{option}`; {nearest(name, known_paths(row))}",
        )
    return value


def _word(source: Words, value: Any, place: str) -> str:
    if is_empty(value):
        return ""
    found = _joinable(value, source.column, place)
    whole = found.removesuffix(".0")  # as a column of whole numbers with gaps is written
    for each in (found, whole, found.lower()):
        if each in source.words:
            return source.words[each]
    raise DataError(
        f"{place}: column {source.column!r} holds {found!r}, which `words` does not know",
        remedy=f"say what it means; {nearest(found, source.words)}",
    )


def _filled_in(row: Mapping[str, Any], template: str, place: str, option: str) -> str:
    """Return a template with its fields filled in; empty if all of them are."""
    found, any_filled = "", False
    for before, name, form in parts_of(template):
        value = _joinable(_found(row, name, place, option), name, place) if name else ""
        value = "" if is_nothing(value) else value
        any_filled = any_filled or bool(value)
        found += before + (formed(value, form) if value else "")
    return found if any_filled else ""


def _joinable(value: Any, name: str, place: str) -> str:
    if isinstance(value, list | dict):
        raise _no_text(name, value, place)
    return _plain(value)


def _plain(value: Any) -> str:
    return "" if is_empty(value) else str(value).strip()


def _no_text(name: str, value: Any, place: str) -> DataError:
    several = isinstance(value, list)
    return DataError(
        f"{place}: {name!r} holds {'a list' if several else 'an object'}, not one text",
        found=repr(value)[:80],
        remedy=f"say which of it is meant, e.g. `{name}.0`" if several else f"name a field: `{name}.…`",
    )
