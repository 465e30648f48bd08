"""Six data sets as published, made by hand: three of captions, three of questions, a few images each."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

IMAGES = 4
"""Of each collection of captions, and of each training split of questions."""

TESTED = 2
"""Images of each test split."""

ORGANS = ("liver", "left lung", "heart", "spleen", "brain", "right kidney")
MEDICAT = "s2_full_figures_oa_nonroco_combined_medical_top4_public.jsonl"


def make(root: Path) -> dict[str, dict[str, Any]]:
    """Write all six under `root`; return the [data] table of a recipe that reads them."""
    roco(root / "roco")
    medicat(root / "medicat")
    imageclef(root / "imageclef")
    for split, count in (("train", IMAGES), ("test", TESTED)):
        vqa_rad(root / "vqa_rad", split, count)
        slake(root / "slake", split, count)
        path_vqa(root / "path_vqa", split, count)
    names = ("roco", "medicat", "imageclef", "vqa_rad", "slake", "path_vqa")
    return {name: {"loader": name, "root": name} for name in names}


def roco(root: Path) -> None:
    """Write `captions.txt` and the images named after their ids."""
    folder = root / "data/train/radiology"
    names = [f"ROCO_{number:05d}" for number in range(1, IMAGES + 1)]
    for name in names:
        _draw(folder / "images" / f"{name}.jpg", name)
    lines = [f"{name}\t CT of the {organ}.\n" for name, organ in zip(names, ORGANS, strict=False)]
    _write(folder / "captions.txt", "".join(lines))


def medicat(root: Path) -> None:
    """Write the figures' records and the figures."""
    rows = []
    for number in range(IMAGES):
        row = {
            "pdf_hash": f"{number:040x}", "fig_key": "Figure1", "fig_uri": "2-Figure1-1.png",
            "s2_caption": f"Figure 1. MRI of the {ORGANS[number]}.", "s2orc_caption": None,
            "s2orc_references": None, "radiology": True, "scope": True, "predicted_type": "Medical images",
        }  # fmt: skip
        _draw(root / "figures" / f"{row['pdf_hash']}_{row['fig_uri']}", f"medicat {number}")
        rows.append(json.dumps(row))
    _write(root / MEDICAT, "\n".join(rows) + "\n")


def imageclef(root: Path) -> None:
    """Write the captions, separated by tabs, and the images."""
    names = [f"ImageCLEFmedCaption_2022_train_{number:06d}" for number in range(IMAGES)]
    for name in names:
        _draw(root / "train" / f"{name}.jpg", name)
    lines = [f"{name}\tUltrasound of the {organ}\n" for name, organ in zip(names, ORGANS, strict=False)]
    _write(root / "ImageCLEFmedCaption_2022_caption_prediction_train.csv", "ID\tcaption\n" + "".join(lines))


def vqa_rad(root: Path, split: str, count: int) -> None:
    """Write `trainset.json` or `testset.json`: two questions about every image."""
    rows = []
    for number in range(count):
        image = f"synpic{split}{number}.jpg"
        _draw(root / "images" / image, image)
        shared = {"image_name": image, "image_organ": "CHEST", "phrase_type": "freeform"}
        organ = ORGANS[number]
        rows += [
            {**shared, "qid": 2 * number, "question": "Which organ is it?", "answer": organ,
             "answer_type": "OPEN", "question_type": "ORGAN"},
            {**shared, "qid": 2 * number + 1, "question": f"Is it the {organ}?", "answer": "Yes",
             "answer_type": "CLOSED", "question_type": "PRES"},
        ]  # fmt: skip
    _write(root / f"{split}set.json", json.dumps(rows))


def slake(root: Path, split: str, count: int) -> None:
    """Write `train.json` or `test.json`: a question about every image in English, one in Chinese."""
    rows = []
    for number in range(count):
        image = f"xmlab-{split}-{number}/source.jpg"
        _draw(root / "imgs" / image, image)
        shared = {
            "img_id": number, "img_name": image, "location": "Lung", "modality": "CT",
            "answer_type": "OPEN", "base_type": "vqa", "triple": ["vhead", "_", "_"], "content_type": "Organ",
        }  # fmt: skip
        organ = ORGANS[number]
        rows += [
            {**shared, "qid": 2 * number, "q_lang": "en", "question": "What is shown?", "answer": organ},
            {**shared, "qid": 2 * number + 1, "q_lang": "zh", "question": "是什么?", "answer": "肝"},
        ]
    _write(root / f"{split}.json", json.dumps(rows))


def path_vqa(root: Path, split: str, count: int) -> None:
    """Write the pickle of a split and its images: a question about every image."""
    rows = []
    for number in range(count):
        name = f"{split}_{number:04d}"
        _draw(root / "images" / split / f"{name}.jpg", f"path {name}")
        rows.append({"image": name, "question": "Where is the lesion?", "answer": f"in the {ORGANS[number]}"})
    path = root / "qas" / split / f"{split}_qa.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(rows))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _draw(path: Path, seed: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(list(seed.encode())).integers(0, 256, (40, 48), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
