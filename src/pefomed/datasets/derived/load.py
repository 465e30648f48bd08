"""Derived questions about any images with boxes: what another loader's boxes say, asked and answered.

For training alone: splits for validation and test are refused, and validation leaves this data set out. The
boxes are those of another loader, by its name and with its options; the root is that loader's::

    [data.looking]
    loader = "derived"
    root = "mine"
    options = { of = "coco", options = { annotations = "{split}.json", images = "images" } }

The questions are in English, and names are the boxes' phrases as they are written. In which of nine places a
name is; on which side, or whether it is on one (sides of the image as it is shown, mostly not the patient's);
how many boxes it has; which of two is larger, smaller, or further to a side; what is at a place. Whether it
is there at all is asked only where the other loader says what is not (`without = "categories"`).

One record, of a box of `mass` in the image's upper left::

    {"id": "derived-train-5d0c2b1f7a93e684", "images": ["mine/images/0001.png"], "task": "vqa",
     "question": "Where in the image is mass?", "reference": "upper left",
     "meta": {"answer_type": "OPEN", "derived": "where"}}
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pefomed.datasets import load_split, loader
from pefomed.datasets.card import DataCard
from pefomed.datasets.derived.choosing import Draw, balanced, check_split, chosen, samples_of
from pefomed.datasets.derived.fact import pictures_of
from pefomed.datasets.derived.general import KINDS
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample
from pefomed.tasks import BOXES

CARD = DataCard(
    title="Questions derived from boxes",
    licence="that of the boxes",
    link="",
    citation="",
    training_only=True,
)

Kind = Literal["where", "side", "there", "count", "larger", "further", "at"]


def load(
    root: Path,
    split: str,
    *,
    of: str,
    options: dict[str, Any] | None = None,
    kinds: tuple[Kind, ...] = ("where", "side", "there", "count", "larger", "further", "at"),
    balance: bool = True,
    wordings: Annotated[int, Field(ge=1)] = 1,
    per_image: Annotated[int, Field(ge=1)] | None = None,
    most: Annotated[int, Field(ge=1)] | None = None,
    seed: int = 0,
) -> Iterator[Sample | LeftOut]:
    """Yield what the boxes of a training split say, image by image; first what the other loader leaves out.

    Args:
        of: the loader of the boxes: a name of `pefomed data list`, or `package.module:function`.
        options: that loader's options; it is asked for samples of `refer` unless they name `tasks`.
        kinds: what is asked: `where` (which of nine places), `side` (left or right, and yes or no about sides
            and halves of the image), `there` (yes or no), `count`, `larger` (or smaller, of two), `further`
            (to the left or right, up or down, of two), `at` (what is at a place).
        balance: drop facts so that no answer to a question is more frequent than all others together: yes
            and no are equally many, and what is the same in every image is not asked.
        wordings: in how many wordings each fact is asked, at most; there are two to four.
        per_image: most facts of an image.
        most: most facts in all, drawn over all images.
        seed: of the hash that draws facts and wordings.

    Raises:
        DataError: the split is for validation or test, or the other loader gives no boxes.
        RecipeError: the other loader or one of its options is wrong.
    """
    check_split("the loader 'derived'", split)
    given = dict(options or {})
    if "tasks" in inspect.signature(loader(of)).parameters:
        given.setdefault("tasks", ["refer"])
    samples, left_out = load_split(Dataset(loader=of, root=str(root.absolute()), options=given), split)
    yield from left_out
    pictures = pictures_of([sample for sample in samples if sample.task in BOXES])
    if not pictures:
        raise DataError(
            f"the loader {of!r} gives no boxes to derive questions from",
            found=f"{len(samples)} samples of {', '.join(sorted({sample.task for sample in samples}))}",
            remedy="set its options so that it yields samples of `refer`",
        )
    facts = [fact for picture in pictures for kind in dict.fromkeys(kinds) for fact in KINDS[kind](picture)]
    draw = Draw(seed, root)
    facts = balanced(facts, draw) if balance else facts
    if not facts:
        raise DataError(
            "the boxes give nothing to ask of which the answer is not the same for every image",
            found=f"{len(pictures)} images",
            remedy="name more `kinds`, or set `balance = false`",
        )
    facts = chosen(facts, draw, most, per_image)
    yield from samples_of(facts, pictures, f"derived-{split}", draw, wordings, lambda _: {})
