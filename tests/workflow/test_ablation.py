"""The arms of an ablation: what they share is computed once, what differs is trained anew."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from tests.tiny import model_recipe, table_recipe

import pefomed.workflow.checks.check as check_module
from pefomed import recipe as recipes
from pefomed.errors import PefomedError, RecipeError
from pefomed.files import jsonl
from pefomed.recipe import Recipe
from pefomed.report import write_report
from pefomed.schema import Score
from pefomed.workflow import pipeline
from pefomed.workflow.ablation import ablate


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


def test_four_arms_share_what_they_can(
    recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "runs"
    both = pipeline.run(recipe_file, out, tmp_path)
    before = (both / "log.jsonl").read_bytes()
    checked: list[str] = []
    check_all = check_module.check

    def counted(recipe: Recipe, *arguments: Any, **settings: Any) -> check_module.CheckReport:
        checked.append(recipe.name)
        return check_all(recipe, *arguments, **settings)

    monkeypatch.setattr(check_module, "check", counted)
    folder = ablate(recipe_file, out, tmp_path)
    assert sorted(checked) == sorted({*checked})  # each recipe once
    assert len(checked) == 4
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


def test_named_arms_take_over_the_stages_that_they_share(recipe_file: Path, tmp_path: Path) -> None:
    _name_arms(
        recipe_file,
        """
        [arms.slow]
        "stages.1.lr" = 1e-3
        [arms.short_answers.predict]
        max_new_tokens = 2
        [arms.seed_1]
        seed = 1
        """,
    )
    folder = ablate(recipe_file, tmp_path / "runs", tmp_path)
    told = json.loads((folder / "ablation.json").read_text())
    assert told["base"] == "base"
    runs = {arm["name"]: folder / arm["run"] for arm in told["arms"]}
    assert list(runs) == ["base", "slow", "short_answers", "seed_1"]
    weights = {name: load_file(run / "adapter" / "adapter_model.safetensors") for name, run in runs.items()}

    def stage(name: str, of: str) -> bytes:
        return (runs[of] / "checkpoints" / name / "final" / "adapter_model.safetensors").read_bytes()

    assert stage("captions", "slow") == stage("captions", "base") != stage("captions", "seed_1")
    assert stage("task", "short_answers") == stage("task", "base") != stage("task", "slow")
    # Nothing of it was trained: the steps in the log are the base's, to the second.
    logs = {name: (run / "log.jsonl").read_text().splitlines() for name, run in runs.items()}
    steps = {name: [row for row in log if json.loads(row)["kind"] == "step"] for name, log in logs.items()}
    assert steps["short_answers"] == steps["base"]
    # A stage after one that was taken over ends as it does in a run of its own.
    alone = recipes.load_arms(recipe_file)["slow"].model_copy(update={"name": "alone"})
    path = tmp_path / "alone.toml"
    path.write_text(recipes.dumps(alone))
    trained = load_file(
        pipeline.train(path, tmp_path / "runs", tmp_path) / "adapter/adapter_model.safetensors"
    )
    assert all(weights["slow"][name].equal(tensor) for name, tensor in trained.items())
    assert "[arms" not in (runs["slow"] / "recipe.toml").read_text()
    assert recipes.load(runs["slow"] / "recipe.toml").description == "Arm slow: stages.1.lr = 0.001."

    page = write_report(folder).read_text()
    assert "the recipe as it stands" in page
    assert "short_answers" in page
    arms = (folder / "report" / "tables" / "arms.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in arms[1:]] == [
        ["slow", "stages.1.lr = 0.001"],
        ["short_answers", "predict.max_new_tokens = 2"],
        ["seed_1", "seed = 1"],
    ]
    before = (runs["slow"] / "log.jsonl").read_bytes()
    again = ablate(recipe_file, tmp_path / "runs", tmp_path, arms=["slow"])
    assert (runs["slow"] / "log.jsonl").read_bytes() == before
    told = json.loads((again / "ablation.json").read_text())
    assert [arm["name"] for arm in told["arms"]] == ["base", "slow"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[arms.a]\n"stages.7.lr" = 1', "arm 'a'.*no key 'stages.7.lr'"),
        ('[arms.a]\n"stages.1.lrr" = 1', "arm 'a'.*unknown key"),
        ('[arms.a]\n"stages.1.lr" = "fast"', "arm 'a'.*not valid"),
        ("[arms.a]", "changes nothing"),
        ('[arms.a]\nname = "other"', "the run's name"),
        ("[arms.base]\nseed = 1", "cannot be called 'base'"),
        ("[arms.stage-1]\nseed = 1", "cannot be called"),
        ('[arms."../x"]\nseed = 1', "cannot be called"),
    ],
)
def test_wrong_arms_are_named_before_anything_is_trained(
    recipe_file: Path, tmp_path: Path, text: str, said: str
) -> None:
    _name_arms(recipe_file, text)
    with pytest.raises(RecipeError, match=said):
        ablate(recipe_file, tmp_path / "runs", tmp_path)
    assert not (tmp_path / "runs").exists()


def test_what_is_wrong_with_one_arm_is_known_before_the_first_is_trained(
    recipe_file: Path, tmp_path: Path
) -> None:
    _name_arms(recipe_file, '[arms.good]\nseed = 1\n[arms.bad]\n"data.table.root" = "elsewhere.csv"')
    with pytest.raises(PefomedError, match=r"arm 'bad'.*elsewhere\.csv"):
        ablate(recipe_file, tmp_path / "runs", tmp_path)
    assert not list((tmp_path / "runs").rglob("adapter_model.safetensors"))


def test_an_unknown_arm_is_named_with_the_nearest(recipe_file: Path, tmp_path: Path) -> None:
    _name_arms(recipe_file, "[arms.seed_1]\nseed = 1")
    with pytest.raises(RecipeError, match=r"no arm 'seed1'(.|\n)*seed_1"):
        ablate(recipe_file, tmp_path / "runs", tmp_path, arms=["seed1"])


def _name_arms(recipe_file: Path, text: str) -> None:
    recipe_file.write_text(recipe_file.read_text() + textwrap.dedent(text))


def _stages(run: Path) -> set[str]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {row["stage"] for row in rows if row["kind"] == "step"}
