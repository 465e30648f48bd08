"""Tables of answers: their rows by id, and a sample made of each as the loader `table` makes its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed import tasks
from pefomed.errors import DataError, listed
from pefomed.files.format import Format
from pefomed.files.rows import read_table
from pefomed.files.tables import form_of
from pefomed.mapping import cells, choices, images, references, study
from pefomed.mapping.images import ImageColumns
from pefomed.mapping.rows import Placed, answer_sources, task_of
from pefomed.mapping.skip import NOTHING, Rules, Unusable
from pefomed.mapping.source import AnySource
from pefomed.outside.columns import OPTION, AnswerColumns
from pefomed.samples.left_out import LeftOut
from pefomed.samples.no_image import no_image
from pefomed.schema import Sample, TaskName

RowsById = dict[str, list[Placed]]
"""Id -> places and rows, in the file's order; several only where rows are grouped."""


class Reader:
    """Makes a sample of a row, and notes what of the rows is not used or not clear."""

    def __init__(
        self,
        columns: AnswerColumns,
        task: TaskName,
        pictures: ImageColumns,
        numbers_as_text: bool,
        where: str,
        skip: Rules = NOTHING,
    ):
        self._columns, self._task, self._pictures = columns, task, pictures
        self._numbers_as_text, self._where, self._skip = numbers_as_text, where, skip
        self.notes: dict[str, None] = {}
        self.left_out: list[LeftOut] = []

    def samples(self, rows: RowsById) -> Iterator[Sample]:
        """Yield a sample for each id, and keep what is left out.

        Raises:
            DataError: a column is absent, or a cell is empty or not what it should be; the place is named.
        """
        for sample_id, group in rows.items():
            parts = []
            for place, row in group:
                try:
                    if gone := self._skip.of_row(row, place):
                        self.left_out.append(gone)
                    else:
                        parts.append(study.with_role(self._part(row, place), self._columns))
                except Unusable as error:
                    if error.kind not in self._skip:
                        raise
                    self.left_out.append(LeftOut(place, error.kind))
            if parts:
                yield self._sample(sample_id, study.merge_rows(parts, self._columns))

    def answer(self, group: Sequence[Placed]) -> str:
        """Return what was answered to a sample.

        Raises:
            DataError: it is no text, or rows of one id have different ones.
        """
        answers = {self.text(row, self._columns.answer, place): place for place, row in group}
        if len(answers) > 1:
            (one, first), (other, second) = list(answers.items())[:2]
            raise DataError(
                f"{second}: another answer than in {first}, and both have the same id",
                found=f"{one[:60]!r} and {other[:60]!r}",
                remedy="give each answer an id of its own",
            )
        return next(iter(answers))

    def text(self, row: Mapping[str, Any], source: AnySource, place: str) -> str:
        """Return a cell that must hold text."""
        value = cells.cell(row, source, place, OPTION, self._columns.joined_by)
        return self._text(value, cells.said(source), place)

    def _part(self, row: Mapping[str, Any], place: str) -> study.StudyRow:
        columns = self._columns
        task = self._task_of(row, place)
        sources = self._references(row)
        values = [(cells.said(each), self._cell(row, each, place)) for each in sources]
        if gone := next(
            (one for _, one in values if isinstance(one, str) and cells.is_nothing(one.strip())), None
        ):
            raise Unusable(f"{place}: the reference is {gone!r}", "empty reference", "write what is meant")
        answers = references.references(
            values, columns.separator, lambda value, column: self._text(value, column, place)
        )
        if not answers and task not in tasks.BOXES:
            raise Unusable(
                f"{place}: no reference in column {cells.said(sources[0])!r}", "empty reference", "fill it in"
            )
        if task in tasks.WITH_BOXES:
            self._note(f"the boxes of the task {task!r} are not scored: a table of answers holds none")
        question = self._question(row, task, place)
        pictures: tuple[images.Picture, ...] = ()
        if "image" in columns.model_fields_set or "image" in row:
            pictures = self._pictures.of(row, columns.images, place)
        if not pictures and "no image" in self._skip:
            raise images.no_image(columns.images, place)
        if "missing image" in self._skip and (
            absent := images.missing_image([each.path for each in pictures])
        ):
            raise Unusable(f"{place}: no image at {absent}", "missing image", "copy it there")
        meta = self._meta(row, {*columns.used(), *(name for name in sources if isinstance(name, str))})
        return study.StudyRow(
            place, row, task, question, question, answers or ("",), pictures, None,
            meta={key: cells.text(row, source, place, OPTION) for key, source in meta.items()},
        )  # fmt: skip

    def _sample(self, sample_id: str, part: study.StudyRow) -> Sample:
        return Sample(
            id=sample_id,
            images=tuple(each.path for each in part.pictures) or (no_image(sample_id),),
            task=part.task,
            question=part.question,
            reference=part.answers[0],
            further_references=part.answers[1:],
            meta={**images.roles_of(part.pictures), **part.meta},
        )

    def _references(self, row: Mapping[str, Any]) -> tuple[AnySource, ...]:
        columns = self._columns
        if "reference" in columns.model_fields_set or "reference" in row:
            return answer_sources(columns, row)
        if "references" in row:
            return ("references", *(columns.further or ()))
        return references.numbered_columns("reference", row) or ("reference",)

    def _question(self, row: Mapping[str, Any], task: TaskName, place: str) -> str:
        columns = self._columns
        if task in tasks.TEXTS:
            return ""
        if "question" not in columns.model_fields_set and "question" not in row:
            self._note(
                "no column 'question': answers are scored without it, but judges and raters see no question"
            )
            return ""
        question = self.text(row, columns.question, place).strip()
        if not question and tasks.TASKS[task].asked == "question":
            raise Unusable(
                f"{place}: no question in column {cells.said(columns.question)!r}",
                "empty question",
                "fill it in",
            )
        return choices.with_choices(question, row, columns.choices, place) if columns.choices else question

    def _meta(self, row: Mapping[str, Any], used: set[str]) -> Mapping[str, AnySource]:
        if "meta" in self._columns.model_fields_set:
            return self._columns.meta
        named = {*used, "image", "task"}
        alike = references.lookalikes(row, named)
        if alike:
            how = f"{OPTION} 'further={' + '.join(alike)}' uses them, `meta` groups by them"
            self.notes[references.lookalike_note(self._where, alike, how)] = None
        return {key: key for key in row if key not in named and key not in alike}

    def _note(self, text: str) -> None:
        self.notes[f"{self._where}: {text}"] = None

    def _cell(self, row: Mapping[str, Any], source: AnySource, place: str) -> Any:
        return cells.cell(row, source, place, OPTION, self._columns.joined_by)

    def _text(self, value: Any, column: str, place: str) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and self._numbers_as_text:
            value = "" if cells.is_empty(value) else str(value)
        if not isinstance(value, str):
            raise DataError(
                f"{place}: column {column!r} must hold text",
                found=f"{'the number ' if is_number else ''}{json.dumps(value, default=str)[:60]}",
                remedy="if numbers are meant as text, say --numbers-as-text; if they are class numbers, name"
                " the column that holds the words"
                if is_number
                else 'write text in quotation marks; an empty answer is ""',
            )
        return value

    def _task_of(self, row: Mapping[str, Any], place: str) -> TaskName:
        source = self._columns.task or "task"
        if self._columns.task is None and "task" not in row:
            return self._task
        return task_of(self.text(row, source, place).strip(), place)


