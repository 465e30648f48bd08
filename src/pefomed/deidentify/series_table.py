"""One row a stack of a series: its images in the order of the body, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pefomed.deidentify.planning import SourceSeries
from pefomed.deidentify.pseudonyms import Pseudonyms
from pefomed.deidentify.stacks import Stack

HEADER = (
    "id", "image", "images", "split", "patient", "study", "series", "stack", "modality", "slices", "width",
    "height", "spacing", "slice_distance", "orientation", "faults",
)  # fmt: skip
"""`image` holds the chosen ones, parted by `;`, as a table's column of images takes them."""


def series_rows(
    series: Sequence[SourceSeries],
    at: Mapping[tuple[str, int], str],
    rows: Mapping[str, Mapping[str, str]],
    names: Pseudonyms,
) -> Iterator[tuple[str, ...]]:
    """Yield a row for each stack of which images were taken.

    Args:
        at: source and frame -> id of a row of the table.
    """
    for each in series:
        number = 0
        for stack in each.stacks:
            number += not stack.scout
            taken = _taken(stack, at, rows)
            if taken:
                name = f"{names('series', each.series)}-{'scout' if stack.scout else number}"
                faults = each.faults | stack.faults
                yield _row(name, taken, "; ".join(f"{fault}: {count}" for fault, count in faults.items()))

    known = {names("series", each.series) for each in series}
    volumes: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for row in rows.values():
        if row["series"] not in known:
            volumes.setdefault((row["series"], row["volume"]), []).append(row)
    for (name, volume), taken in sorted(volumes.items()):
        yield _row(f"{name}-{volume}", sorted(taken, key=lambda row: int(row["slice"])), "")


def _row(name: str, taken: Sequence[Mapping[str, str]], faults: str) -> tuple[str, ...]:
    first = taken[0]
    return (
        name,
        ";".join(row["image"] for row in taken),
        str(len(taken)),
        *(first[key] for key in ("split", "patient", "study", "series", "stack", "modality")),
        *(first[key] for key in ("slices", "width", "height", "spacing", "slice_distance", "orientation")),
        faults,
    )


def _taken(
    stack: Stack, at: Mapping[tuple[str, int], str], rows: Mapping[str, Mapping[str, str]]
) -> list[Mapping[str, str]]:
    ids = (at.get((each.source, each.frame)) for place in stack.positions for each in place)
    return [rows[name] for name in dict.fromkeys(ids) if name is not None]
