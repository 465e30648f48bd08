"""What a command asks of a rating session, and the settings that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from pefomed.errors import RunError, typed
from pefomed.files.storage import safe_stem
from pefomed.raters.assignment import SessionSettings, SessionSize
from pefomed.raters.scale import SCALES, RatedTask
from pefomed.runs import RunFolder

DEFAULTS = {"raters": 10, "sample": 100, "seed": 0, "wrong_share": 0.5, "overlap": 1.0}


@dataclass(frozen=True)
class SessionRequest:
    """What a command asks for; None where it leaves the choice."""

    task: RatedTask | None = None
    raters: int | None = None
    names: tuple[str, ...] | None = None
    sample: int | None = None
    seed: int | None = None
    wrong_share: float | None = None
    overlap: float | None = None
    models: tuple[str, ...] | None = None
    """Raters who are language models; this may be said later, too."""


def new_settings(wishes: SessionRequest, task: RatedTask, available: int) -> SessionSettings:
    """Return the settings of a new session over `available` answers.

    Raises:
        RunError: the wishes contradict each other, or a name cannot be used.
    """
    if wishes.names is not None and wishes.raters not in (None, len(wishes.names)):
        raise RunError(
            f"--raters {wishes.raters} does not fit --names",
            found=f"{len(wishes.names)} names",
            remedy="leave --raters out",
        )
    raters = int(DEFAULTS["raters"]) if wishes.raters is None else wishes.raters
    names = wishes.names or tuple(f"rater-{number:02}" for number in range(1, raters + 1))
    _check_names(names)
    check_models(wishes.models or (), names)
    strata = SCALES[task].strata
    if not strata and wishes.wrong_share is not None:
        raise RunError(
            "--wrong-share is for VQA answers: exact match says nothing of reports", remedy="leave it out"
        )
    share = DEFAULTS["wrong_share"] if wishes.wrong_share is None else wishes.wrong_share
    overlap = DEFAULTS["overlap"] if wishes.overlap is None else wishes.overlap
    sample = wishes.sample
    if sample is None:
        sample = min(int(DEFAULTS["sample"]), available)
    return SessionSettings(
        task=task,
        names=names,
        sample=sample,
        seed=int(DEFAULTS["seed"]) if wishes.seed is None else wishes.seed,
        wrong_share=share if strata else None,
        overlap=overlap,
        models=wishes.models or (),
    )


def continued_settings(wishes: SessionRequest, has: SessionSettings, run: Path) -> SessionSettings:
    """Return the settings of `run`'s session as a command wants them: the same, or larger.

    More raters, further names and a larger sample make a session grow; all else it keeps.

    Raises:
        RunError: the command asks for something else, or for less; the options are named.
    """
    _check_less(wishes, has, run)
    pairs = {
        "--seed": (wishes.seed, has.seed),
        "--wrong-share": (wishes.wrong_share, has.wrong_share),
        "--overlap": (wishes.overlap, has.overlap),
    }
    other = [(name, asked, there) for name, (asked, there) in pairs.items() if asked not in (None, there)]
    if other:
        raise RunError(
            f"{run} already has a rating session with other numbers",
            found="; ".join(f"{name} {there}, asked for {asked}" for name, asked, there in other),
            remedy=f"leave these options out to continue it; {_anew(run)}",
        )
    names = (*has.names, *_further_names(wishes, has))
    sample = has.sample if wishes.sample is None else wishes.sample
    if (names, sample) == (has.names, has.sample):
        return has
    _check_names(names)
    grown = (*has.grown, SessionSize(raters=len(has.names), sample=has.sample))
    return has.model_copy(update={"names": names, "sample": sample, "grown": grown})


def _check_less(wishes: SessionRequest, has: SessionSettings, run: Path) -> None:
    asked = {
        "--raters": (wishes.raters, len(has.names)),
        "--sample": (wishes.sample, has.sample),
    }
    less = [(name, want, there) for name, (want, there) in asked.items() if want is not None and want < there]
    less_of = [f"{name} {there}, asked for {want}" for name, want, there in less]
    if gone := [name for name in has.names if wishes.names is not None and name not in wishes.names]:
        less_of.append(f"--names without {', '.join(gone)}")
    if less_of:
        raise RunError(
            f"the rating session of {run} can grow, but not shrink: what was given out stays",
            found="; ".join(less_of),
            remedy=f"give at least what it has: --names {typed(','.join(has.names))}, and further ones behind"
            if gone
            else f"give larger numbers, or leave them out; {_anew(run)}",
        )


def _further_names(wishes: SessionRequest, has: SessionSettings) -> list[str]:
    if wishes.names is not None:
        if wishes.raters not in (None, len(wishes.names)):
            raise RunError(
                f"--raters {wishes.raters} does not fit --names",
                found=f"{len(wishes.names)} names",
                remedy="leave --raters out",
            )
        return [name for name in wishes.names if name not in has.names]
    taken = {file_name(name).casefold() for name in has.names}
    numbered = (f"rater-{number:02}" for number in count(1))
    free = (name for name in numbered if name not in taken)
    return list(islice(free, (wishes.raters or len(has.names)) - len(has.names)))


def _anew(run: Path) -> str:
    return f"to begin anew, move {RunFolder(run).ratings_database} and the raters' files beside it away"


def check_models(models: Sequence[str], names: Sequence[str]) -> None:
    """Check that every language model is one of the raters.

    Raises:
        RunError: one is not.
    """
    if unknown := [model for model in models if model not in names]:
        raise RunError(
            "--models names somebody who does not rate",
            found=", ".join(map(repr, unknown)),
            remedy=f"raters: {', '.join(names)}; --names chooses the names of a new session",
        )


def file_name(rater: str) -> str:
    """Return the rater's name as a file's, without ending."""
    return safe_stem(rater) or "rater"


def _check_names(names: Sequence[str]) -> None:
    files: dict[str, str] = {}
    for name in names:
        if not name.strip() or len(name) > 60 or not name.isprintable():
            raise RunError(
                "a rater's name is empty, longer than 60 characters or cannot be printed", found=repr(name)
            )
        # Folded, because some file systems do not tell upper from lower case.
        key = file_name(name).casefold()
        if key in files:
            raise RunError(
                "two raters would have the same file",
                found=f"{files[key]!r} and {name!r}",
                remedy="rename one",
            )
        files[key] = name
