"""Small random models in real folders: 16-wide DINOv2 and LLaMA-like parts, and a byte tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import Dinov2Config, Dinov2Model, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pefomed.recipe import Model, Recipe, parse
from pefomed.schema import Sample

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def vision_folder(root: Path) -> Path:
    """Write a DINOv2 of 2 layers, 16 wide, patches of 14, and return its folder."""
    torch.manual_seed(1)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14
    )
    folder = root / "vision"
    Dinov2Model(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": MEAN, "image_std": STD}))
    return folder


def language_folder(root: Path, key_value_heads: int = 4) -> Path:
    """Write a LLaMA of 2 layers, 32 wide, with a byte-level tokenizer, and return its folder."""
    torch.manual_seed(2)
    folder = root / f"language-{key_value_heads}"
    tokenizer = byte_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=key_value_heads,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.5,  # a frozen output layer must be able to tell its tokens apart
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer with one token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<pad>", "<s>", "</s>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def model_recipe(root: Path, *, key_value_heads: int = 4, **changes: Any) -> Model:
    """Return a [model] table of the small parts."""
    values = {
        "vision_encoder": str(vision_folder(root)),
        "language_model": str(language_folder(root, key_value_heads)),
        "image_size": 56,
        "vision_layer": 1,
        "feature_norm": "layernorm",
        "group": 2,
        "lora": {"r": 4, "alpha": 8, "dropout": 0.0},
    }
    return Model.model_validate(values | changes)


def image_files(root: Path, count: int) -> list[str]:
    """Write `count` different 60 x 50 images."""
    paths = []
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (50, 60, 3), dtype=np.uint8)
        path = root / f"image-{number}.png"
        Image.fromarray(pixels).save(path)
        paths.append(str(path))
    return paths


def questions(images: list[str], each: int = 3) -> list[Sample]:
    """Return `each` questions about every image, with beginnings in common."""
    asked = [("is it left?", "yes"), ("is it large?", "no"), ("what is it?", "lung"), ("is it", "yes it is")]
    return [
        Sample(
            id=f"{n}-{i}",
            images=(image,),
            task="vqa",
            question=asked[i % 4][0] + " " * (i // 4),
            reference=asked[i % 4][1],
        )
        for n, image in enumerate(images)
        for i in range(each)
    ]


def table_recipe(root: Path, model: Model, *, images: int = 4, each: int = 3, **stage: Any) -> Recipe:
    """Write a table of questions under `root` and return a recipe that trains on it in float32."""
    samples = questions(image_files(root, images), each)
    lines = [
        json.dumps(
            {"image": Path(s.images[0]).name, "question": s.question, "answer": s.reference, "split": "train"}
        )
        for s in samples
    ]
    (root / "table.jsonl").write_text("\n".join(lines) + "\n")
    columns = {"image": "image", "question": "question", "answer": "answer", "split": "split"}
    return parse(
        {
            "name": "tiny",
            "model": model.model_dump(exclude_none=True),
            "data": {"table": {"loader": "table", "root": "table.jsonl", "options": {"columns": columns}}},
            "stages": [
                {
                    "name": "task",
                    "data": {"table": 1},
                    "lr": 1e-2,
                    "lr_end": 1e-3,
                    "batch_size": 6,
                    "epochs": 2,
                }
                | stage
            ],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": {"table": "train"}, "max_new_tokens": 12},
        }
    )
