"""Training on tiny models: it learns, only what should changes, and a stop leaves no trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pefomed import recipe as recipes
from pefomed.errors import Interrupted, RecipeError, RunError
from pefomed.models.build import build_model
from pefomed.training import Trainer, train
from pefomed.training.loop import Loop
from tests.tiny import model_recipe, table_recipe


def lines(run: Path, kind: str) -> list[dict[str, Any]]:
    made = [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in made if line["kind"] == kind]


def adapter(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "adapter" / "adapter_model.safetensors")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def test_a_tiny_model_overfits_eight_samples_and_only_the_adapter_changes(tmp_path: Path) -> None:
    recipe = table_recipe(
        tmp_path,
        model_recipe(
            tmp_path, lora={"r": 8, "alpha": 16, "dropout": 0.0, "targets": ["q_proj", "v_proj", "down_proj"]}
        ),
        images=2,
        each=4,
        epochs=None,
        steps=80,
        batch_size=8,
        lr=2e-2,
        lr_end=2e-3,
        validate_split="train",
        validate_every=1,
    )
    train(recipe, tmp_path / "run", tmp_path)
    steps = lines(tmp_path / "run", "step")
    assert steps[0]["loss"] > 3  # ln(259) = 5.6 for a random model over bytes
    assert steps[-1]["loss"] < 0.1
    assert lines(tmp_path / "run", "validation")[-1]["exact_match"] == 1.0
    names = set(adapter(tmp_path / "run"))
    assert {name for name in names if "lora_" not in name} == {
        "base_model.model.projector.weight",
        "base_model.model.projector.bias",
    }
    before, _ = build_model(recipe.model)
    after = Trainer(recipe, tmp_path / "run", tmp_path)._model_at(
        tmp_path / "run" / "adapter", "cpu", torch.float32
    )[0]
    kept = after.get_base_model().state_dict()
    for name, tensor in before.state_dict().items():
        if name.startswith(("vision_encoder.", "language_model.")):
            trained_name = name if name in kept else name.replace(".weight", ".base_layer.weight")
            assert torch.equal(tensor, kept[trained_name]), name


def test_a_killed_and_resumed_run_ends_bit_for_bit_as_one_never_stopped(tmp_path: Path) -> None:
    model = model_recipe(tmp_path, lora={"r": 4, "alpha": 8, "dropout": 0.1})
    recipe = table_recipe(tmp_path, model, images=6, epochs=4, checkpoint_every=3, validate_split="train")
    whole = tmp_path / "whole"
    train(recipe, whole, tmp_path)
    (tmp_path / "recipe.toml").write_text(recipes.dumps(recipe))
    script = (
        "import sys; from pathlib import Path; from pefomed import recipe\n"
        "from pefomed.training import train\n"
        "from pefomed.training.loop import Loop; import os, signal\n"
        "step = Loop._step\n"
        "count = [0]\n"
        "def killed(self, *a):\n"
        "    count[0] += 1\n"
        "    if count[0] == 6: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return step(self, *a)\n"
        "Loop._step = killed\n"
        "train(recipe.load(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))\n"
    )
    cut = tmp_path / "cut"
    arguments = [sys.executable, "-c", script, str(tmp_path / "recipe.toml"), str(cut), str(tmp_path)]
    died = subprocess.run(arguments, capture_output=True, check=False, timeout=300)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert len(lines(cut, "step")) == 5
    train(recipe, cut, tmp_path)
    assert adapter(cut).keys() == adapter(whole).keys()
    for name, tensor in adapter(whole).items():
        assert torch.equal(tensor, adapter(cut)[name]), name
    keys = ("step", "loss", "lr", "samples")
    assert [[s[k] for k in keys] for s in lines(cut, "step")] == [
        [s[k] for k in keys] for s in lines(whole, "step")
    ]


def test_a_signal_saves_and_stops_and_the_same_call_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=4, epochs=3)
    train(recipe, tmp_path / "whole", tmp_path)
    original = Loop._step
    count = 0

    def interrupted(self: Loop, *arguments: Any) -> dict[str, Any]:
        nonlocal count
        count += 1
        if count == 3:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
        return original(self, *arguments)

    monkeypatch.setattr(Loop, "_step", interrupted)
    with pytest.raises(Interrupted, match="stopped at step 3 of"):
        train(recipe, tmp_path / "cut", tmp_path)
    train(recipe, tmp_path / "cut", tmp_path)
    for name, tensor in adapter(tmp_path / "whole").items():
        assert torch.equal(tensor, adapter(tmp_path / "cut")[name]), name


def test_cached_features_train_the_same_adapter_and_encode_each_image_once(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=3, epochs=2)
    off = recipe.model_copy(update={"compute": recipe.compute.model_copy(update={"feature_cache": "off"})})
    train(recipe, tmp_path / "on", tmp_path)
    train(off, tmp_path / "off", tmp_path)
    assert len(list((tmp_path / "cache" / "features").glob("*/*/*.safetensors"))) == 3
    for name, tensor in adapter(tmp_path / "on").items():
        assert torch.equal(tensor, adapter(tmp_path / "off")[name]), name


def test_accumulated_small_batches_equal_one_large_batch(tmp_path: Path) -> None:
    model = model_recipe(tmp_path)
    large = table_recipe(
        tmp_path, model, images=4, batch_size=12, epochs=None, steps=2, max_grad_norm=float("inf")
    )
    train(large, tmp_path / "large", tmp_path)
    small = table_recipe(
        tmp_path,
        model,
        images=4,
        batch_size=3,
        accumulate=4,
        epochs=None,
        steps=2,
        max_grad_norm=float("inf"),
    )
    train(small, tmp_path / "small", tmp_path)
    # One step sees all twelve samples either way; answers of different lengths weigh by their tokens.
    losses = [[step["loss"] for step in lines(tmp_path / name, "step")] for name in ("large", "small")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_stages_follow_each_other_and_finished_ones_are_not_repeated(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, epochs=1)
    first = recipe.stages[0].model_copy(update={"name": "first", "train": ("projector",)})
    two = recipe.model_copy(update={"stages": (first, recipe.stages[0])})
    run = tmp_path / "run"
    train(two, run, tmp_path)
    after_first = load_file(run / "checkpoints" / "first" / "final" / "adapter_model.safetensors")
    lora_b = [tensor for name, tensor in after_first.items() if "lora_B" in name]
    assert lora_b
    assert all(not tensor.any() for tensor in lora_b)  # the first stage trained the projector only
    assert any(tensor.any() for name, tensor in adapter(run).items() if "lora_B" in name)
    steps = len(lines(run, "step"))
    train(two, run, tmp_path)
    assert len(lines(run, "step")) == steps


def test_a_target_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path, lora={"targets": ["q_porj"]}), epochs=1)
    with pytest.raises(RecipeError, match=r"'q_porj' matches no linear layer(?s:.*)did you mean 'q_proj'"):
        train(recipe, tmp_path / "run", tmp_path)


def test_gradient_checkpointing_trains_the_same_adapter(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, epochs=1)
    saving = recipe.compute.model_copy(update={"gradient_checkpointing": True})
    train(recipe, tmp_path / "plain", tmp_path)
    train(recipe.model_copy(update={"compute": saving}), tmp_path / "saving", tmp_path)
    for name, tensor in adapter(tmp_path / "plain").items():
        assert torch.allclose(tensor, adapter(tmp_path / "saving")[name], atol=1e-6), name


def test_float16_on_a_cpu_and_unknown_trackers_are_errors(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), epochs=1)
    half = recipe.compute.model_copy(update={"dtype": "float16"})
    with pytest.raises(RecipeError, match="'float16' needs a GPU"):
        train(recipe.model_copy(update={"compute": half}), tmp_path / "run", tmp_path)
    wrong = recipe.compute.model_copy(update={"trackers": ("tensorbord",)})
    with pytest.raises(RecipeError, match=r"no tracker 'tensorbord'(?s:.*)did you mean 'tensorboard'"):
        train(recipe.model_copy(update={"compute": wrong}), tmp_path / "run", tmp_path)


def test_two_views_of_a_study_train_and_a_bfloat16_run_stays_close(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, epochs=1)
    (tmp_path / "studies.jsonl").write_text(
        json.dumps(
            {"image": "image-0.png;image-1.png", "question": "sides?", "answer": "two", "split": "train"}
        )
        + "\n"
    )
    data = recipe.data["table"].model_copy(update={"root": "studies.jsonl"})
    recipe = recipe.model_copy(update={"data": {"table": data}})
    train(recipe, tmp_path / "full", tmp_path)
    half = recipe.compute.model_copy(update={"dtype": "bfloat16"})
    train(recipe.model_copy(update={"compute": half}), tmp_path / "half", tmp_path)
    losses = [lines(tmp_path / name, "step")[0]["loss"] for name in ("full", "half")]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert lines(tmp_path / "full", "step")[0]["tokens"] > 2 * 8  # both images' tokens are in the row


def test_a_recipe_without_stages_is_an_error(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path)).model_copy(update={"stages": ()})
    with pytest.raises(RunError, match="no \\[\\[stages\\]\\]"):
        train(recipe, tmp_path / "run", tmp_path)
