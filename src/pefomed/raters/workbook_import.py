"""Spreadsheets back into the session: all of a call's cells are checked before one is stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from pefomed.errors import DataError
from pefomed.files.storage import usable_paths
from pefomed.raters.filled_sheet import FilledSheet, filled_sheet, sheets_in
from pefomed.raters.scale import CANNOT, RatingScale
from pefomed.raters.session import Rater, RatingItem, Session
from pefomed.raters.verdicts import Rating, save, states
from pefomed.raters.workbook import ABOUT, RATING, columns, item_code, words

_NAMED = 20  # problems an error names
_LONGEST_COMMENT = 2000


@dataclass
class ImportedWorkbook:
    """What one spreadsheet held."""

    path: Path
    rater: str
    rated: int = 0
    changed: int = 0
    """Verdicts that are new or other than before."""


@dataclass
class _Sheet:
    path: Path
    rater: Rater
    items: dict[str, RatingItem] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    """The row of each item's code."""
    said: dict[int, Rating] = field(default_factory=dict)


@usable_paths()
def import_workbooks(session: Session, source: Path) -> list[ImportedWorkbook]:
    """Store the ratings of one XLSX or CSV file, or of all in a folder; an empty label changes nothing.

    A label that differs from what is stored replaces it; the history keeps both.

    Raises:
        DataError: files or cells that are not as they were given out; each is named, and nothing of
            any file is stored.
        StorageError: the session cannot be written.
    """
    problems: list[str] = []
    sheets = [_read(session, path, problems) for path in _paths(source)]
    read = [sheet for sheet in sheets if sheet is not None]
    first: dict[str, Path] = {}
    for sheet in read:
        # Codes are of a rater and an item; a session that grew has several files for a rater.
        other = next((first[code] for code in sheet.rows if code in first), None)
        first |= dict.fromkeys(sheet.rows, sheet.path)
        if other is not None:
            problems.append(
                f"{sheet.path.name}: also holds the ratings of {sheet.rater.name}, as {other.name}"
            )
    if problems:
        more = [f"and {len(problems) - _NAMED} more"] if len(problems) > _NAMED else []
        raise DataError(
            f"{source} cannot be imported; nothing of it was stored",
            found="\n    ".join(["", *problems[:_NAMED], *more]),
            remedy="correct these cells or files; only label and comment are to be filled in",
        )
    return [_store(session, sheet) for sheet in read]


def _paths(source: Path) -> list[Path]:
    if source.is_dir():
        paths = sheets_in(source)
        if not paths:
            raise DataError(f"no .xlsx and no .csv file in {source}")
        return paths
    if not source.is_file():
        raise DataError(
            f"nothing to import at {source}", remedy="give an .xlsx or .csv file, or a folder of them"
        )
    return [source]


def _read(session: Session, path: Path, problems: list[str]) -> _Sheet | None:
    """Return what the file holds, or None; what is wrong with it is added to `problems`."""
    table = filled_sheet(path, columns(session.scale), RATING, ABOUT)
    if isinstance(table, str):
        problems.append(f"{path.name}: {table}")
        return None
    wrong: list[str] = []
    rater = _rater(session, table, wrong)
    if rater is None:
        problems += [f"{path.name}: {problem}" for problem in wrong]
        return None
    sheet = _Sheet(path, rater)
    sheet.items = {item_code(session, rater, item): item for item in session.items(rater)}
    _read_rows(session, table, sheet, wrong)
    problems += [f"{path.name}, {problem}" for problem in wrong]
    return sheet


def _rater(session: Session, table: FilledSheet, problems: list[str]) -> Rater | None:
    if table.about is None:
        return _rater_of_ids(session, table, problems)
    about = table.about
    if about.get("session") != session.id:
        problems.append(
            f"sheet {ABOUT!r}, cell B1: session {about.get('session')!r}; this is session {session.id!r}"
        )
        return None
    for rater in session.raters():
        if rater.name == about.get("rater"):
            return rater
    problems.append(f"sheet {ABOUT!r}, cell B2: {about.get('rater')!r} is no rater of this session")
    return None


def _rater_of_ids(session: Session, table: FilledSheet, problems: list[str]) -> Rater | None:
    """Return whose ids the rows have: they are of a rater and an item of one session."""
    given = {str(row[0] or "").strip() for _, row in table.rows}
    codes = {
        rater.name: {item_code(session, rater, item) for item in session.items(rater)}
        for rater in session.raters()
    }
    whose = [rater for rater in session.raters() if not given.isdisjoint(codes[rater.name])]
    if len(whose) == 1:
        return whose[0]
    problems.append(
        f"holds rows of several raters: {', '.join(rater.name for rater in whose)}"
        if whose
        else f"no row has an id of session {session.id!r}; the ids stand in the column 'id'"
    )
    return None


