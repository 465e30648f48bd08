"""Phrases that are nowhere in the image, from a table through training to scores and the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from pefomed import recipe as recipes
from pefomed.errors import PefomedError
from pefomed.files import jsonl
from pefomed.schema import Prediction, Sample, Score
from pefomed.workflow import pipeline
from tests.tiny import model_recipe


def make(root: Path, choice: dict[str, Any]) -> Path:
    """Write a table of a box that is white on black where it is there, and the recipe that learns it."""
    lines = ["image,phrase,boxes,split"]
    for number in range(6):
        there = number % 2 == 0
        picture = Image.new("L", (28, 28), 20 * number)
        # A flat picture is like no other: without the white square there is a stripe.
        ImageDraw.Draw(picture).rectangle((7, 7, 20, 20) if there else (0, 24, 27, 27), fill=255)
        picture.save(root / f"{number}.png")
        split = "train" if number < 4 else "test"
        lines.append(f"{number}.png,effusion,{'.25 .25 .75 .75' if there else ''},{split}")
    (root / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    boxes = {"columns": ["boxes"], "form": "xyxy", "unit": "relative", "without": "absent"}
    options = {"columns": {"question": "phrase"}, "boxes": {**boxes, "tasks": ["refer", "detection"]}}
    stage = {"name": "task", "data": {"own": 1}, "lr": 1e-2, "lr_end": 1e-3, "steps": 3}
    recipe = recipes.parse(
        {
            "name": "tiny-absent",
            "model": model_recipe(root).model_dump(exclude_none=True),
            "data": {"own": {"loader": "table", "root": "table.csv", "options": options}},
            "stages": [stage],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": {"own": "test"}, "max_new_tokens": 60, "blind": False, **choice},
            "evaluate": {"bootstrap": 20},
        }
    )
    (root / "tiny.toml").write_text(recipes.dumps(recipe), encoding="utf-8")
    return root / "tiny.toml"


def test_from_the_table_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    path = make(tmp_path, {"constrain_boxes": True, "box_none": True})
    run = pipeline.run(path, tmp_path / "runs", tmp_path)
    samples = list(jsonl.read(run / "samples" / "own-test.jsonl", Sample))
    assert [(s.task, s.meta["boxes"]) for s in samples] == [
        ("refer", "1"), ("detection", "1"), ("refer", "none"), ("detection", "none"),
    ]  # fmt: skip
    trained = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert any("loss" in line for line in trained)
    predictions = {p.sample_id: p for p in jsonl.read(run / "predictions" / "own-test.jsonl", Prediction)}
    assert all(p.generation.endswith("boxes constrained, or none") for p in predictions.values())
    scores = {(s.system, s.metric, s.group): s.value for s in jsonl.read(run / "scores.jsonl", Score)}
    none = [predictions[s.id].text.removeprefix("<p>effusion</p>") == "{}" for s in samples if not s.boxes]
    assert scores["model", "n_acc", "overall"] == sum(none) / 2
    # Half of the phrases are there: who always says none is right of the others.
    assert scores["floor:always-none", "iou", "overall"] == 0.5
    assert scores["floor:always-none", "iou", "boxes=any"] == 0
    assert scores["floor:always-none", "n_acc", "overall"] == 1
    assert scores["floor:always-none", "t_acc", "overall"] == 0
    # The median box is the one that is always there, so it is right of all of these and of nothing else.
    assert scores["floor:median-box", "iou", "boxes=any"] == 1
    assert scores["floor:median-box", "n_acc", "overall"] == 0
    assert scores["floor:nearest-image", "iou", "overall"] == 1
    assert scores["ceiling:bins", "iou", "boxes=none"] == 1
    page = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert "No-target accuracy" in page
    assert "No box, whatever is asked" in page


def test_answers_that_cannot_say_none_are_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    path = make(tmp_path, {"box_choice": "median"})
    with pytest.raises(
        PefomedError, match=r"4 phrases of own train have no box.*[\s\S]*predict.box_none = true"
    ):
        pipeline.run(path, tmp_path / "runs", tmp_path)