def pictures_of(file: Path, images: Path | None, separator: str, view: str) -> ImageColumns:
    """Return where the pictures that `file` names are: beside it, or in the folder `images`."""
    return ImageColumns(images or file.parent, separator, view, False, "--images FOLDER")


def trained_on(
    file: Path,
    columns: AnswerColumns,
    task: TaskName,
    pictures: ImageColumns,
    numbers_as_text: bool,
    how: Format,
) -> list[Sample]:
    """Return the samples of a table of what was trained on: without `reference` its `answer` is right.

    Raises:
        DataError: the file cannot be read, or a cell is not what it should be; the place is named.
    """
    rows = list(read_table(file, how.fitting(form_of(file))))
    if not rows:
        raise DataError(f"{file} holds no row", remedy="give a table with one row per training sample")
    if not cells.has(rows[0][1], columns.reference) and cells.has(rows[0][1], columns.answer):
        columns = columns.model_copy(update={"reference": columns.answer})
    numbered: RowsById = {f"train-{number}": [placed] for number, placed in enumerate(rows, 1)}
    return list(Reader(columns, task, pictures, numbers_as_text, file.name).samples(numbered))


def rows_by_id(path: Path, columns: AnswerColumns, how: Format) -> RowsById:
    """Return the rows of a file by their ids.

    Raises:
        DataError: the file cannot be read, or an id is empty, or doubled where rows are not grouped.
    """
    by_id: RowsById = {}
    for place, row in read_table(path, how):
        value = cells.cell(row, columns.id, place, OPTION, columns.joined_by)
        sample_id = "" if cells.is_empty(value) else str(value).strip()
        if not sample_id or isinstance(value, list | dict | bool):
            raise DataError(f"{place}: no id in column {cells.said(columns.id)!r}", found=repr(value)[:80])
        by_id.setdefault(sample_id, []).append((place, row))
    if not by_id:
        raise DataError(f"{path} holds no row", remedy="give a table with one row per answer")
    doubled = [sample_id for sample_id, rows in by_id.items() if len(rows) > 1]
    if doubled and columns.group_by is None:
        raise DataError(
            f"{path}: ids occur more than once",
            found=count_ids(doubled),
            remedy="keep one row for each id; rows of several images are joined by `group_by` in"
            f" {OPTION}, with the column of ids",
        )
    return by_id


def count_ids(ids: Sequence[str]) -> str:
    """Return how many ids there are, and the first of them."""
    return f"{len(ids)} ids: {listed(ids)}"
