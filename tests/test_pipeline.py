"""Which changes of a recipe a run's folder takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pefomed import pipeline
from pefomed import recipe as recipes
from pefomed.errors import DataError, RunError, TrainingError
from pefomed.recipe import Recipe
from tests.tiny import model_recipe, table_recipe


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def rated(recipe: Recipe, *rates: float) -> Recipe:
    """Return the recipe with a stage for each rate."""
    names = ("first", "second", "third")
    stages = tuple(
        recipe.stages[0].model_copy(update={"name": name, "lr": rate, "lr_end": rate})
        for name, rate in zip(names, rates, strict=False)
    )
    return recipe.model_copy(update={"stages": stages})


def test_what_was_not_trained_can_be_corrected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, epochs=None, steps=2)
    run = tmp_path / "run"
    # A split that is not there, found before the first step.
    wrong = recipe.stages[0].model_copy(update={"split": "trian"})
    with pytest.raises(DataError):
        pipeline.train_recipe(recipe.model_copy(update={"stages": (wrong,)}), run, tmp_path)
    assert not [*run.iterdir()]
    # A rate too high, found at the second step: nothing of the stage was kept.
    with pytest.raises(TrainingError, match="give the same command again"):
        pipeline.train_recipe(rated(recipe, 1e30, 1e-3), run, tmp_path)
    # The first stage is right now; the second, not begun yet, may still be corrected.
    with pytest.raises(TrainingError):
        pipeline.train_recipe(rated(recipe, 1e-3, 1e30), run, tmp_path)
    assert "stages changed, nothing of which is trained yet" in capsys.readouterr().err
    kept = (run / "checkpoints" / "first" / "final" / "adapter_model.safetensors").stat().st_mtime_ns
    with pytest.raises(RunError, match="another recipe"):
        pipeline.train_recipe(rated(recipe, 1e-4, 1e-3), run, tmp_path)
    pipeline.train_recipe(rated(recipe, 1e-3, 1e-3), run, tmp_path)
    assert kept == (run / "checkpoints" / "first" / "final" / "adapter_model.safetensors").stat().st_mtime_ns
    assert recipes.load(run / "recipe.toml").stages[1].lr == 1e-3
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [(s["stage"], s["step"]) for s in steps if s["kind"] == "step"] == [
        ("first", 1), ("first", 2), ("second", 1), ("second", 2),
    ]  # fmt: skip
    assert not any("not finite" in line.get("text", "") for line in steps)
    # All is done: nothing may change any more.
    with pytest.raises(RunError, match="start anew with --fresh"):
        pipeline.train_recipe(rated(recipe, 1e-3, 2e-3), run, tmp_path)
