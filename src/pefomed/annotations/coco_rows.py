"""What an annotation of a COCO file says of its image: the row that becomes a box of a sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pefomed.annotations.annotation_rows import check_fields, image_row
from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.coco_file import Annotation
from pefomed.annotations.rle import is_rle, rle_size
from pefomed.annotations.sample_outlines import counted_on, of_segmentation
from pefomed.annotations.segmentations import NO_BOX, around_segmentation
from pefomed.errors import DataError
from pefomed.mapping.images import ImageColumns, Picture
from pefomed.samples.owners import owners_of
from pefomed.schema import Outline


def row_of(each: Annotation, folder: Path, phrase: str | None, meta: tuple[str, ...], reader: str) -> BoxRow:
    """Return the row of an annotation.

    Args:
        folder: of the images.
        phrase: field that holds the phrase; by default its category.
        reader: field that says who drew it; empty for none.

    Raises:
        DataError: a field is missing, or the image's name is none.
    """
    check_fields(each, (*((phrase,) if phrase else ()), *((reader,) if reader else ()), *meta))
    picture = _picture(each, folder)
    text = (each.text(phrase) or "") if phrase else each.category
    found, outline, size = _box(each)
    image = Path(picture.path)
    return BoxRow(
        place=each.place,
        image=image,
        phrase=text,
        category=each.category or text,
        numbers=() if isinstance(found, Fault) else found,
        fault=found if isinstance(found, Fault) else None,
        form="xyxy" if outline else None,
        unit="pixel" if outline else None,
        name=picture.name,
        size=size,
        meta={field: each.text(field) or "" for field in meta},
        reader=(each.text(reader) or "") if reader else "",
        owners=owners_of({**each.image, **each.entry}, meta),
        fields={**each.image, **each.entry},
        mask=_outline(each, image),
    )


def outline_fault(row: BoxRow) -> Fault | None:
    """Return what is wrong with the outline of a row that has a box beside it."""
    if row.mask is not None or row.fault is not None:
        return None
    found = _segmentation(row.fields.get("segmentation"), row.size, row.image)
    return found if isinstance(found, Fault) else None


def bare_row(each: Annotation, folder: Path, meta: tuple[str, ...]) -> BoxRow:
    """Return the row of an image without annotations; it has the fields of an annotation only by chance."""
    picture = _picture(each, folder)
    return image_row(each.place, Path(picture.path), picture.name, each.image, meta)


def _picture(each: Annotation, folder: Path) -> Picture:
    name = str(each.image["file_name"])
    picture = ImageColumns(folder).picture(name, each.place)
    if picture is None:
        raise DataError(f"{each.place}: the image has no `file_name`", found=repr(name))
    return picture


def _box(each: Annotation) -> tuple[tuple[Any, ...] | Fault, bool, tuple[Any, Any] | None]:
    """Return an annotation's box, whether it is that of its outline, and the image's size."""
    said = (each.image.get("width"), each.image.get("height"))
    size = None if said == (None, None) else said
    if each.outline is None:
        return (each.numbers if each.entry.get("bbox") else NO_BOX), False, size
    found = around_segmentation(each.outline, size)
    return (found, True, size) if isinstance(found, Fault) else (found.corners, True, found.size)


def _outline(each: Annotation, image: Path) -> Outline | None:
    size = (each.image.get("width"), each.image.get("height"))
    found = _segmentation(each.entry.get("segmentation"), None if size == (None, None) else size, image)
    return found if isinstance(found, Outline) else None


def _segmentation(value: Any, said: tuple[Any, Any] | None, image: Path) -> Outline | Fault | None:
    if not value:
        return None
    own = said is None and is_rle(value)
    size = rle_size(value) if own else counted_on(said, image)
    return of_segmentation(value, size) if isinstance(size, tuple) else size
