"""VQA-RAD: clinicians' questions about 315 radiology images of head, chest and abdomen.

Link: https://osf.io/89kps/. Licence: CC0 1.0. Counts: 3,064 train and 451 test question-answer
pairs (test: 179 open + 272 closed). Layout: `trainset.json`, `testset.json`, `images/synpic*.jpg`; or one of
the two in `vqa_rad_copies`, which have fewer train pairs and the same test questions.

One record::

    {"qid": 11, "image_name": "synpic42202.jpg", "image_organ": "CHEST", "answer": "yes",
     "answer_type": "CLOSED", "question_type": "PRES",
     "question": "Is there evidence of an aortic aneurysm?", "phrase_type": "freeform"}

Traps: an answer may be a number; fields may end in a space (`"CLOSED "`); `question_type` may hold
several types joined by commas, and a few are misspelt; every test image also occurs in train. There
is no validation split: `validate_share` carves one out of train.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pefomed.annotations.seeded_draws import rank_of
from pefomed.datasets import vqa_rad_copies
from pefomed.datasets.card import DataCard, Hub, Published
from pefomed.errors import DataError
from pefomed.files.files import inside, read_rows, unknown_split
from pefomed.files.shards import has_shards, shards_of
from pefomed.schema import Sample, meta_text

CARD = DataCard(
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
    access="the files of the OSF project",
    files=(
        "trainset.json, testset.json and images/synpic*.jpg",
        f"{vqa_rad_copies.OSF_FILE} and {vqa_rad_copies.OSF_IMAGES}/synpic*.jpg",
        "data/{train,test}-*.parquet (the Hugging Face copy)",
    ),
    hub=Hub("flaviagiammarino/vqa-rad", ("data/*.parquet",), 35, "vqa_rad", differs="a copy"),
)

_FIELDS = (
    "qid", "image_name", "image_organ", "question", "answer", "answer_type", "question_type", "phrase_type"
)  # fmt: skip
_META = ("answer_type", "question_type", "image_organ", "phrase_type")
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
        root: the folder; where it holds several layouts, the first of `CARD.files` is read.
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
    rows = _rows(root, file)
    if file == "train":
        key = "image_name" if validate_by == "image" else "qid"
        held_out = _held_out({str(row[key]) for row in rows}, validate_share, validate_seed)
        rows = [row for row in rows if (str(row[key]) in held_out) == (split == "validate")]
    for row in rows:
        # The id names the file, not the split: it stays the same whatever is held out.
        yield _sample(f"vqa_rad-{file}-{row['qid']}", row)


def card_at(root: Path) -> DataCard:
    """Return the card of the layout at `root`."""
    if (root / "trainset.json").is_file() or (root / "testset.json").is_file():
        return CARD
    if (root / vqa_rad_copies.OSF_FILE).is_file():
        return vqa_rad_copies.osf_card(CARD)
    return vqa_rad_copies.hub_card(CARD) if has_shards(root) else CARD


def _rows(root: Path, file: str) -> list[dict[str, Any]]:
    """Return the rows of `train` or `test`, each with the `path` of its image."""
    own = root / f"{file}set.json"
    if not own.is_file() and (root / vqa_rad_copies.OSF_FILE).is_file():
        rows, folder = vqa_rad_copies.osf_rows(root, file, _FIELDS), root / vqa_rad_copies.OSF_IMAGES
    elif not own.is_file() and shards_of(root, file):
        return list(vqa_rad_copies.hub_rows(root, file))
    else:
        rows, folder = read_rows(own, _FIELDS), root / "images"
    for row in rows:
        row["path"] = str(inside(folder, str(row["image_name"]), f"question {row['qid']}"))
    return rows


def _held_out(names: set[str], share: float, seed: int) -> set[str]:
    return set(sorted(names, key=lambda name: rank_of(name, seed))[: round(share * len(names))])


def _sample(sample_id: str, row: dict[str, Any]) -> Sample:
    # The Hugging Face copy has none but `answer_type`.
    meta = {key: meta_text(row[key]) for key in _META if key in row}
    if "question_type" in meta:
        main = meta["question_type"].split(",")[0].strip().upper()
        meta["question_type_main"] = _MISSPELT.get(main, main)
    return Sample(
        id=sample_id,
        images=(row["path"],),
        task="vqa",
        question=str(row["question"]).strip(),
        reference=str(row["answer"]).strip(),
        meta=meta,
    )
