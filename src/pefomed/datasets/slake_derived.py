"""SLAKE, derived: questions made from the labels and boxes of SLAKE's training images, in SLAKE's wordings.

They teach to look: each answer follows from where something is labelled, and no answer to a question is more
frequent than all others to it together. Of a question that SLAKE itself asks about the image, SLAKE's answer
is the one to learn: it is left out here. For training alone: there is no other split than `train`.

Sides. SLAKE says where an organ is on the image (the liver: `Left`), and where a disease is in the patient
(on the right of the image: `Lower Left Lung`, `Upper Left Lobe`; or `Left Lung, Lower Right`, where the place
behind the comma is the image's). So do these.

Link, licence and layout: see `slake`. One record::

    {"id": "slake_derived-train-5d0c2b1f7a93e684", "images": [".../imgs/xmlab15/source.jpg"], "task": "vqa",
     "question": "Which is smaller in this image, liver or spleen?", "reference": "Spleen",
     "meta": {"answer_type": "OPEN", "derived": "larger", "content_type": "Size", "modality": "CT",
              "location": "Abdomen"}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pefomed.datasets import slake
from pefomed.datasets.derived import slake_diseases, slake_images, slake_organs
from pefomed.datasets.derived.choosing import Draw, balanced, check_split, chosen, samples_of
from pefomed.datasets.derived.fact import Fact
from pefomed.datasets.derived.slake_labels import SlakePicture, own_questions, plain, slake_pictures
from pefomed.schema import Sample

CARD = replace(slake.CARD, title="SLAKE, derived questions", splits={"train": None}, training_only=True)

Kind = Literal[
    "where", "side", "there", "count", "larger", "largest", "outermost",
    "disease_where", "disease_side", "disease_there", "disease_shown", "disease_count",
    "abnormality", "observed", "modality", "plane", "region",
]  # fmt: skip

KINDS: dict[Kind, tuple[Callable[[SlakePicture], Iterator[Fact]], str]] = {
    "where": (slake_organs.where, "Position"),
    "side": (slake_organs.side, "Position"),
    "there": (slake_organs.there, "Organ"),
    "count": (slake_organs.count, "Quantity"),
    "larger": (slake_organs.larger, "Size"),
    "largest": (slake_organs.largest, "Size"),
    "outermost": (slake_organs.outermost, "Organ"),
    "disease_where": (slake_diseases.where, "Position"),
    "disease_side": (slake_diseases.side, "Position"),
    "disease_there": (slake_diseases.there, "Abnormality"),
    "disease_shown": (slake_diseases.shown, "Abnormality"),
    "disease_count": (slake_diseases.kinds, "Quantity"),
    "abnormality": (slake_diseases.abnormality, "Position"),
    "observed": (slake_diseases.observed, "Abnormality"),
    "modality": (slake_images.modality, "Modality"),
    "plane": (slake_images.plane, "Plane"),
    "region": (slake_images.region, "Position"),
}
"""Kind -> what makes its facts, and what SLAKE calls such questions (`content_type`)."""

LOOKING: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind not in ("modality", "plane", "region"))
"""Kinds that are answered by something in the image; the others SLAKE itself asks of nearly every image."""


def load(
    root: Path,
    split: str,
    *,
    kinds: tuple[Kind, ...] = LOOKING,
    own: Literal["left out", "kept"] = "left out",
    balance: bool = True,
    wordings: Annotated[int, Field(ge=1)] = 2,
    per_image: Annotated[int, Field(ge=1)] | None = None,
    most: Annotated[int, Field(ge=1)] | None = None,
    seed: int = 0,
) -> Iterator[Sample]:
    """Yield what the labels of SLAKE's training images say, image by image.

    Args:
        kinds: what is asked. Of organs: `where` (which of nine places), `side` (of diseases too), `there`
            (yes or no), `count`, `larger` (of two, or smaller), `largest`, `outermost` (leftmost ...). Of
            diseases: `disease_where`, `disease_side`, `disease_there`, `disease_shown` (which),
            `disease_count`, `abnormality` (where), `observed` (in a part of a lung, yes or no). Of the image,
            not by default: `modality`, `plane`, `region`.
        own: what is done with a question that SLAKE itself asks about the image.
        balance: drop facts so that no answer to a question is more frequent than all others together: yes
            and no are equally many, and what is the same in every image is not asked.
        wordings: in how many wordings each fact is asked, at most; there are one to five.
        per_image: most facts of an image.
        most: most facts in all, drawn over all images.
        seed: of the hash that draws facts and wordings.

    Raises:
        DataError: the split is not `train`, a file or field is missing, or a box is wrong.
    """
    if split != "train":
        check_split("the loader 'slake_derived'", split)
    pictures = slake_pictures(root, split)
    facts = slake_facts(pictures, kinds)
    if own == "left out":
        asked = own_questions(root, split)
        facts = [kept for fact in facts for kept in _without(fact, asked)]
    draw = Draw(seed, root / "imgs")
    facts = balanced(facts, draw) if balance else facts
    facts = chosen(facts, draw, most, per_image)
    yield from samples_of(
        facts, pictures, "slake_derived-train", draw, wordings,
        lambda fact: {"content_type": next(text for kind, (_, text) in KINDS.items() if kind == fact.kind)},
    )  # fmt: skip


def slake_facts(pictures: list[SlakePicture], kinds: tuple[Kind, ...] = tuple(KINDS)) -> list[Fact]:
    """Return all that the labels say, image by image."""
    return [fact for picture in pictures for kind in dict.fromkeys(kinds) for fact in KINDS[kind][0](picture)]


def _without(fact: Fact, asked: dict[tuple[str, str], set[str]]) -> Iterator[Fact]:
    """Yield the fact in the wordings that SLAKE does not ask about its image; nothing if none is left."""
    left = tuple(question for question in fact.questions if (fact.image, plain(question)) not in asked)
    if left:
        yield replace(fact, questions=left)
