"""MS-CXR: phrases of chest radiograph reports with the boxes that radiologists drew for them.

Link: https://physionet.org/content/ms-cxr/. Licence: PhysioNet Credentialed Health Data License; its
text and images stay on the machine. Counts: 1,162 image-phrase pairs, 1,047 images, 1,448 boxes, eight
categories. Layout: `MS_CXR_Local_Alignment_v1.0.0.csv` or `.json` (COCO), or v1.1.0, which adds `split`
(`train`, `val`, `test`); images of MIMIC-CXR-JPG under `files/`. Boxes are pixels of the original image.

One row of the CSV of version 1.1.0::

    category_name,label_text,path,x,y,w,h,image_width,image_height,dicom_id,split
    Pneumonia,left basilar opacity,files/p10/p10000032/s50414267/02aa804e.jpg,1601,1492,771,652,2544,3056,02aa804e,train

A phrase with several boxes is several rows, here one sample. Version 1.0.0 has no split: it is `all`,
or its patients are divided by a seeded hash. `meta` names the patient and the study, which are those of
MIMIC-CXR, so that the audit finds a patient who is in two splits. A phrase with a box outside its image, or without area, is
left out and counted by the audit.
"""  # noqa: E501

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pefomed.annotations import ms_cxr_file
from pefomed.annotations.box_rows import merge_boxes, part_wrong
from pefomed.annotations.box_tasks import BoxTask, is_chosen, samples_of
from pefomed.datasets.card import DataCard
from pefomed.errors import DataError
from pefomed.files.files import unknown_split
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

CARD = DataCard(
    title="MS-CXR (1,162 phrases, 1,448 boxes, 1,047 images)",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    link="https://physionet.org/content/ms-cxr/",
    citation=(
        "Boecking, Usuyama, Bannur, Castro, Schwaighofer, Hyland et al.: Making the most of text semantics"
        " to improve biomedical vision-language processing. ECCV 2022"
    ),
    restricted=True,
    splits={"train": None, "validate": None, "test": None},
    access="credentialed access at PhysioNet to MS-CXR and to MIMIC-CXR-JPG, which holds the images",
    files=(
        "MS_CXR_Local_Alignment_v1.1.0.csv, files/p10/p10000032/s50414267/<dicom>.jpg",
        "MS_CXR_Local_Alignment_v1.1.0.json, files/...",
        "MS_CXR_Local_Alignment_v1.0.0.csv or .json, files/... (no splits)",
    ),
)

Share = Annotated[float, Field(ge=0, lt=1)]


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    images: str = ".",
    scaled_images: bool = False,
    validate_share: Share = 0.0,
    test_share: Share = 0.0,
    split_seed: int = 0,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and phrase of `split` (`train`, `validate`, `test`, `all`).

    Args:
        root: the CSV or JSON file, or the folder of one release (the CSV is read if both are there).
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        images: folder that holds `files/`, relative to the CSV's folder.
        scaled_images: the images were scaled in proportion; boxes are pixels of the sizes in the file.
        validate_share: of a release without splits, the share of patients that is `validate`.
        test_share: likewise; what is left is `train`.
        split_seed: seed of the hash that divides the patients.

    Raises:
        DataError: a file, field or image is missing, a category is unknown, an image is not as large
            as the file says, or more than 5 % of the boxes are wrong.
    """
    if split not in (*CARD.splits, "all"):
        raise unknown_split("MS-CXR", split, (*CARD.splits, "all"))
    path = ms_cxr_file.find(root)
    rows = [
        row
        for row, said in ms_cxr_file.rows(path, path.parent / images)
        if split == "all"
        or split == (said or _drawn(row.image, row.place, validate_share, test_share, split_seed))
    ]
    phrases, wrong = part_wrong(merge_boxes(rows, "xywh", "pixel", scaled_images=scaled_images))
    yield from wrong
    ids = ContentIds("ms_cxr")
    for phrase in phrases:
        image = phrase.first.image
        name = ids(image.name, phrase.first.category, phrase.first.phrase)
        if is_chosen(phrase.boxes, boxes):
            yield from samples_of(
                name, str(image), phrase.size, phrase.first.phrase,
                phrase.boxes, {"category": phrase.first.category, **ms_cxr_file.people(image)}, tasks,
            )  # fmt: skip


def _drawn(image: Path, place: str, validate_share: float, test_share: float, seed: int) -> str:
    """Return the split that the image's patient falls into."""
    if not (validate_share or test_share):
        raise DataError(
            f"{place}: this release of MS-CXR has no splits",
            remedy="use the split 'all', take version 1.1.0, or set `test_share` and `validate_share` to"
            " have its patients divided",
        )
    patient = ms_cxr_file.people(image).get("patient")
    if patient is None:
        raise DataError(
            f"{place}: the path names no patient, so the image cannot be given to a split",
            found=str(image),
            remedy="it must be as in files/p10/p10000032/s50414267/02aa804e.jpg",
        )
    digest = hashlib.sha256(f"{seed}/{patient}/".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if draw < test_share else "validate" if draw < test_share + validate_share else "train"
