"""A rating session's beginning and growth: everything is checked before a rater gets a link."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pefomed.errors import ImageError, RunError, listed
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.images.images import image_size
from pefomed.metrics import references
from pefomed.progress import track
from pefomed.raters.assignment import SessionSettings, ShownItem, assign
from pefomed.raters.database import Database
from pefomed.raters.growth import grow
from pefomed.raters.pool import RatableAnswer
from pefomed.raters.request import file_name
from pefomed.raters.scale import RatedTask
from pefomed.runs import RunFolder


def make_session(
    run: Path,
    database: Database,
    settings: SessionSettings,
    answers: Sequence[RatableAnswer],
    gate: PictureGate,
) -> None:
    """Assign the answers and store them as they are now, with a link for each rater.

    Raises:
        RunError: the run has too few answers, or a rater's name is taken.
        ImageError: an image to be shown is missing, damaged, or not what was answered about.
        StorageError: the session cannot be written.
    """
    assignment = assign(answers, settings)
    _check_files(run, database, settings.names)
    _check_images(assignment.items, gate)
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
        items = _insert_items(connection, task, assignment.items)
        for name, shown in zip(settings.names, assignment.lists, strict=True):
            _insert_shown(connection, _insert_rater(connection, task, name), 0, shown, items)


def grow_session(
    run: Path,
    database: Database,
    has: SessionSettings,
    wants: SessionSettings,
    answers: Sequence[RatableAnswer],
    gate: PictureGate,
) -> None:
    """Store what a larger session has besides; no row that is there changes but the session's own.

    Raises:
        RunError: the run has too few answers, a new rater's name is taken, or another process changes the
            session at the same time.
        ImageError: an image of a further answer is missing, damaged, or not what was answered about.
        StorageError: the session cannot be written.
    """
    task = has.task
    place_of = {answer.sample.id: place for place, answer in enumerate(answers)}
    raters = [row["id"] for row in database.rows("SELECT id FROM rater WHERE task = ? ORDER BY id", task)]
    held = [[place_of[row["sample_id"]] for row in database.rows(_HELD, rater)] for rater in raters]
    growth = grow(answers, held, has, wants)
    _check_files(run, database, wants.names[len(raters) :])
    known = {row["sample_id"]: row["id"] for row in database.rows("SELECT id, sample_id FROM item")}
    places = sorted({item.item for shown in growth.lists for item in shown})
    further = [place for place in places if answers[place].sample.id not in known]
    _check_images([answers[place] for place in further], gate)
    with database.transaction() as connection:
        row = connection.execute("SELECT settings, notes FROM session WHERE task = ?", (task,)).fetchone()
        if SessionSettings.model_validate_json(row["settings"]) != has:
            raise RunError(
                f"{run}: another process changes the rating session", remedy="run the command again"
            )
        new = _insert_items(connection, task, [answers[place] for place in further])
        known |= dict(zip((answers[place].sample.id for place in further), new, strict=True))
        items = {place: known[answers[place].sample.id] for place in places}
        raters += [_insert_rater(connection, task, name) for name in wants.names[len(raters) :]]
        numbers = [len(places) for places in held] + [0] * (len(raters) - len(held))
        for rater, number, shown in zip(raters, numbers, growth.lists, strict=True):
            _insert_shown(connection, rater, number, shown, items)
        connection.execute(
            "UPDATE session SET settings = ?, drawn = ?, notes = ? WHERE task = ?",
            (
                wants.model_dump_json(),
                json.dumps(growth.drawn),
                json.dumps([*json.loads(row["notes"]), *growth.notes]),
                task,
            ),
        )


_HELD = "SELECT sample_id FROM shown JOIN item ON item.id = shown.item WHERE shown.rater = ?"


def _insert_items(
    connection: sqlite3.Connection, task: RatedTask, answers: Sequence[RatableAnswer]
) -> list[int]:
    items = [
        _new_id(
            connection.execute(
                "INSERT INTO item (task, sample_id, source, question, reference, text, images)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (task, a.sample.id, a.source, a.sample.question,
                 references.shown(a.sample.references), a.text,
                 json.dumps(a.images)),
            )
        )
        for a in answers
    ]  # fmt: skip
    pictured = [(item, a.shown) for item, a in zip(items, answers, strict=True) if a.shown]
    connection.executemany("INSERT INTO pictured VALUES (?, ?)", pictured)
    return items


def _insert_rater(connection: sqlite3.Connection, task: RatedTask, name: str) -> int:
    return _new_id(
        connection.execute("INSERT INTO rater (task, name, token) VALUES (?, ?, ?)", (task, name, _token()))
    )


def _insert_shown(
    connection: sqlite3.Connection,
    rater: int,
    has: int,
    shown: Sequence[ShownItem],
    items: Sequence[int] | Mapping[int, int],
) -> None:
    """Show a rater further items behind the `has` that they have."""
    connection.executemany(
        "INSERT INTO shown VALUES (?, ?, ?, ?)",
        [(rater, number, items[item.item], item.swapped) for number, item in enumerate(shown, has + 1)],
    )


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None  # it follows an INSERT
    return cursor.lastrowid


def _token() -> str:
    # Programs that turn addresses into links leave out a stroke at their end.
    while not (token := secrets.token_urlsafe(24))[-1].isalnum():
        pass
    return token


def _check_files(run: Path, database: Database, names: Sequence[str]) -> None:
    """Refuse a name whose file holds the verdicts of somebody else, a judge for instance."""
    ours = {file_name(row[0]).casefold() for row in database.rows("SELECT name FROM rater")}
    there = {path.stem.casefold(): path for path in RunFolder(run).verdicts_files()}
    for name in names:
        key = file_name(name).casefold()
        if key in there and key not in ours:
            raise RunError(
                f"the name {name!r} is taken",
                found=f"{there[key]}, not made by a rating session",
                remedy="choose other names with --names",
            )


def _check_images(answers: Sequence[RatableAnswer], gate: PictureGate) -> None:
    paths = dict.fromkeys(path for answer in answers for path in answer.images)
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
    for answer in track(answers, "comparing images", unit="answers"):
        gate.reasons(answer.images, answer.shown)
    gate.check_all()
