"""The arms of an ablation: what they share is computed once, what differs is trained anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pefomed import jsonl, pipeline
from pefomed import recipe as recipes
from pefomed.ablation import ablate
from pefomed.errors import RecipeError
from pefomed.schema import Score
from tests.tiny import model_recipe, table_recipe


@pytest.fixture
def recipe_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=3, each=2, epochs=1, lr=1e-2)
    [task] = recipe.stages
    first = task.model_copy(update={"name": "captions"})
    predict = recipe.predict.model_copy(update={"blind": False})
    recipe = recipe.model_copy(update={"stages": (first, task), "predict": predict})
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dumps(recipe))
    return path


def test_four_arms_share_what_they_can(recipe_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    both = pipeline.run(recipe_file, out, tmp_path)
    before = (both / "log.jsonl").read_bytes()
    folder = ablate(recipe_file, out, tmp_path)
    assert (both / "log.jsonl").read_bytes() == before  # not trained again

    arms = json.loads((folder / "ablation.json").read_text())["arms"]
    runs = {arm["name"]: folder / arm["run"] for arm in arms}
    assert list(runs) == ["none", "stage-1", "stage-2", "both"]
    assert runs["both"].resolve() == both.resolve()
    weights = {name: load_file(run / "adapter" / "adapter_model.safetensors") for name, run in runs.items()}
    first = load_file(both / "checkpoints" / "captions" / "final" / "adapter_model.safetensors")
    assert all(weights["stage-1"][name].equal(tensor) for name, tensor in first.items())
    # LoRA starts with B = 0: the arm without training changes nothing.
    assert all(not tensor.any() for name, tensor in weights["none"].items() if "lora_B" in name)
    assert any(tensor.any() for name, tensor in weights["stage-2"].items() if "lora_B" in name)
    assert any(not weights["stage-2"][name].equal(weights["both"][name]) for name in first)
    stages = {name: _stages(run) for name, run in runs.items()}
    assert stages == {
        "none": set(),
        "stage-1": {"captions"},
        "stage-2": {"task"},
        "both": {"captions", "task"},
    }
    for run in runs.values():
        systems = {score.system for score in jsonl.read(run / "scores.jsonl", Score)}
        assert "model" in systems


def test_a_stopped_ablation_goes_on(recipe_file: Path, tmp_path: Path) -> None:
    folder = ablate(recipe_file, tmp_path / "runs", tmp_path)
    kept = (folder / "stage-2" / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns
    (folder / "stage-1" / "predictions" / "table-train.jsonl").unlink()
    (folder / "ablation.json").unlink()
    ablate(recipe_file, tmp_path / "runs", tmp_path)
    assert (folder / "stage-1" / "predictions" / "table-train.jsonl").exists()
    assert (folder / "ablation.json").exists()
    trained = folder / "stage-2" / "log.jsonl"
    steps = [json.loads(line) for line in trained.read_text().splitlines()]
    numbers = [row["step"] for row in steps if row["kind"] == "step"]
    assert numbers == sorted(set(numbers))  # no step was taken twice
    assert kept <= (folder / "stage-2" / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns


def test_one_stage_has_no_arms(recipe_file: Path, tmp_path: Path) -> None:
    recipe = recipes.load(recipe_file)
    recipe_file.write_text(recipes.dumps(recipe.model_copy(update={"stages": recipe.stages[1:]})))
    with pytest.raises(RecipeError, match="needs two of them"):
        ablate(recipe_file, tmp_path / "runs", tmp_path)


def _stages(run: Path) -> set[str]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {row["stage"] for row in rows if row["kind"] == "step"}
