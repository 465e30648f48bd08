"""Ratings as `Verdict` lines, written whole: RUN/verdicts/<rater>.jsonl, and a card beside each."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.errors import RunError
from pefomed.evaluation.verdict_hash import judged_hash
from pefomed.evaluation.verdicts import RATING
from pefomed.files import jsonl
from pefomed.files.storage import write
from pefomed.raters.request import file_name
from pefomed.raters.scale import CANNOT
from pefomed.raters.session import Rater, RatingItem, Session
from pefomed.raters.verdicts import Rating, states
from pefomed.runs.folder import RunFolder, card_of
from pefomed.runs.lock import hold
from pefomed.schema import Verdict

PATIENCE = 20.0
"""Seconds to wait for another server of the same run, which writes within one."""

_WRITING = threading.Lock()


@dataclass(frozen=True)
class Progress:
    """How far one rater is."""

    rater: Rater
    items: int
    rated: int
    """Items with a label, or that they cannot judge."""
    cannot: int
    path: Path
    """Their verdicts' file."""


def export(session: Session, only: Sequence[str] | None = None) -> list[Progress]:
    """Write each rater's verdicts and card, and return how far each is.

    A rater with nothing rated gets no file, unless they had one. Where the run has sessions for both
    VQA answers and reports, a rater who is in both has the verdicts of both in their file.

    Args:
        only: names of the raters to write; by default all.

    Raises:
        RunError: a file of that name was not written by a rating session, or another process goes on writing
            these for `PATIENCE` seconds.
        StorageError: the disk is full or the folder cannot be written; the former files stay.
    """
    # Of two servers' verdicts the later must not be replaced by what the other read before.
    with _WRITING, hold(RunFolder(session.run).verdicts, ".rating.lock", patience=PATIENCE):
        return _export(session, only)


def _export(session: Session, only: Sequence[str] | None) -> list[Progress]:
    done = progress(session)
    others = _other_tasks(session)
    for each in done:
        if only is not None and each.rater.name not in only:
            continue
        verdicts = _verdicts(session, each.rater)
        verdicts += others.get(each.rater.name, [])
        if not verdicts and not each.path.exists():
            continue
        card_path = card_of(each.path)
        _check_ours(each.path, card_path)
        # The card first: a file of verdicts never stands there without it.
        write(card_path, json.dumps(_card(session, each, verdicts), indent=2, ensure_ascii=False) + "\n")
        write(each.path, jsonl.lines(verdicts))
    return done


def progress(session: Session) -> list[Progress]:
    """Return how far each rater is."""
    rows = []
    for rater in session.raters():
        said = states(session, rater).values()
        rows.append(
            Progress(
                rater=rater,
                items=session.settings.sample,
                rated=sum(state.rated for state in said),
                cannot=sum(state.cannot for state in said),
                path=RunFolder(session.run).verdicts_file(file_name(rater.name)),
            )
        )
    return rows


def _verdicts(session: Session, rater: Rater) -> list[Verdict]:
    """Return the rater's verdicts in the run's order, those of a growth behind; unrated ones are absent."""
    said = states(session, rater)
    items: list[RatingItem] = sorted(session.items(rater), key=lambda item: item.id)
    # Of the texts and images that the rater saw, whatever the run holds by now.
    return [
        _verdict(
            rater.name,
            item.sample_id,
            said[item.id],
            judged_hash(item.question, item.reference, item.text),
            item.shown,
        )
        for item in items
        if item.id in said and said[item.id].rated
    ]


def _verdict(rater: str, sample_id: str, state: Rating, judged: str, shown: str) -> Verdict:
    reason = state.comment
    if state.cannot:
        reason = f"{CANNOT}: {state.comment}" if state.comment else CANNOT
    return Verdict(
        sample_id=sample_id, rater=rater, label=state.label, reason=reason, judged=judged, shown=shown
    )


def _other_tasks(session: Session) -> dict[str, list[Verdict]]:
    """Return the verdicts of the run's other sessions by rater's name."""
    rows = session.database.rows(
        "SELECT rater.name, sample_id, question, reference, text, COALESCE(pictured.shown, ''), label,"
        " cannot, comment, revision FROM verdict LEFT JOIN pictured ON pictured.item = verdict.item"
        " JOIN rater ON rater.id = verdict.rater JOIN item ON item.id = verdict.item"
        " WHERE rater.task != ? AND (label IS NOT NULL OR cannot) ORDER BY item.id",
        session.settings.task,
    )
    verdicts: dict[str, list[Verdict]] = {}
    for name, sample_id, question, reference, text, shown, label, cannot, comment, revision in rows:
        state = Rating(label, bool(cannot), comment, revision)
        judged = judged_hash(question, reference, text)
        verdicts.setdefault(name, []).append(_verdict(name, sample_id, state, judged, shown))
    return verdicts


def _check_ours(path: Path, card_path: Path) -> None:
    if not path.exists() and not card_path.exists():
        return
    try:
        kind = json.loads(card_path.read_text(encoding="utf-8")).get("kind")
    except (OSError, ValueError, AttributeError, RecursionError):
        kind = None
    if kind not in RATING:
        raise RunError(
            f"{path} was not written by a rating session, so it is not replaced",
            found=f"a card of kind {kind!r}" if kind else "no card that can be read",
            remedy="move it away, then run `pefomed rate RUN --export`",
        )


def _card(session: Session, standing: Progress, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    settings = session.settings
    what = session.scale.labelled_as
    together = (
        "all raters get the same items, each in an order of their own"
        if settings.overlap == 1
        else f"{settings.overlap:.0%} of a rater's items are the same for all"
    )
    scored = sum(verdict.label is not None for verdict in verdicts)
    # Of both sessions, as the verdicts are.
    [[items]] = session.database.rows(
        "SELECT COUNT(*) FROM shown JOIN rater ON rater.id = shown.rater WHERE rater.name = ?",
        standing.rater.name,
    )
    is_model = standing.rater.name in settings.models
    people = len(settings.names) - len(settings.models)
    person = f"One of {people} human raters" if people > 1 else "The only human rater"
    who = "A language model in a rating session" if is_model else person
    return {
        "kind": "model-rater" if is_model else "human",
        "title": standing.rater.name,
        "about": f"{who}, blinded to model and metric, rated {what}; {together}.",
        "runs": 1,
        "settings": {
            "session": session.id,
            "made": session.created,
            "task": settings.task,
            "raters": len(settings.names),
            "items_per_rater": settings.sample,
            "grown_from": [size.model_dump() for size in settings.grown],
            "seed": settings.seed,
            "wrong_share": settings.wrong_share,
            "overlap": settings.overlap,
            "drawn": {
                stratum or "all": {"answers": has, "rated": rated}
                for stratum, (has, rated) in session.drawn.items()
            },
            "notes": list(session.notes),
        },
        "calibration": [],
        "counts": {
            "items": items,
            "scored": scored,
            "unscored": len(verdicts) - scored,
            # A person who says that they cannot judge refuses; there is no other way to have no label.
            "refused": len(verdicts) - scored,
            "open": items - len(verdicts),
        },
    }
