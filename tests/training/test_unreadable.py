"""Images that cannot be read: within the limit a training does without them, wherever it is stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pefomed import recipe as recipes
from pefomed.errors import ImageError, Interrupted, RunError
from pefomed.files import jsonl
from pefomed.packing.batch import PackedRow
from pefomed.recipe import Recipe
from pefomed.schema import Prediction
from pefomed.training import train
from pefomed.training.loop import Loop
from pefomed.workflow import pipeline
from tests.tiny import image_files, model_recipe, questions
from tests.training.test_processes import two_processes

QUESTIONS = 3
"""About each image."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of the images of every step that is trained, each as often as a sample shows it."""
    seen: list[list[str]] = []
    original = Loop._step

    def step(self: Loop, model: Any, optimiser: Any, parameters: Any, batches: Any, number: int) -> Any:
        seen.append([Path(i).name for batch in batches for row in batch for i in row.images])
        return original(self, model, optimiser, parameters, batches, number)

    monkeypatch.setattr(Loop, "_step", step)
    return seen


def made(
    folder: Path, most: int, *, without: tuple[int, ...] = (), cache: str = "on", **stage: Any
) -> Recipe:
    """Write six images and a table about them, but `without` some; `most` may be unreadable."""
    images = image_files(folder, 6)
    table = folder / f"table{''.join(map(str, without))}.jsonl"
    lines = [
        {"id": s.id, "image": Path(s.images[0]).name, "question": s.question, "answer": s.reference}
        for s in questions(images, QUESTIONS)
        if int(s.id.split("-")[0]) not in without
    ]
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    values: dict[str, Any] = {"name": "task", "data": {"table": 1}, "lr": 1e-2, "lr_end": 1e-3}
    return recipes.parse(
        {
            "name": "tiny",
            "model": model_recipe(folder).model_dump(exclude_none=True),
            "data": {
                "table": {
                    "loader": "table", "root": table.name, "options": {"columns": {"id": "id"}},
                    "max_unreadable": most,
                }
            },
            "stages": [values | {"epochs": 2, "batch_size": QUESTIONS} | stage],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off", "feature_cache": cache},
            "predict": {"data": {}, "max_new_tokens": 4},
        }
    )  # fmt: skip


def spoil(folder: Path) -> None:
    """Remove the image 1 and cut the image 4 in half."""
    (folder / "image-1.png").unlink()
    cut(folder / "image-4.png")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def adapter(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "adapter" / "adapter_model.safetensors")


def same(one: Path, other: Path) -> None:
    assert adapter(one).keys() == adapter(other).keys()
    for name, tensor in adapter(one).items():
        assert torch.equal(tensor, adapter(other)[name]), name


def events(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "unreadable" in line]


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int, then: Callable[[], None] = lambda: None) -> None:
    """Have the loop stop after so many steps as a signal does."""
    original, count = Loop._step, [0]

    def step(self: Loop, *arguments: Any) -> dict[str, Any]:
        count[0] += 1
        if count[0] == steps:
            then()
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", step)


@pytest.mark.parametrize(("cache", "share_image"), [("on", True), ("off", False)])
def test_within_the_limit_it_is_trained_as_if_the_samples_were_not_there(
    tmp_path: Path, cache: str, share_image: bool
) -> None:
    rest = made(tmp_path, 0, without=(1, 4), share_image=share_image)
    train(rest, tmp_path / "rest", tmp_path)
    recipe = made(tmp_path, 2, cache=cache, share_image=share_image, validate_split="train")
    spoil(tmp_path)
    train(recipe, tmp_path / "run", tmp_path)
    (event,) = events(tmp_path / "run")
    assert event["text"] == (
        "table train: 2 images cannot be read, 2 may: image-1.png, image-4.png; 6 samples left out"
    )
    assert [Path(path).name for path in event["unreadable"]] == ["image-1.png", "image-4.png"]
    # The validation is on 4 of 6 images; of both runs the last adapter is compared, not the best one.
    steps = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {line["n"] for line in steps if line["kind"] == "validation"} == {4 * QUESTIONS}
    newest = [sorted((tmp_path / run / "checkpoints/task").glob("step-*"))[-1] for run in ("rest", "run")]
    one, other = (load_file(folder / "adapter.safetensors") for folder in newest)
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_one_more_than_the_limit_is_one_error_that_names_them(tmp_path: Path) -> None:
    recipe = made(tmp_path, 1)
    spoil(tmp_path)
    with pytest.raises(ImageError) as caught:
        train(recipe, tmp_path / "run", tmp_path)
    message = str(caught.value)
    assert "data set table: 2 images of the split 'train' cannot be read, and max_unreadable = 1" in message
    assert f"no image at {tmp_path / 'image-1.png'}; {tmp_path / 'image-4.png'} is damaged" in message
    assert "raise data.table.max_unreadable" in message
    assert not list((tmp_path / "run").glob("checkpoints/*/*"))


