"""Errors a user can cause, each saying what was expected, what was found and what to do.

PefomedError
├── RecipeError      a recipe that cannot be read or contradicts itself
├── DataError        a data set, table or record that is not as its layout says
│   ├── ImageError   an image that is missing, truncated, empty or too large
│   └── RecordError  a record (Sample, Box, ...) made with a wrong field; also a ValueError
├── WeightsError     weights that cannot be had, do not match their hash or do not fit
├── RunError         a run folder that is missing a step, or belongs to another recipe
├── TrainingError    a training whose loss, gradients or weights are no longer numbers
├── StorageError     a disk that is full or cannot be written
├── ChecksFailed     several of these, found before training
├── PackageError     an installed package that cannot be imported; also a ModuleNotFoundError
└── Interrupted      the user stopped the work; what was done is saved

The command line prints the message alone and exits with code 2 (`Interrupted`: 130).
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager


class PefomedError(Exception):
    """Base of every error a user can cause; its text is shown as it is."""

    def __init__(self, problem: str, *, found: str | None = None, remedy: str | None = None):
        self.problem, self.found, self.remedy = problem, found, remedy
        parts = [problem.rstrip(".")]
        if found is not None:
            parts.append(f"found: {found}")
        if remedy is not None:
            parts.append(f"what to do: {remedy}")
        super().__init__("\n  ".join(parts))


class RecipeError(PefomedError):
    """A recipe that cannot be read or contradicts itself."""


class DataError(PefomedError):
    """A data set, table or record that is not as its layout says."""


class ImageError(DataError):
    """An image that is missing, truncated, empty or too large."""


class RecordError(DataError, ValueError):
    """A record made with a wrong, unknown or missing field."""


class WeightsError(PefomedError):
    """Weights that cannot be had, do not match their hash or do not fit the model."""


class RunError(PefomedError):
    """A run folder that lacks a step, or that belongs to another recipe."""


class TrainingError(PefomedError):
    """A training whose loss, gradients or weights are no longer numbers; its last good checkpoint is kept."""


class StorageError(PefomedError):
    """A disk that is full or a folder that cannot be written."""


class ChecksFailed(PefomedError):
    """Several errors that were found before training, together."""

    def __init__(self, errors: Sequence[PefomedError], of: str = ""):
        self.errors = tuple(errors)
        texts = (str(error).replace("\n", "\n  ") for error in errors)
        super().__init__(
            f"{of}{len(errors)} things are wrong, found before training:\n"
            + "\n".join(f"  {number}. {text}" for number, text in enumerate(texts, 1))
        )


class PackageError(PefomedError, ModuleNotFoundError):
    """An installed package that cannot be imported.

    Also what Python raises for one that is not installed, so that whoever can do without it does.
    """

    def __init__(self, problem: str, *, found: str | None = None, remedy: str | None = None, package: str):
        super().__init__(problem, found=found, remedy=remedy)
        self.name = package


class Interrupted(PefomedError):
    """The user stopped the work; what was done is saved and the same command resumes it."""


def listed(names: Sequence[str], separator: str = ", ", most: int = 5) -> str:
    """Return ``"a, b, c, d, e and 7 more"``: the first names and how many are left out."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def with_article(noun: str) -> str:
    """Return a noun with its article: `an answer`, `a score`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def json_kind(value: object) -> str:
    """Return what a value of a JSON, YAML or TOML file is, in the words of such files: `a list`."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true or false"
    return next((words for kind, words in _KINDS if isinstance(value, kind)), type(value).__name__)


_KINDS: tuple[tuple[type, str], ...] = (
    (str, "a text"), (int, "a number"), (float, "a number"), (list, "a list"), (dict, "an object"),
)  # fmt: skip


def typed(path: object) -> str:
    """Return a path as it is typed in a command: quoted where it holds spaces and the like."""
    return shlex.quote(str(path))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'? known: a, b, c"`` for a misspelt name."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(known)}"


@contextmanager
def named(what: str) -> Iterator[None]:
    """Put `what` before the problem of an error that is raised within."""
    try:
        yield
    except ChecksFailed as error:
        raise ChecksFailed(error.errors, of=f"{what}: ") from None
    except PackageError:
        raise
    except PefomedError as error:
        raise type(error)(f"{what}: {error.problem}", found=error.found, remedy=error.remedy) from None
