"""A rating session's beginning: everything is checked before the first rater gets his link."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pefomed.data.pictures.images import image_size
from pefomed.errors import ImageError, RunError, listed
from pefomed.evaluate import references
from pefomed.progress import track
from pefomed.rate.assignment import Assignment, Settings, assign
from pefomed.rate.database import Database
from pefomed.rate.pool import Answer
from pefomed.rate.wishes import file_name


def make_session(run: Path, database: Database, settings: Settings, answers: Sequence[Answer]) -> None:
    """Assign the answers and store them as they are now, with a link for each rater.

    Raises:
        RunError: the run has too few answers, or a rater's name is taken.
        ImageError: an image to be shown is missing or damaged.
        StorageError: the session cannot be written.
    """
    assignment = assign(answers, settings)
    _check_files(run, database, settings.names)
    _check_images(assignment)
    task = settings.task
    with database.transaction() as connection:
        if connection.execute("SELECT 1 FROM session WHERE task = ?", (task,)).fetchone():
            return  # another process was faster; its session is checked against the wishes
        connection.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                task,
                secrets.token_hex(4),
                secrets.token_hex(32),
                settings.model_dump_json(),
                json.dumps(assignment.drawn),
                json.dumps(assignment.notes),
                datetime.now(UTC).isoformat(timespec="seconds"),
            ),
        )
        items = [
            connection.execute(
                "INSERT INTO item (task, sample_id, source, question, reference, text, images)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (task, a.sample.id, a.source, a.sample.question,
                 references.shown(a.sample.references), a.text,
                 json.dumps(a.images)),
            ).lastrowid
            for a in assignment.items
        ]  # fmt: skip
        for name, shown in zip(settings.names, assignment.lists, strict=True):
            rater = connection.execute(
                "INSERT INTO rater (task, name, token) VALUES (?, ?, ?)",
                (task, name, _token()),
            ).lastrowid
            connection.executemany(
                "INSERT INTO shown VALUES (?, ?, ?, ?)",
                [(rater, number, items[one.item], one.swapped) for number, one in enumerate(shown, 1)],
            )


def _token() -> str:
    # Programs that turn addresses into links leave out a stroke at their end.
    while not (token := secrets.token_urlsafe(24))[-1].isalnum():
        pass
    return token


def _check_files(run: Path, database: Database, names: Sequence[str]) -> None:
    """Refuse a name whose file holds the verdicts of somebody else, a judge for instance."""
    ours = {file_name(row[0]).casefold() for row in database.rows("SELECT name FROM rater")}
    there = {path.stem.casefold(): path for path in (run / "verdicts").glob("*.jsonl")}
    for name in names:
        key = file_name(name).casefold()
        if key in there and key not in ours:
            raise RunError(
                f"the name {name!r} is taken",
                found=f"{there[key]}, not made by a rating session",
                remedy="choose other names with --names",
            )


def _check_images(assignment: Assignment) -> None:
    paths = dict.fromkeys(path for answer in assignment.items for path in answer.images)
    problems: list[str] = []
    for path in track(list(paths), "checking images", unit="images"):
        try:
            image_size(path)
        except ImageError as error:
            problems.append(error.problem)
    if problems:
        raise ImageError(
            f"{len(problems)} of {len(paths)} images cannot be shown to raters",
            found=listed(problems, "; "),
            remedy="put the images back where the run's samples/ name them, then run the command again",
        )
