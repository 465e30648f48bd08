"""Training on boxes: cropped copies join the training rows and leave validation alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pefomed.datasets import load_samples
from pefomed.recipe import parse
from pefomed.training import train
from tests.tiny import model_recipe


def test_cropped_copies_train_and_validation_is_of_whole_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    options = {"tasks": ["refer"], "train": 4, "validate": 2, "test": 1, "size": 64}
    recipe = parse(
        {
            "name": "boxes",
            "model": model_recipe(tmp_path).model_dump(exclude_none=True),
            "data": {"phantom": {"loader": "phantom", "root": "phantom", "options": options}},
            "stages": [
                {
                    "name": "boxes", "data": {"phantom": 1}, "epochs": 1, "lr": 1e-3, "lr_end": 1e-4,
                    "validate_split": "validate", "batch_size": 64, "crops": 3, "crop_reach": 0.05,
                }
            ],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
        }
    )  # fmt: skip
    train(recipe, tmp_path / "run", tmp_path)
    lines = [json.loads(text) for text in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    [validation] = [line for line in lines if line["kind"] == "validation"]
    assert 0.0 <= validation["iou"] <= 1.0
    assert "exact_match" not in validation
    said = next(line["text"] for line in lines if line["kind"] == "event" and "samples of" in line["text"])
    # 4 drawn images, each whole and three times cropped by at most a twentieth: a row each, unless a crop
    # cuts all of its boxes.
    samples, rows = int(said.split()[0]), int(said.split("samples of ")[1].split()[0])
    assert 4 * 2 <= rows <= 16
    assert samples == sum(line["samples"] for line in lines if line["kind"] == "step")
    # Nobody crops what validates: as many phrases as the loader gives.
    assert validation["n"] == len(load_samples(recipe.data["phantom"], "validate", tmp_path))
