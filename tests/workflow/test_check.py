"""What can be known before training is found before it, all together, and nothing is written for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.tiny import image_files, model_recipe

import pefomed
from pefomed import recipe as recipes
from pefomed.errors import ChecksFailed, DataError, ImageError, PefomedError, RecipeError, StorageError
from pefomed.recipe import Recipe
from pefomed.workflow import pipeline
from pefomed.workflow.checks import memory, model, space
from pefomed.workflow.checks.model import unloaded_model

LONG = "word " * 300  # 1,500 bytes; the limit is 1,024 tokens, of a byte each


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


class Made:
    """Two tables of questions about four images, each with splits, and a recipe of two stages on them."""

    def __init__(self, root: Path):
        self.root = root
        self.images = [Path(path).name for path in image_files(root, 4)]
        self.rows: dict[str, list[dict[str, str]]] = {
            name: [
                {
                    "id": f"{split}-{number}",
                    "image": image,
                    "question": "is it?",
                    "answer": "yes",
                    "split": split,
                    "organ": "lung",
                }
                for split in ("train", "validate", "test")
                for number, image in enumerate(self.images)
            ]
            for name in ("first", "second")
        }
        columns = {"id": "id", "split": "split", "meta": ["organ"]}
        stage = {"lr": 1e-3, "lr_end": 1e-3, "steps": 1, "batch_size": 4}
        self.values: dict[str, Any] = {
            "name": "tiny",
            "model": model_recipe(root).model_dump(exclude_none=True),
            "data": {
                name: {"loader": "table", "root": f"{name}.jsonl", "options": {"columns": columns}}
                for name in self.rows
            },
            "stages": [
                {"name": "one", "data": {"first": 1}} | stage,
                {"name": "two", "data": {"second": 1}, "validate_split": "validate"} | stage,
            ],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": {"second": "test"}, "max_new_tokens": 4, "blind": False},
        }

    def row(self, name: str, row_id: str) -> dict[str, str]:
        return next(row for row in self.rows[name] if row["id"] == row_id)

    def recipe(self) -> Recipe:
        for name, rows in self.rows.items():
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (self.root / f"{name}.jsonl").write_text(lines)
        recipe = recipes.parse(self.values)
        (self.root / "tiny.toml").write_text(recipes.dumps(recipe))
        return recipe

    def check(self, **overrides: Any) -> Path:
        self.recipe()
        return pefomed.check(self.root / "tiny.toml", self.root / "runs", self.root, overrides)

    def found(self, **overrides: Any) -> PefomedError:
        with pytest.raises(PefomedError) as caught:
            self.check(**overrides)
        return caught.value


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def spoil_text(split: str, field: str) -> Callable[[Made], None]:
    return lambda made: made.row("second", f"{split}-1").update({field: LONG})


def unlink(made: Made) -> None:
    made.row("second", "test-2").update(image="gone.png")


def damage(made: Made) -> None:
    shutil.copy(made.root / "image-0.png", made.root / "cut.png")
    (made.root / "cut.png").write_bytes((made.root / "cut.png").read_bytes()[:2000])
    made.row("second", "train-3").update(image="cut.png")


def setting(*path: str | int, value: Any) -> Callable[[Made], None]:
    def change(made: Made) -> None:
        place: Any = made.values
        for key in path[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[path[-1]] = value

    return change


FAULTS: dict[str, tuple[Callable[[Made], None], type[PefomedError], str]] = {
    "a later stage's text": (spoil_text("train", "answer"), DataError, "sample train-1 is longer"),
    "a validated text": (spoil_text("validate", "question"), DataError, "sample validate-1 is longer"),
    "a predicted text": (spoil_text("test", "question"), DataError, "sample test-1 is longer"),
    "a predicted image that is not there": (unlink, ImageError, "a sample to be predicted is never left out"),
    "a later stage's damaged image": (damage, ImageError, r"(?s)split 'train'.*cut\.png is damaged"),
    "a later stage's split": (setting("stages", 1, "split", value="trian"), DataError, "trian"),
    "a predicted split": (setting("predict", "data", "second", value="tset"), DataError, "tset"),
    "a loader's option": (setting("data", "second", "options", "colums", value={}), RecipeError, "colums"),
    "a group": (setting("evaluate", "groups", value=["orgn"]), RecipeError, "did you mean 'organ'"),
    "a tracker": (setting("compute", "trackers", value=["tensorbord"]), RecipeError, "no tracker"),
    "a target of LoRA": (setting("model", "lora", "targets", value=["q_prj"]), RecipeError, "q_prj"),
    "a chat template": (setting("prompt", "template", value="tokenizer"), RecipeError, "no chat template"),
    "a precision": (setting("compute", "dtype", value="float16"), RecipeError, "needs a GPU"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_found_and_nothing_is_written(made: Made, name: str) -> None:
    spoil, kind, shown = FAULTS[name]
    spoil(made)
    error = made.found()
    assert isinstance(error, kind), error
    with pytest.raises(kind, match=shown):
        raise error
    assert not (made.root / "runs").exists()


def test_a_recipe_that_is_right_is_checked_and_nothing_is_written(made: Made) -> None:
    assert made.check() == made.root / "runs" / "tiny"
    assert not (made.root / "runs").exists()


def test_a_run_finds_the_same_before_its_first_step(made: Made) -> None:
    spoil_text("test", "question")(made)
    made.recipe()
    with pytest.raises(DataError, match="sample test-1 is longer"):
        pipeline.run(made.root / "tiny.toml", made.root / "runs", made.root)
    assert not [*(made.root / "runs" / "tiny").iterdir()]


def test_all_that_is_wrong_is_said_together(made: Made) -> None:
    for name in ("a later stage's text", "a predicted image that is not there", "a group", "a tracker"):
        FAULTS[name][0](made)
    error = made.found()
    assert isinstance(error, ChecksFailed)
    assert len(error.errors) == 4
    assert str(error).startswith("4 things are wrong, found before training:\n  1. ")
    for shown in ("sample train-1 is longer", "gone.png", "did you mean 'organ'", "no tracker 'tensorbord'"):
        assert shown in str(error)


def test_many_long_texts_are_one_error_that_names_them(made: Made) -> None:
    for number in range(4):
        made.row("first", f"train-{number}")["answer"] = LONG
    error = made.found()
    assert "4 samples of first train are longer than prompt.max_text_tokens = 1024" in str(error)
    assert "train-0, train-1, train-2, train-3" in str(error)


def test_the_room_of_answers_counts_against_the_positions_of_the_model(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "[INST] <Img></Img> [vqa] Based on the image, respond to this question with a short answer: is it? "
    )
    # BOS, 8 image tokens, a token a byte, and of 40 generated tokens all but the last.
    used = 1 + 8 + len(text + "[/INST]") + 40 - 1
    made.values["predict"]["max_new_tokens"] = 40
    monkeypatch.setattr(model, "most_positions", lambda _: (used, True))
    made.check()
    monkeypatch.setattr(model, "most_positions", lambda _: (used - 1, True))
    assert f"4 samples of second test are longer than the {used - 1} positions" in str(made.found())
    monkeypatch.setattr(model, "most_positions", lambda _: (used - 1, False))  # rotary: a note
    made.check()


@pytest.mark.parametrize(("rule", "left"), [("leave_out", 3), ("cut", 4)])
def test_the_rule_of_too_long_samples_is_applied_and_logged(made: Made, rule: str, left: int) -> None:
    made.row("first", "train-2")["answer"] = LONG
    made.values["data"]["first"]["too_long"] = rule
    made.values["predict"]["data"] = {}
    made.values["stages"][0] |= {"steps": None, "epochs": 1.0}
    made.values["stages"][0].pop("steps")
    made.recipe()
    run = pipeline.train(made.root / "tiny.toml", made.root / "runs", made.root)
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    [event] = [line for line in log if "too_long" in line]
    assert event["too_long"] == ["train-2"]
    assert event["stage"] == "one"
    done = {"leave_out": "left out", "cut": "cut"}[rule]
    assert event["text"] == f"first: 1 samples of more than 1024 tokens of text {done}: train-2"
    assert sum(line["samples"] for line in log if line["kind"] == "step" and line["stage"] == "one") == left


@pytest.mark.parametrize("rule", ["error", "leave_out"])
def test_a_sample_to_be_predicted_is_never_left_out(made: Made, rule: str) -> None:
    spoil_text("test", "question")(made)
    made.values["data"]["second"]["too_long"] = rule
    assert "sample test-1 is longer" in str(made.found())


def test_a_question_to_be_predicted_is_cut_where_the_recipe_says_so(made: Made) -> None:
    spoil_text("test", "question")(made)
    made.values["data"]["second"]["too_long"] = "cut"
    made.recipe()
    run = pipeline.run(made.root / "tiny.toml", made.root / "runs", made.root)
    answers = (run / "predictions" / "second-test.jsonl").read_text().splitlines()
    assert {json.loads(line)["sample_id"] for line in answers} == {f"test-{n}" for n in range(4)}
    said = "second test: 1 questions of more than 1024 tokens of text are cut: test-1"
    assert said in (run / "log.jsonl").read_text()
    assert said in (run / "report" / "index.html").read_text()


def test_space_for_checkpoints_and_features_is_counted(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = made.recipe()
    found = unloaded_model(recipe)
    # LoRA of rank 4 on q and v, 32 to 32, in 2 layers: 2 * 2 * (4 * 32 + 32 * 4) = 1,024 numbers; projector
    # 2 patches of 16 to 32 and its bias: 2 * 16 * 32 + 32 = 1,056. In all 2,080 numbers, 8,320 bytes.
    # A stage: three steps of weights and two moments, 9 times that; the end, 1; three of the best where it
    # validates; and the run's adapter: 10 + 13 + 1 = 24 times.
    assert space.checkpoint_bytes(recipe.stages, found) == 24 * 8_320
    usage = shutil.disk_usage(made.root)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=24 * 8_320 - 1))
    error = made.found(**{"compute.feature_cache": "off"})
    assert isinstance(error, StorageError)
    assert "the checkpoints of" in str(error)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=24 * 8_320))
    made.check(**{"compute.feature_cache": "off"})
    # Features: 4 images of 4 x 4 patches, 16 wide, 4 bytes: 4,096 bytes; 8 GB of images would not fit.
    assert found.feature_bytes == 4 * 4 * 16 * 4  # float32
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=4_095))
    both = made.found(**{"compute.feature_cache": "on"})
    assert "the image features do not fit" in str(both)
    # Features have a precision of their own: these are of float32 whatever the training runs in.
    both = made.found(**{"compute.feature_cache": "on", "compute.dtype": "bfloat16"})
    assert "the image features do not fit" in str(both)


def test_too_little_memory_is_a_note(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 0)
    made.check(**{"prompt.max_text_tokens": 4000, "stages.0.batch_tokens": 10**6, "stages.0.batch_size": 500})
    assert "note: the memory may not suffice for training" in capsys.readouterr().err


def test_the_memory_of_a_container_is_its_limit_less_what_it_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = psutil.virtual_memory()
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: whole._replace(available=5_000))
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr(memory, "_GROUPS", ((str(limit), str(used)),))
    assert memory.available() == 5_000  # no such group
    limit.write_text("max\n")
    used.write_text("100\n")
    assert memory.available() == 5_000  # no limit
    limit.write_text("4000\n")
    assert memory.available() == 3_900


def test_what_is_finished_is_not_looked_at_again(made: Made) -> None:
    made.values["predict"]["data"] = {}
    made.values["stages"] = made.values["stages"][:1]
    made.recipe()
    run = pipeline.train(made.root / "tiny.toml", made.root / "runs", made.root)
    damaged = made.root / made.images[0]
    damaged.write_bytes(damaged.read_bytes()[:2000])
    shutil.rmtree(made.root / "cache")
    made.check()
    shutil.rmtree(run)
    assert isinstance(made.found(), ImageError)
