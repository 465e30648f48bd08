"""A rating session: made once from a run and its settings, continued by every later command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pefomed.errors import DataError, RunError, listed, typed
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.files.storage import usable_paths
from pefomed.metrics import references
from pefomed.raters.assignment import SessionSettings
from pefomed.raters.creation import grow_session, make_session
from pefomed.raters.database import Database
from pefomed.raters.pool import RatableAnswer, read_answers
from pefomed.raters.request import SessionRequest, check_models, continued_settings, new_settings
from pefomed.raters.scale import SCALES, RatedTask, RatingScale
from pefomed.runs import RunFolder


@dataclass(frozen=True)
class Rater:
    id: int
    name: str
    token: str


@dataclass(frozen=True)
class RatingItem:
    """One answer as one rater meets it."""

    id: int
    number: int
    """Place in the rater's order, from 1: all that their browser or spreadsheet gets to know of it."""
    sample_id: str
    source: str
    question: str
    reference: str
    text: str
    images: tuple[str, ...]
    swapped: bool
    shown: str = ""
    """Hash of what the images held; empty if that is not known."""


@dataclass(frozen=True)
class Session:
    run: Path
    database: Database
    settings: SessionSettings
    id: str
    secret: str
    drawn: dict[str, tuple[int, int]]
    """For each stratum how many answers the run has, and how many of them are rated."""
    notes: tuple[str, ...]
    created: str
    gate: PictureGate
    """Which pictures may be shown: the folder of a run may be somebody else's, and the session in it too."""

    @property
    def scale(self) -> RatingScale:
        return SCALES[self.settings.task]

    def raters(self) -> list[Rater]:
        """Return the raters in the order of their names in the settings."""
        rows = self.database.rows(
            "SELECT id, name, token FROM rater WHERE task = ? ORDER BY id", self.settings.task
        )
        return [Rater(*row) for row in rows]

    def items(self, rater: Rater) -> list[RatingItem]:
        """Return what `rater` is shown, in their order."""
        rows = self.database.rows(
            "SELECT item.id AS id, number, sample_id, source, question, reference, text, images, swapped,"
            " COALESCE(pictured.shown, '') AS held FROM shown JOIN item ON item.id = shown.item"
            " LEFT JOIN pictured ON pictured.item = item.id WHERE rater = ? ORDER BY number",
            rater.id,
        )
        return [
            RatingItem(
                id=row["id"],
                number=row["number"],
                sample_id=row["sample_id"],
                source=row["source"],
                question=row["question"],
                reference=row["reference"],
                text=row["text"],
                images=tuple(json.loads(row["images"])),
                swapped=bool(row["swapped"]),
                shown=row["held"],
            )
            for row in rows
        ]

    def parts(self, rater: Rater) -> list[list[RatingItem]]:
        """Return what `rater` is shown, in their order, by what they got at once: a growth gave them more."""
        settings, items = self.settings, self.items(rater)
        place = [each.id for each in self.raters()].index(rater.id)
        sizes = [size.sample for size in settings.grown if size.raters > place]
        ends = list(dict.fromkeys([*sizes, settings.sample]))
        return [items[start:end] for start, end in pairwise([0, *ends])]

    def picture(self, item: RatingItem, place: int) -> str:
        """Return the path of an item's picture, which may be shown.

        Raises:
            ImageError: it may not: it is not what was answered about, or nothing says that it is.
        """
        self.gate.check(item.images, item.shown)
        return item.images[place]

    def sources(self) -> list[str]:
        """Return the `<dataset>-<split>` of the answers."""
        rows = self.database.rows(
            "SELECT DISTINCT source FROM item WHERE task = ? ORDER BY 1", self.settings.task
        )
        return [row[0] for row in rows]


