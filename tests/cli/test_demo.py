"""`pefomed demo` takes `--set` like the other commands: a short demo goes through the same steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests import tiny

from pefomed import recipe as recipes
from pefomed.cli import main


def test_a_demo_is_shortened_and_changed_as_any_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {
        "model.vision_encoder": tiny.vision_folder(tmp_path),
        "model.language_model": tiny.language_folder(tmp_path),
        "model.image_size": 56,
        "model.vision_layer": 1,
        "model.group": 2,
        "prompt.max_text_tokens": 1024,
        "stages.0.steps": 2,
        "stages.1.steps": 3,
        "predict.max_new_tokens": 4,
        "compute.feature_cache": "off",
        **{f"data.{name}.options.train": 4 for name in ("captions", "vqa", "report")},
        **{f"data.{name}.options.test": 2 for name in ("captions", "vqa", "report")},
        **{f"data.{name}.options.validate": 1 for name in ("captions", "vqa", "report")},
    }
    pairs = [word for key, value in words.items() for word in ("--set", f"{key}={value}")]
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--out", str(tmp_path / "runs"), *pairs])
    shown = capsys.readouterr()
    assert stopped.value.code == 0, shown.err
    run = tmp_path / "runs" / "demo"
    kept = recipes.load(run / "recipe.toml")
    assert [stage.steps for stage in kept.stages] == [2, 3]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in log if row["kind"] == "step"] == ["captions"] * 2 + ["task"] * 3
    # 2 test images: 5 to 7 questions each, one report each
    assert len((run / "predictions" / "report-test.jsonl").read_text().splitlines()) == 2
    assert (run / "scores.jsonl").stat().st_size > 0
    # 10 steps of warm-up do not fit into so short a stage
    notes = [line for line in shown.err.splitlines() if line.startswith("note: ")]
    said = "note: stage captions: the warm-up takes 1 (of 3 asked for) of 2 steps, 50 %,"
    assert [note.startswith(said) for note in notes].count(True) == 1
    assert f"report: {run / 'report' / 'index.html'}" in shown.out


def test_a_wrong_key_of_the_demo_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--out", str(tmp_path), "--set", "stages.0.stesp=2"])
    assert stopped.value.code == 2
    assert "did you mean 'steps'" in capsys.readouterr().err
