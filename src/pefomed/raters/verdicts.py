"""Verdicts as they are given: one per rater and item, every change kept in a history that only grows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pefomed.raters.session import Rater, Session


@dataclass(frozen=True)
class Rating:
    """What a rater has said about one item so far."""

    label: int | None = None
    cannot: bool = False
    """True if they say that they cannot judge it."""
    comment: str = ""
    revision: int = 0
    """Changes so far; a change names the revision it was made on."""

    @property
    def rated(self) -> bool:
        return self.label is not None or self.cannot


class Conflict(Exception):
    """The item was changed elsewhere (another tab) since the revision that a change was made on."""

    def __init__(self, state: Rating):
        self.state = state
        super().__init__(f"the item is at revision {state.revision}")


def states(session: Session, rater: Rater) -> dict[int, Rating]:
    """Return what `rater` has said, by item; an item they have not touched is absent."""
    rows = session.database.rows(
        "SELECT item, label, cannot, comment, revision FROM verdict WHERE rater = ?", rater.id
    )
    return {row["item"]: _state(row) for row in rows}


def save(
    session: Session,
    rater: Rater,
    item: int,
    state: Rating,
    *,
    change: str,
    checked: bool = True,
    source: Literal["page", "sheet"] = "page",
) -> Rating:
    """Store what `rater` says about an item, and return it with its new revision.

    When this returns the state is on the disk. A `change` that is stored already is not stored
    again, so that a browser may send it until it has an answer.

    Args:
        state: label, cannot and comment; its revision is the one the rater saw.
        checked: False to store it whatever the revision.

    Raises:
        Conflict: the item has another revision by now; nothing is stored.
        ValueError: a label that is off the scale, or given together with `cannot`.
        StorageError: the disk is full or cannot be written; nothing is stored.
    """
    if state.label is not None and (state.label not in session.scale.labels or state.cannot):
        raise ValueError(f"label {state.label} with cannot={state.cannot}")
    with session.database.transaction() as connection:
        now = _now(connection, rater.id, item)
        if _known(connection, change):
            return now
        if checked and state.revision != now.revision:
            raise Conflict(now)
        if replace(state, revision=now.revision) == now:
            return now
        relabelled = (state.label, state.cannot) != (now.label, now.cannot)
        action = "label" if relabelled else "comment"
        return _write(connection, rater.id, item, state, now, change, action, source)


def undo(session: Session, rater: Rater, *, change: str) -> tuple[int, Rating] | None:
    """Take back the rater's last label that is not taken back yet; comments stay.

    Returns:
        The item and its state now, or None if there is nothing to take back.

    Raises:
        StorageError: the disk is full or cannot be written; nothing is stored.
    """
    with session.database.transaction() as connection:
        if known := _known(connection, change):
            return known["item"], _now(connection, rater.id, known["item"])
        last = connection.execute(
            "SELECT id, item FROM history WHERE rater = ? AND action = 'label' AND id NOT IN"
            " (SELECT undoes FROM history WHERE rater = ? AND undoes IS NOT NULL) ORDER BY id DESC LIMIT 1",
            (rater.id, rater.id),
        ).fetchone()
        if last is None:
            return None
        before = connection.execute(
            "SELECT label, cannot FROM history WHERE rater = ? AND item = ? AND id < ?"
            " ORDER BY id DESC LIMIT 1",
            (rater.id, last["item"], last["id"]),
        ).fetchone()
        now = _now(connection, rater.id, last["item"])
        state = replace(now, label=before and before["label"], cannot=bool(before and before["cannot"]))
        return last["item"], _write(
            connection, rater.id, last["item"], state, now, change, "undo", "page", last["id"]
        )


def _now(connection: sqlite3.Connection, rater: int, item: int) -> Rating:
    row = connection.execute(
        "SELECT label, cannot, comment, revision FROM verdict WHERE rater = ? AND item = ?", (rater, item)
    ).fetchone()
    return _state(row) if row else Rating()


def _known(connection: sqlite3.Connection, change: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT item FROM history WHERE change = ?", (change,)
    ).fetchone()
    return row


def _state(row: sqlite3.Row) -> Rating:
    return Rating(row["label"], bool(row["cannot"]), row["comment"], row["revision"])


def _write(
    connection: sqlite3.Connection,
    rater: int,
    item: int,
    state: Rating,
    now: Rating,
    change: str,
    action: str,
    source: str,
    undoes: int | None = None,
) -> Rating:
    new = replace(state, revision=now.revision + 1)
    connection.execute(
        "INSERT INTO history"
        " (change, rater, item, action, source, label, cannot, comment, revision, undoes, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(change, rater, item, action, source, new.label, new.cannot, new.comment, new.revision, undoes),
            datetime.now(UTC).isoformat(timespec="milliseconds"),
        ),
    )
    connection.execute(
        "INSERT INTO verdict (rater, item, label, cannot, comment, revision) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (rater, item) DO UPDATE SET label = excluded.label, cannot = excluded.cannot,"
        " comment = excluded.comment, revision = excluded.revision",
        (rater, item, new.label, new.cannot, new.comment, new.revision),
    )
    return new