@usable_paths()
def open_session(
    run: Path, wishes: SessionRequest | None = None, *, make: bool = True, data_folder: Path | None = None
) -> Session:
    """Continue the run's rating session, let it grow, or make it if there is none.

    Where more raters or a larger sample are asked for than it has, it grows; what was given out, its order
    and what was said of it stay as they are.

    Args:
        make: False to have an error where there is none, or where it would grow.
        data_folder: holds the pictures of which an older run does not say what they held.

    Raises:
        RunError: the run has nothing to rate or too little; there are several sessions and none is
            named; other numbers are asked for than the session has, or less; or the answers changed since.
        ImageError: an image of a new session's answers is missing, damaged, or not what was answered about.
        StorageError: the session cannot be written.
    """
    wishes = wishes or SessionRequest()
    if not RunFolder(run).ratings_database.exists() and not make:
        raise RunError(f"no rating session in {run}", remedy=f"run `pefomed rate {typed(run)}` first")
    gate = PictureGate(run, data_folder)
    task, answers = read_answers(run, wishes.task or _only_task(run))
    database = Database(RunFolder(run).ratings_database)
    try:
        if not _exists(database, task):
            if not make:
                raise RunError(f"no rating session for the task {task!r} in {run}")
            make_session(run, database, new_settings(wishes, task, len(answers)), answers, gate)
        session = _read(run, database, task, gate)
        wants = continued_settings(wishes, session.settings, run)
        _check_unchanged(session, answers)
        if wants != session.settings:
            if not make:
                raise RunError(
                    f"the rating session of {run} has {_size(session.settings)}, not {_size(wants)}",
                    remedy="let it grow first: `pefomed rate RUN --no-serve` with the same numbers",
                )
            grow_session(run, database, session.settings, wants, answers, gate)
            session = _read(run, database, task, gate)
        if wishes.models not in (None, session.settings.models):
            session = _with_models(session, wishes.models or ())
    except BaseException:
        database.close()
        raise
    return session


def _size(settings: SessionSettings) -> str:
    return f"{len(settings.names)} raters and {settings.sample} answers each"


def _only_task(run: Path) -> RatedTask | None:
    """Return the task of the run's session if there is exactly one."""
    if not RunFolder(run).ratings_database.exists():
        return None
    database = Database(RunFolder(run).ratings_database)
    try:
        tasks = [row[0] for row in database.rows("SELECT task FROM session")]
    finally:
        database.close()
    return tasks[0] if len(tasks) == 1 else None


def _exists(database: Database, task: RatedTask) -> bool:
    return bool(database.rows("SELECT 1 FROM session WHERE task = ?", task))


def _read(run: Path, database: Database, task: RatedTask, gate: PictureGate) -> Session:
    row = database.rows("SELECT * FROM session WHERE task = ?", task)[0]
    try:
        settings = SessionSettings.model_validate_json(row["settings"])
    except ValueError as error:
        raise DataError(f"{database.path}: the session's settings cannot be read", found=str(error)) from None
    drawn = {name: (int(has), int(rated)) for name, (has, rated) in json.loads(row["drawn"]).items()}
    return Session(
        run=run,
        database=database,
        settings=settings,
        id=row["id"],
        secret=row["secret"],
        drawn=drawn,
        notes=tuple(json.loads(row["notes"])),
        created=row["created"],
        gate=gate,
    )


def _with_models(session: Session, models: tuple[str, ...]) -> Session:
    """Say of other raters that they are language models; what they were shown does not hang on it."""
    check_models(models, session.settings.names)
    settings = session.settings.model_copy(update={"models": models})
    with session.database.transaction() as connection:
        connection.execute(
            "UPDATE session SET settings = ? WHERE task = ?", (settings.model_dump_json(), settings.task)
        )
    return replace(session, settings=settings)


def _check_unchanged(session: Session, answers: Sequence[RatableAnswer]) -> None:
    now = {answer.sample.id: answer for answer in answers}
    rows = session.database.rows(
        "SELECT sample_id, question, reference, text, COALESCE(pictured.shown, '') AS held FROM item"
        " LEFT JOIN pictured ON pictured.item = item.id WHERE task = ?",
        session.settings.task,
    )
    changed = [
        row["sample_id"]
        for row in rows
        if (answer := now.get(row["sample_id"])) is None
        or (answer.sample.question, references.shown(answer.sample.references), answer.text)
        != (row["question"], row["reference"], row["text"])
        or (answer.shown and row["held"] and answer.shown != row["held"])
    ]
    if changed:
        raise RunError(
            f"{session.run}: answers changed since the rating session was made; its verdicts do not fit them",
            found=f"{len(changed)} changed: {listed(changed)}",
            remedy="restore the predictions that are rated, or rate the new ones in another run's folder",
        )
