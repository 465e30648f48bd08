"""Published figures against ours: side by side where they are of the same questions under one protocol."""

from __future__ import annotations

from dataclasses import dataclass

from pefomed.evaluation.protocol_records import ProtocolSplit
from pefomed.evaluation.published_vqa import SIZES, VQA, PublishedAccuracy
from pefomed.protocols.known import PROTOCOLS

_LANGUAGES = {"en": "English", "zh": "Chinese", "both": "English and Chinese"}


@dataclass(frozen=True)
class Compared:
    """A published row as it is shown."""

    system: str
    protocol: str
    """Its title, or that its source does not say."""
    figures: tuple[str, ...]
    """Overall, open and closed as printed; empty where not printed."""
    language: str
    split: str
    n: str
    seen: str
    """Whether its test images were trained on."""
    source: str
    note: str
    why: str
    """Why it stands not beside ours; empty where it does."""


def compared(
    found: ProtocolSplit, seen: bool | None = None
) -> tuple[dict[str, list[Compared]], list[Compared]]:
    """Return the published rows that compare, by protocol, and those that do not, each with why.

    Args:
        seen: whether our model was trained on test images; None where nobody knows.
    """
    beside: dict[str, list[Compared]] = {}
    others = []
    for row in VQA.get(found.loader, ()):
        why = _why_not(row, found) or _images_apart(row, seen)
        shown = _shown(row, found.loader, why)
        if why:
            others.append(shown)
        else:
            beside.setdefault(row.protocol, []).append(shown)
    return beside, others


def _why_not(row: PublishedAccuracy, found: ProtocolSplit) -> str:
    if row.metric == "human":
        return "by human raters: see judges and raters"
    if not row.protocol:
        return "its source does not say what counts as right"
    if row.split != "test":
        return f"it is of another split: {row.split}"
    ours = next((one for one in found.rows if one.name == row.protocol), None)
    if ours is None:
        unfit = next((one.why for one in found.unfit if one.name == row.protocol), "not known here")
        return f"no figure of ours under this protocol: {unfit}"
    if ours.differs:
        return ours.differs
    if ours.judge:
        return "another judge than this run's"
    known = (PROTOCOLS[row.protocol].sets or {}).get(found.loader)
    size = row.n or SIZES[found.loader][2]
    if known and size != known.n:
        return "how many questions it is of is not stated" if size < 0 else f"it is of {size:,} questions"
    return ""


def _images_apart(row: PublishedAccuracy, seen: bool | None) -> str:
    """Return why a model that knows the test images is not held against one that does not."""
    if seen is None or row.seen == "not stated" or (row.seen == "yes") == seen:
        return ""
    ours, theirs = ("was", "was not") if seen else ("was not", "was")
    return f"this run's model {ours} trained on test images, that one {theirs}"


def _shown(row: PublishedAccuracy, loader: str, why: str) -> Compared:
    size = row.n or SIZES[loader][2]
    return Compared(
        system=row.system,
        protocol=PROTOCOLS[row.protocol].title if row.protocol in PROTOCOLS else "not stated",
        figures=tuple(
            "" if value is None else f"{value:.1f}" for value in (row.overall, row.open, row.closed)
        ),
        language=_LANGUAGES.get(row.language, row.language),
        split=row.split,
        n=f"{size:,}" if size > 0 else "not stated",
        seen=row.seen,
        source=f"{row.source}, {row.year}",
        note=row.note,
        why=why,
    )
