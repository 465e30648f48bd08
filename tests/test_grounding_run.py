"""MS-CXR, made by hand in the published layouts, from its files to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pefomed import recipe as recipes
from pefomed.boxes import read_boxes
from pefomed.files import jsonl
from pefomed.schema import Prediction, Sample, Score
from pefomed.workflow import pipeline
from tests.datasets import ms_cxr_folder
from tests.tiny import model_recipe


@pytest.mark.parametrize(
    ("version", "file", "model", "train", "test", "choice"),
    [
        ("1.1.0", "csv", {"resize": "letterbox"}, "train", "test", {"constrain_boxes": True}),
        ("1.0.0", "json", {"resize": "squash"}, "all", "all", {"box_choice": "median"}),
        (
            "1.1.0",
            "csv",
            {"location_tokens": 100, "patch_positions": True},
            "train",
            "test",
            {"constrain_boxes": True},
        ),
        ("1.1.0", "csv", {"location_tokens": 100}, "train", "test", {"box_choice": "median"}),
    ],
)
def test_from_files_to_report(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    file: str,
    model: dict[str, Any],
    train: str,
    test: str,
    choice: dict[str, Any],
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    ms_cxr_folder.make(tmp_path / "ms-cxr", version, file)
    recipe = recipes.parse(
        {
            "name": "tiny-mscxr",
            "model": model_recipe(tmp_path, **model).model_dump(exclude_none=True),
            "data": {
                "mscxr": {
                    "loader": "ms_cxr",
                    "root": "ms-cxr",
                    "options": {"tasks": ["refer", "identify", "detection"]},
                }
            },
            "stages": [
                {
                    "name": "task",
                    "data": {"mscxr": 1},
                    "split": train,
                    "lr": 1e-2,
                    "lr_end": 1e-3,
                    "epochs": 1,
                }
            ],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": {"mscxr": test}, "max_new_tokens": 40, **choice},
            "evaluate": {"bootstrap": 20},
        }
    )
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dumps(recipe))
    run = pipeline.run(path, tmp_path / "runs", tmp_path)

    samples = {s.id: s for s in jsonl.read(run / "samples" / f"mscxr-{test}.jsonl", Sample)}
    assert len(samples) == (3 if version == "1.1.0" else 15)
    predictions = list(jsonl.read(run / "predictions" / f"mscxr-{test}.jsonl", Prediction))
    assert {prediction.sample_id for prediction in predictions} == samples.keys()
    for prediction in predictions:
        if samples[prediction.sample_id].task == "refer" and prediction.finish == "stop":
            assert read_boxes(prediction.text).state == "strict", prediction.text
    [how] = {prediction.generation for prediction in predictions}
    assert how.endswith("medians") == (choice == {"box_choice": "median"})
    scores = list(jsonl.read(run / "scores.jsonl", Score))
    overall = [score for score in scores if score.metric == "iou" and score.group == "overall"]
    boxes = {score.system: score for score in overall if not score.system.startswith("published:")}
    assert {"model", "blind", "floor:whole-image", "floor:median-box", "ceiling:bins"} <= boxes.keys()
    phrases = sum(sample.task != "identify" for sample in samples.values())
    assert {score.n for score in boxes.values()} == {phrases}
    # Corners on steps of a hundredth of images of 120 x 160: written in bins and read back, little is lost.
    assert boxes["ceiling:bins"].value > 0.9
    assert any(score.metric == "exact_match" for score in scores)  # of the regions that were to be named
    audit = json.loads((run / "audit.json").read_text())
    assert audit["mscxr"]["boxes"][train]["boxes"] > 0
    assert "Cardiomegaly" in (run / "report" / "index.html").read_text()
