"""The rating session's SQLite file: what survives a kill, a power cut and several processes at once.

Write-ahead log with full synchronisation: a verdict that was acknowledged is on the disk. The history
only grows; triggers refuse to change or delete a line of it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from pefomed.errors import RunError, StorageError
from pefomed.files.storage import REMEDY, storage_errors

VERSION = 1

_BUSY = 20.0  # seconds to wait for another process

_SCHEMA = """
CREATE TABLE session (
    task TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    settings TEXT NOT NULL,
    drawn TEXT NOT NULL,
    notes TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE rater (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL REFERENCES session,
    name TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    UNIQUE (task, name)
);
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL REFERENCES session,
    sample_id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    question TEXT NOT NULL,
    reference TEXT NOT NULL,
    text TEXT NOT NULL,
    images TEXT NOT NULL
);
CREATE TABLE shown (
    rater INTEGER NOT NULL REFERENCES rater,
    number INTEGER NOT NULL,
    item INTEGER NOT NULL REFERENCES item,
    swapped INTEGER NOT NULL,
    PRIMARY KEY (rater, number),
    UNIQUE (rater, item)
);
CREATE TABLE verdict (
    rater INTEGER NOT NULL,
    item INTEGER NOT NULL,
    label INTEGER,
    cannot INTEGER NOT NULL,
    comment TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (rater, item),
    FOREIGN KEY (rater, item) REFERENCES shown (rater, item)
);
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    change TEXT NOT NULL UNIQUE,
    rater INTEGER NOT NULL,
    item INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('label', 'comment', 'undo')),
    source TEXT NOT NULL CHECK (source IN ('page', 'sheet')),
    label INTEGER,
    cannot INTEGER NOT NULL,
    comment TEXT NOT NULL,
    revision INTEGER NOT NULL,
    undoes INTEGER REFERENCES history,
    at TEXT NOT NULL,
    UNIQUE (rater, item, revision),
    FOREIGN KEY (rater, item) REFERENCES shown (rater, item)
);
CREATE TRIGGER history_is_not_changed BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'the history only grows'); END;
CREATE TRIGGER history_is_not_deleted BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'the history only grows'); END;
"""


_PICTURED = """
CREATE TABLE IF NOT EXISTS pictured (
    item INTEGER PRIMARY KEY REFERENCES item,
    shown TEXT NOT NULL
)
"""
"""What an item's images held, where that is known; sessions of older versions get the table when opened."""


class Database:
    """One connection, shared by the threads of a process; a transaction holds it alone."""

    def __init__(self, path: Path):
        """Open `path`, and make it if it is absent.

        Raises:
            RunError: the file is no database, or one of another version.
            StorageError: the folder cannot be written.
        """
        self.path = path
        self._lock = threading.RLock()
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # It holds the raters' links; runs are shared with colleagues.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with _explained(path):
            self._connection = sqlite3.connect(
                path, timeout=_BUSY, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the connection; the last one folds the write-ahead log into the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection; everything in the block is written, or nothing.

        Raises:
            StorageError: the disk is full, cannot be written or is busy for too long.
            RunError: the file is damaged.
        """
        with self._lock, _explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query.

        Raises:
            StorageError, RunError: see `transaction`.
        """
        with self._lock, _explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA foreign_keys = ON")
        if run("PRAGMA user_version").fetchone()[0] == 0:
            with self.transaction() as connection:
                # Asked again now that no other process can be doing the same.
                if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                    for statement in _statements():
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {VERSION}")
        version = run("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise RunError(
                f"{self.path} was made by another version of this program",
                found=f"layout {version}; this program reads layout {VERSION}",
                remedy="use the version that made it",
            )
        run(_PICTURED)


def _statements() -> Iterator[str]:
    # `executescript` would commit the transaction it stands in.
    statement = ""
    for line in _SCHEMA.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(f"cannot write {path}", found=str(error), remedy=REMEDY) from error
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise RunError(
            f"{path} is damaged, or not a rating session",
            found=str(error),
            remedy="restore it from a copy; what was exported stands in the .jsonl files beside it",
        ) from error
