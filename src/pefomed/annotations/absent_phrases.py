"""Phrases without a box in data of one's own: an error, or what they name is nowhere in the image.

A row without numbers may be a lapse, and then the right answer is not known, or it may say that there is
nothing to be boxed (`No finding`, `Target` 0): nobody but the owner knows which, so that it has to be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_tasks import BoxTask
from pefomed.errors import DataError
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Box

Without = Literal["error", "absent"]

Undrawn = Literal["left out", "images", "categories"]
"""What categories are that are not drawn in an image: nobody asks for them; nowhere in `images` that nothing
is drawn on; nowhere in any image, every one of the `categories` that it lacks."""

HOW_ABSENT = (
    'say that what it names is not in the image, `boxes.without = "absent"`: then the right answer is'
    " that there is none"
)


def check_all_or_none(rows: Sequence[tuple[str, str]], drawn: Iterable[tuple[str, str, Box]]) -> None:
    """Refuse a phrase that one row says to be absent and another has a box of, by the same reader.

    Args:
        rows: place and reader of each row of the phrase.
        drawn: place, reader and box of each box of it.

    Raises:
        DataError: a row has no box beside one that has; it is named.
    """
    with_box = {(place, reader) for place, reader, _ in drawn}
    readers = {reader: place for place, reader in with_box}
    for place, reader in rows:
        if (place, reader) not in with_box and reader in readers:
            raise DataError(
                f"{place}: a phrase without boxes that has one in another row",
                found=readers[reader],
                remedy="remove the wrong row; with `boxes.without` one without a box says that there is none",
            )


def undrawn(
    rows: Sequence[BoxRow], images: Iterable[BoxRow], categories: Iterable[str], there: Iterable[BoxRow] = ()
) -> Iterator[BoxRow]:
    """Yield a row without a box for each category that is nowhere in an image.

    Args:
        rows: what is drawn.
        there: what is in an image though no box of it is asked for: nobody asks whether it is absent.
        images: a row without phrase for each image that is asked about, once.
        categories: what might be drawn, beside what is.
    """
    every = list(dict.fromkeys([*categories, *(row.category for row in rows)]))
    seen = {(row.image, row.category) for row in (*rows, *there)}
    for row in images:
        for category in every:
            if (row.image, category) not in seen:
                yield replace(row, phrase=category, category=category)


def not_identified(place: str, boxes: Sequence[Box], tasks: Sequence[BoxTask]) -> Iterator[LeftOut]:
    """Yield that a phrase without a box is none of the samples of `identify`, which asks about a box."""
    if not boxes and "identify" in tasks:
        yield LeftOut(place, "no box to identify")
