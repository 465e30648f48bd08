"""PathVQA: questions made from the captions of 4,289 pathology images of textbooks and a digital library.

Link: https://github.com/UCSD-AI4H/PathVQA. Licence: MIT for the questions; the images' copyright is their
publishers'. Counts: 19,755 / 6,279 / 6,761 train, validate, test pairs on 2,599 / 832 / 858 images (test:
3,370 open + 3,391 closed). Layout: `images/{train,val,test}/*.jpg` and `qas/{train,val,test}/{..}_qa.pkl`;
or the Hugging Face copy's `data/{train,validation,test}-*.parquet` with 19,654 / 6,259 / 6,719 pairs.

One record of `train_qa.pkl`, a pickled list of dicts, and of the copy::

    {"image": "train_0422", "question": "Where are liver stem cells (oval cells) located?",
     "answer": "in the canals of hering"}
    {"image": {"bytes": b"\\xff\\xd8...", "path": None}, "question": "where are liver stem cells ...?", ...}

Traps: the pickle is somebody else's program: it is read without running anything, and refused if it
would; `image` has no suffix; 715 image files have no question; the copy has no triplets that occur
twice, so that scores on the two are not of the same questions; neither says what is open and what is
closed: closed is an answer of yes or no. `question_type` is the question's first words: the eight open
kinds what, where, when, whose, how, why, how many, how much; `yes/no` for closed ones; `other`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pefomed.datasets.card import DataCard, Hub, Published
from pefomed.files.files import checked_rows, inside, missing_layout, unknown_split
from pefomed.files.plain_pickle import read_plain_pickle
from pefomed.files.shards import has_shards, read_shards, shards_of
from pefomed.samples.content_ids import ContentIds
from pefomed.schema import Sample

CARD = DataCard(
    title="PathVQA",
    licence="MIT (questions); the images' copyright is their publishers'",
    link="https://github.com/UCSD-AI4H/PathVQA",
    citation=(
        "He, Zhang, Mou, Xing, Xie: PathVQA: 30000+ questions for medical visual question answering."
        " arXiv 2003.10286 (2020)"
    ),
    splits={
        "train": Published(samples=19755, images=2599, open=9949, closed=9806),
        "validate": Published(samples=6279, images=832, open=3144, closed=3135),
        "test": Published(samples=6761, images=858, open=3370, closed=3391),
    },
    access="the Google Drive folder that the repository's data/README.md names",
    files=(
        "images/{train,val,test}/*.jpg and qas/{train,val,test}/{train,val,test}_qa.pkl",
        "data/{train,validation,test}-*.parquet (the Hugging Face copy)",
    ),
    hub=Hub("flaviagiammarino/path-vqa", ("data/*.parquet",), 785, "path_vqa", differs="a copy"),
)

_COPY = replace(
    CARD,
    title="PathVQA (Hugging Face copy)",
    splits={
        "train": Published(samples=19654, images=2599),
        "validate": Published(samples=6259, images=832),
        "test": Published(samples=6719, images=858),
    },
)

_FIELDS = ("image", "question", "answer")
_ORIGINAL = {"train": "train", "validate": "val", "test": "test"}
_KINDS = ("how many", "how much", "what", "where", "when", "whose", "how", "why")  # the longer ones first
_PREPOSITIONS = frozenset("at by for from in into of on through to under with within".split())


def load(root: Path, split: str) -> Iterator[Sample]:
    """Yield the samples of `split` (`train`, `validate`, `test`), of whichever layout is at `root`.

    Raises:
        DataError: a file or field is missing, the pickle is damaged or would run code, or the split
            does not exist.
    """
    if split not in CARD.splits:
        raise unknown_split("PathVQA", split, CARD.splits)
    rows = _original(root, split) if (root / "qas").is_dir() else _copy(root, split)
    ids = ContentIds(f"path_vqa-{split}")
    for image, row in rows:
        question, answer = str(row["question"]).strip(), str(row["answer"]).strip()
        closed = answer.casefold().rstrip(".") in ("yes", "no")
        yield Sample(
            id=ids(Path(image).name, question),
            images=(image,),
            task="vqa",
            question=question,
            reference=answer,
            meta={
                "answer_type": "CLOSED" if closed else "OPEN",
                "question_type": "yes/no" if closed else kind_of_question(question),
            },
        )


def card_at(root: Path) -> DataCard:
    """Return the card of the layout at `root`."""
    return _COPY if not (root / "qas").is_dir() and has_shards(root) else CARD


def kind_of_question(question: str) -> str:
    """Return the kind of an open question by its first words, a preposition before them aside."""
    words = re.findall(r"\w+", question.casefold())
    if len(words) > 1 and words[0] in _PREPOSITIONS:
        words = words[1:]
    beginning = " ".join(words) + " "
    return next((kind for kind in _KINDS if beginning.startswith(f"{kind} ")), "other")


def _original(root: Path, split: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = _ORIGINAL[split]
    path = root / "qas" / name / f"{name}_qa.pkl"
    folder = root / "images" / name
    for number, row in enumerate(checked_rows(read_plain_pickle(path), _FIELDS, str(path)), 1):
        yield str(inside(folder, f"{row['image']}.jpg", f"{path}, entry {number}")), row


def _copy(root: Path, split: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    files = shards_of(root, split)
    if not files:
        raise missing_layout("PathVQA", root, CARD.files, "path_vqa")
    for _, row in read_shards(files, _FIELDS):
        yield row["image"], row
