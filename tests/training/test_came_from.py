"""A stage is used only as long as its rows, its start, its base weights and its settings are as they were."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from pefomed import recipe as recipes
from pefomed.errors import RunError
from pefomed.files import jsonl
from pefomed.files.storage import write
from pefomed.images import remembered
from pefomed.inference.splits import predict_run
from pefomed.recipe import Recipe
from pefomed.runs import environment
from pefomed.runs.changes import begun_otherwise
from pefomed.schema import Prediction
from pefomed.training import train
from pefomed.training.came_from import FILE
from pefomed.workflow.pipeline import train_recipe
from tests.tiny import image_files, model_recipe
from tests.training.test_processes import two_processes

ROWS = [
    ("q1", "image-0.png", "is it left?", "yes", "train"),
    ("q2", "image-0.png", "is it large?", "no", "train"),
    ("q3", "image-1.png", "what is it?", "lung", "train"),
    ("q4", "image-1.png", "is it left?", "no", "validate"),
]


def write_table(root: Path, rows: list[tuple[str, ...]]) -> None:
    keys = ("id", "image", "question", "answer", "split")
    text = "".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows)
    (root / "table.jsonl").write_text(text)


def made(root: Path, **model: Any) -> Recipe:
    """Write images, a table of `ROWS` and tiny weights; return a recipe of two stages of two steps."""
    image_files(root, 2)
    write_table(root, ROWS)
    columns = {"id": "id", "split": "split"}
    stage = {"data": {"table": 1}, "lr": 1e-2, "lr_end": 1e-3, "steps": 2, "validate_split": "validate"}
    return recipes.parse(
        {
            "name": "tiny",
            "model": model_recipe(root, **model).model_dump(exclude_none=True),
            "data": {"table": {"loader": "table", "root": "table.jsonl", "options": {"columns": columns}}},
            "stages": [stage | {"name": "first"}, stage | {"name": "task"}],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": {"table": "validate"}, "max_new_tokens": 3, "blind": False},
        }
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Recipe]]:
    """A finished run in a folder `run`, beside its data and weights."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEFOMED_CACHE", str(root / "cache"))
        recipe = made(root)
        train(recipe, root / "run", root)
        (root / "run" / "recipe.toml").write_text(recipes.dumps(recipe))
        yield root, recipe


