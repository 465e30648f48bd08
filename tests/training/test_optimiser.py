"""The schedule and the parameter groups."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from pefomed.recipe import Stage
from pefomed.training.optimiser import Rate, make_optimiser, rates, set_rates


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
