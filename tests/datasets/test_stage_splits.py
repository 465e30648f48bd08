from __future__ import annotations

from typing import Any

import pytest

from pefomed.datasets.stage_splits import trained_splits, used_splits, validated_split
from pefomed.errors import RecipeError
from pefomed.recipe import Dataset, Model, Recipe, Stage


def stage(**fields: Any) -> Stage:
    return Stage(name="one", epochs=1, lr=1e-3, lr_end=1e-4, **fields)


def recipe(one: Stage) -> Recipe:
    data = {name: Dataset(loader=name, root="slake") for name in ("slake", "slake_derived")}
    return Recipe(name="r", model=Model(vision_encoder="v", language_model="l"), data=data, stages=(one,))


def test_what_is_for_training_alone_is_not_validated_on() -> None:
    one = stage(data={"slake": 1, "slake_derived": 2}, validate_split="validate", also_train=("test",))
    made = recipe(one)
    assert validated_split(made, one, "slake") == "validate"
    assert validated_split(made, one, "slake_derived") is None
    assert trained_splits(made, one, "slake") == ("train", "test")
    assert trained_splits(made, one, "slake_derived") == ("train",)
    assert used_splits(made, one, "slake") == ("train", "test", "validate")
    assert used_splits(made, one, "slake_derived") == ("train",)


def test_a_stage_with_nothing_to_validate_on_is_an_error() -> None:
    one = stage(data={"slake_derived": 1}, validate_split="validate")
    with pytest.raises(RecipeError, match="nothing to validate on"):
        validated_split(recipe(one), one, "slake_derived")
    none = stage(data={"slake_derived": 1})
    assert used_splits(recipe(none), none, "slake_derived") == ("train",)
