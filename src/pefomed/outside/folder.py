"""The folder of somebody else's answers: samples/, predictions/, outside.json, no recipe."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pefomed.errors import DataError, RunError
from pefomed.evaluation.outside_training import check_apart
from pefomed.files import jsonl
from pefomed.files.files import missing_file
from pefomed.files.storage import write
from pefomed.files.tables import files_of
from pefomed.runs import RunFolder, Split
from pefomed.runs.lock import hold
from pefomed.samples.question_hash import question_hash, shown_hash
from pefomed.schema import Prediction, Sample


def write_answers(
    out: Path,
    about: Mapping[str, str],
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    notes: Sequence[str],
    trained: Sequence[Sample] | None,
    train: Path | None,
) -> Path:
    """Write samples, answers and what was trained on into `out`, and return it.

    Args:
        about: what `check_folder` compares.
        train: the table of what was trained on.

    Raises:
        DataError: rows that were trained on are asked about.
        RunError: `out` holds something else, or another process works in it.
    """
    if trained is not None and train is not None:
        check_apart(trained, samples, train)
    split, files = Split(about["dataset"], about["split"]), RunFolder(out)
    with hold(out):
        check_folder(out, about)  # once more: another process may have written other answers meanwhile
        write(files.samples_file(split), jsonl.lines(samples))
        write(files.predictions_file(split), jsonl.lines(predictions))
        if trained is not None:
            write(files.outside_training_file, jsonl.lines(trained))
        else:
            files.outside_training_file.unlink(missing_ok=True)
        write(files.outside_file, json.dumps({**about, "n": len(samples), "notes": notes}, indent=1))
    return out


def outside_answer(sample: Sample, text: str, file: Path) -> Prediction:
    """Return what the table `file` answers to a sample."""
    return Prediction(
        sample_id=sample.id,
        text=text,
        tokens=0,
        finish="unknown",
        generation=f"by somebody else, from {file.name}",
        asked=question_hash(sample),
        shown=shown_hash(sample),
    )


def about_files(file: Path, references: Path | None, dataset: str, split: str) -> dict[str, str]:
    """Return what a folder says of the files that it was made from.

    Raises:
        DataError: a name cannot be part of a file's name, or a file cannot be read.
    """
    _check_name("data set", dataset, r"[A-Za-z0-9][A-Za-z0-9._-]*")
    _check_name("split", split, r"[A-Za-z0-9][A-Za-z0-9._]*")
    return {"file": file.name, "sha256": _hash(file, references), "dataset": dataset, "split": split}


def check_folder(out: Path, about: Mapping[str, str]) -> None:
    """Check that `out` is empty, or holds answers of the same files.

    Raises:
        RunError: it holds something else.
    """
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


def _check_name(what: str, name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise DataError(
            f"{name!r} cannot be the name of a {what}: it becomes part of a file's name",
            remedy="use letters, digits, `.` and `_`" + (" and `-`" if what == "data set" else ""),
        )
    if len(name) > _LONGEST_NAME:
        raise DataError(
            f"the name of a {what} is too long: it becomes part of a file's name",
            found=f"{len(name)} characters: {name[:40]}...",
            remedy=f"use at most {_LONGEST_NAME}",
        )


def _hash(*files: Path | None) -> str:
    digest = hashlib.sha256()
    for number, file in enumerate(each for table in files if table for each in files_of(table)):
        digest.update(b"\0" if number else b"")
        try:
            with file.open("rb") as opened:
                while piece := opened.read(2**20):
                    digest.update(piece)
        except OSError as error:
            raise missing_file(file, error) from None
    return digest.hexdigest()


_LONGEST_NAME = 110
"""Two of them, and an ending (`.vocabulary.card.json`), are one file's name of at most 255 bytes."""
