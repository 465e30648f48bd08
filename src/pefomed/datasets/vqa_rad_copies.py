"""VQA-RAD as it is published elsewhere: the authors' own file on OSF, and a copy on the Hugging Face hub.

Layout, OSF: `VQA_RAD Dataset Public.json` (2,248 rows) and `VQA_RAD Image Folder/`; a row is in the test
split if its `phrase_type` is `test_freeform` or `test_para` (451 rows). Layout, hub:
`data/{train,test}-*.parquet` (1,793 / 451 rows) of `flaviagiammarino/vqa-rad`, images inside.

One record of each::

    {"qid": 1, "phrase_type": "freeform", "qid_linked_id": "03f451ca-de62-4617-9679-e836026a7642",
     "image_case_url": "https://medpix.nlm.nih.gov/case?id=...", "image_name": "synpic54610.jpg",
     "image_organ": "HEAD", "evaluation": "not evaluated", "question": "Are regions of the brain infarcted?",
     "question_rephrase": "NULL", "question_relation": "NULL", "question_frame": "NULL",
     "question_type": "PRES", "answer": "Yes", "answer_type": "CLOSED"}
    {"image": {"bytes": b"\\xff\\xd8...", "path": None}, "question": "are regions of the brain infarcted?",
     "answer": "yes"}

Traps: the copy left out three triplets that occur twice and one that is also a test one, and has neither
ids nor `answer_type`: closed is there an answer of yes or no, which is not what the authors call closed
(200 / 251 open and closed test questions instead of 179 / 272); the 1,267 framed
questions of `trainset.json` stand in the field `question_frame` of the OSF file, and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pefomed.datasets.card import DataCard, Published
from pefomed.files.files import read_rows
from pefomed.files.shards import read_shards, shards_of

OSF_FILE = "VQA_RAD Dataset Public.json"
OSF_IMAGES = "VQA_RAD Image Folder"

_HUB_FIELDS = ("image", "question", "answer")


def osf_card(card: DataCard) -> DataCard:
    """Return the card of the OSF file."""
    return replace(
        card,
        title="VQA-RAD (OSF file)",
        splits={
            "train": Published(samples=1797),
            "validate": None,
            "test": Published(samples=451, images=203, open=179, closed=272),
        },
    )


def hub_card(card: DataCard) -> DataCard:
    """Return the card of the Hugging Face copy."""
    return replace(
        card,
        title="VQA-RAD (Hugging Face copy)",
        splits={
            "train": Published(samples=1793),
            "validate": None,
            "test": Published(samples=451, images=203),
        },
    )


def osf_rows(root: Path, file: str, required: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the rows of the OSF file that are in `train` or `test`."""
    rows = read_rows(root / OSF_FILE, required)
    return [row for row in rows if str(row["phrase_type"]).strip().startswith("test") == (file == "test")]


def hub_rows(root: Path, file: str) -> Iterator[dict[str, Any]]:
    """Yield the copy's rows with the fields of the authors' files, and the `path` of the image.

    Raises:
        DataError: a file or field is missing.
    """
    for number, (_, row) in enumerate(read_shards(shards_of(root, file), _HUB_FIELDS), 1):
        closed = str(row["answer"]).strip().casefold() in ("yes", "no")
        yield {
            "qid": number,
            "image_name": Path(row["image"]).name,  # named by its content
            "path": row["image"],
            "question": row["question"],
            "answer": row["answer"],
            "answer_type": "CLOSED" if closed else "OPEN",
        }
