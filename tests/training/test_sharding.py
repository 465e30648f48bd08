"""FSDP in two gloo processes on a CPU, against one process on the same global batches."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from pefomed.errors import RecipeError
from pefomed.recipe import Compute, Recipe
from pefomed.training import sharding, train
from tests.training.test_processes import adapter_of, small_recipe, two_processes

KILLED = """
import os, signal
from torch.distributed.tensor import DTensor
from pefomed.training.loop import Loop
step, count = Loop._step, [0]
def dying(self, *a):
    count[0] += 1
    if count[0] == 4:
        split = [n for n, p in self.model.named_parameters() if isinstance(p, DTensor)]
        whole = [n for n, p in self.model.named_parameters() if not isinstance(p, DTensor)]
        assert any("lora_A" in n for n in split) and any("base_layer" in n for n in split)
        assert whole and all("vision_encoder" in n for n in whole), whole
        if os.environ["RANK"] == "1": os.kill(os.getpid(), signal.SIGKILL)
    return step(self, *a)
Loop._step = dying
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def _compute(recipe: Recipe, **changes: object) -> Recipe:
    return recipe.model_copy(update={"compute": recipe.compute.model_copy(update=changes)})


def test_split_weights_give_the_adapter_of_one_process_which_can_go_on_with_them(tmp_path: Path) -> None:
    one = small_recipe(tmp_path, accumulate=2)
    train(one, tmp_path / "one", tmp_path)
    wanted = adapter_of(tmp_path / "one")

    # The second process dies before its fourth step, after the checkpoint of the second.
    two = _compute(small_recipe(tmp_path, accumulate=1), sharding="full", gradient_checkpointing=True)
    lost = two_processes(two, tmp_path / "two", tmp_path, KILLED)
    assert lost.returncode != 0
    assert "SIGKILL" in lost.stderr, lost.stderr
    kept = tmp_path / "two" / "checkpoints" / "task" / "step-00000002"
    assert kept.exists(), lost.stderr
    shutil.copytree(tmp_path / "two", tmp_path / "alone")

    # What it left holds whole tensors: one process goes on with them, and so do two.
    state = torch.load(kept / "optimiser.pt", weights_only=True)["state"].values()
    assert sorted(moment["exp_avg"].shape for moment in state) == sorted(t.shape for t in wanted.values())
    train(one, tmp_path / "alone", tmp_path)
    again = two_processes(two, tmp_path / "two", tmp_path)
    assert again.returncode == 0, again.stderr
    for run in ("alone", "two"):
        found = adapter_of(tmp_path / run)
        assert found.keys() == wanted.keys()
        for name, tensor in wanted.items():
            # After nine steps of 1e-2, added up in another order: a step of Adam does not shrink with its
            # gradient, so that a rounding error of the sum becomes one of 1e-6 (at most 1.1e-6 seen).
            torch.testing.assert_close(
                found[name], tensor, rtol=1e-5, atol=3e-6, msg=lambda said, at=(run, name): f"{at}: {said}"
            )
    logs = [(tmp_path / run / "log.jsonl").read_text() for run in ("one", "two")]
    assert logs[0].count('"kind": "step"') == logs[1].count('"kind": "step"') > 3
    assert '"n": 18' in logs[1]
    assert "split over 2 processes" in logs[1]


def test_one_process_has_nothing_to_split() -> None:
    assert not sharding.is_sharded(Compute(sharding="full"), torch.float32)


def test_what_does_not_go_together_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert sharding.is_sharded(Compute(sharding="full"), torch.bfloat16)
    assert not sharding.is_sharded(Compute(), torch.float16)
    with pytest.raises(RecipeError, match="float16"):
        sharding.is_sharded(Compute(sharding="full"), torch.float16)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")  # as `accelerate launch --use_fsdp` does
    with pytest.raises(RecipeError, match=r"compute\.sharding = 'full'"):
        sharding.is_sharded(Compute(), torch.float32)
