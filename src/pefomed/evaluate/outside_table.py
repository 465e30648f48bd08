"""Tables of answers: their rows by id, and a sample made of each."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, field_validator

from pefomed import tasks
from pefomed.checked import Checked
from pefomed.data import table_references
from pefomed.data.readers.format import Format
from pefomed.data.readers.rows import read_table
from pefomed.errors import DataError, listed, nearest
from pefomed.evaluate.outside_images import images_of
from pefomed.schema import Sample, TaskName

Rows = dict[str, tuple[str, dict[str, Any]]]
"""Id -> place and row, in the file's order."""


NO_IMAGE = "no image of "
"""What stands, before the id, for the image of a row that names none."""


class Columns(Checked):
    """Which column holds what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("id", min_length=1)
    question: str = Field("question", min_length=1)
    """Not read for captions and reports; without such a column answers are scored all the same."""
    reference: str = Field("reference", min_length=1)
    further: tuple[str, ...] | None = None
    """Columns with further references; by default `reference_2`, `reference_3` and so on."""
    separator: str = ""
    """What stands between several references in one cell; by default a cell is one."""
    answer: str = Field("answer", min_length=1)
    image: str | None = None
    """By default `image` if there is such a column; without, every answer stands alone in intervals."""
    task: str | None = None
    """By default `task` if there is such a column, else every row is of the one task given."""
    meta: tuple[str, ...] | None = None
    """Columns to group results by; by default all others that do not look like references."""

    @field_validator("further", "meta", mode="before")
    @classmethod
    def _several(cls, names: Any) -> Any:
        # As `--columns` writes several: a column's name may hold spaces.
        return [name.strip() for name in names.split("+")] if isinstance(names, str) else names


class Reader:
    """Makes a sample of a row, and notes what of the rows is not used or not clear."""

    def __init__(
        self,
        columns: Columns,
        task: TaskName,
        folder: Path,
        separator: str,
        numbers_as_text: bool,
        where: str,
    ):
        self._columns, self._task, self._folder = columns, task, folder
        self._separator, self._numbers_as_text, self._where = separator, numbers_as_text, where
        self.notes: dict[str, None] = {}

    def sample(self, sample_id: str, place: str, row: Mapping[str, Any]) -> Sample:
        columns = self._columns
        task = self._task_of(row, place)
        names = self._reference_columns(row, place)
        first, *further = table_references.references(
            row, names, columns.separator, place, lambda value, column: self._text(value, column, place)
        ) or ("",)
        if not first and task not in tasks.BOXES:
            raise DataError(f"{place}: no reference in column {names[0]!r}", remedy="remove the row")
        if task in tasks.WITH_BOXES:
            self._note(f"the boxes of the task {task!r} are not scored: a table of answers holds none")
        named = {columns.id, columns.question, columns.answer, *names}
        named |= {columns.image or "image", columns.task or "task"}
        return Sample(
            id=sample_id,
            images=self._images(sample_id, row, place),
            task=task,
            question=self._question(row, task, place),
            reference=first,
            further_references=tuple(further),
            meta={key: _meta(_cell(row, key, place)) for key in self._keys(row, named)},
        )

    def _reference_columns(self, row: Mapping[str, Any], place: str) -> tuple[str, ...]:
        columns = self._columns
        found = table_references.numbered(columns.reference, row)
        if columns.reference in row:
            return (columns.reference, *(found if columns.further is None else columns.further))
        if "reference" in columns.model_fields_set:
            _cell(row, columns.reference, place)
        if "references" in row:
            return ("references", *(columns.further or ()))
        if not found:
            _cell(row, columns.reference, place)
        return found

    def _question(self, row: Mapping[str, Any], task: TaskName, place: str) -> str:
        columns = self._columns
        if task in tasks.TEXTS:
            return ""
        if columns.question not in row and "question" not in columns.model_fields_set:
            self._note(
                f"no column {columns.question!r}: answers are scored without it, but judges and raters see no"
                " question"
            )
            return ""
        question = self.text(row, columns.question, place).strip()
        if not question and task == "vqa":
            raise DataError(f"{place}: no question in column {columns.question!r}", remedy="remove the row")
        return question

    def _keys(self, row: Mapping[str, Any], named: set[str]) -> Sequence[str]:
        if self._columns.meta is not None:
            return self._columns.meta
        alike = table_references.lookalikes(row, named)
        if alike:
            how = f"--columns 'further={' + '.join(alike)}' uses them, `meta` groups by them"
            self.notes[table_references.lookalike_note(self._where, alike, how)] = None
        return [key for key in row if key not in named and key not in alike]

    def _note(self, text: str) -> None:
        self.notes[f"{self._where}: {text}"] = None

    def text(self, row: Mapping[str, Any], column: str, place: str) -> str:
        """Return a cell that must hold text."""
        return self._text(_cell(row, column, place), column, place)

    def _text(self, value: Any, column: str, place: str) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool) and self._numbers_as_text:
            value = "" if isinstance(value, float) and math.isnan(value) else str(value)
        if not isinstance(value, str):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            raise DataError(
                f"{place}: column {column!r} must hold text",
                found=f"{'the number ' if number else ''}{json.dumps(value)[:60]}",
                remedy="if numbers are meant as text, say --numbers-as-text; if they are class numbers, name"
                " the column that holds the words"
                if number
                else 'write text in quotation marks; an empty answer is ""',
            )
        return value

    def _task_of(self, row: Mapping[str, Any], place: str) -> TaskName:
        column = self._columns.task or "task"
        if self._columns.task is None and column not in row:
            return self._task
        text = self.text(row, column, place).strip()
        if text not in tasks.TASKS:
            raise DataError(f"{place}: unknown task {text!r}", remedy=nearest(text, tasks.TASKS))
        return text

    def _images(self, sample_id: str, row: Mapping[str, Any], place: str) -> tuple[str, ...]:
        column = self._columns.image or "image"
        if self._columns.image is None and column not in row:
            return (f"{NO_IMAGE}{sample_id}",)
        paths = images_of(_cell(row, column, place), self._folder, self._separator, place)
        return paths or (f"{NO_IMAGE}{sample_id}",)


def rows_by_id(path: Path, column: str, how: Format) -> Rows:
    found: Rows = {}
    counts: Counter[str] = Counter()
    for place, row in read_table(path, how):
        value = _cell(row, column, place)
        sample_id = "" if value is None else str(value).strip()
        if not sample_id or isinstance(value, list | dict | bool):
            raise DataError(f"{place}: no id in column {column!r}", found=repr(value))
        counts[sample_id] += 1
        found.setdefault(sample_id, (place, row))
    if not found:
        raise DataError(f"{path} holds no row", remedy="give a table with one row per answer")
    doubled = [sample_id for sample_id, count in counts.items() if count > 1]
    if doubled:
        raise DataError(
            f"{path}: ids occur more than once",
            found=counted(doubled),
            remedy="keep one row for each id",
        )
    return found


def _cell(row: Mapping[str, Any], column: str, place: str) -> Any:
    if column not in row:
        raise DataError(
            f"{place}: no column {column!r}",
            remedy=f"name the columns with --columns, e.g. `answer=prediction`; {nearest(column, row)}",
        )
    return row[column]


def _meta(value: Any) -> str:
    return "" if value is None else str(value).strip()


def counted(ids: Sequence[str]) -> str:
    """Return how many ids there are, and the first of them."""
    return f"{len(ids)} ids: {listed(ids)}"
