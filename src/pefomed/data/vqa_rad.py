"""VQA-RAD: clinicians' questions about 315 radiology images of head, chest and abdomen.

Link: https://osf.io/89kps/. Licence: CC0 1.0. Counts: 3,064 train and 451 test question-answer
pairs (test: 179 open + 272 closed). Layout: `trainset.json`, `testset.json`, `images/synpic*.jpg`.

One record::

    {"qid": 11, "image_name": "synpic42202.jpg", "image_organ": "CHEST", "answer": "yes",
     "answer_type": "CLOSED", "question_type": "PRES",
     "question": "Is there evidence of an aortic aneurysm?", "phrase_type": "freeform"}

Traps: an answer may be a number; fields may end in a space (`"CLOSED "`); `question_type` may hold
several types joined by commas, and a few are misspelt; every test image also occurs in train. There
is no validation split: `validate_share` carves one out of train.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pefomed.data.card import Card, Published
from pefomed.data.files import read_rows, unknown_split
from pefomed.errors import DataError
from pefomed.schema import Sample, meta_text

CARD = Card(
    title="VQA-RAD",
    licence="CC0 1.0",
    link="https://osf.io/89kps/",
    citation=(
        "Lau, Gayen, Ben Abacha, Demner-Fushman: A dataset of clinically generated visual questions and"
        " answers about radiology images. Scientific Data 5, 180251 (2018)"
    ),
    splits={
        "train": Published(samples=3064, images=314, open=1241, closed=1823),
        "validate": None,
        "test": Published(samples=451, images=203, open=179, closed=272),
    },
)

_FIELDS = (
    "qid", "image_name", "image_organ", "question", "answer", "answer_type", "question_type", "phrase_type"
)  # fmt: skip
_MISSPELT = {"ATRIB": "ATTRIB", "PRSE": "PRES"}


def load(
    root: Path,
    split: str,
    *,
    validate_share: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    validate_by: Literal["image", "question"] = "image",
    validate_seed: int = 0,
) -> Iterator[Sample]:
    """Yield the samples of `split` (`train`, `test`, or `validate` if `validate_share` > 0).

    Args:
        validate_share: share of the training split held out as the split `validate`; 0 leaves train
            whole.
        validate_by: hold out images with all their questions, or single questions, as the test split
            does: all of its images are in train, so what helps there need not help on new images.
        validate_seed: seed of the hash that chooses them.

    Raises:
        DataError: a file or field is missing, or the split does not exist.
    """
    if split == "validate" and not validate_share:
        raise DataError(
            "VQA-RAD has no validation split",
            remedy="set the loader's option `validate_share`, e.g. 0.15, to hold out training images",
        )
    if split not in CARD.splits:
        raise unknown_split("VQA-RAD", split, CARD.splits)
    file = "test" if split == "test" else "train"
    rows = read_rows(root / f"{file}set.json", _FIELDS)
    if file == "train":
        key = "image_name" if validate_by == "image" else "qid"
        held_out = _held_out({str(row[key]) for row in rows}, validate_share, validate_seed)
        rows = [row for row in rows if (str(row[key]) in held_out) == (split == "validate")]
    for row in rows:
        # The id names the file, not the split: it stays the same whatever is held out.
        yield _sample(root, f"vqa_rad-{file}-{row['qid']}", row)


def _held_out(names: set[str], share: float, seed: int) -> set[str]:
    def draw(name: str) -> str:
        return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()

    return set(sorted(names, key=draw)[: round(share * len(names))])


def _sample(root: Path, sample_id: str, row: dict[str, Any]) -> Sample:
    question_type = meta_text(row["question_type"])
    main = question_type.split(",")[0].strip().upper()
    return Sample(
        id=sample_id,
        images=(str(root / "images" / row["image_name"]),),
        task="vqa",
        question=str(row["question"]).strip(),
        reference=str(row["answer"]).strip(),
        meta={
            "answer_type": meta_text(row["answer_type"]),
            "question_type": question_type,
            "question_type_main": _MISSPELT.get(main, main),
            "image_organ": meta_text(row["image_organ"]),
            "phrase_type": meta_text(row["phrase_type"]),
        },
    )