def test_by_default_the_first_one_is_an_error(tmp_path: Path) -> None:
    recipe = made(tmp_path, 0)
    spoil(tmp_path)
    with pytest.raises(ImageError, match=r"no image at .*image-1\.png"):
        train(recipe, tmp_path / "run", tmp_path)


def test_an_image_that_comes_back_does_not_change_the_steps_of_a_stopped_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = made(tmp_path, 2)
    shutil.copy(tmp_path / "image-4.png", tmp_path / "kept.png")
    spoil(tmp_path)
    train(recipe, tmp_path / "whole", tmp_path)
    with monkeypatch.context() as patch:
        stop_after(patch, 3, lambda: shutil.copy(tmp_path / "kept.png", tmp_path / "image-4.png"))
        with pytest.raises(Interrupted):
            train(recipe, tmp_path / "cut", tmp_path)
    train(recipe, tmp_path / "cut", tmp_path)
    same(tmp_path / "cut", tmp_path / "whole")
    assert (
        "1 images cannot be read, 2 may: image-1.png; 6 samples left out"
        in events(tmp_path / "cut")[1]["text"]
    )


def test_an_image_that_is_lost_while_it_trains_is_not_missed_with_the_cache_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = made(tmp_path, 1)
    train(recipe, tmp_path / "whole", tmp_path)
    shutil.rmtree(tmp_path / "cache")
    original, count = Loop._step, [0]

    def step(self: Loop, *arguments: Any) -> dict[str, Any]:
        count[0] += 1
        if count[0] == 3:
            for number in range(6):
                cut(tmp_path / f"image-{number}.png")
            (tmp_path / "image-0.png").unlink()
        return original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", step)
    train(recipe, tmp_path / "run", tmp_path)
    assert count[0] == 12  # two epochs of six images, each a step
    same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.parametrize(("before", "cache"), [(2, "on"), (0, "off")])
def test_an_image_that_is_lost_when_it_goes_on_is_replaced_and_all_other_steps_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[list[str]], before: int, cache: str
) -> None:
    recipe = made(tmp_path, before, cache=cache)
    train(recipe, tmp_path / "whole", tmp_path)
    whole = list(trained)
    del trained[:]
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(Interrupted):
            train(recipe, tmp_path / "cut", tmp_path)
    spoil(tmp_path)
    train(made_again(recipe, 2), tmp_path / "cut", tmp_path)
    assert len(trained) == len(whole) == 12
    lost = {"image-1.png", "image-4.png"}
    for now, then in zip(trained[:3], whole[:3], strict=True):
        assert now == then
    assert any(lost & set(step) for step in whole[3:])
    for now, then in zip(trained[3:], whole[3:], strict=True):
        assert len(now) == len(then)
        assert not lost & set(now)
        assert now == then or lost & set(then)
    text = events(tmp_path / "cut")[-1]["text"]
    assert "0 samples left out; lost since the stage began" in text
    assert text.endswith("image-1.png, image-4.png")


def made_again(recipe: Recipe, most: int) -> Recipe:
    data = {name: table.model_copy(update={"max_unreadable": most}) for name, table in recipe.data.items()}
    return recipe.model_copy(update={"data": data})


