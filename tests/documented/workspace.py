"""A folder in which what README and docs say can be typed: tiny weights, synthetic data, two finished runs.

A part of a model is looked for as a folder of that name first: in here `dinov2-small` is 16 wide.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, Dinov2Config, Dinov2Model, LlamaConfig, LlamaForCausalLM

from tests import tiny
from tests.documented.pages import ROOT

QUESTIONS = (
    ("Is the {organ} visible?", "Yes", "CLOSED"),
    ("What is shown?", "{organ}", "OPEN"),
    ("Is there a mass?", "No", "CLOSED"),
    ("Which side is it?", "left", "OPEN"),
    ("Is it a CT?", "Yes", "CLOSED"),
    ("Is it an MRI?", "No", "CLOSED"),
    ("Which organ is it?", "{organ}", "OPEN"),
    ("Is the {organ} normal?", "Yes", "CLOSED"),
    ("Is there a fracture?", "No", "CLOSED"),
    ("Where is the {organ}?", "in the middle", "OPEN"),
)
ORGANS = ("liver", "left lung", "heart", "spleen", "brain", "right kidney")
SPLITS = {"train": 4, "validate": 2, "test": 15}
"""Images of a drawn split; the test split has 150 questions, as many as raters are shown at most."""


def make(root: Path) -> Path:
    """Write weights and data under `root`."""
    _weights(root)
    (root / "recipes").symlink_to(ROOT / "recipes")
    _slake(root / "data" / "slake")
    _vqa_rad(root / "data" / "vqa_rad")
    # `~` is a home of its own.
    shutil.copytree(root / "data", root / "home" / "data")
    _export(root / "home" / "export")
    draw(root / "scan.png", 7)
    (root / "questions.txt").write_text("Is there an effusion?\nIs there a mass?\n", encoding="utf-8")
    rows = ["id,question,reference,answer", *(f"q{n},Is it?,yes,Yes." for n in range(12))]
    (root / "theirs.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def draw(path: Path, seed: int, size: tuple[int, int] = (48, 40)) -> None:
    """Write a picture unlike any of another seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path)


def own_table(root: Path, text: str) -> None:
    """Write a table of docs as the page says, and draw the images it names."""
    rows = list(csv.DictReader(io.StringIO(text)))
    name = "questions.csv" if "question" in rows[0] else "places.csv"
    folder = root / "data" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    for seed, image in enumerate(sorted({row["image"] for row in rows})):
        draw(folder / image, 100 + seed, (2400, 2400))


def ward(root: Path) -> None:
    """Write a table of images of 16 bits, and one of boxes on them as an import makes it."""
    rows = ["image,question,answer,split"]
    boxes = ["image,phrase,x0,y0,x1,y1,width,height,split,reader"]
    for number, split in enumerate(("train", "test")):
        pixels = np.random.default_rng(number).integers(0, 4096, (40, 48), dtype=np.uint16)
        root.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / f"{number}.png")
        rows.append(f"{number}.png,Is it?,yes,{split}")
        boxes.append(f"{number}.png,nodule,4,5,20,30.5,48,40,{split},abc")
    (root / "questions.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (root / "boxes.csv").write_text("\n".join(boxes) + "\n", encoding="utf-8")


def _weights(root: Path) -> None:
    torch.manual_seed(0)
    vision = Dinov2Config(
        hidden_size=16, num_hidden_layers=12, num_attention_heads=2, image_size=56, patch_size=14
    )
    Dinov2Model(vision).save_pretrained(root / "dinov2-small")
    means = {"image_mean": tiny.MEAN, "image_std": tiny.STD}
    (root / "dinov2-small" / "preprocessor_config.json").write_text(json.dumps(means))
    tokenizer = tiny.byte_tokenizer()
    language = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        initializer_range=0.5,
    )  # fmt: skip
    LlamaForCausalLM(language).save_pretrained(root / "smollm2-135m")
    tokenizer.save_pretrained(root / "smollm2-135m")
    words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *"liver lung heart left right mass yes no".split()]
    bert = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=4,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(bert, add_pooling_layer=False).save_pretrained(root / "all-minilm-l6-v2")
    sentences = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    sentences.pre_tokenizer = pre_tokenizers.Whitespace()
    sentences.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    sentences.save(str(root / "all-minilm-l6-v2" / "tokenizer.json"))


def _slake(root: Path) -> None:
    number = 0
    for split, images in SPLITS.items():
        rows = []
        for _ in range(images):
            number += 1
            organ, name = ORGANS[number % len(ORGANS)], f"xmlab{number}/source.jpg"
            draw(root / "imgs" / name, number)
            boxes = [{organ.title(): [5 + number, 4, 20, 10 + number % 7]}]
            (root / "imgs" / name).with_name("detection.json").write_text(json.dumps(boxes))
            shared = {
                "img_id": number, "img_name": name, "location": "Lung", "modality": "CT", "q_lang": "en",
                "base_type": "vqa", "triple": ["vhead", "_", "_"], "content_type": "Organ",
            }  # fmt: skip
            for question, answer, kind in QUESTIONS:
                asked = {"question": question.format(organ=organ), "answer": answer.format(organ=organ)}
                rows.append({**shared, **asked, "answer_type": kind, "qid": 100 * number + len(rows)})
        (root / f"{split}.json").write_text(json.dumps(rows), encoding="utf-8")


def _vqa_rad(root: Path) -> None:
    for split, images in (("train", 6), ("test", 3)):
        rows = []
        for number in range(images):
            organ, name = ORGANS[number], f"synpic{split}{number}.jpg"
            draw(root / "images" / name, 1000 + 10 * number + len(split))
            shared = {"image_name": name, "image_organ": "CHEST", "phrase_type": "freeform"}
            for question, answer, kind in QUESTIONS:
                asked = {"question": question.format(organ=organ), "answer": answer.format(organ=organ)}
                rows.append(
                    {**shared, **asked, "answer_type": kind, "question_type": "PRES", "qid": len(rows)}
                )
        (root / f"{split}set.json").write_text(json.dumps(rows), encoding="utf-8")


def _export(root: Path) -> None:
    from tests.datasets.made_dicom import made

    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 4096, (32, 32), dtype=np.uint16)
        made(
            root / f"{number}.dcm", pixels, PatientID=f"p{number}", PatientName="Muster^Max", Modality="CT",
            StudyInstanceUID=f"1.2.{number}", SeriesInstanceUID=f"1.2.{number}.1", PatientSex="M",
            RescaleSlope=1, RescaleIntercept=-1024,
        )  # fmt: skip
