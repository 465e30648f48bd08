"""Rows that are one sample together: the images of a study, in the file's order or by their roles.

What the rows say must agree; a row that says nothing of it adds its image only. What results are grouped by
may differ, and is told with all of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pefomed.errors import DataError, nearest
from pefomed.mapping import cells
from pefomed.mapping.columns import Columns
from pefomed.mapping.images import Picture
from pefomed.mapping.skip import Rules, Unusable
from pefomed.samples.left_out import LeftOut
from pefomed.schema import TaskName


@dataclass(frozen=True)
class StudyRow:
    """What a row says."""

    place: str
    row: Mapping[str, Any]
    task: TaskName
    asked: str
    """The question as the table has it."""
    question: str
    answers: tuple[str, ...]
    pictures: tuple[Picture, ...]
    written: Any
    """What the images are called in the sample's id."""
    meta: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    lacks: Unusable | None = None
    """The text that the row does not have."""


class Groups:
    """Rows, collected by what they say in `columns.group_by`."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._parts: dict[str, list[StudyRow]] = {}

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, part: StudyRow, columns: Columns) -> None:
        """Add a row.

        Raises:
            DataError: it says no group, or no known role.
        """
        source = columns.group_by or ""
        key = cells.text(part.row, source, part.place, joined_by="\0")
        if not key.strip("\0"):
            name = cells.said(source)
            raise DataError(
                f"{part.place}: column {name!r}, which groups rows, is empty",
                remedy=f'fill it in, or leave such rows out: `skip = [{{ column = "{name}", is = "" }}]`',
            )
        self._parts.setdefault(key, []).append(with_role(part, columns))

    def samples(self, columns: Columns, skip: Rules) -> Iterator[StudyRow | LeftOut]:
        """Yield each group as one, in the order of their first rows, and what is left out.

        Raises:
            DataError: the rows of a group differ in their texts, or none says them.
        """
        for group in self._parts.values():
            lacks = group[0].lacks
            if lacks is None or any(part.lacks is None for part in group):
                yield merge_rows(group, columns)
            elif lacks.kind in skip:
                yield from (LeftOut(part.place, lacks.kind) for part in group)
            else:
                raise lacks


def with_role(part: StudyRow, columns: Columns) -> StudyRow:
    """Return a row whose pictures have the role that it says.

    Raises:
        DataError: it is none of `columns.roles`.
    """
    if columns.role is None:
        return part
    found, place = cells.text(part.row, columns.role, part.place), part.place
    if found not in columns.roles:
        raise DataError(
            f"{place}: unknown role {found!r} in column {cells.said(columns.role)!r}",
            remedy="name it in `columns.roles`, or leave such rows out with `skip`; "
            + nearest(found, columns.roles),
        )
    return replace(part, pictures=tuple(each._replace(role=found) for each in part.pictures))


def merge_rows(group: Sequence[StudyRow], columns: Columns) -> StudyRow:
    """Return rows as one.

    Raises:
        DataError: their texts differ.
    """
    if len(group) == 1 and columns.group_by is None:
        return group[0]
    full = [part for part in group if part.lacks is None]
    first = full[0]
    for other in full[1:]:
        for what, ours, theirs in (
            ("task", first.task, other.task),
            ("question", first.asked, other.asked),
            ("answer", " | ".join(first.answers), " | ".join(other.answers)),
        ):
            if ours != theirs:
                raise _differ(first, other, what, ours, theirs, columns)
    shown: dict[str, Picture] = {}
    for part in group:
        for each in part.pictures:
            shown.setdefault(each.path, each)
    # Python's sort keeps the file's order of images with the same role.
    pictures = tuple(sorted(shown.values(), key=lambda each: _place(each.role, columns)))
    return replace(
        first,
        pictures=pictures,
        written=[each.name for each in pictures],
        meta={key: _all(part.meta[key] for part in group) for key in first.meta},
        owners={key: _all(part.owners.get(key, "") for part in group) for key in first.owners},
    )


def _differ(
    first: StudyRow, other: StudyRow, what: str, ours: str, theirs: str, columns: Columns
) -> DataError:
    key = cells.said(columns.group_by or "")
    also = f', or group by it too: `group_by = ["{key}", ...]`' if what != "answer" else ""
    return DataError(
        f"{other.place}: another {what} than in {first.place}, and both have the same {key!r}",
        found=f"{ours[:60]!r} and {theirs[:60]!r}",
        remedy=f"correct the rows{also}",
    )


def _place(role: str, columns: Columns) -> int:
    order = columns.roles or tuple(role for role, _ in columns.images)
    return order.index(role) if role in order else 0


def _all(values: Iterable[str]) -> str:
    return "+".join(dict.fromkeys(value for value in values if value))
