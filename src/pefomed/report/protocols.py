"""What other papers and harnesses would call a split's answers, beside the published figures that compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pefomed.evaluation.protocol_records import ProtocolRow, ProtocolSplit
from pefomed.evaluation.seen_images import KEY
from pefomed.protocols.known import PROTOCOLS
from pefomed.protocols.protocol import Group, Protocol
from pefomed.report.figures import Cell, cell_of, kind_of, system_label
from pefomed.report.published_compared import Compared, compared
from pefomed.report.run import ReportedSplit
from pefomed.report.sheet import Column, Entry, Sheet, SheetLine, sheet_name
from pefomed.report.sides_changed import SidesChanged, sides_changed

FIGURES: tuple[Group, ...] = ("overall", "open", "closed")
_LANGUAGES = {"en": "English", "zh": "Chinese"}


@dataclass(frozen=True)
class ShownProtocol:
    """One protocol with our figures, and the published ones of the same questions."""

    protocol: Protocol
    title: str
    cells: dict[str, Cell]
    """Figure -> ours."""
    printed: list[str]
    """`closed 90.6`: what its code prints."""
    language: str
    n: str
    """`451: 179 open, 272 closed`."""
    blind: Cell | None
    floor: Cell | None
    """The best one."""
    floor_name: str
    left_out: tuple[str, ...]
    differs: str
    published: list[Compared]


@dataclass(frozen=True)
class ShownProtocols:
    """One split."""

    title: str
    split: str
    rows: list[ShownProtocol]
    seen: str
    """How many of the test images were trained on."""
    published_seen: str
    """`on none` or `on them`, the published models beside ours; empty where nothing stands there."""
    others: list[Compared]
    """Published figures that do not compare, each with why."""
    unfit: list[tuple[str, str]]
    """`(protocol, why)` of those that say nothing of the split."""
    changed: SidesChanged
    sheets: list[Sheet]


def shown_protocols(
    splits: Sequence[ProtocolSplit], answered: Sequence[ReportedSplit], titles: Mapping[str, str]
) -> list[ShownProtocols]:
    """Return each split's protocols as the page shows them."""
    by_split = {(one.dataset, one.split): one for one in answered}
    return [
        _split(each, by_split.get((each.dataset, each.split)), titles.get(each.dataset, each.dataset))
        for each in splits
        if each.rows
    ]


def _split(found: ProtocolSplit, answered: ReportedSplit | None, title: str) -> ShownProtocols:
    same, of_all = _counted(answered)
    beside, others = compared(found, bool(same) if of_all else None)
    rows = [
        _row(row, beside.get(row.name, []))
        for row in found.rows
        # A later version may know others.
        if row.name in PROTOCOLS and any(s.system == "model" and s.group == "overall" for s in row.scores)
    ]
    name = sheet_name(found.dataset, found.split, "protocols")
    of = f"{title}, {found.split}".rstrip(", ")
    changed = sides_changed(found, answered, f"{name}-sides", f"Answers that change sides on {of}")
    return ShownProtocols(
        title=title,
        split=found.split,
        rows=rows,
        seen=_seen(answered),
        published_seen=("on them" if same else "on none") if beside and of_all else "",
        others=others,
        unfit=[(PROTOCOLS[one.name].title, one.why) for one in found.unfit if one.name in PROTOCOLS],
        changed=changed,
        sheets=[
            _sheet(name, f"{of}: what other papers would call it", rows, _seen(answered)),
            *changed.sheets,
        ],
    )


def _row(row: ProtocolRow, published: list[Compared]) -> ShownProtocol:
    protocol = PROTOCOLS[row.name]
    ours = {score.group: score for score in row.scores if score.system == "model"}
    floors = [s for s in row.scores if kind_of(s.system) == "floor" and s.group == "overall"]
    # What recognising training images is worth is no floor.
    floors = [score for score in floors if not score.system.endswith("same-image")]
    best = max(floors, key=lambda score: score.value, default=None)
    blind = next((s for s in row.scores if s.system == "blind" and s.group == "overall"), None)
    parts = [f"{ours[each].n:,} {each}" for each in FIGURES[1:] if each in ours]
    return ShownProtocol(
        protocol=protocol,
        title=f"{protocol.title}: {row.judge}" if row.judge else protocol.title,
        cells={group: cell_of(score) for group, score in ours.items()},
        printed=[f"{group} {_percent(value)}" for group, value in row.printed.items()],
        language=" and ".join(_LANGUAGES[each] for each in protocol.languages),
        n=f"{ours['overall'].n:,}" + (f": {', '.join(parts)}" if parts else ""),
        blind=cell_of(blind) if blind else None,
        floor=cell_of(best) if best else None,
        floor_name=system_label(best.system) if best else "",
        left_out=row.left_out,
        differs=row.differs,
        published=published,
    )


def _percent(value: float) -> str:
    """Return a share in percent, small ones with the digits that show what went wrong."""
    return f"{100 * value:.1f}" if value >= 0.01 or not value else f"{100 * value:.2g}"


def _counted(answered: ReportedSplit | None) -> tuple[int, int]:
    """Return how many test images were trained on, and of how many this is known."""
    kinds = _kinds(answered)
    return sum(kind == "same" for kind in kinds.values()), len(kinds)


def _kinds(answered: ReportedSplit | None) -> dict[tuple[str, ...], str]:
    """Return the images of each sample -> whether they were trained on, as evaluation found."""
    samples = answered.samples if answered else ()
    return {sample.images: sample.meta[KEY] for sample in samples if KEY in sample.meta}


def _seen(answered: ReportedSplit | None) -> str:
    same, of_all = _counted(answered)
    if not of_all:
        return "nobody knows how many"
    alike = sum(kind == "alike" for kind in _kinds(answered).values())
    return f"{same or 'none'} of {of_all:,}" + (
        f" ({alike:,} more look like a training image)" if alike else ""
    )


def _sheet(name: str, title: str, rows: Sequence[ShownProtocol], seen: str) -> Sheet:
    columns = (
        *(Column(each, each.capitalize()) for each in FIGURES), Column("printed", "Its code prints"),
        Column("n", "n"), Column("language", "Language"), Column("blind", "Blind"),
        Column("floor", "Best floor"), Column("seen", "Test images trained on"),
    )  # fmt: skip
    lines = []
    for row in rows:
        own: list[Entry] = [row.cells.get(each) for each in FIGURES]
        lines.append(
            SheetLine(
                (row.title,),
                (*own, ", ".join(row.printed), row.n, row.language, row.blind, row.floor, seen),
            )
        )
        lines += [
            SheetLine(
                (f"{one.system} (published)",),
                (*one.figures, "", one.n, one.language, "", "", one.seen),
                "published",
            )
            for one in row.published
        ]
    notes = [f"{row.title}: {row.protocol.definition}" for row in rows]
    return Sheet(name, title, ("protocol",), columns, lines, notes)
