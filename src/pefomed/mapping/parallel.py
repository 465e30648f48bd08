"""Rows with lists side by side, a box and its phrase at the same place of each: a row for each place.

    {"image": "0.png", "objects": {"bbox": [[64, 48, 256, 192], [1, 2, 3, 4]], "category": ["mass", "cyst"]}}

with `question = "objects.category"` and `boxes.columns = ["objects.bbox"]` asks for a mass and for a cyst.
Where a row has one box in four columns, each phrase of a list has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pefomed.errors import DataError
from pefomed.mapping.cells import is_empty
from pefomed.mapping.paths import ABSENT, at, unpacked_text
from pefomed.mapping.source import AnySource, Words, parts_of
from pefomed.samples.left_out import LeftOut

WITHOUT = "an image without annotations"
"""Why a row whose lists are empty is left out."""


def phrase_rows(
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    boxes: Sequence[str],
    asked: Iterable[AnySource | None],
    beside: Iterable[AnySource | None],
    id_column: str,
) -> Iterator[tuple[str, Mapping[str, Any]] | LeftOut]:
    """Yield rows with one phrase each: those whose phrases are lists once for each box.

    Args:
        boxes: the columns of boxes, four or one.
        asked: what makes a row several phrases if it is a list: phrase, category, who drew it.
        beside: what else may be a list of as many.
        id_column: the column of ids, whose rows get the place of each box behind; empty for none.

    Raises:
        DataError: the lists of a row are not of one length.
    """
    phrases, others = [*_names(asked)], [*_names(beside)]
    for place, row in rows:
        lists = _lists(row, phrases)
        if not lists:
            yield place, row
            continue
        if len(boxes) > 1 and not _lists(row, boxes):
            yield from _of_one_box(place, row, lists, id_column)
            continue
        drawn = _lists(row, boxes) or {name: [] for name in boxes if is_empty(at(row, name))}
        if len(drawn) < len(boxes):
            raise DataError(
                f"{place}: {', '.join(lists)} is a list, and the boxes are not",
                remedy="name lists of boxes in `boxes.columns`, or one phrase in `columns.question`",
            )
        if len(boxes) == 1:
            [name] = drawn
            # The numbers of a single box, beside a list of its one phrase.
            if drawn[name] and not any(isinstance(each, list) for each in drawn[name]):
                drawn[name] = [drawn[name]]
        lengths = {name: len(values) for name, values in {**drawn, **lists}.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"{place}: boxes and what is said of them need lists of the same length",
                found=", ".join(f"{name}: {length}" for name, length in lengths.items()),
                remedy="correct the row",
            )
        number = max(lengths.values())
        if not number:
            yield LeftOut(place, WITHOUT)
        further = {name: values for name, values in _lists(row, others).items() if len(values) == number}
        for index in range(number):
            own = {name: values[index] for name, values in {**further, **lists, **drawn}.items()}
            if len(boxes) == 1 and not _are_boxes(own[boxes[0]]):
                own[boxes[0]] = [] if is_empty(own[boxes[0]]) else [own[boxes[0]]]
            if id_column and id_column in row:
                own[id_column] = f"{row[id_column]}-{index + 1}"
            # A name that is there exactly counts before a path.
            yield f"{place}, box {index + 1}", {**row, **own}


def _of_one_box(
    place: str, row: Mapping[str, Any], lists: Mapping[str, list[Any]], id_column: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a row for each of several phrases that have the row's one box, `['Mass', 'Calcification']`."""
    number = max(map(len, lists.values()))
    if any(len(values) != number for values in lists.values()):
        raise DataError(
            f"{place}: what is said of a box needs lists of the same length",
            found=", ".join(f"{name}: {len(values)}" for name, values in lists.items()),
            remedy="correct the row",
        )
    for index in range(number):
        own = {name: values[index] for name, values in lists.items()}
        if id_column and id_column in row and number > 1:
            own[id_column] = f"{row[id_column]}-{index + 1}"
        yield (f"{place}, phrase {index + 1}" if number > 1 else place), {**row, **own}


def _are_boxes(value: Any) -> bool:
    """Return whether these are the boxes of a phrase, a list of lists, and not the numbers of one."""
    return isinstance(value, list) and all(isinstance(each, list) for each in value)


def _names(sources: Iterable[AnySource | None]) -> Iterator[str]:
    """Yield the columns and paths that sources are made of."""
    for source in sources:
        for each in source if isinstance(source, tuple) else (source,):
            name = each.column if isinstance(each, Words) else each
            if isinstance(name, str) and name:
                yield name
                yield from (field for _, field, _ in parts_of(name) if field)


def _lists(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, list[Any]]:
    found = {name: at(row, name) for name in names}
    found = {name: unpacked_text(value) for name, value in found.items() if value is not ABSENT}
    return {name: value for name, value in found.items() if isinstance(value, list)}
