"""MS-CXR as MedRPG divides it: the 638 / 85 / 167 phrases with one box that others report results on.

Link: https://github.com/eraserNut/MedRPG (`data/MS_CXR/MS_CXR_{train,val,test}.pth`). Licence: that of
MS-CXR, see `ms_cxr`; text and images stay on the machine. Layout: the three files in the root; images of
MIMIC-CXR-JPG under `files/`. A file is a list, saved by torch, read here without torch and without
running anything in it. 43 % of the test phrases are of one category, Cardiomegaly.

One record, `(anno_id, image_id, category_id, path, [x, y, w, h], width, height, phrase)`::

    (17, 12, 1, "files/p10/p10000032/s50414267/02aa804e.jpg", [210, 251, 289, 240], 2544, 3056,
     "the heart is enlarged")

Trap: the box is in a frame of 640 x 640 pixels to which the image was squashed, whatever width and
height say.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pefomed.annotations.box_rows import BoxRow, merge_boxes, part_wrong
from pefomed.annotations.box_tasks import BoxTask, samples_of
from pefomed.annotations.ms_cxr_file import people
from pefomed.datasets import ms_cxr
from pefomed.datasets.card import Published
from pefomed.errors import DataError, json_kind
from pefomed.files.files import inside, unknown_split
from pefomed.files.plain_pickle import read_plain_pickle
from pefomed.files.unzip import ZIP_FAULTS
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

CARD = replace(
    ms_cxr.CARD,
    title="MS-CXR, MedRPG's split",
    link="https://github.com/eraserNut/MedRPG",
    citation=f"{ms_cxr.CARD.citation}; Chen, Zhou, Tran, Zhao, Wan, Ooi, Cheng, Thng, Xu, Liu, Fu: Medical"
    " phrase grounding with region-phrase context contrastive alignment. MICCAI 2023",
    splits={
        "train": Published(samples=638),
        "validate": Published(samples=85),
        "test": Published(samples=167),
    },
    files=("MS_CXR_train.pth, MS_CXR_val.pth, MS_CXR_test.pth, files/p10/p10000032/s50414267/<dicom>.jpg",),
)

FRAME = (640, 640)

PICKLE_LIMIT = 2**28
"""Most bytes that a zip may unpack to; the published files have some hundred thousand."""

_CATEGORIES = {
    1: "Cardiomegaly", 2: "Lung Opacity", 3: "Edema", 4: "Consolidation", 5: "Pneumonia",
    6: "Atelectasis", 7: "Pneumothorax", 8: "Pleural Effusion",
}  # fmt: skip
_FILES = {"train": "train", "validate": "val", "test": "test"}


def load(
    root: Path, split: str, *, tasks: tuple[BoxTask, ...] = ("refer",), images: str = "."
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task and phrase of `split` (`train`, `validate`, `test`).

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        images: folder that holds `files/`, relative to `root`.

    Raises:
        DataError: a file or image is missing, a file is not in the published layout or would run code,
            or more than 5 % of the boxes are wrong.
    """
    if split not in _FILES:
        raise unknown_split("MS-CXR as MedRPG divides it", split, _FILES)
    path = root / f"MS_CXR_{_FILES[split]}.pth"
    rows = (_row(record, f"{path}, entry {number}", root / images) for number, record in _records(path))
    phrases, wrong = part_wrong(merge_boxes(rows, "xywh", "pixel", frame=FRAME))
    yield from wrong
    ids = ContentIds(f"medrpg-{split}")
    for phrase in phrases:
        image = phrase.first.image
        name = ids(image.name, phrase.first.category, phrase.first.phrase)
        yield from samples_of(
            name, str(image), phrase.size, phrase.first.phrase, phrase.boxes,
            {"category": phrase.first.category, **people(image)}, tasks,
        )  # fmt: skip


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    content = _saved_by_torch(path)
    if not isinstance(content, list):
        raise DataError(f"{path}: expected a list", found=json_kind(content))
    yield from enumerate(content, 1)


def _saved_by_torch(path: Path) -> Any:
    """Return the value in a file of `torch.save`: a zip, or (before torch 1.6) five pickles in a row."""
    if not zipfile.is_zipfile(path):
        return read_plain_pickle(path, skipped=3)  # a magic number, the format's version, the machine
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if each.filename.rsplit("/", 1)[-1] == "data.pkl"]
            if len(members) != 1:
                raise DataError(f"{path} was not saved by torch", found=f"{len(members)} members data.pkl")
            if members[0].file_size > PICKLE_LIMIT:
                raise DataError(f"{path}: data.pkl unpacks to more than {PICKLE_LIMIT:,} bytes")
            data = archive.read(members[0])
    except ZIP_FAULTS as error:
        raise DataError(
            f"{path} is damaged", found=str(error) or type(error).__name__, remedy="download it again"
        ) from None
    return read_plain_pickle(path, io.BytesIO(data))


def _row(record: Any, place: str, images: Path) -> BoxRow:
    if not isinstance(record, list | tuple) or len(record) != 8:
        raise DataError(
            f"{place}: expected (anno_id, image_id, category_id, path, box, width, height, phrase)",
            found=repr(record)[:120],
        )
    _, _, category, name, box, _, _, phrase = record
    if not isinstance(name, str) or not isinstance(phrase, str) or not isinstance(box, list | tuple):
        raise DataError(f"{place}: expected path, box and phrase", found=repr((name, box, phrase))[:120])
    if category not in _CATEGORIES:
        raise DataError(f"{place}: unknown category {category!r}", remedy=f"known: {_CATEGORIES}")
    # No size: what the record says of it is not what its box is counted in.
    return BoxRow(place, inside(images, name, place), phrase.strip(), _CATEGORIES[category], tuple(box))
