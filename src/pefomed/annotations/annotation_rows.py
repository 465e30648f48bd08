"""The rows of annotation files: of each thing that is drawn, and of an image itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.coco_file import Annotation
from pefomed.errors import DataError, nearest
from pefomed.samples.owners import owners_of


def check_fields(each: Annotation, fields: Iterable[str]) -> None:
    """Check that an annotation or its image has all of these fields.

    Raises:
        DataError: neither has one of them.
    """
    for field in fields:
        if each.text(field) is None:
            raise DataError(
                f"{each.place}: no field {field!r}", remedy=nearest(field, {*each.entry, *each.image})
            )


def drawn_row(
    each: Annotation,
    image: Path,
    name: str,
    size: tuple[Any, Any] | None,
    numbers: tuple[Any, ...] | Fault,
    meta: tuple[str, ...],
    reader: str = "",
) -> BoxRow:
    """Return the row of what is drawn, its phrase its category.

    Args:
        name: what the image is called, the same wherever the data lies.
        size: of the image, as the file says it.
        numbers: of its box, or what is wrong with it.
        meta: the fields to group results by.
        reader: the field that says who drew it; empty for none.

    Raises:
        DataError: there is no such field.
    """
    check_fields(each, (*meta, *((reader,) if reader else ())))
    return BoxRow(
        place=each.place,
        image=image,
        phrase=each.category,
        category=each.category,
        numbers=() if isinstance(numbers, Fault) else numbers,
        fault=numbers if isinstance(numbers, Fault) else None,
        size=size,
        meta={field: each.text(field) or "" for field in meta},
        name=name,
        reader=(each.text(reader) or "") if reader else "",
        owners=owners_of({**each.image, **each.entry}, meta),
        fields={**each.image, **each.entry},
    )


def image_row(place: str, image: Path, name: str, about: Mapping[str, Any], meta: tuple[str, ...]) -> BoxRow:
    """Return the row of an image itself; it has the fields of what is drawn only by chance."""
    each = Annotation(place, {}, about, "")
    return BoxRow(
        place=place,
        image=image,
        phrase="",
        category="",
        numbers=(),
        name=name,
        meta={field: text for field in meta if (text := each.text(field)) is not None},
        owners=owners_of(about, meta),
        fields=about,
    )


def bare_rows(images: Iterable[BoxRow], drawn: Iterable[BoxRow], without: Undrawn) -> list[BoxRow]:
    """Return the row of each image that is asked about, once: but for `categories`, if nobody drew on it."""
    seen = set() if without == "categories" else {row.image for row in drawn}
    return list({row.image: row for row in images if row.image not in seen}.values())