@pytest.fixture
def trained(
    original: tuple[Path, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Recipe]:
    """A copy of the finished run with all it came from, elsewhere: that alone changes nothing."""
    root = tmp_path / "copy"
    shutil.copytree(original[0], root)
    monkeypatch.setenv("PEFOMED_CACHE", str(root / "cache"))
    model = original[1].model
    places = {
        name: str(root / Path(getattr(model, name)).name) for name in ("vision_encoder", "language_model")
    }
    return root, original[1].model_copy(update={"model": model.model_copy(update=places)})


def halved(run: Path) -> None:
    """Leave of the last stage what a kill before its end leaves."""
    shutil.rmtree(run / "adapter")
    shutil.rmtree(run / "checkpoints" / "task" / "final")


def edited(root: Path) -> None:
    write_table(root, [("q1", "image-0.png", "is it LEFT?", "yes", "train"), *ROWS[1:]])


def shortened(root: Path) -> None:
    write_table(root, [ROWS[0], *ROWS[2:], ("q5", *ROWS[0][1:])])


def other_validation(root: Path) -> None:
    write_table(root, [*ROWS[:3], ("q4", "image-1.png", "is it left?", "yes", "validate")])


def other_image(root: Path) -> None:
    Image.new("RGB", (60, 50), (1, 2, 3)).save(root / "image-0.png")


CHANGES: dict[Callable[[Path], None], str] = {
    edited: r"table train: 1 changed \(q1\)",
    shortened: r"table train: 1 new \(q5\), 1 gone \(q2\)",
    other_validation: r"table validate: 1 changed \(q4\)",
    other_image: r"table train: 2 changed \(q1, q2\)",
}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_rows_that_changed_are_refused_by_id(
    trained: tuple[Path, Recipe], change: Callable[[Path], None], half: bool
) -> None:
    root, recipe = trained
    if half:
        halved(root / "run")
        shutil.rmtree(root / "run" / "checkpoints" / "first")  # its own refusal would come first
        recipe = recipe.model_copy(update={"stages": recipe.stages[1:]})
        record = root / "run" / "checkpoints" / "task" / "came_from.json"
        content = json.loads(record.read_text())
        record.write_text(json.dumps(content | {"start": {"from": "", "sha256": ""}}))
    change(root)
    with pytest.raises(RunError, match=CHANGES[change]) as caught:
        train(recipe, root / "run", root)
    assert "--fresh" in str(caught.value)
    assert ("has been trained" in str(caught.value)) == half


def test_what_did_not_change_counts_as_trained(
    trained: tuple[Path, Recipe], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, recipe = trained
    before = {path: path.read_bytes() for path in (root / "run").rglob("*") if path.is_file()}
    train(recipe, root / "run", root)
    assert {path: path.read_bytes() for path in (root / "run").rglob("*") if path.is_file()} == before
    # Where the data lie, and columns that say nothing of a sample, are no part of it.
    (root / "images").mkdir()
    shutil.move(root / "image-0.png", root / "images" / "image-0.png")
    rows = [(name, image.replace("image-0", "images/image-0"), *rest) for name, image, *rest in ROWS]
    write_table(root, rows)
    train(recipe, root / "run", root)
    assert "note: stage" not in capsys.readouterr().err
    # An image that is gone cannot be compared.
    (root / "images" / "image-0.png").unlink()
    train(recipe, root / "run", root)
    assert "2 samples show images that cannot be read and are not compared" in capsys.readouterr().err


def test_another_order_is_said_of_what_has_ended_and_refused_of_what_goes_on(
    trained: tuple[Path, Recipe], capsys: pytest.CaptureFixture[str]
) -> None:
    root, recipe = trained
    write_table(root, [ROWS[1], ROWS[0], *ROWS[2:]])
    train(recipe, root / "run", root)
    assert "stage task: the samples of table train are in another order" in capsys.readouterr().err
    halved(root / "run")
    with pytest.raises(RunError, match="table train: the same samples in another order"):
        train(recipe, root / "run", root)


def test_each_sample_is_kept_by_id_and_hash(trained: tuple[Path, Recipe]) -> None:
    folder = trained[0] / "run" / "checkpoints" / "task"
    packed = (folder / "samples.jsonl.gz").read_bytes()
    lines = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    assert [line[:3] for line in lines] == [
        ["table", "train", "q1"], ["table", "train", "q2"], ["table", "train", "q3"],
        ["table", "validate", "q4"],
    ]  # fmt: skip
    assert len({line[3] for line in lines}) == 4
    record = json.loads((folder / "came_from.json").read_text())
    assert [(one["split"], one["samples"]) for one in record["data"]] == [("train", 3), ("validate", 1)]
    assert record["start"]["from"] == "stage first"
    assert len(record["start"]["sha256"]) == len(record["base"]["language_model"]["weights"]) == 64


def test_other_settings_and_another_start_are_refused(trained: tuple[Path, Recipe]) -> None:
    root, recipe = trained
    # Whoever edits the recipe in the run's own folder meets no other recipe to compare with.
    slower = recipe.stages[1].model_copy(update={"lr": 2e-2})
    with pytest.raises(RunError, match=r"stage task (?s:.*)stage\.lr: 0\.01 then, 0\.02 now"):
        train(recipe.model_copy(update={"stages": (recipe.stages[0], slower)}), root / "run", root)
    more = recipe.stages[1].model_copy(update={"checkpoint_every": 1})
    train(recipe.model_copy(update={"stages": (recipe.stages[0], more)}), root / "run", root)
    file = root / "run" / "checkpoints" / "first" / "final" / "adapter_model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(file).items()}, file)
    (file.parent / "checksums.json").unlink()
    with pytest.raises(RunError, match=r"stage task (?s:.*)start: stage first, SHA-256"):
        train(recipe, root / "run", root)


def test_weights_and_data_may_move(trained: tuple[Path, Recipe]) -> None:
    root, recipe = trained
    write(root / "run" / "recipe.toml", recipes.dumps(recipe))
    [path] = predict_run(root / "run", root)
    answers = path.read_bytes()
    model = recipe.model.model_copy(update={"vision_encoder": str(root / "moved")})
    Path(recipe.model.vision_encoder).rename(root / "moved")
    (root / "table.jsonl").rename(root / "other.jsonl")
    data = {"table": recipe.data["table"].model_copy(update={"root": "other.jsonl"})}
    now = recipe.model_copy(update={"model": model, "data": data})
    assert set(begun_otherwise(now, root / "run")) == {"model", "data"}
    train_recipe(now, root / "run", root)
    predict_run(root / "run", root)
    assert path.read_bytes() == answers
    # Without the hashes of what the stages came from nobody could tell that they are the same.
    (root / "run" / "checkpoints" / "task" / FILE).unlink()
    with pytest.raises(RunError, match="different: model, data"):
        begun_otherwise(recipe, root / "run")


@pytest.mark.parametrize("part", ["language_model", "vision_encoder"])
def test_base_weights_that_were_replaced_are_refused_wherever_they_are_met(
    trained: tuple[Path, Recipe], part: str
) -> None:
    root, recipe = trained
    file = Path(getattr(recipe.model, part)) / "model.safetensors"
    save_file({name: tensor * 1.01 for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    said = rf"{part.replace('_', ' ')}: other weights, (?s:.*) then, (?s:.*)now"
    with pytest.raises(RunError, match=said):
        train(recipe, root / "run", root)
    halved(root / "run")
    with pytest.raises(RunError, match=said):
        train(recipe, root / "run", root)


def test_a_run_of_an_older_version_is_accepted_in_one_line(
    trained: tuple[Path, Recipe], capsys: pytest.CaptureFixture[str]
) -> None:
    root, recipe = trained
    for stage in ("first", "task"):
        (root / "run" / "checkpoints" / stage / "came_from.json").unlink()
        (root / "run" / "checkpoints" / stage / "samples.jsonl.gz").unlink()
    edited(root)
    train(recipe, root / "run", root)
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "no record of what it was trained on" in line] == said
    assert len(said) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"data": 1}', '{"data": [], "start": {}, "base": 3}'])
def test_a_damaged_record_is_said_and_no_traceback(
    trained: tuple[Path, Recipe], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, recipe = trained
    (root / "run" / "checkpoints" / "task" / "came_from.json").write_text(text)
    train(recipe, root / "run", root)
    assert "came_from.json is damaged" in capsys.readouterr().err


def test_damaged_samples_do_not_hide_that_they_changed(trained: tuple[Path, Recipe]) -> None:
    root, recipe = trained
    file = root / "run" / "checkpoints" / "first" / "samples.jsonl.gz"
    file.write_bytes(file.read_bytes()[:40])
    train(recipe, root / "run", root)
    edited(root)
    with pytest.raises(RunError, match=r"table train: other samples; which is not known"):
        train(recipe, root / "run", root)


def test_an_image_is_read_once_for_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = made(tmp_path)
    read: list[str] = []
    hashed = remembered.content_hash
    monkeypatch.setattr(remembered, "content_hash", lambda path: read.append(path) or hashed(path))
    train(recipe, tmp_path / "run", tmp_path)
    assert sorted(read) == [str(tmp_path / "image-0.png"), str(tmp_path / "image-1.png")]


def test_going_on_under_other_versions_is_said(
    trained: tuple[Path, Recipe], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, recipe = trained
    run = root / "run"
    halved(run)
    [session] = environment.read(run)
    assert session["did"] == ["stage first", "stage task"]
    assert set(session["versions"]) == {"python", "pefomed", "torch", "transformers", "peft", "accelerate"}
    now = environment.versions()
    monkeypatch.setattr(environment, "versions", lambda: now | {"torch": "9.9"})
    train(recipe, run, root)
    said = f"begun with torch {now['torch']} (now 9.9)"
    assert f"note: stage task: {said}" in capsys.readouterr().err
    assert said in (run / "log.jsonl").read_text()
    assert [one["did"] for one in environment.read(run)] == [["stage first", "stage task"], ["stage task"]]
    # Answers: begun now, gone on with later.
    (run / "recipe.toml").write_text(recipes.dumps(recipe))
    [file] = predict_run(run, root)
    assert "answers" not in capsys.readouterr().err
    write_table(root, [*ROWS, ("q6", "image-1.png", "is it?", "no", "validate")])
    monkeypatch.setattr(environment, "versions", lambda: now)
    predict_run(run, root)
    assert f"begun with torch 9.9 (now {now['torch']})" in capsys.readouterr().err
    assert len(list(jsonl.read(file, Prediction))) == 2


def test_of_two_processes_the_main_one_decides_and_both_end(trained: tuple[Path, Recipe]) -> None:
    root, recipe = trained
    other_image(root)
    refused = two_processes(recipe, root / "run", root)
    assert refused.returncode != 0
    assert refused.stderr.count("RunError: stage first was trained on what is another thing now") == 2
    assert refused.stderr.count("found: table train: 2 changed (q1, q2)") == 2
