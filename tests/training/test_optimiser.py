"""The schedule and the parameter groups."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from pefomed.recipe import Stage
from pefomed.training.optimiser import Rate, long_warmup, make_optimiser, rates, set_rates


def stage(**changes: object) -> Stage:
    return Stage.model_validate(
        {"name": "s", "data": {"d": 1}, "steps": 10, "lr": 1e-4, "lr_end": 8e-5} | changes
    )


def test_warm_up_then_cosine_between_the_two_rates_at_every_step() -> None:
    rate = Rate(peak=1.0, end=0.2, warmup=4, steps=13)
    assert [rate.at(step) for step in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    # 13 steps, 4 of warm-up: the cosine runs from step 4 to step 12; half way, step 8, is the mean.
    assert rate.at(8) == pytest.approx(0.6)
    assert rate.at(6) == pytest.approx(0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi / 4)))
    assert rate.at(12) == pytest.approx(0.2)


def test_projector_follows_its_own_rates() -> None:
    schedules = rates(stage(projector_lr=1e-3), 10)
    assert schedules["projector"].at(0) == pytest.approx(1e-3)
    assert schedules["projector"].at(9) == pytest.approx(8e-4)  # in proportion to 8e-5 / 1e-4
    assert schedules["lora"].at(9) == pytest.approx(8e-5)


def test_what_is_frozen_has_no_rate() -> None:
    assert set(rates(stage(), 10)) == {"lora", "projector"}
    assert set(rates(stage(train=["projector"]), 10)) == {"projector"}
    assert set(rates(stage(train=["lora"]), 10)) == {"lora"}


@pytest.mark.parametrize(
    ("length", "steps", "warmup"),
    [
        # transformers: math.ceil(num_training_steps * warmup_ratio)
        ({"warmup_ratio": 0.03}, 330, 10),  # 9.9
        ({"warmup_ratio": 0.03}, 100, 3),
        ({"warmup_ratio": 0.07}, 100, 7),  # not 8: 0.07 * 100 is 7.000000000000001
        ({"warmup_ratio": 0.0}, 100, 0),
        ({"warmup_ratio": 0.001}, 10, 1),
        ({"warmup_steps": 30}, 100, 30),
        ({"warmup_steps": 30}, 20, 19),  # the last step has the rate it ends at
        ({"warmup_ratio": 0.9}, 1, 0),
    ],
)
def test_a_warm_up_in_steps_or_as_a_share_of_them(length: dict[str, float], steps: int, warmup: int) -> None:
    made = stage(**length)
    assert made.warmup(steps) == warmup
    lora = rates(made, steps)["lora"]
    assert lora.at(warmup) == pytest.approx(made.lr)
    if warmup:
        assert lora.at(0) == 0.0


def test_a_warm_up_in_steps_and_as_a_share_is_refused() -> None:
    with pytest.raises(ValueError, match="only one of `warmup_steps` and `warmup_ratio`"):
        stage(warmup_steps=3, warmup_ratio=0.1)


def test_a_warm_up_longer_than_a_tenth_is_said() -> None:
    assert long_warmup(stage(warmup_steps=10), 100) == ""
    assert long_warmup(stage(warmup_steps=11), 100).startswith("the warm-up takes 11 of 100 steps, 11 %,")
    assert long_warmup(stage(warmup_ratio=0.5), 9).startswith("the warm-up takes 5 of 9 steps, 56 %,")
    cut = long_warmup(stage(warmup_steps=1000), 50)
    assert cut.startswith("the warm-up takes 49 (of 1,000 asked for) of 50 steps, 98 %,")


def test_no_decay_on_one_dimensional_tensors_and_rates_reach_every_group() -> None:
    linear = nn.Linear(3, 2)
    matrix = nn.Parameter(torch.zeros(2, 2))
    optimiser = make_optimiser(
        {"projector": [*linear.parameters()], "lora": [matrix]}, stage(projector_lr=1e-3)
    )
    decays = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
    assert decays == {id(linear.weight): 0.05, id(linear.bias): 0.0, id(matrix): 0.05}
    set_rates(optimiser, rates(stage(projector_lr=1e-3), 10), 9)
    assert {g["part"]: pytest.approx(g["lr"]) for g in optimiser.param_groups} == {
        "projector": 8e-4,
        "lora": 8e-5,
    }