def test_lost_images_count_against_the_limit_which_may_be_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = made(tmp_path, 1)
    (tmp_path / "tiny.toml").write_text(recipes.dumps(recipe))
    (tmp_path / "image-1.png").unlink()
    with monkeypatch.context() as patch:
        stop_after(patch, 3, lambda: cut(tmp_path / "image-4.png"))
        with pytest.raises(Interrupted):
            pipeline.run(tmp_path / "tiny.toml", tmp_path, tmp_path)
    with pytest.raises(ImageError, match=r"2 images of the split 'train'(?s:.*)image-1(?s:.*)image-4"):
        pipeline.run(tmp_path / "tiny.toml", tmp_path, tmp_path)
    pipeline.train(tmp_path / "tiny.toml", tmp_path, tmp_path, {"data.table.max_unreadable": 2})
    assert (tmp_path / "tiny" / "adapter").is_dir()
    with pytest.raises(RunError, match="another recipe"):
        pipeline.train(tmp_path / "tiny.toml", tmp_path, tmp_path, {"data.table.limit": 2})


def test_prediction_leaves_nothing_out_but_the_blind_mean_does(tmp_path: Path) -> None:
    recipe = made(tmp_path, 2)
    (tmp_path / "test.jsonl").write_text((tmp_path / "table.jsonl").read_text().splitlines()[0] + "\n")
    folder = tmp_path / "both"
    folder.mkdir()
    for split, name in (("train", "table"), ("test", "test")):
        shutil.move(tmp_path / f"{name}.jsonl", folder / f"{split}.jsonl")
    options = {"columns": {"id": "id"}, "images": ".."}
    table = recipe.data["table"].model_copy(update={"root": "both", "options": options})
    predict = recipe.predict.model_copy(update={"data": {"table": "test"}})
    recipe = recipe.model_copy(update={"data": {"table": table}, "predict": predict})
    (tmp_path / "tiny.toml").write_text(recipes.dumps(recipe))
    spoil(tmp_path)
    run = pipeline.run(tmp_path / "tiny.toml", tmp_path, tmp_path)
    for kind in ("", ".blind"):
        assert len(list(jsonl.read(run / f"predictions/table-test{kind}.jsonl", Prediction))) == 1
    shutil.rmtree(run / "predictions")
    cut(tmp_path / "image-0.png")
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(ImageError, match=r"image-0\.png is damaged"):
        pipeline.finish(run, tmp_path)


def test_two_processes_leave_the_same_samples_out(tmp_path: Path) -> None:
    spoilt = made(tmp_path, 2, accumulate=2)
    spoil(tmp_path)
    train(spoilt, tmp_path / "one", tmp_path)
    stages = (spoilt.stages[0].model_copy(update={"accumulate": 1}),)
    both = two_processes(spoilt.model_copy(update={"stages": stages}), tmp_path / "two", tmp_path)
    assert both.returncode == 0, both.stderr
    for name, tensor in adapter(tmp_path / "one").items():
        torch.testing.assert_close(adapter(tmp_path / "two")[name], tensor, rtol=1e-5, atol=1e-6, msg=name)
    assert len(events(tmp_path / "two")) == 1


def test_a_cropped_copy_is_lost_with_its_image() -> None:
    from pefomed.training.unreadable import Unreadable
    from tests.training.test_plan import made as rows

    (row,) = rows("d", 1)

    def shows(image: str) -> PackedRow:
        sequence = row.sequences[0]
        sample = sequence.sample.model_copy(update={"images": (image,)})
        return type(row)((type(sequence)(sample, ()),), [], [], [], (), ())

    gone = Unreadable(lost=frozenset({"a.png", "b.dcm#frame=1"}))
    found = ["a.png", "a.png#crop=0:0:1:1", "b.dcm#frame=1", "b.dcm#frame=1&crop=0:0:1:0.9"]
    assert all(gone.touches(shows(image)) for image in found)
    assert not any(gone.touches(shows(image)) for image in ("b.png", "b.dcm", "b.dcm#frame=2", "aa.png"))
