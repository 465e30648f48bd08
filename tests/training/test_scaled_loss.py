"""Float16's scaling of the loss, by torch's own scaler on the CPU: float32 weights show what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from pefomed.errors import TrainingError
from pefomed.models.adapter import trainable
from pefomed.recipe import LossMean, Stage
from pefomed.training import checkpoint, sharding, soundness
from pefomed.training.log import Log
from pefomed.training.loop import Loop
from tests.tiny import model_recipe
from tests.training import one_step


@pytest.fixture(autouse=True)
def own_state() -> Iterator[None]:
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


class Scaled:
    """A model of float32 and a loop whose loss is scaled; by nothing if `scale` is None."""

    def __init__(self, root: Path, mean_of: LossMean, scale: float | None):
        self.model, asked = one_step.opened(model_recipe(root))
        self.model.float()
        self.step = one_step.uneven(asked)
        self.parameters = [one for group in trainable(self.model, one_step.PARTS).values() for one in group]
        accelerator = Accelerator(cpu=True)
        if scale is not None:  # as Accelerator itself does on a GPU
            accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
            accelerator.native_amp = True
            accelerator.state._mixed_precision = "fp16"
        self.accelerator = accelerator
        self.optimiser = accelerator.prepare_optimizer(torch.optim.AdamW(self.parameters, lr=1e-2))
        stage = Stage(name="task", data={"d": 1}, steps=1, lr=1, lr_end=1, loss=mean_of)
        features: Any = lambda images: one_step.features(images).float()  # noqa: E731
        self.loop = Loop(
            stage, self.model, features, [self.step], 1, [], None, accelerator, Log(root / "log.jsonl"), root,  # type: ignore[arg-type]
        )  # fmt: skip

    def take(self) -> dict[str, Any]:
        return self.loop._step(self.model, self.optimiser, self.parameters, self.step)

    def weights(self) -> list[torch.Tensor]:
        return [parameter.detach().clone() for parameter in self.parameters]


@pytest.mark.parametrize("mean_of", ["sample", "token"])
def test_a_scale_changes_neither_weights_nor_what_is_logged(tmp_path: Path, mean_of: LossMean) -> None:
    plain, scaled = Scaled(tmp_path, mean_of, None), None
    expected = [plain.take(), plain.take()]
    AcceleratorState._reset_state(reset_partial_state=True)
    scaled = Scaled(tmp_path, mean_of, 2.0**16)
    found = [scaled.take(), scaled.take()]
    for key in ("loss", "grad_norm"):  # a power of two is exact in float32: the same bits
        assert [one[key] for one in found] == [one[key] for one in expected]
    for one, other in zip(scaled.weights(), plain.weights(), strict=True):
        assert torch.equal(one, other)


def test_a_scale_too_large_skips_the_step_and_is_halved(tmp_path: Path) -> None:
    scaled = Scaled(tmp_path, "sample", 2.0**127)
    before = scaled.weights()
    values = scaled.take()
    assert values["loss"] < 20  # as it is, not as it was scaled
    assert not torch.isfinite(torch.tensor(values["grad_norm"]))
    assert all(torch.equal(one, other) for one, other in zip(before, scaled.weights(), strict=True))
    assert scaled.accelerator.scaler.get_scale() == 2.0**126
    assert soundness.scale_left(scaled.accelerator)


def test_a_training_that_goes_on_has_the_scale_it_stopped_at(tmp_path: Path) -> None:
    stopped = Scaled(tmp_path, "sample", 2.0**127)
    stopped.take()  # skipped, the scale is halved
    stopped.take()
    scale = stopped.accelerator.scaler.get_scale()
    assert scale < 2.0**127
    moments = sharding.moments(stopped.optimiser, stopped.accelerator.scaler)
    checkpoint.save(tmp_path / "task", stopped.model, moments, checkpoint.StageProgress(step=2))
    stopped.take()
    AcceleratorState._reset_state(reset_partial_state=True)
    going_on = Scaled(tmp_path, "sample", 2.0**127)
    found = checkpoint.find(tmp_path / "task", print)
    assert found is not None
    checkpoint.restore(found, going_on.model, going_on.optimiser, going_on.accelerator.scaler)
    assert going_on.accelerator.scaler.get_scale() == scale
    going_on.take()
    assert all(torch.equal(one, two) for one, two in zip(stopped.weights(), going_on.weights(), strict=True))


def test_a_gradient_that_no_scale_makes_finite_ends_the_training(tmp_path: Path) -> None:
    scaled = Scaled(tmp_path, "sample", 4.0)
    scaled.parameters[0].register_hook(lambda gradient: gradient * float("inf"))
    before = scaled.weights()
    scaled.take()
    scaled.take()
    assert scaled.accelerator.scaler.get_scale() == 1.0
    with pytest.raises(TrainingError, match="the gradient is not finite"):
        scaled.take()
    assert all(torch.equal(one, other) for one, other in zip(before, scaled.weights(), strict=True))
