"""What SLAKE says of an image as a whole: modality, plane, part of the body."""

from __future__ import annotations

from collections.abc import Iterator

from pefomed.datasets.derived.fact import Fact
from pefomed.datasets.derived.slake_labels import SlakePicture

_PARTS = {"head": "Head", "neck": "Neck", "chest": "Chest", "abdomen": "Abdomen", "pelvis": "Pelvic Cavity"}


def modality(picture: SlakePicture) -> Iterator[Fact]:
    """Yield what the image was taken with, and whether it was each of the three."""
    asked = (
        "What modality is used to take this image?",
        "What modality is shown in this image?",
        "How was this image taken?",
        "What imaging modality was used?",
        "What type of medical image is this?",
    )
    yield Fact(picture.image, "modality", "", asked, picture.modality)
    for name in ("CT", "MRI", "X-Ray"):
        questions = (
            f"Is this image taken via {name}?",
            f"Is this an {name}?" if name == "MRI" else f"Is this a {name}?",
        )
        yield Fact(picture.image, "modality", name, questions, _yes_no(picture.modality == name))


def plane(picture: SlakePicture) -> Iterator[Fact]:
    """Yield the plane: of X-rays coronal, else transverse, as in all training answers.

    None of them is about the plane of an MRI of the abdomen: nothing is asked of it.
    """
    if picture.modality == "MRI" and picture.region != "head":
        return
    coronal = picture.modality == "X-Ray"
    asked = (
        "What is the scanning plane of this image?",
        "In what plane is this image scanned?",
        "What scanning plane does this image belong to?",
        "Which plane is the image scanned, transverse plane or coronal plane?",
    )
    yield Fact(picture.image, "plane", "", asked, "Coronal Plane" if coronal else "Transverse Plane")
    for name, right in (("transverse", not coronal), ("coronal", coronal)):
        questions = (f"Is this a {name} plane?", f"Is this a {name} section?")
        yield Fact(picture.image, "plane", name, questions, _yes_no(right))


def region(picture: SlakePicture) -> Iterator[Fact]:
    """Yield the part of the body, where the label says it."""
    part = _PARTS.get(picture.region)
    # Slices at the level of the heart show both, and the MRI called `Lung` are of the abdomen.
    unclear = picture.location == "Chest_heart" or (picture.modality == "MRI" and picture.location == "Lung")
    if part is None or unclear:
        return
    asked = [
        "Where does the picture show?",
        "Which part do the organs in this image locate from the aspect of the whole body?",
        "Where does the image represent in the body?",
    ]
    if picture.location != "Brain":
        asked.append("Which part of the human body is the organ located in the image?")
    yield Fact(picture.image, "region", "", tuple(asked), part)
    for name in _PARTS.values():
        questions = (
            f"Do the organs in the image exist in the {name.lower()}?",
            f"Is this a study of the {name.lower()}?",
        )
        yield Fact(picture.image, "region", name, questions, _yes_no(name == part))


def _yes_no(right: bool) -> str:
    return "Yes" if right else "No"
