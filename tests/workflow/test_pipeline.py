"""Which changes of a recipe a run's folder takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.tiny import model_recipe, table_recipe

from pefomed import recipe as recipes
from pefomed.errors import DataError, RunError, TrainingError
from pefomed.recipe import Recipe
from pefomed.runs.changes import begun_otherwise
from pefomed.workflow import pipeline


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


MAY_CHANGE = {
    "description": "x",
    "compute.feature_cache": "off",
    "compute.threads": 1,
    "compute.cache_gib": 1.0,
    "compute.attention": "sdpa",
    "predict.max_new_tokens": 5,
    "predict.batch_questions": 2,
    "predict.blind": False,
    "evaluate.bootstrap": 10,
    "evaluate.seed": 3,
    "evaluate.floors": False,
    "prompt.max_text_tokens": 2000,
    "data.table.too_long": "cut",
    "data.table.max_unreadable": 3,
    "data.more": {"loader": "table", "root": "table.jsonl"},
    "stages.0.checkpoint_every": 7,
}
MUST_NOT = {
    "seed": 1,
    "model.lora.r": 2,
    "model.lora.dropout": 0.1,
    "model.image_size": 28,
    "prompt.seed": 1,
    "prompt.answer_case": "lower",
    "prompt.pools": {"vqa": "varied"},
    "prompt.max_text_tokens": 900,
    "data.table.limit": 2,
    "data.table.options.split": "train",
    "stages.0.lr": 1e-4,
    "stages.0.epochs": 3.0,
    "stages.0.validate_split": "train",
    "stages.0.batch_size": 2,
    "stages.0.weight_decay": 0.0,
}


def changed(recipe: Recipe, key: str, value: object) -> Recipe:
    values = json.loads(recipe.model_dump_json(exclude_none=True))
    place = values
    *path, last = key.split(".")
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[last] = value
    return recipes.parse(values)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe, and a run's folder with what tells that its stage has begun."""
    root = tmp_path_factory.mktemp("begun")
    recipe = table_recipe(root, model_recipe(root), images=2)
    run = root / "run"
    (run / "checkpoints" / "task" / "step-00000002").mkdir(parents=True)
    (run / "recipe.toml").write_text(recipes.dumps(recipe))
    return recipe, run


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("key", MAY_CHANGE)
def test_what_does_not_change_the_training_may_change(
    begun: tuple[Recipe, Path], key: str, done: bool
) -> None:
    recipe, run = begun
    (run / "adapter").mkdir() if done else None
    try:
        begun_otherwise(changed(recipe, key, MAY_CHANGE[key]), run)
    finally:
        (run / "adapter").rmdir() if done else None


@pytest.mark.parametrize("key", MUST_NOT)
def test_what_would_train_another_thing_must_not_change(begun: tuple[Recipe, Path], key: str) -> None:
    recipe, run = begun
    with pytest.raises(RunError, match="another recipe"):
        begun_otherwise(changed(recipe, key, MUST_NOT[key]), run)


def test_every_field_of_a_recipe_is_thought_through() -> None:
    # A field that is added must be put where it belongs, here and in `room`.
    free = {"name", "description", "compute", "predict", "evaluate", "threshold"}
    assert set(Recipe.model_fields) == free | {"seed", "tasks", "model", "prompt", "data", "stages"}


def test_the_limit_of_texts_is_fixed_once_samples_were_left_out_by_it(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2)
    (tmp_path / "checkpoints" / "task" / "final").mkdir(parents=True)
    (tmp_path / "recipe.toml").write_text(recipes.dumps(recipe))
    higher = changed(recipe, "prompt.max_text_tokens", 2000)
    line = {"kind": "event", "stage": "task", "text": "left out", "too_long": ["a"]}
    (tmp_path / "log.jsonl").write_text(json.dumps(line | {"stage": "other"}) + "\n")
    begun_otherwise(higher, tmp_path)
    (tmp_path / "log.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(RunError, match="samples were left out or cut"):
        begun_otherwise(higher, tmp_path)


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
