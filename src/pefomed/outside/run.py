"""Answers that somebody else's model gave, as a run folder that can be scored, judged, rated and reported.

A table (CSV, TSV, JSON Lines, JSON, Parquet) with one row per answer::

    id,question,reference,answer,image,answer_type
    q17,Is there a fracture?,no,No.,scans/0001.png,CLOSED

`image`, `task` and `question` may be missing. Further references stand in `reference_2` and so on, in a list,
or behind a separator that is named; every other column is a meta key. References may stand in a file of
their own, joined by id. The folder gets samples/, predictions/, outside.json, no recipe.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, RecordError, RunError, nearest
from pefomed.evaluation.outside_training import check_apart
from pefomed.files import jsonl
from pefomed.files.files import missing_file
from pefomed.files.format import Format
from pefomed.files.rows import is_number
from pefomed.files.storage import LONGEST_NAME, usable_paths, write
from pefomed.files.tables import files_of, form_of, table_of
from pefomed.mapping.cells import said
from pefomed.mapping.skip import NOTHING, Rules
from pefomed.outside.boxes import BoxTable
from pefomed.outside.doubts import doubts
from pefomed.outside.rows import (
    AnswerColumns,
    Reader,
    Rows,
    count_ids,
    pictures_of,
    rows_by_id,
    trained_on,
)
from pefomed.runs import RunFolder, Split
from pefomed.runs.lock import hold
from pefomed.samples.left_out import LeftOut
from pefomed.samples.question_hash import question_hash, shown_hash
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
    _check_name("data set", dataset, r"[A-Za-z0-9][A-Za-z0-9._-]*")
    _check_name("split", split, r"[A-Za-z0-9][A-Za-z0-9._]*")
    about = {"file": file.name, "sha256": _hash(file, references), "dataset": dataset, "split": split}
    _check_folder(out, about)
    if boxes is not None:
        samples, predictions, gone = boxes.answered(file, references, dataset)
        notes = [f"{(references or file).name}: left out {_counts(gone)}"] if gone else []
        trained = None if train is None else boxes.samples(train)[0]
        return _written(out, about, samples, predictions, notes, trained, train)
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
    generation = f"by somebody else, from {file.name}"
    predictions = [
        Prediction(
            sample_id=sample.id,
            text=reader.answer(answers[sample.id]),
            tokens=0,
            finish="unknown",
            generation=generation,
            asked=question_hash(sample),
            shown=shown_hash(sample),
        )
        for sample in samples
    ]
    if not numbers_as_text:
        _check_classes(samples, predictions, file, said(columns.answer))
    left_out = [f"{about_file.name}: left out {_counts(reader.left_out)}"] if reader.left_out else []
    notes = [*reader.notes, *left_out, *doubts(samples, predictions, file.name)]
    trained = None
    if train is not None:
        trained = trained_on(
            train, columns, task, pictures_of(train, images, separator, view), numbers_as_text, how
        )
    return _written(out, about, samples, predictions, notes, trained, train)


def _written(
    out: Path,
    about: Mapping[str, str],
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    notes: Sequence[str],
    trained: Sequence[Sample] | None,
    train: Path | None,
) -> Path:
    if trained is not None and train is not None:
        check_apart(trained, samples, train)
    split, files = Split(about["dataset"], about["split"]), RunFolder(out)
    with hold(out):
        _check_folder(out, about)  # once more: another process may have written other answers meanwhile
        write(files.samples_file(split), jsonl.lines(samples))
        write(files.predictions_file(split), jsonl.lines(predictions))
        if trained is not None:
            write(RunFolder(out).outside_training_file, jsonl.lines(trained))
        else:
            RunFolder(out).outside_training_file.unlink(missing_ok=True)
        write(RunFolder(out).outside_file, json.dumps({**about, "n": len(samples), "notes": notes}, indent=1))
    return out


def columns_of(*texts: str) -> AnswerColumns:
    """Return a column map from `id=qid, answer=text`, or from TOML as in recipes: `{ id = "qid" }`.

    Args:
        texts: one or several, each with columns of its own.

    Raises:
        DataError: one is neither, a column is named twice, or of an unknown kind.
    """
    import tomllib

    found: dict[str, Any] = {}
    for text in texts:
        try:
            if text.strip().startswith("{"):
                pairs = [*tomllib.loads(f"columns = {text}")["columns"].items()]
            else:
                parts = [part.partition("=") for part in text.split(",") if part.strip()]
                pairs = [(key.strip(), value.strip()) for key, _, value in parts]
            AnswerColumns(**dict(pairs))
        except (tomllib.TOMLDecodeError, RecordError) as error:
            fault = error.problem if isinstance(error, RecordError) else str(error)
            raise DataError(
                "the column map cannot be read",
                found=f"{text}: {fault}",
                remedy='write e.g. `id=qid, answer=prediction`, or `{ id = "qid", meta = ["organ"] }`; '
                + nearest(text.partition("=")[0].strip(), AnswerColumns.model_fields),
            ) from None
        for key, value in pairs:
            if key in found:
                raise DataError(
                    f"--columns names {key!r} twice",
                    found=f"{found[key]!r} and {value!r}",
                    remedy="name each once; several columns of meta are joined by `+`",
                )
            found[key] = value
    return AnswerColumns(**found)


def _counts(left_out: Sequence[LeftOut]) -> str:
    """Return how many rows are left out for which reason."""
    counts = Counter(each.reason for each in left_out)
    return f"{len(left_out):,} rows: " + ", ".join(f"{reason} ({n:,})" for reason, n in counts.most_common())


def _check_name(what: str, name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise DataError(
            f"{name!r} cannot be the name of a {what}: it becomes part of a file's name",
            remedy="use letters, digits, `.` and `_`" + (" and `-`" if what == "data set" else ""),
        )
    if len(name) > LONGEST_NAME:
        raise DataError(
            f"the name of a {what} is too long: it becomes part of a file's name",
            found=f"{len(name)} characters: {name[:40]}...",
            remedy=f"use at most {LONGEST_NAME}",
        )


def _hash(*files: Path | None) -> str:
    found = hashlib.sha256()
    for number, file in enumerate(each for table in files if table for each in files_of(table)):
        found.update(b"\0" if number else b"")
        try:
            with file.open("rb") as opened:
                while piece := opened.read(2**20):
                    found.update(piece)
        except OSError as error:
            raise missing_file(file, error) from None
    return found.hexdigest()


def _check_folder(out: Path, about: Mapping[str, str]) -> None:
    marker = RunFolder(out).outside_file
    # A lock is nothing that could be overwritten.
    if not out.exists() or (out.is_dir() and all(path.name.startswith(".") for path in out.iterdir())):
        return
    remedy = "choose another folder with --out, or delete this one"
    if not marker.exists():
        raise RunError(
            f"{out} is not a folder of somebody else's answers", found="something else", remedy=remedy
        )
    before = jsonl.read_object(marker, remedy)
    changed = [key for key in about if before.get(key) != about[key]]
    if changed:
        # Verdicts on the former answers would be taken for verdicts on these.
        raise RunError(f"{out} holds other answers", found=f"different: {', '.join(changed)}", remedy=remedy)


def _check_sides(
    answers: Rows, described: Rows, kept: Sequence[str], file: Path, references: Path | None
) -> None:
    without = [sample_id for sample_id in kept if sample_id not in answers]
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
