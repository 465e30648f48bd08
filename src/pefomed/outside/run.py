"""Answers that somebody else's model gave, as a run folder that can be scored, judged, rated and reported.

A table (CSV, TSV, JSON Lines, JSON, Parquet) with one row per answer::

    id,question,reference,answer,image,answer_type
    q17,Is there a fracture?,no,No.,scans/0001.png,CLOSED

`image`, `task` and `question` may be missing. Further references stand in `reference_2` and so on, in a list,
or behind a separator that is named; every other column is a meta key. References may stand in a file of
their own, joined by id. The folder gets samples/, predictions/, outside.json, no recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pefomed.errors import DataError
from pefomed.files.format import Format
from pefomed.files.rows import is_number
from pefomed.files.storage import usable_paths
from pefomed.files.tables import form_of, table_of
from pefomed.mapping.cells import said
from pefomed.mapping.skip import NOTHING, Rules
from pefomed.outside.boxes import BoxTable
from pefomed.outside.columns import AnswerColumns, columns_of
from pefomed.outside.doubts import doubts
from pefomed.outside.folder import about_files, check_folder, outside_answer, write_answers
from pefomed.outside.rows import Reader, RowsById, count_ids, pictures_of, rows_by_id, trained_on
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Prediction, Sample, TaskName

__all__ = ["AnswerColumns", "columns_of", "outside_run"]


@usable_paths()
def outside_run(
    file: Path,
    out: Path,
    dataset: str,
    split: str = "test",
    *,
    references: Path | None = None,
    images: Path | None = None,
    columns: AnswerColumns = AnswerColumns(),  # noqa: B008 - frozen
    task: TaskName = "vqa",
    separator: str = ";",
    view: str = "",
    numbers_as_text: bool = False,
    skip: Rules = NOTHING,
    how: Format = Format(),  # noqa: B008 - frozen
    boxes: BoxTable | None = None,
    train: Path | None = None,
) -> Path:
    """Write the answers in `file` as a run folder and return it.

    Args:
        file: the answers, and without `references` the rest of each row.
        out: the run's folder; the same file may be given again.
        dataset: what scores call the data set; of letters, digits, `.`, `_` and `-`.
        split: of letters, digits, `.` and `_`.
        references: a file with ids, questions, references and whatever is known of the samples.
        images: the folder of the pictures, which no name may leave; by default that of the file that
            names them.
        task: the task of every row, unless a column says it.
        separator: what stands between several image paths in one cell.
        view: frame, slice or window of every picture that does not say its own.
        numbers_as_text: take answers and references that are numbers as text.
        skip: which rows are left out, and counted; their answers too.
        how: what `file` does not say itself, and `references` where it is of such a form.
        boxes: how boxes are read, where the answers are boxes and no texts.
        train: a table of what was trained on, with the right answers, for floors that learn from it.

    Raises:
        DataError: a file is missing, not UTF-8 or malformed, a column is absent, an id is doubled or on
            one side only, a picture lies elsewhere, or answers are numbers; file, line and ids are named.
        RunError: `out` holds something else, or another process works in it.
    """
    file = table_of(file, split)
    references = None if references is None else table_of(references, split)
    about = about_files(file, references, dataset, split)
    check_folder(out, about)
    if boxes is not None:
        samples, predictions, gone = boxes.answered(file, references, dataset)
        notes = [f"{(references or file).name}: left out {_counts(gone)}"] if gone else []
        trained = None if train is None else boxes.samples(train)[0]
        return write_answers(out, about, samples, predictions, notes, trained, train)
    files = [file] if references is None else [file, references]
    how.check(" and ".join(map(str, files)), *map(form_of, files))
    tables = [rows_by_id(each, columns, how.fitting(form_of(each))) for each in files]
    answers, described = tables[0], tables[-1]
    about_file = references or file
    if images is not None and not images.is_dir():
        raise DataError(f"no folder of pictures at {images}", remedy="correct --images")
    pictures = pictures_of(about_file, images, separator, view)
    reader = Reader(columns, task, pictures, numbers_as_text, about_file.name, skip)
    samples = list(reader.samples(described))
    _check_sides(answers, described, [sample.id for sample in samples], file, references)
    if not samples:
        raise DataError(f"{about_file}: every row is left out", found=_counts(reader.left_out))
    predictions = [outside_answer(sample, reader.answer(answers[sample.id]), file) for sample in samples]
    if not numbers_as_text:
        _check_classes(samples, predictions, file, said(columns.answer))
    left_out = [f"{about_file.name}: left out {_counts(reader.left_out)}"] if reader.left_out else []
    notes = [*reader.notes, *left_out, *doubts(samples, predictions, file.name)]
    trained = None
    if train is not None:
        trained = trained_on(
            train, columns, task, pictures_of(train, images, separator, view), numbers_as_text, how
        )
    return write_answers(out, about, samples, predictions, notes, trained, train)


def _counts(left_out: Sequence[LeftOut]) -> str:
    """Return how many rows are left out for which reason."""
    counts = Counter(each.reason for each in left_out)
    return f"{len(left_out):,} rows: " + ", ".join(f"{reason} ({n:,})" for reason, n in counts.most_common())


def _check_sides(
    answers: RowsById, described: RowsById, used: Sequence[str], file: Path, references: Path | None
) -> None:
    without = [sample_id for sample_id in used if sample_id not in answers]
    foreign = [sample_id for sample_id in answers if sample_id not in described]
    if without or foreign:
        parts = [f"only in {references}: {count_ids(without)}"] if without else []
        parts += [f"only in {file}: {count_ids(foreign)}"] if foreign else []
        raise DataError(
            "every sample needs an answer and every answer a reference",
            found="; ".join(parts),
            remedy="complete both files; an empty answer is a cell without text, and counts as wrong",
        )


def _check_classes(
    samples: Sequence[Sample], predictions: Sequence[Prediction], file: Path, column: str
) -> None:
    """Refuse answers that are mostly numbers where the references are mostly not: class numbers, likely."""
    numbers = sum(is_number(prediction.text) for prediction in predictions)
    wanted = sum(is_number(sample.reference) for sample in samples)
    if 2 * numbers > len(predictions) and 2 * wanted < len(samples):
        raise DataError(
            f"{file}: the answers in column {column!r} are numbers, the references are not",
            found=f"{numbers} of {len(predictions)} answers, {wanted} of {len(samples)} references",
            remedy="if they are class numbers, name the column that holds the words with --columns; if they"
            " are meant so, say --numbers-as-text",
        )
