"""A COCO JSON file as annotations, each with its image and its category.

Layout: `{"images": [{"id", "file_name", "width", "height", ...}], "categories": [{"id", "name"}],
"annotations": [{"id", "image_id", "category_id", "bbox": [x, y, w, h], ...}]}`, see
https://cocodataset.org/#format-data. An annotation without `bbox` may have a `segmentation`: polygons, or a
run-length code (`readers.rle`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, json_kind, listed
from pefomed.files.files import read_json


@dataclass(frozen=True)
class Annotation:
    """One box of a COCO file."""

    place: str
    """The file and the annotation's id, for error messages."""
    entry: Mapping[str, Any]
    image: Mapping[str, Any]
    category: str
    """Empty where it has none."""

    def text(self, field: str) -> str | None:
        """Return a field of the annotation, or else of its image, as text; None where neither has it.

        A field of an object inside is named by its path: `metadata.patient`.
        """
        value = self.entry.get(field, self.image.get(field))
        if value is None:
            value = next(
                (at for at in (_at(self.entry, field), _at(self.image, field)) if at is not None), None
            )
        return None if value is None else str(value).strip()

    @property
    def numbers(self) -> tuple[Any, ...]:
        """The field `bbox`, whatever is in it."""
        box = self.entry.get("bbox")
        return tuple(box) if isinstance(box, list) else (box,)

    @property
    def outline(self) -> Any:
        """The field `segmentation` where there is no `bbox`; None where there is neither."""
        return None if self.entry.get("bbox") else self.entry.get("segmentation") or None


@dataclass(frozen=True)
class CocoFile:
    """What a COCO file holds."""

    annotations: tuple[Annotation, ...]
    """In file order."""
    bare: tuple[Annotation, ...]
    """The images that no annotation names, as annotations without a field and a category."""
    categories: tuple[str, ...] = ()
    """All that the file names, whether or not an annotation has them."""


def read_coco(path: Path) -> CocoFile:
    """Return what is in a COCO file.

    Raises:
        DataError: the file is missing, not COCO JSON, an id occurs twice, or an annotation names an
            image or a category that the file does not have.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise DataError(f"{path} is no COCO file: expected an object", found=json_kind(content))
    images = _by_id(path, content, "images", ("id", "file_name"))
    categories = _by_id(path, content, "categories", ("id", "name")) if _has_categories(content) else {}
    names = {key: entry["name"] for key, entry in categories.items()}
    annotations = []
    for key, entry in _by_id(path, content, "annotations", ("image_id",)).items():
        place = f"{path}, annotation {key}"
        named = entry.get("category_id")
        if isinstance(named, list | dict):
            raise DataError(f"{place}: a category id is a number or a text", found=f"{named!r:.80}")
        category = "" if named is None else str(_named(names, named, "category", place)).strip()
        annotations.append(
            Annotation(place, entry, _named(images, entry["image_id"], "image", place), category)
        )
    used = {each.entry["image_id"] for each in annotations}
    bare = [key for key in images if key not in used]
    return CocoFile(
        tuple(annotations),
        tuple(Annotation(f"{path}, image {key}", {}, images[key], "") for key in bare),
        tuple(dict.fromkeys(str(name).strip() for name in names.values())),
    )


def _at(fields: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a path of names joined by dots; None where there is nothing."""
    name, _, rest = path.partition(".")
    inner = fields.get(name)
    return _at(inner, rest) if rest and isinstance(inner, Mapping) else None if rest else inner


def _has_categories(content: Mapping[str, Any]) -> bool:
    """Return whether a file needs categories: not where its annotations name none."""
    entries = content.get("annotations")
    named = not isinstance(entries, list) or any(
        isinstance(entry, dict) and entry.get("category_id") is not None for entry in entries
    )
    return named or "categories" in content


def _by_id(
    path: Path, content: Mapping[str, Any], part: str, fields: tuple[str, ...]
) -> dict[Hashable, dict[str, Any]]:
    entries = content.get(part)
    if not isinstance(entries, list):
        raise DataError(
            f"{path} is no COCO file: it needs a list {part!r}",
            found=f"keys {listed(sorted(str(key) for key in content))}",
        )
    found: dict[Hashable, dict[str, Any]] = {}
    for number, entry in enumerate(entries, 1):
        place = f"{path}, {part} entry {number}"
        if not isinstance(entry, dict):
            raise DataError(f"{place}: expected an object", found=json_kind(entry))
        for field in fields:
            if entry.get(field) is None or isinstance(entry[field], list | dict):
                raise DataError(f"{place}: no field {field!r}", found=f"fields {listed(sorted(entry))}")
        key = entry.get("id", f"of entry {number}")
        if isinstance(key, list | dict):
            raise DataError(f"{place}: an id is a number or a text", found=f"{key!r:.80}")
        if key in found:
            raise DataError(f"{place}: the id {key!r} occurs twice", remedy="give each its own id")
        found[key] = entry
    return found


def _named(known: Mapping[Hashable, Any], key: Hashable, what: str, place: str) -> Any:
    if key not in known:
        raise DataError(
            f"{place}: unknown {what} id {key!r}",
            found=f"{len(known):,} known, e.g. {listed([repr(each) for each in known], most=3)}",
            remedy=f"add the {what} to the file, or remove the annotation",
        )
    return known[key]
