"""SLAKE's training images with their labels, and what is known to be nowhere in them.

The boxes of `detection.json` are not all there is: 190 training questions whether the picture contains an
organ are answered yes though it has no box. But where two or more different organs are labelled, all are: of
131 such questions about an organ without a box none is answered yes. Beyond that an organ is absent where the
image is of a part of the body that is far from all in which the training labels have it: not the same one of
`REGIONS`, and not the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pefomed.datasets import slake
from pefomed.datasets.derived.fact import Picture
from pefomed.datasets.slake_boxes import images_of, label_boxes
from pefomed.datasets.slake_captions import is_disease
from pefomed.images.images import image_size

REGIONS = ("head", "neck", "chest", "abdomen", "pelvis")
"""From top to bottom."""

_REGION = {
    "Abdomen": "abdomen",
    "Brain": "head",
    "Brain_Face": "head",
    "Brain_Tissue": "head",
    "Chest_heart": "chest",
    "Chest_lung": "chest",
    "Chest_mediastinal": "chest",
    "Lung": "chest",
    "Neck": "neck",
    "Pelvic Cavity": "pelvis",
}
_COMPLETE = 2  # different organs


@dataclass(frozen=True)
class SlakePicture(Picture):
    """An image of SLAKE with its labels."""

    modality: str = ""
    location: str = ""
    complete: bool = False
    """Whether every organ that it shows is labelled."""

    @property
    def region(self) -> str:
        """Return which of `REGIONS` it shows."""
        return _REGION.get(self.location, "")

    @property
    def organs(self) -> dict[str, list[str]]:
        """Return the labelled organs: kidney -> Left Kidney and Right Kidney, as far as they are there."""
        found: dict[str, list[str]] = {}
        for label in self.boxes:
            if not is_disease(label):
                found.setdefault(organ(label), []).append(label)
        return found

    @property
    def diseases(self) -> list[str]:
        """Return the labelled diseases."""
        return [label for label in self.boxes if is_disease(label)]


def organ(label: str) -> str:
    """Return an organ without its side, in lower case: `kidney` for `Left Kidney`."""
    return label.removeprefix("Left ").removeprefix("Right ").lower()


def has_two(name: str) -> bool:
    """Return whether people have two of an organ, which SLAKE labels with their sides."""
    return name in _PAIRS


def slake_pictures(root: Path, split: str) -> list[SlakePicture]:
    """Return the images of `split` in the order of their questions; `absent` holds organs without sides.

    Raises:
        DataError: a file or field is missing, or a box is wrong.
    """
    found = []
    for path, modality, location in images_of(root, split):
        boxes = {label: tuple(places) for label, places in label_boxes(path, image_size(path)).items()}
        found.append(
            SlakePicture(
                str(path), boxes, meta={"modality": modality, "location": location},
                modality=modality, location=location,
                complete=len({organ(label) for label in boxes if not is_disease(label)}) >= _COMPLETE,
            )
        )  # fmt: skip
    return list(_with_absent(found))


def own_questions(root: Path, split: str) -> dict[tuple[str, str], set[str]]:
    """Return SLAKE's own answers to each question about each image: (path, question) -> answers.

    Of the questions `plain` is what counts.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for row in slake.rows_of(root, split, "en"):
        key = str(slake.image_path(root, row["img_name"])), plain(row["question"])
        found.setdefault(key, set()).add(plain(row["answer"]))
    return found


def plain(text: str) -> str:
    """Return a text in lower case without double spaces and marks, to be compared."""
    return " ".join(text.replace(",", " ").replace("?", " ").replace(".", " ").casefold().split())


def _with_absent(pictures: list[SlakePicture]) -> Iterator[SlakePicture]:
    regions: dict[str, set[int]] = {}
    for picture in pictures:
        for name in picture.organs if picture.region else ():
            regions.setdefault(name, set()).add(REGIONS.index(picture.region))
    for picture in pictures:
        at = REGIONS.index(picture.region) if picture.region else None
        absent = tuple(
            name
            for name, places in sorted(regions.items())
            if name not in picture.organs
            and (picture.complete or (at is not None and min(abs(at - place) for place in places) > 1))
        )
        yield SlakePicture(
            picture.image, picture.boxes, absent, picture.meta, {},
            picture.modality, picture.location, picture.complete,
        )  # fmt: skip


_PAIRS = ("ear", "eye", "femoral head", "kidney", "lung", "mandible", "parotid", "temporal lobe")
