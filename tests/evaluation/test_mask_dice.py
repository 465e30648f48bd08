"""Dice of answered boxes with masks, derived by hand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed import recipe
from pefomed.boxes import Resizing
from pefomed.datasets import load_samples
from pefomed.evaluation import evaluate_run
from pefomed.files import jsonl
from pefomed.metrics.mask_dice import mask_dice
from pefomed.prompts import target
from pefomed.schema import Box, Prediction, Sample, Score

L_SHAPE = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]], dtype=bool)


def box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


@pytest.mark.parametrize(
    ("boxes", "value"),
    [
        ([], 0),
        ([box(0, 0, 1, 1)], 8 / 20),  # 4 of 16 pixels
        ([box(0, 0, 0.5, 0.75)], 8 / 10),  # 4 of the 6 in its own box
        ([box(0, 0, 0.25, 0.75)], 6 / 7),  # 3 of 3
        ([box(0, 0, 0.25, 0.75), box(0, 0.5, 0.5, 0.75)], 1),  # one pixel is in both, and counts once
        ([box(0.5, 0, 1, 1)], 0),
        ([box(0, 0, 0.37, 0.75)], 6 / 7),  # the second column's centres are at 0.375
        ([box(0, 0, 0.38, 0.75)], 8 / 10),
        ([box(0, 0, 0.375, 0.75)], 6 / 7),  # right and lower edges are not in
        ([box(0.125, 0.125, 0.25, 0.75)], 6 / 7),  # left and upper ones are
        ([box(0.126, 0.126, 0.2, 0.2)], 0),  # between the centres
    ],
)
def test_by_hand(boxes: list[Box], value: float) -> None:
    assert mask_dice(L_SHAPE, boxes) == pytest.approx(value)


def test_as_counted_pixel_by_pixel() -> None:
    random = np.random.default_rng(0)
    for _ in range(30):
        height, width = random.integers(1, 40, 2)
        mask = random.random((height, width)) < 0.5
        mask[0, 0] = True
        corners = np.sort(random.random((2, 2, 2)), axis=1)  # of two boxes: (box, low or high, x or y)
        boxes = [box(*(float(c) for c in (low[0], low[1], high[0], high[1]))) for low, high in corners]
        inside = {
            (row, column)
            for row in range(height)
            for column in range(width)
            if any(
                one.x0 <= (column + 0.5) / width < one.x1 and one.y0 <= (row + 0.5) / height < one.y1
                for one in boxes
            )
        }
        both = sum(bool(mask[pixel]) for pixel in inside)
        assert mask_dice(mask, boxes) == pytest.approx(2 * both / (mask.sum() + len(inside)))


def make_run(tmp_path: Path, **evaluate: Any) -> tuple[Path, list[Sample]]:
    """A run over two 4 x 4 pictures, which answers the first right and the second with the whole image."""
    masks = {"train": {"a": L_SHAPE}, "test": {"b": L_SHAPE, "c": L_SHAPE}}
    for split, files in masks.items():
        for name, mask in files.items():
            pictures = (("images", np.full((4, 4), ord(name))), ("masks", mask * 255))
            for folder, values in pictures:
                path = tmp_path / "data" / "mine" / folder / split / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(values.astype(np.uint8)).save(path)
    settings = recipe.parse(
        {
            "name": "run",
            "model": {"vision_encoder": "v", "language_model": "l"},
            "data": {"boxes": {"loader": "masks", "root": "mine", "options": {"phrase": "lung"}}},
            "stages": [
                {"name": "one", "data": {"boxes": 1.0}, "epochs": 1, "lr": 1e-4, "lr_end": 0.0}
            ],
            "predict": {"data": {"boxes": "test"}},
            "evaluate": evaluate,
        }
    )  # fmt: skip
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text(recipe.dumps(settings))
    resizing = Resizing(settings.model.resize, settings.model.image_size)
    samples = load_samples(settings.data["boxes"], "test", tmp_path / "data")
    jsonl.append(run / "samples" / "boxes-test.jsonl", samples)
    right = target(samples[0], settings.prompt, resizing)
    whole = target(samples[1].model_copy(update={"boxes": (box(0, 0, 1, 1),)}), settings.prompt, resizing)
    for blind, texts in ((False, (right, whole)), (True, ("", ""))):
        jsonl.append(
            run / "predictions" / f"boxes-test{'.blind' * blind}.jsonl",
            [
                Prediction(
                    sample_id=s.id, text=text, tokens=1, finish="stop", generation="greedy", blind=blind
                )
                for s, text in zip(samples, texts, strict=True)
            ],
        )
    return run, samples


def found(scores: list[Score], metric: str = "mask_dice") -> dict[str, float]:
    return {s.system: s.value for s in scores if s.metric == metric and s.group == "overall"}


def test_of_model_blind_floors_and_the_reference_boxes(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path)
    scores = evaluate_run(run, tmp_path / "data")
    values = found(scores)
    # The reference boxes hold 6 pixels, 4 of them of the mask: 0.8. The whole image: 8 / 20.
    assert values["ceiling:boxes"] == values["ceiling:bins"] == pytest.approx(0.8)
    assert values["model"] == pytest.approx((0.8 + 0.4) / 2)
    assert values["blind"] == 0
    assert values["floor:whole-image"] == pytest.approx(0.4)
    assert values["floor:median-box"] == pytest.approx(0.8)
    [model] = [s for s in scores if (s.system, s.metric, s.group) == ("model", "mask_dice", "overall")]
    [iou] = [s for s in scores if (s.system, s.metric, s.group) == ("model", "iou", "overall")]
    assert (model.n, model.interval) == (2, iou.interval)
    assert "ceiling:boxes" not in found(scores, "iou")


@pytest.mark.parametrize("floors", [True, False])
def test_a_changed_mask_is_said_and_every_other_figure_stays(tmp_path: Path, floors: bool) -> None:
    run, samples = make_run(tmp_path, floors=floors)
    before = [s for s in evaluate_run(run, tmp_path / "data") if s.metric != "mask_dice"]
    full = L_SHAPE.copy()
    full[0, 1] = True  # its box stays
    Image.fromarray(full.astype(np.uint8) * 255).save(samples[0].masks[0].path)
    scores = evaluate_run(run, tmp_path / "data")
    assert scores == before
    assert "no mask_dice: " in (run / "log.jsonl").read_text()
    assert "the mask has changed" in (run / "log.jsonl").read_text()
    if not floors:
        Path(samples[0].masks[0].path).unlink()
        assert evaluate_run(run, tmp_path / "data") == before


def test_data_that_moved_and_samples_of_older_runs(tmp_path: Path) -> None:
    run, samples = make_run(tmp_path)
    before = evaluate_run(run, tmp_path / "data")
    shutil.move(tmp_path / "data", tmp_path / "moved")
    assert evaluate_run(run, tmp_path / "moved") == before
    bare = [sample.model_copy(update={"masks": ()}) for sample in samples]
    (run / "samples" / "boxes-test.jsonl").write_text(jsonl.lines(bare))
    assert evaluate_run(run, tmp_path / "moved") == before
