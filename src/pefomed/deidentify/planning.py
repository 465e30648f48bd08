"""Which frames of which files are brought in, and where each of them lies in its series.

Slices are chosen in each stack for itself. Images that do not say where they lie are no slices: they are
taken as they are, but for CT, MR and PT of which a rule would choose some, and which nothing puts in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pefomed.deidentify.choice import ALL, Rule, choose_slices
from pefomed.deidentify.file_headers import SECTIONS, FramePosition, SourceFile
from pefomed.deidentify.stacks import Slice, Stack, differences, stacks_of

Frames = Literal["first", "middle", "all"]

NO_ORDER = "images without a position"

Fault = tuple[str, int]


@dataclass(frozen=True)
class SourceSeries:
    """One series of the source folder."""

    study: str
    series: str
    stacks: tuple[Stack, ...]
    unplaced: int
    faults: dict[str, int]


@dataclass
class Plan:
    """What becomes of every image."""

    frames: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)
    """By source and frame: the columns that say where the frame lies."""
    left: dict[str, str] = field(default_factory=dict)
    """Sources of which no frame is taken -> outcome."""
    series: list[SourceSeries] = field(default_factory=list)


COLUMNS = ("stack", "slice", "slices", "volume", "position", "slice_distance", "spacing", "orientation")
"""Columns of the table: which stack of the series and which of its slices, from 0, and how many there are;
which of several images at that position; millimetres along the normal, from slice to slice, from pixel to
pixel down and right; directions of a row and of a column."""


def plan_import(
    looked: Iterable[SourceFile],
    rule: Rule = ALL,
    frames: Frames = "all",
    scouts: bool = True,
    touched: Callable[[str, int], bool] = lambda source, frame: False,
) -> Plan:
    """Return what is taken of every image.

    Args:
        frames: which frames of files with several.
        scouts: whether they are taken.
        touched: whether something is drawn on a frame of a source.
    """
    plan = Plan()
    groups: dict[tuple[str, str], list[SourceFile]] = {}
    for each in looked:
        if each.kind == "image":
            groups.setdefault((each.study, each.series), []).append(each)
    for (study, series), files in sorted(groups.items()):
        _series(plan, study, series, files, rule, frames, scouts, touched)
    return plan


def _series(
    plan: Plan,
    study: str,
    series: str,
    files: Sequence[SourceFile],
    rule: Rule,
    frames: Frames,
    scouts: bool,
    touched: Callable[[str, int], bool],
) -> None:
    wanted = {each.source: _frames(each.frames, frames) for each in files}
    copies: dict[tuple[str, int, tuple[float, ...]], list[Slice]] = {}
    for file in files:
        for place in file.places:
            if place.frame in wanted[file.source]:
                key = (file.instance or file.source, place.frame, place.position)
                copies.setdefault(key, []).append(_slice(file, place))
    # A file that is there twice is one image of its stack, and each copy goes where it goes.
    stacks = stacks_of([same[0] for same in copies.values()])
    alike = {(same[0].source, same[0].frame): same for same in copies.values()}
    number = 0
    for stack in stacks:
        number += not stack.scout
        taken = _chosen(stack, rule, touched, alike)
        for index, at in enumerate(stack.positions):
            if index in taken and (scouts or not stack.scout):
                for volume, each in enumerate(at):
                    for copy in alike[each.source, each.frame]:
                        columns = _columns(stack, number, index, volume, each)
                        plan.frames.setdefault(copy.source, {})[copy.frame] = columns
    placed = {(each.source, each.frame) for same in copies.values() for each in same}
    unplaced = [(file, frame) for file in files for frame in wanted[file.source] if (file.source, frame) not in placed]  # fmt: skip # noqa: E501
    sections = [pair for pair in unplaced if pair[0].modality in SECTIONS]
    for file, frame in unplaced:
        unordered = rule.kind != "all" and file.modality in SECTIONS and len(sections) > 1
        dropped = unordered or (rule.kind == "touched" and not touched(file.source, frame))
        if file.scout and not scouts:
            plan.left[file.source] = "scout"
        elif dropped:
            plan.left[file.source] = "no position" if unordered else "not chosen"
        else:
            columns = dict.fromkeys(COLUMNS, "") | ({"stack": "scout"} if file.scout else {})
            plan.frames.setdefault(file.source, {})[frame] = columns
    out = {
        copy.source
        for stack in stacks
        if stack.scout and not scouts
        for at in stack.positions
        for each in at
        for copy in alike[each.source, each.frame]
    }
    for file in files:
        if file.source not in plan.frames:
            plan.left.setdefault(file.source, "scout" if file.source in out else "not chosen")
    plan.series.append(
        SourceSeries(study, series, tuple(stacks), len(unplaced), _faults(stacks, len(sections), len(placed)))
    )


def _frames(count: int, frames: Frames) -> Collection[int]:
    return {"first": range(1), "middle": range(count // 2, count // 2 + 1), "all": range(count)}[frames]


def _slice(file: SourceFile, place: FramePosition) -> Slice:
    return Slice(
        source=file.source,
        frame=place.frame,
        position=place.position,
        orientation=place.orientation,
        size=file.matrix,
        spacing=place.spacing,
        scout=file.scout,
        order=place.order,
        tilt=file.tilt,
    )


def _chosen(
    stack: Stack,
    rule: Rule,
    touched: Callable[[str, int], bool],
    alike: dict[tuple[str, int], list[Slice]],
) -> set[int]:
    drawn = [
        index
        for index, at in enumerate(stack.positions)
        if rule.kind == "touched"
        and any(touched(copy.source, copy.frame) for each in at for copy in alike[each.source, each.frame])
    ]
    return set(choose_slices(rule, len(stack.positions), drawn))


def _columns(stack: Stack, number: int, index: int, volume: int, of: Slice) -> dict[str, str]:
    return {
        "stack": "scout" if stack.scout else str(number),
        "slice": str(index),
        "slices": str(len(stack.positions)),
        "volume": str(volume),
        "position": _number(stack.places[index]),
        "slice_distance": _number(stack.distance) if stack.distance else "",
        "spacing": "/".join(map(_number, of.spacing)),
        "orientation": "/".join(map(_number, of.orientation)),
    }


def _number(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _faults(stacks: Sequence[Stack], sections: int, placed: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for stack in stacks:
        found.update(stack.faults)
        if stack.scout:
            found["scouts"] += sum(map(len, stack.positions))
    found.update(differences(stacks))
    if sections and (placed or sections > 1):
        found[NO_ORDER] += sections
    return dict(found)
