"""The files of MS-CXR as rows of one kind: the CSV and the COCO JSON of versions 1.0.0 and 1.1.0."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.coco_file import read_coco
from pefomed.errors import DataError, nearest
from pefomed.files.files import check_fields, inside, missing_field
from pefomed.files.rows import read_published

CATEGORIES = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Lung Opacity", "Pleural Effusion",
    "Pneumonia", "Pneumothorax",
)  # fmt: skip

_SPLITS = {"train": "train", "val": "validate", "test": "test"}
_COLUMNS = ("category_name", "label_text", "path", "x", "y", "w", "h", "image_width", "image_height")


def find(root: Path) -> Path:
    """Return the file at `root`, or the one of the folder `root`: the CSV if both kinds are there.

    Raises:
        DataError: there is none, or there are several versions.
    """
    if not root.is_dir():
        return root
    found = sorted(root.glob("MS_CXR_Local_Alignment_v*.csv")) or sorted(
        root.glob("MS_CXR_Local_Alignment_v*.json")
    )
    if len(found) != 1:
        raise DataError(
            f"{root} needs exactly one MS_CXR_Local_Alignment_v*.csv or .json",
            found=", ".join(path.name for path in found) or "none",
            remedy="name the file itself as the root" if found else "check the data folder and the root",
        )
    return found[0]


def rows(path: Path, images: Path) -> Iterator[tuple[BoxRow, str | None]]:
    """Yield each box with its split, `train`, `validate` or `test`; None where the release has none.

    Raises:
        DataError: the file is missing or not in the published layout, or a category or split is unknown.
    """
    yield from _json_rows(path, images) if path.suffix.lower() == ".json" else _csv_rows(path, images)


def people(image: Path) -> dict[str, str]:
    """Return the `patient` and the `study` that the path of an image names, in the words of `mimic_cxr`.

    They are those of MIMIC-CXR, e.g. files/p10/p10000032/s50414267/02aa804e.jpg; a path that names none
    gives none.
    """
    path = image.as_posix()
    patient, study = re.search(r"/(p\d{8})/", path), re.search(r"/p\d{8}/(s\d{8})/", path)
    return {
        **({"patient": patient[1]} if patient else {}),
        **({"study": study[1]} if study else {}),
    }


def _csv_rows(path: Path, images: Path) -> Iterator[tuple[BoxRow, str | None]]:
    for place, cells in read_published(path, _COLUMNS):
        row = BoxRow(
            place=place,
            image=inside(images, cells["path"].strip(), place),
            phrase=cells["label_text"].strip(),
            category=_category(cells["category_name"].strip(), place),
            numbers=tuple(cells[column] for column in ("x", "y", "w", "h")),
            size=(cells["image_width"], cells["image_height"]),
        )
        yield row, _split(cells.get("split"), place)


def _json_rows(path: Path, images: Path) -> Iterator[tuple[BoxRow, str | None]]:
    for each in read_coco(path).annotations:
        phrase = each.entry.get("label_text")
        if not isinstance(phrase, str):
            raise missing_field(each.place, "label_text", each.entry)
        check_fields(f"{each.place}, its image", each.image, ("path", "width", "height"))
        row = BoxRow(
            place=each.place,
            image=inside(images, str(each.image["path"]), each.place),
            phrase=phrase.strip(),
            category=_category(each.category, each.place),
            numbers=each.numbers,
            size=(each.image["width"], each.image["height"]),
        )
        yield row, _split(each.text("split"), each.place)


def _category(name: str, place: str) -> str:
    if name not in CATEGORIES:
        raise DataError(f"{place}: MS-CXR has no category {name!r}", remedy=nearest(name, CATEGORIES))
    return name


def _split(name: str | None, place: str) -> str | None:
    if name is None:
        return None
    if name.strip() not in _SPLITS:
        raise DataError(f"{place}: MS-CXR has no split {name!r}", remedy=nearest(name, _SPLITS))
    return _SPLITS[name.strip()]