def _read_rows(session: Session, table: FilledSheet, sheet: _Sheet, problems: list[str]) -> None:
    names = columns(session.scale)
    if not _check_header(table, names, problems):
        return
    label_at, comment_at = names.index("label"), names.index("comment")
    seen = sheet.rows
    for number, row in table.rows:
        if all(value is None or value == "" for value in row):
            continue
        code = str(row[0] or "").strip()
        item = sheet.items.get(code)
        if item is None:
            problems.append(f"cell A{number}: unknown id {row[0]!r}")
            continue
        if code in seen:
            problems.append(f"cell A{number}: the id {code} stands in row {seen[code]} already")
            continue
        seen[code] = number
        _check_texts(session.scale, names, table, (number, row), item, problems)
        comment = str(row[comment_at] or "").strip()
        if len(comment) > _LONGEST_COMMENT:
            problems.append(f"cell {table.cell(comment_at, number)}: more than {_LONGEST_COMMENT} characters")
        label, cannot, problem = _label(session.scale, row[label_at])
        if problem:
            problems.append(f"cell {table.cell(label_at, number)}: {problem}")
        elif label is not None or cannot or comment:
            sheet.said[item.id] = Rating(label, cannot, comment)
    missing = _missing(session, sheet)
    if missing and not problems:
        problems.append(f"sheet {RATING!r}: {len(missing)} rows are missing, e.g. the id {missing[0]}")


def _missing(session: Session, sheet: _Sheet) -> list[str]:
    """Return the codes that lack of the parts that the file holds something of; of all if it is empty."""
    code_of = {item.id: code for code, item in sheet.items.items()}
    parts = [[code_of[item.id] for item in part] for part in session.parts(sheet.rater)]
    held = [part for part in parts if not sheet.rows.keys().isdisjoint(part)]
    return [code for part in held or parts for code in part if code not in sheet.rows]


def _check_header(table: FilledSheet, names: Sequence[str], problems: list[str]) -> bool:
    given = (*table.header, *[None] * len(names))
    wrong = [column for column, name in enumerate(names) if given[column] != name]
    problems += [
        f"cell {table.cell(column, 1)}: the column {names[column]!r} is to stand here, not {given[column]!r}"
        for column in wrong
    ]
    return not wrong


def _check_texts(
    scale: RatingScale,
    names: Sequence[str],
    table: FilledSheet,
    numbered: tuple[int, Sequence[Any]],
    item: RatingItem,
    problems: list[str],
) -> None:
    number, row = numbered
    texts = (item.text, item.reference) if item.swapped else (item.reference, item.text)
    given = texts if scale.sides else (item.question, *texts)
    first = names.index("image") + 1
    for column, text in enumerate(given, first):
        if _bare(str(row[column] if row[column] is not None else "")) != _bare(text):
            problems.append(
                f"cell {table.cell(column, number)}: the {names[column]} is not the one given out:"
                f" rows were moved or the text was changed"
            )


def _bare(text: str) -> str:
    # Programs change line ends and spaces; unprintable characters were replaced on the way out.
    return "".join(character for character in text if character.isalnum())


def _label(scale: RatingScale, value: Any) -> tuple[int | None, bool, str | None]:
    """Return label, whether it cannot be judged, and what is wrong with the cell."""
    allowed = f"choose one of: {', '.join(words(scale))}"
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, False, None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None, False, f"{value!r} is not on the scale; {allowed}"
    text = str(value).strip().casefold()
    if text == CANNOT:
        return None, True, None
    for level in scale.levels:
        if text in (level.word.casefold(), str(level.label)):
            return level.label, False, None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None, False, f"{value!r} is not on the scale; {allowed}"
    if number.is_integer() and int(number) in scale.labels:
        return int(number), False, None
    if math.isfinite(number) and not number.is_integer():
        return None, False, f"{value!r} is a decimal, and there is nothing between the levels; {allowed}"
    return None, False, f"{value!r} is not on the scale; {allowed}"


def _store(session: Session, sheet: _Sheet) -> ImportedWorkbook:
    result = ImportedWorkbook(sheet.path, sheet.rater.name)
    before = states(session, sheet.rater)
    for item, said in sheet.said.items():
        was = before.get(item, Rating())
        # An empty cell takes nothing away: the label or comment may have been given on the page.
        rated = said if said.rated else was
        new = Rating(rated.label, rated.cannot, said.comment or was.comment)
        result.rated += said.rated
        stored = save(
            session, sheet.rater, item, new, change=f"sheet-{uuid4()}", checked=False, source="sheet"
        )
        result.changed += (stored.label, stored.cannot, stored.comment) != (
            was.label,
            was.cannot,
            was.comment,
        )
    return result
