"""Recipes that leave out what the program can say, and shipped ones by their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pefomed.errors import RecipeError
from pefomed.recipe import dumps, load, load_data, names, shipped
from pefomed.workflow import pipeline
from tests import tiny

ROOT = Path(__file__).parents[1]


def four_lines() -> str:
    """Return the recipe of the README, as it stands there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text[text.index("```toml\n[data.mine]") :].split("```")[1].removeprefix("toml\n")


def written(folder: Path, text: str, name: str = "my.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_data_alone_is_completed_by_mini_slake(tmp_path: Path) -> None:
    recipe, pattern = load(written(tmp_path, four_lines())), load(shipped("mini/slake"))
    assert recipe.name == "my"
    assert (recipe.model, recipe.prompt) == (pattern.model, pattern.prompt)
    [stage] = recipe.stages
    assert (stage.name, dict(stage.data), stage.validate_split) == ("task", {"mine": 1}, None)
    changed = {"name": "vqa", "data": {"slake": 1}, "validate_split": "validate"}
    assert stage.model_copy(update=changed) == pattern.stages[-1]
    assert recipe.predict.model_copy(update={"data": {"slake": "test"}}) == pattern.predict
    # All of it is spelt out in the run, and reading that changes nothing.
    again = written(tmp_path, dumps(recipe), "recipe.toml")
    assert load(again) == recipe


def test_what_the_file_has_is_kept(tmp_path: Path) -> None:
    stage = '[[stages]]\nname = "own"\ndata = { mine = 1 }\nsteps = 3\nlr = 1e-3\nlr_end = 1e-3\n'
    recipe = load(written(tmp_path, f'name = "other"\n{four_lines()}\n{stage}'))
    assert (recipe.name, [each.name for each in recipe.stages]) == ("other", ["own"])
    assert recipe.predict.data == {"mine": "test"}
    changed = load(written(tmp_path, four_lines()), {"stages.0.epochs": 1, "model.lora.r": 2, "name": "x"})
    assert (changed.stages[0].epochs, changed.model.lora.r, changed.name) == (1, 2, "x")


def test_a_recipe_with_a_model_is_taken_as_it_stands(tmp_path: Path) -> None:
    model = '[model]\nvision_encoder = "v"\nlanguage_model = "l"\n'
    recipe = load(written(tmp_path, model + four_lines(), "Mine, 2nd.toml"))
    assert (recipe.name, recipe.stages, dict(recipe.predict.data)) == ("mine-2nd", (), {})
    with pytest.raises(RecipeError, match=r"model\.language_model"):
        load(written(tmp_path, '[model]\nvision_encoder = "v"\n' + four_lines()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[modle]\nx = 1\n[data.mine]\nloader = 'table'\nroot = 'x'", "did you mean 'model'"),
        ("[data.mine]\nloader = 'table'\nrot = 'x'", "did you mean 'root'"),
        ("[data]\n", "model is not valid"),
        ("data = 3", "model"),
        ("", "model"),
    ],
)
def test_strictness_stays(tmp_path: Path, text: str, shown: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(written(tmp_path, text))
    assert shown in str(caught.value)


def test_for_looking_at_data_nothing_is_made_up(tmp_path: Path) -> None:
    recipe = load_data(written(tmp_path, four_lines()))
    assert (list(recipe.data), recipe.stages, dict(recipe.predict.data)) == (["mine"], (), {})


@pytest.mark.parametrize("name", ["mini/slake", "recipes/mini/slake.toml", "mini/slake.toml", "./mini/slake"])
def test_a_shipped_recipe_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(Path(name)) == load(ROOT / "recipes" / "mini" / "slake.toml")


def test_a_file_that_exists_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mini").mkdir()
    written(tmp_path / "mini", four_lines(), "slake.toml")
    assert list(load(Path("mini/slake.toml")).data) == ["mine"]
    assert list(load(Path("mini/slake")).data) == ["captions", "slake"]


def test_an_unknown_name_gives_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        load(Path("mini/slaek"))
    message = str(caught.value)
    assert message.startswith("no recipe at mini/slaek")
    assert "did you mean 'mini/slake'" in message
    assert "pefomed recipe list" in message


def test_the_names_are_those_of_the_files() -> None:
    files = (ROOT / "recipes").rglob("*.toml")
    assert names() == sorted(path.relative_to(ROOT / "recipes").with_suffix("").as_posix() for path in files)


def test_the_readmes_recipe_runs(tmp_path: Path) -> None:
    """Its four lines, with small random weights in place of the downloaded ones."""
    folder = tmp_path / "mine"
    folder.mkdir()
    rows = ["image,question,answer,split"]
    for number, image in enumerate(tiny.image_files(folder, 4)):
        split = "train" if number < 3 else "test"
        rows.append(f"{Path(image).name},is it left?,{'yes' if number % 2 else 'no'},{split}")
    (folder / "questions.csv").write_text("\n".join(rows) + "\n")
    model = tiny.model_recipe(tmp_path)
    small = {f"model.{key}": value for key, value in model.model_dump(exclude_none=True).items()}
    settings = {"compute.device": "cpu", "compute.dtype": "float32", "compute.compile": "off"}
    run = pipeline.run(
        written(tmp_path, four_lines()),
        tmp_path / "runs",
        tmp_path,
        {**small, **settings, "stages.0.epochs": 1, "evaluate.bootstrap": 0},
    )
    assert run == tmp_path / "runs" / "my"
    resolved = load(run / "recipe.toml")
    assert (dict(resolved.stages[0].data), dict(resolved.predict.data)) == ({"mine": 1}, {"mine": "test"})
    scores = [json.loads(line) for line in (run / "scores.jsonl").read_text().splitlines()]
    assert {score["n"] for score in scores if score["system"] == "model"} == {1}
    assert (run / "report" / "index.html").is_file()
