"""Numbers that are none end a training; nothing of them is kept, and the error says where and why."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from pefomed.errors import TrainingError, WeightsError
from pefomed.models.build import build_model
from pefomed.recipe import Recipe
from pefomed.training import train
from pefomed.training.log import Log
from pefomed.training.loop import Loop
from pefomed.training.rising import Rising
from tests.tiny import model_recipe, table_recipe


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def strict_log(run: Path) -> list[dict[str, Any]]:
    def refused(text: str) -> float:
        raise AssertionError(f"{text} is no JSON")

    lines = (run / "log.jsonl").read_text().splitlines()
    return [json.loads(line, parse_constant=refused) for line in lines]


def with_rate(recipe: Recipe, rate: float) -> Recipe:
    stage = recipe.stages[0].model_copy(update={"lr": rate, "lr_end": rate, "projector_lr": None})
    return recipe.model_copy(update={"stages": (stage,)})


def small(tmp_path: Path, **stage: Any) -> Recipe:
    values: dict[str, Any] = {"images": 2, "epochs": None, "steps": 6, "checkpoint_every": 2} | stage
    return table_recipe(tmp_path, model_recipe(tmp_path), **values)


def test_a_rate_too_high_stops_at_the_first_loss_that_is_no_number(tmp_path: Path) -> None:
    recipe = with_rate(small(tmp_path, checkpoint_every=100), 1e30)
    with pytest.raises(TrainingError) as caught:
        train(recipe, tmp_path / "run", tmp_path)
    text = str(caught.value)
    assert text.startswith("step 2 of 6 of stage task: the loss is not finite")
    assert "learning rate" in text
    assert "lora 1e+30, projector 1e+30" in text
    assert "samples: table-" in text
    assert "give the same command again: nothing of this stage has been kept" in text
    # The first step's loss was a number; the second's is not written as one.
    kinds = [(line["kind"], line.get("step")) for line in strict_log(tmp_path / "run")]
    assert kinds[-2:] == [("step", 1), ("event", 2)]
    assert not (tmp_path / "run" / "adapter").exists()


def test_the_only_step_of_a_rate_too_high_is_no_adapter(tmp_path: Path) -> None:
    recipe = with_rate(small(tmp_path, steps=1), 1e30)
    with pytest.raises(TrainingError, match="step 1 of 1 of stage task: the model it leads to"):
        train(recipe, tmp_path / "run", tmp_path)
    assert not list((tmp_path / "run").rglob("*.safetensors"))


@pytest.mark.parametrize("what", ["loss", "gradient", "validation loss", "weight"])
def test_the_last_good_checkpoint_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    recipe = small(tmp_path, validate_split="train", validate_every=1)
    run, calls = tmp_path / "run", [0]
    step, validate, sound = Loop._step, Loop._validate, Loop._check_sound

    def broken(name: str, value: float) -> Any:
        def changed(loop: Loop, *arguments: Any) -> Any:
            if list(loop.folder.glob("step-*")):
                weights = [p for n, p in loop.model.named_parameters() if "projector.modules_to_save" in n]
                with torch.no_grad():
                    weights[0].view(-1)[0] = value
            return {"step": step, "validate": validate, "sound": sound}[name](loop, *arguments)

        return changed

    if what == "gradient":
        backward = torch.Tensor.backward

        def infinite(loss: Any, *arguments: Any, **options: Any) -> None:
            calls[0] += 1
            backward(loss * (float("inf") if calls[0] == 3 else 1.0), *arguments, **options)

        monkeypatch.setattr(torch.Tensor, "backward", infinite)
    elif what == "loss":
        monkeypatch.setattr(Loop, "_step", broken("step", float("nan")))
    elif what == "weight":
        monkeypatch.setattr(Loop, "_check_sound", broken("sound", float("inf")))
    else:
        monkeypatch.setattr(Loop, "_validate", broken("validate", float("nan")))
    with pytest.raises(TrainingError, match=r"not finite|no finite loss") as caught:
        train(recipe, run, tmp_path)
    kept = sorted((run / "checkpoints" / "task").glob("step-*"))
    assert kept
    assert f"the checkpoint of step {int(kept[-1].name[5:])} is kept as it is" in str(caught.value)
    for file in run.rglob("*.safetensors"):
        assert all(torch.isfinite(tensor).all() for tensor in load_file(file).values()), file
    strict_log(run)


def test_a_weight_file_with_one_nan_is_refused_and_a_sound_one_is_read_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = model_recipe(tmp_path)
    build_model(recipe)
    with monkeypatch.context() as patched:
        patched.setattr("pefomed.models.finite.not_finite", lambda named: pytest.fail("read through again"))
        build_model(recipe)
    for part in ("language-4", "vision"):
        file = tmp_path / part / "model.safetensors"
        before = file.read_bytes()
        tensors = load_file(file)
        name = sorted(tensors)[0]
        tensors[name].view(-1)[3] = float("nan") if part == "vision" else float("inf")
        save_file(tensors, file, {"format": "pt"})
        count = tensors[name].numel()
        with pytest.raises(WeightsError, match=rf"{part} hold(?s:.*)\(1 of {count:,} numbers\)"):
            build_model(recipe)
        file.write_bytes(before)
        build_model(recipe)


def test_an_adapter_with_one_nan_is_refused(tmp_path: Path) -> None:
    recipe = small(tmp_path, steps=1)
    train(recipe, tmp_path / "run", tmp_path)
    made = tmp_path / "start"
    (tmp_path / "run" / "adapter").rename(made)
    (made / "checksums.json").unlink(missing_ok=True)
    tensors = load_file(made / "adapter_model.safetensors")
    name = next(name for name in tensors if "lora_A" in name)
    tensors[name][0, 0] = float("nan")
    save_file(tensors, made / "adapter_model.safetensors")
    start = recipe.model_copy(update={"model": recipe.model.model_copy(update={"start": str(made)})})
    with pytest.raises(WeightsError, match=rf"not finite(?s:.*){name} \(1 of"):
        train(start, tmp_path / "other", tmp_path)


def test_the_log_holds_null_where_there_is_no_number(tmp_path: Path) -> None:
    Log(tmp_path / "log.jsonl").write("step", "s", loss=float("nan"), all=[1.0, float("-inf")], of={"a": 2.0})
    assert strict_log(tmp_path) == [
        {"kind": "step", "stage": "s", "loss": None, "all": [1.0, None], "of": {"a": 2.0}}
    ]


def test_a_loss_above_its_start_for_long_is_said_once() -> None:
    rising = Rising(100)  # blocks of one step
    said = [step for step in range(100) if rising.add(5.0 + 0.01 * step)]
    assert said == [14]  # the first five, then ten above them: steps 0 to 14
    rising = Rising(1000)  # blocks of ten steps
    said = [step for step in range(1000) if rising.add(5.0 + 0.001 * step)]
    assert said == [149]


def test_what_falls_or_starts_noisy_or_recovers_is_not_said() -> None:
    draw = random.Random(0)
    shapes = {
        "falling": lambda step: 5.0 / (1 + step) + 0.3 * draw.random(),
        "a high first step": lambda step: 9.0 if step == 0 else 5.0 + 0.01 * step,
        "warming up, then worse for nine": lambda step: 6.0 if 5 <= step < 14 else 5.0 - 0.001 * step,
    }
    for name, shape in shapes.items():
        rising = Rising(100)
        assert not any(rising.add(shape(step)) for step in range(100)), name


def test_noise_alone_is_rarely_said() -> None:
    # Of 20,000 runs 0.8 %: 2.4 of 300 are expected, and these 300 are always the same.
    draw = random.Random(1)
    said = 0
    for _ in range(300):
        rising = Rising(100)
        said += any([rising.add(draw.lognormvariate(0, 1)) for _ in range(100)])
    assert said <= 6
