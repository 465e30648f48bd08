"""SLAKE: bilingual questions about 642 CT, MRI and X-ray images with labelled organs and diseases.

Link: https://www.med-vqa.com/slake/. Licence: CC BY 4.0. Counts: 9,835 / 2,099 / 2,094 train,
validate, test pairs; English 4,919 / 1,053 / 1,061 on 450 / 96 / 96 images (English test: 645 open +
416 closed). Layout: `train.json`, `validate.json`, `test.json`, `imgs/xmlab{N}/source.jpg` and
`imgs/xmlab{N}/detection.json`; the Hugging Face copy is the same files, but `validation.json` and `imgs.zip`.

One record::

    {"img_id": 102, "img_name": "xmlab102/source.jpg",
     "question": "What modality is used to take this image?", "answer": "CT", "q_lang": "en",
     "location": "Lung", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa",
     "triple": ["vhead", "_", "_"], "qid": 11934, "content_type": "Modality"}

Traps: English and Chinese split the images differently, so training on both shows English test
images to the model; one answer (qid 1622, train) is empty and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pefomed.datasets.card import DataCard, Hub, Published
from pefomed.errors import DataError
from pefomed.files.files import inside, read_rows, unknown_split
from pefomed.schema import Sample, meta_text

CARD = DataCard(
    title="SLAKE (English)",
    licence="CC BY 4.0",
    link="https://www.med-vqa.com/slake/",
    citation=(
        "Liu, Zhan, Xu, Ma, Yang, Wu: SLAKE: A semantically-labeled knowledge-enhanced dataset for medical"
        " visual question answering. ISBI 2021"
    ),
    splits={
        "train": Published(samples=4919, images=450, open=2976, closed=1943),
        "validate": Published(samples=1053, images=96, open=631, closed=422),
        "test": Published(samples=1061, images=96, open=645, closed=416),
    },
    access="the link on the authors' page",
    files=(
        "train.json, validate.json, test.json and imgs/xmlab*/",
        "train.json, validation.json, test.json and imgs.zip, unpacked (the Hugging Face copy)",
    ),
    hub=Hub("BoKelvin/SLAKE", ("*.json", "imgs.zip"), 217, "slake", archives=("imgs.zip",)),
)

_FIELDS = (
    "qid", "img_name", "question", "answer", "q_lang", "location", "modality",
    "answer_type", "base_type", "content_type",
)  # fmt: skip


def load(root: Path, split: str, *, language: Literal["en", "zh", "both"] = "en") -> Iterator[Sample]:
    """Yield the samples of `split` (`train`, `validate`, `test`) in one language or both.

    Args:
        language: of the questions: English, Chinese, or both.

    Raises:
        DataError: a file or field is missing, or the split does not exist.
    """
    for row in rows_of(root, split, language):
        yield Sample(
            id=f"slake-{split}-{row['qid']}",
            images=(str(image_path(root, row["img_name"])),),
            task="vqa",
            question=str(row["question"]).strip(),
            reference=str(row["answer"]).strip(),
            meta={
                "answer_type": meta_text(row["answer_type"]),
                "content_type": meta_text(row["content_type"]),
                "modality": meta_text(row["modality"]),
                "location": meta_text(row["location"]),
                "base_type": meta_text(row["base_type"]),
                **({"language": row["q_lang"]} if language == "both" else {}),
            },
        )


def rows_of(root: Path, split: str, language: Literal["en", "zh", "both"]) -> list[dict[str, Any]]:
    """Return the published records of `split` in one language or both, in file order."""
    if split not in CARD.splits:
        raise unknown_split("SLAKE", split, CARD.splits)
    path = root / f"{split}.json"
    copied = root / "validation.json"
    if split == "validate" and copied.is_file() and not path.is_file():
        path = copied
    rows = read_rows(path, _FIELDS)
    for row in rows:
        row["img_name"], row["q_lang"] = str(row["img_name"]), str(row["q_lang"])
        inside(root / "imgs", row["img_name"], f"{path}, question {row['qid']}")
    if (root / "imgs.zip").is_file() and not (root / "imgs").is_dir():
        raise DataError(
            f"SLAKE's images at {root} are still packed",
            found="imgs.zip, no folder imgs",
            remedy="unpack it: `unzip imgs.zip`, or `pefomed data get slake`",
        )
    return [row for row in rows if language in ("both", row["q_lang"])]


def image_path(root: Path, name: str) -> Path:
    """Return the path of the image called `name`, e.g. `xmlab102/source.jpg`."""
    return root / "imgs" / name
