"""SLAKE captions: one factual sentence per SLAKE image, composed from its labels.

The sentence names the modality, the body region (`location`), the organs and the diseases of
`detection.json`; each disease with its count and its place in the image. It is the same at every
reading, and holds nothing that the labels do not say. An image belongs to the split its English
questions belong to, so no test image is among the training captions.

Link, licence and layout: see `slake`. Counts: 450 / 96 / 96 train, validate, test captions.

One record of `detection.json`, x, y, width, height in pixels from the top left corner::

    [{"Liver": [35.0, 71.0, 110.0, 152.0]}, {"Liver Cancer": [61.0, 93.0, 42.0, 37.0]}]

and what it becomes::

    {"id": "slake_captions-train-xmlab15", "images": [".../imgs/xmlab15/source.jpg"],
     "task": "caption", "reference": "An abdominal CT image showing the liver, with liver cancer on the
     left of the image.", "meta": {"modality": "CT", "location": "Abdomen"}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pefomed.datasets import slake
from pefomed.datasets.card import Published
from pefomed.errors import DataError, nearest
from pefomed.files.files import read_rows
from pefomed.images.images import image_size
from pefomed.schema import Sample, meta_text

CARD = replace(
    slake.CARD,
    title="SLAKE captions",
    splits={
        "train": Published(samples=450, images=450),
        "validate": Published(samples=96, images=96),
        "test": Published(samples=96, images=96),
    },
)

_REGIONS = {
    "Abdomen": "abdominal {} image",
    "Brain": "brain {} image",
    "Brain_Face": "{} image of the brain and the face",
    "Brain_Tissue": "{} image of the brain tissue",
    "Chest_heart": "chest {} image at the level of the heart",
    "Chest_lung": "chest {} image at the level of the lungs",
    "Chest_mediastinal": "chest {} image at the level of the mediastinum",
    "Lung": "chest {} image",
    "Neck": "neck {} image",
    "Pelvic Cavity": "pelvic {} image",
}
_DISEASES = {
    "Atelectasis": ("atelectasis", "atelectasis"),
    "Brain Edema": ("brain edema", "brain edema"),
    "Brain Enhancing Tumor": ("an enhancing brain tumor", "enhancing brain tumors"),
    "Brain Non-enhancing Tumor": ("a non-enhancing brain tumor", "non-enhancing brain tumors"),
    "Cardiomegaly": ("cardiomegaly", "cardiomegaly"),
    "Effusion": ("an effusion", "effusions"),
    "Infiltrate": ("an infiltrate", "infiltrates"),
    "Infiltration": ("an infiltrate", "infiltrates"),
    "Liver Cancer": ("liver cancer", "liver cancer"),
    "Lung Cancer": ("lung cancer", "lung cancer"),
    "Mass": ("a mass", "masses"),
    "Nodule": ("a nodule", "nodules"),
    "Pneumonia": ("pneumonia", "pneumonia"),
    "Pneumothorax": ("a pneumothorax", "pneumothoraces"),
}
_ORGAN_NAMES = {"Tooth": "the teeth"}
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Half the width of the middle. Of 0.02 to 0.17 it agrees best with the training answers to "Where is
# the liver?" and the like: 56 of the 74 that name one of the nine places about one box.
_MIDDLE = 0.06
_PLACES = (
    ("on the upper left", "at the top", "on the upper right"),
    ("on the left", "in the center", "on the right"),
    ("on the lower left", "at the bottom", "on the lower right"),
)


def load(root: Path, split: str) -> Iterator[Sample]:
    """Yield one caption for each image of `split` (`train`, `validate`, `test`), in file order.

    Raises:
        DataError: a file or field is missing, a label is unknown, or the split does not exist.
    """
    seen: set[str] = set()
    for row in slake.rows_of(root, split, "en"):
        name = row["img_name"]
        if name in seen:
            continue
        seen.add(name)
        path = slake.image_path(root, name)
        places = _places(path.with_name("detection.json"), path)
        modality, location = meta_text(row["modality"]), meta_text(row["location"])
        yield Sample(
            id=f"slake_captions-{split}-{path.parent.name}",
            images=(str(path),),
            task="caption",
            reference=compose(modality, location, places),
            meta={"modality": modality, "location": location},
        )


def compose(modality: str, location: str, places: Mapping[str, Sequence[str]]) -> str:
    """Return the caption of an image.

    Args:
        places: label of `detection.json` -> the place of each of its boxes.

    Raises:
        DataError: the location is none of SLAKE's.
    """
    organs = [f"{_organ(label)} {_join(found)}" for label, found in places.items() if not is_disease(label)]
    diseases = [
        f"{_disease(label, len(found))} {_join(found)}"
        for label, found in places.items()
        if is_disease(label)
    ]
    return sentence(modality, location, organs, diseases)


def sentence(modality: str, location: str, organs: Sequence[str], diseases: Sequence[str]) -> str:
    """Return the sentence that names these organs and diseases.

    Raises:
        DataError: the location is none of SLAKE's.
    """
    if location not in _REGIONS:
        raise DataError(f"SLAKE has no location {location!r}", remedy=nearest(location, _REGIONS))
    text = _REGIONS[location].format(modality)
    article = "An" if text[0] in "aeiouAEIOU" or text.startswith(("MRI", "X-")) else "A"
    said = f"{article} {text}"
    if organs:
        said += f" showing {_join(organs)}"
    if diseases:
        said += f"{',' if organs else ''} with {_join(diseases)}"
    return said + "."


def is_disease(label: str) -> bool:
    """Return whether a label of `detection.json` is a disease, not an organ."""
    return label in _DISEASES


def _places(labels: Path, image: Path) -> dict[str, list[str]]:
    """Return for each label, in file order, the places of its boxes."""
    width, height = image_size(image)
    places: dict[str, list[str]] = {}
    for entry in read_rows(labels, ()):
        for label, box in entry.items():
            x, y, w, h = _numbers(labels, label, box)
            places.setdefault(label, []).append(_place((x + w / 2) / width, (y + h / 2) / height))
    return places


def _numbers(labels: Path, label: str, box: Any) -> tuple[float, float, float, float]:
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(isinstance(number, int | float) and abs(number) < 1e9 for number in box)  # not NaN either
    ):
        raise DataError(f"{labels}: {label!r} needs [x, y, width, height] in pixels", found=repr(box))
    return box[0], box[1], box[2], box[3]


def _place(x: float, y: float) -> str:
    def part(value: float) -> int:
        return 0 if value < 0.5 - _MIDDLE else 2 if value > 0.5 + _MIDDLE else 1

    return _PLACES[part(y)][part(x)]


def _organ(label: str) -> str:
    return _ORGAN_NAMES.get(label, f"the {label.lower()}")


def _disease(label: str, count: int) -> str:
    one, several = _DISEASES[label]
    if count == 1 or one == several:
        return one
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} {several}"


def _join(parts: Sequence[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`; what is said twice is said once."""
    parts = list(dict.fromkeys(parts))
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
