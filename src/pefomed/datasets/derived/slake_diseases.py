"""What SLAKE's labels say of diseases, in the wordings of its training questions.

Lungs and lobes are the patient's: what is on the right of the image is in the left lung. SLAKE says so in
both of its forms: `Lower Left Lung`, and `Left Lung, Lower Right`, where the place behind the comma is the
image's. Its heads called `Brain` have the image's sides alone, and no lobe. What counts as upper and lower
differs with the form; the limits below agree best with the training answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pefomed.datasets.derived.fact import Fact
from pefomed.datasets.derived.places import place_of, side_of
from pefomed.datasets.derived.slake_labels import SlakePicture
from pefomed.schema import Box

_TALL = 0.4
"""Height of a box that is neither upper nor lower."""
_IN_PATIENT, _IN_IMAGE = (0.41, 0.54), (0.37, 0.60)
"""Centres above the first are upper, below the second lower: of 47 training answers of the first form 39
agree, of 53 of the second 46; 0.44 and 0.56 would be 29 and 36."""

_PATIENT = {"left": "Right", "right": "Left"}
"""Side of the image -> side of the patient."""
_OTHER = {"Left": "right", "Right": "left"}
_CALLED = {
    "Effusion": "Pleural Effusion",
    "Infiltrate": "Pulmonary Infiltration",
    "Infiltration": "Pulmonary Infiltration",
    "Mass": "Pulmonary Mass",
    "Nodule": "Pulmonary Nodule",
}
"""Label -> what answers call it."""
_IN_QUESTIONS = {"Effusion": "pleural effusion", "Infiltrate": "infiltration"}
_LUNG = (
    "Atelectasis",
    "Infiltrate",
    "Infiltration",
    "Lung Cancer",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
)
_CHEST = ("Effusion",)
_BRAIN = ("Brain Edema", "Brain Enhancing Tumor", "Brain Non-enhancing Tumor")
_X_RAY = (*(label for label in _LUNG if label != "Lung Cancer"), "Cardiomegaly", "Effusion")


def where(picture: SlakePicture) -> Iterator[Fact]:
    """Yield in which part of which lung a disease is, or of which lobe of the brain: `Lower Left Lung`."""
    for label in picture.diseases:
        part, found = _part(label, picture), _of_patient(picture.boxes[label])
        if not part or not found:
            continue
        name = _asked(label)
        asked = [f"Where is the {name} in this image?", f"Where is/are the {name} located?"]
        if part == "Lung":
            asked += [f"Where is the {name} in the lung?", f"What part of the lung is the {name} located in?"]
        if part == "Lobe":
            asked += [f"Where is the {name}?", f"Where is the {name} located?"]
        yield Fact(picture.image, "disease_where", name, tuple(asked), f"{found} {part}")


def abnormality(picture: SlakePicture) -> Iterator[Fact]:
    """Yield where the abnormality is, of an image with one place of it."""
    boxes = [box for label in picture.diseases for box in picture.boxes[label]]
    in_image = ("Where is/are the abnormality located?",)
    if picture.location == "Brain" and boxes and (place := place_of(boxes)):
        yield Fact(picture.image, "abnormality", "image", in_image, place.title())
    parts = {_part(label, picture) for label in picture.diseases}
    if len(parts) != 1:
        return
    [part], found, side = parts, _of_patient(boxes), side_of(boxes)
    if part == "Lung" and side and (half := _half(boxes, _IN_IMAGE)) is not None:
        place = f"{half} {side}".strip().title()
        yield Fact(picture.image, "abnormality", "image", in_image, f"{_PATIENT[side]} Lung, {place}")
    if picture.diseases == ["Cardiomegaly"]:
        yield Fact(picture.image, "abnormality", "image", in_image, "Center")
    if picture.diseases == ["Liver Cancer"]:
        yield Fact(picture.image, "abnormality", "image", in_image, "Liver")
    if part in ("Lung", "Chest", "Lobe") and found:
        asked = (
            ("Where are the abnormalities in this image?",)
            if part == "Lobe"
            else (
                "Where is the abnormality in this image?",
                "Where is/are the abnormality located in this picture?",
            )
        )
        yield Fact(picture.image, "abnormality", part, asked, f"{found} {part}")


def side(picture: SlakePicture) -> Iterator[Fact]:
    """Yield which lung or lobe of the patient is abnormal, and whether the left or the right one is."""
    boxes = [box for label in picture.diseases for box in picture.boxes[label]]
    parts = {_part(label, picture) for label in picture.diseases}
    found = _PATIENT.get(str(side_of(boxes))) if boxes else None
    if len(parts) != 1 or not found:
        return
    [part] = parts
    if part == "Lobe":
        asked = (
            "Which lobe is abnormal in this image?",
            "Which lobe is abnormal,left or right?",
            "Which hemisphere is abnormal,left or right?",
        )
        yield Fact(picture.image, "disease_side", part, asked, found)
        normal = ("Which lobe is normal in this image?", "Which hemisphere is normal?")
        yield Fact(picture.image, "disease_side", "normal lobe", normal, _OTHER[found].title())
    elif part == "Lung":
        of_lung = (
            "Which side of lung is abnormal in this image,left or right?",
            "Which side of lung is abnormal in this image?",
        )
        yield Fact(picture.image, "disease_side", part, of_lung, found)
    name = {"Lung": "lung", "Chest": "chest", "Lobe": "brain lobe"}.get(part)
    for choice in ("left", "right") if name else ():
        question = f"Is/Are there abnormalities in the patient's {choice} {name}?"
        answer = "Yes" if choice == found.lower() else "No"
        yield Fact(picture.image, "disease_side", f"{name} {choice}", (question,), answer)


def observed(picture: SlakePicture) -> Iterator[Fact]:
    """Yield whether a disease can be observed in a part of a lung, right and wrong parts alike."""
    for label in picture.diseases:
        part, boxes = _part(label, picture), picture.boxes[label]
        found, half = _PATIENT.get(str(side_of(boxes))), _half(boxes, _IN_PATIENT)
        if part not in ("Lung", "Chest") or not found:
            continue
        own, other = found.lower(), _OTHER[found]
        places = {own: "Yes", other: "No"}
        if half:
            wrong = "upper" if half == "lower" else "lower"
            places |= {f"{half} {own}": "Yes", f"{wrong} {own}": "No", f"{half} {other}": "No"}
        for place, answer in places.items():
            question = f"Can {_asked(label)} be observed on the {place} {part.lower()} in this picture?"
            yield Fact(picture.image, "observed", f"{label} {place}", (question,), answer)


def there(picture: SlakePicture) -> Iterator[Fact]:
    """Yield whether a disease can be observed, of the diseases that are labelled in such images."""
    labels = set(picture.diseases)
    if picture.modality == "X-Ray" and labels & {*_X_RAY}:
        asked = dict.fromkeys(_X_RAY, "")
    elif labels & {*_BRAIN}:
        asked = dict.fromkeys(_BRAIN, "")
    elif "Liver" in picture.boxes:
        asked = {"Liver Cancer": ""}
    else:
        return
    for label in dict.fromkeys(asked):
        if label == "Infiltration":
            continue
        name = _asked(label)
        is_there = bool({label, "Infiltration"} & labels) if label == "Infiltrate" else label in labels
        questions = (
            f"Can {name} be observed in the picture?",
            f"Can {name} be observed in this picture?",
            f"Does the patient have {name}?",
        )
        yield Fact(picture.image, "disease_there", name, questions, "Yes" if is_there else "No")


def shown(picture: SlakePicture) -> Iterator[Fact]:
    """Yield which diseases are on a side of the lungs or of the brain, where all are on it."""
    labels = picture.diseases
    if not labels:
        return
    parts = {_part(label, picture) for label in labels}
    whole = ", ".join(_CALLED.get(label, label) for label in sorted(labels))
    if len(parts) != 1:
        return
    name = {"Lung": "lung", "Chest": "chest", "Lobe": "brain"}.get(parts.pop())
    sides = {_PATIENT.get(str(side_of(picture.boxes[label]))) for label in labels}
    if name and len(sides) == 1 and (side := sides.pop()):
        question = f"What disease is/are shown on the {side.lower()} of {name}?"
        yield Fact(picture.image, "disease_shown", f"{name} {side}", (question,), whole)


def kinds(picture: SlakePicture) -> Iterator[Fact]:
    """Yield how many kinds of abnormalities an image has."""
    if picture.diseases:
        question = "How many kinds of abnormalities are there in this image?"
        yield Fact(picture.image, "disease_count", "", (question,), str(len(picture.diseases)))


def _part(label: str, picture: SlakePicture) -> str:
    """Return what of the patient answers name a disease's side with; empty if they do not."""
    if label in _LUNG:
        return "Lung"
    if label in _CHEST:
        return "Chest"
    # Of `Brain` images SLAKE's answers say the side of the image, of `Brain_Tissue` the patient's lobe.
    return "Lobe" if label in _BRAIN and picture.location != "Brain" else ""


def _of_patient(boxes: Sequence[Box]) -> str:
    """Return `Left`, `Upper Left` ... of the patient; empty if the boxes are not all in one such part."""
    side, half = side_of(boxes), _half(boxes, _IN_PATIENT)
    if side is None or half is None:
        return ""
    return f"{half.title()} {_PATIENT[side]}".strip()


def _half(boxes: Sequence[Box], limits: tuple[float, float]) -> str | None:
    """Return `upper`, `lower` or, between the limits, nothing; None if the boxes are in several of them."""
    upper, lower = limits
    found = set()
    for box in boxes:
        centre = (box.y0 + box.y1) / 2
        tall = box.y1 - box.y0 >= _TALL
        found.add("" if tall or upper <= centre <= lower else "upper" if centre < upper else "lower")
    return found.pop() if len(found) == 1 else None


def _asked(label: str) -> str:
    return _IN_QUESTIONS.get(label, label.lower())
