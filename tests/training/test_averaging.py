"""A stage's running mean of weights, and targets that are spread a little."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pefomed.errors import RunError
from pefomed.recipe import LossMean
from pefomed.training import train
from pefomed.training.averaging import RunningMean
from pefomed.training.loss import _summed
from tests.tiny import model_recipe, table_recipe


def test_the_mean_follows_its_formula_and_gives_the_weights_back() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    mean = RunningMean([weight], 0.5)
    with torch.no_grad():
        weight.copy_(torch.tensor([3.0, 2.0]))
    mean.add(1)  # d = min(0.5, 2 / 11): 2/11 + 9/11 x 3 = 29/11
    with torch.no_grad():
        weight.zero_()
    mean.add(20)  # d = min(0.5, 21 / 30): 29/22
    before = weight.detach().clone()
    with mean.in_place():
        assert weight.tolist() == pytest.approx([29 / 22, 1.0])
    assert torch.equal(weight, before)
    other = RunningMean([nn.Parameter(torch.zeros(2))], 0.5)
    other.restore(mean.state())
    assert torch.equal(other.state()[0], mean.state()[0])
    for wrong in (None, [], [torch.zeros(3)]):
        with pytest.raises(RunError, match="no running mean"):
            other.restore(wrong)


def test_the_stage_ends_with_the_mean_and_goes_on_in_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))

    def trained(name: str, **stage: object) -> Path:
        recipe = table_recipe(
            tmp_path, model_recipe(tmp_path), images=2, epochs=None, steps=4, checkpoint_every=1, **stage
        )
        train(recipe, tmp_path / name, tmp_path)
        return tmp_path / name

    plain, run = trained("plain"), trained("mean", ema=0.9)
    folder = run / "checkpoints" / "task"
    last = folder / "step-00000004"
    # Training is as without a mean, and its weights are in the checkpoint.
    raw = load_file(last / "adapter.safetensors")
    same = load_file(plain / "checkpoints" / "task" / last.name / "adapter.safetensors")
    assert all(torch.equal(raw[name], same[name]) for name in same)
    assert "mean" not in torch.load(
        plain / "checkpoints" / "task" / last.name / "optimiser.pt", weights_only=True
    )
    # What it ends with is the mean.
    kept = torch.load(last / "optimiser.pt", weights_only=True)["mean"]
    final = (run / "adapter" / "adapter_model.safetensors").read_bytes()
    assert sorted(float(one.norm()) for one in kept) == pytest.approx(
        sorted(float(one.norm()) for one in load_file(run / "adapter" / "adapter_model.safetensors").values())
    )
    assert final != (plain / "adapter" / "adapter_model.safetensors").read_bytes()
    # Stopped after step 3, it ends in the same bits.
    for gone in (last, folder / "final", run / "adapter"):
        shutil.rmtree(gone)
    assert trained("mean", ema=0.9) == run
    assert (run / "adapter" / "adapter_model.safetensors").read_bytes() == final


@pytest.mark.parametrize("mean_of", ["token", "sample"])
def test_smoothed_targets(mean_of: LossMean) -> None:
    class Two:
        """Two samples of two tokens and one, of a vocabulary of four."""

        targets = torch.tensor([0, 3, 1])
        owners = torch.tensor([0, 0, 1])
        samples = ("a", "b")

    logits = torch.tensor([[2.0, 0, 0, 0], [0, 1.0, 0, 3.0], [0.5, 0.5, 0, 0]])
    losses = []
    for row, target in zip(logits.tolist(), Two.targets.tolist(), strict=True):
        logs = [value - math.log(sum(map(math.exp, row))) for value in row]
        losses.append(-0.9 * logs[target] - 0.1 * sum(logs) / 4)
    expected = sum(losses) if mean_of == "token" else (losses[0] + losses[1]) / 2 + losses[2]
    assert float(_summed(logits, Two(), mean_of, 0.1)) == pytest.approx(expected, rel=1e-6)  # type: ignore[arg-type]
