"""Tables of answers: their rows by id, and a sample made of each."""

from __future__ import annotations

import json
import math
import typing
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pefomed.data.readers.rows import read_table
from pefomed.errors import DataError, listed, nearest
from pefomed.schema import Sample, Task

Rows = dict[str, tuple[str, dict[str, Any]]]
"""Id -> place and row, in the file's order."""


class Columns(BaseModel):
    """Which column holds what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("id", min_length=1)
    question: str = Field("question", min_length=1)
    """Not read for captions and reports."""
    reference: str = Field("reference", min_length=1)
    answer: str = Field("answer", min_length=1)
    image: str | None = None
    """By default `image` if there is such a column; without, every answer stands alone in intervals."""
    task: str | None = None
    """By default `task` if there is such a column, else every row is of the one task given."""
    meta: tuple[str, ...] | None = None
    """Columns to group results by; by default all others."""


class Reader:
    """Makes a sample of a row."""

    def __init__(self, columns: Columns, task: Task, folder: Path, separator: str, numbers_as_text: bool):
        self._columns, self._task, self._folder = columns, task, folder
        self._separator, self._numbers_as_text = separator, numbers_as_text

    def sample(self, sample_id: str, place: str, row: Mapping[str, Any]) -> Sample:
        columns = self._columns
        task = self._task_of(row, place)
        reference = self.text(row, columns.reference, place).strip()
        if not reference:
            raise DataError(f"{place}: no reference in column {columns.reference!r}", remedy="remove the row")
        question = "" if task in ("caption", "report") else self.text(row, columns.question, place).strip()
        if task == "vqa" and not question:
            raise DataError(f"{place}: no question in column {columns.question!r}", remedy="remove the row")
        named = {columns.id, columns.question, columns.reference, columns.answer}
        named |= {columns.image or "image", columns.task or "task"}
        keys = [key for key in row if key not in named] if columns.meta is None else columns.meta
        return Sample(
            id=sample_id,
            images=self._images(sample_id, row, place),
            task=task,
            question=question,
            reference=reference,
            meta={key: _meta(_cell(row, key, place)) for key in keys},
        )

    def text(self, row: Mapping[str, Any], column: str, place: str) -> str:
        """Return a cell that must hold text."""
        value = _cell(row, column, place)
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

    def _task_of(self, row: Mapping[str, Any], place: str) -> Task:
        column = self._columns.task or "task"
        if self._columns.task is None and column not in row:
            return self._task
        text = self.text(row, column, place).strip()
        known = typing.get_args(Task)
        if text not in known:
            raise DataError(f"{place}: unknown task {text!r}", remedy=nearest(text, known))
        return typing.cast(Task, text)

    def _images(self, sample_id: str, row: Mapping[str, Any], place: str) -> tuple[str, ...]:
        column = self._columns.image or "image"
        if self._columns.image is None and column not in row:
            return (f"no image of {sample_id}",)
        value = _cell(row, column, place)
        names = value if isinstance(value, list) else str(value or "").split(self._separator)
        paths = tuple(
            str((self._folder / str(name).strip()).absolute()) for name in names if str(name).strip()
        )
        return paths or (f"no image of {sample_id}",)


def rows_by_id(path: Path, column: str) -> Rows:
    found: Rows = {}
    counts: Counter[str] = Counter()
    for place, row in read_table(path):
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
