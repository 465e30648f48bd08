"""SLAKE boxes: the labelled organs and diseases of SLAKE's images, to be found or to be named.

The phrase is the label. All boxes of a label in an image are one sample. An image belongs to the split
its English questions belong to, as in `slake` and `slake_captions`.

Link, licence and layout: see `slake`. Counts: 1,622 boxes on 580 of the 642 images (62 have none), 44
labels; phrases with one box 869 / 194 / 174 train, validate, test, with several 102 / 28 / 21. The
boxes are pixels from the top left corner; none stands out of its image.

One record of `imgs/xmlab15/detection.json`, x, y, width, height::

    [{"Liver": [35.0, 71.0, 110.0, 152.0]}, {"Liver Cancer": [61.0, 93.0, 42.0, 37.0]}]

and what the first entry becomes::

    {"id": "slake_boxes-train-xmlab15-liver-refer", "images": [".../imgs/xmlab15/source.jpg"],
     "task": "refer", "question": "Liver", "boxes": [{"x0": 0.137, ...}], "size": [256, 256],
     "meta": {"category": "Liver", "modality": "CT", "location": "Abdomen", "boxes": "1"}}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pefomed.annotations.box_numbers import Fault, box_of
from pefomed.annotations.box_tasks import BoxTask, is_chosen, marked_phrase, samples_of
from pefomed.datasets import slake
from pefomed.datasets.slake_captions import is_disease, sentence
from pefomed.errors import DataError
from pefomed.files.files import read_rows
from pefomed.images.images import image_size
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Box, Sample, meta_text

# How many samples there are depends on the options.
CARD = replace(
    slake.CARD,
    title="SLAKE boxes",
    splits={"train": None, "validate": None, "test": None},
)

Boxes = dict[str, list[Box]]
"""Label -> its boxes, both in file order."""


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[Literal["refer", "identify", "detection", "grounding"], ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and label of `split` (`train`, `validate`, `test`).

    Images without a labelled box are yielded as what is left out.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?); `grounding` gives one
            sample per image, its caption with every label marked.
        boxes: only the phrases with `one` or with `several` boxes; says nothing about `grounding`.

    Raises:
        DataError: a file or field is missing, a box is wrong, or the split does not exist.
    """
    asked: tuple[BoxTask, ...] = tuple(task for task in tasks if task != "grounding")
    for path, modality, location in images_of(root, split):
        size = image_size(path)
        found = label_boxes(path, size)
        if not found:
            yield LeftOut(str(_labels(path)), "an image without a labelled box")
        stem = f"slake_boxes-{split}-{path.parent.name}"
        meta = {"modality": modality, "location": location}
        for label, places in found.items():
            if is_chosen(places, boxes):
                yield from samples_of(
                    f"{stem}-{label.lower().replace(' ', '_')}", str(path), size, label, places,
                    {"category": label, **meta}, asked,
                )  # fmt: skip
        if "grounding" in tasks and found:
            yield Sample(
                id=f"{stem}-grounding", images=(str(path),), task="grounding",
                reference=_caption(found, modality, location),
                boxes=tuple(box for places in found.values() for box in places), size=size, meta=meta,
            )  # fmt: skip


def images_of(root: Path, split: str) -> Iterator[tuple[Path, str, str]]:
    """Yield path, modality and location of each image of `split`, in the order of its questions."""
    seen: set[str] = set()
    for row in slake.rows_of(root, split, "en"):
        if row["img_name"] not in seen:
            seen.add(row["img_name"])
            path = slake.image_path(root, row["img_name"])
            yield path, meta_text(row["modality"]), meta_text(row["location"])


def label_boxes(image: Path, size: tuple[int, int]) -> Boxes:
    """Return the boxes of an image's `detection.json`.

    Raises:
        DataError: the file is missing, or a box is wrong.
    """
    labels = _labels(image)
    found: Boxes = {}
    for number, entry in enumerate(read_rows(labels, ()), 1):
        for label, numbers in entry.items():
            place = f"{labels}, entry {number} ({label!r})"
            if not isinstance(numbers, list):
                raise DataError(f"{place}: expected [x, y, width, height]", found=repr(numbers))
            box = box_of(numbers, "xywh", "pixel", size)
            if isinstance(box, Fault):
                raise box.error(place)
            found.setdefault(label, []).append(box)
    return found


def _labels(image: Path) -> Path:
    return image.with_name("detection.json")


def _caption(found: Boxes, modality: str, location: str) -> str:
    """Return the caption of an image, each label marked with the numbers of its boxes in file order."""
    organs, diseases = [], []
    first = 0
    for label, places in found.items():
        mark = marked_phrase(label.lower(), first, len(places))
        first += len(places)
        if is_disease(label):
            diseases.append(mark)
        else:
            organs.append(f"the {mark}")
    return sentence(modality, location, organs, diseases)
