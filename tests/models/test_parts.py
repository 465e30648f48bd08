"""Parts that a stage may train: told by name, wrapped as PEFT does, refused where they cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests import outside_family
from tests.outside_family import Tiny

from pefomed.errors import RecipeError, WeightsError
from pefomed.models.adapter import add_adapter, load_adapter, save_adapter, trainable
from pefomed.models.family import build_family
from pefomed.models.parts import LoraPart, PartOf, Parts, WholePart, chosen_parts
from pefomed.recipe import Lora, Model, Stage

STAGE: dict[str, Any] = {"name": "s", "data": {"d": 1}, "steps": 1, "lr": 1e-3, "lr_end": 1e-4}


def test_names_say_which_part_a_parameter_is_of() -> None:
    part_of = PartOf(
        {"lora": LoraPart("language_model"), "eyes": LoraPart("tower"), "out": WholePart(("a.b",))}
    )
    assert part_of("base_model.model.language_model.q_proj.lora_A.default.weight") == "lora"
    assert part_of("base_model.model.tower.q_proj.lora_B.default.weight") == "eyes"
    assert part_of("base_model.model.a.b.modules_to_save.default.weight") == "out"
    assert part_of("base_model.model.a.b.original_module.weight") is None
    assert part_of("base_model.model.a.bb.modules_to_save.default.weight") is None
    assert part_of("base_model.model.language_model.q_proj.base_layer.weight") is None


def test_a_stage_trains_what_it_names_and_all_by_default() -> None:
    model = add_adapter(Tiny(), Lora(r=4))
    parts = model.get_base_model().parts()
    assert chosen_parts(Stage.model_validate(STAGE | {"train": ["all"]}), parts) == ("lora", "merger")
    chosen = chosen_parts(Stage.model_validate(STAGE | {"train": ["merger"]}), parts)
    found = trainable(model, chosen)
    assert [tuple(one.shape) for one in found["merger"]] == [(32, 8), (32,)]
    assert sum(one.requires_grad for one in model.parameters()) == 2
    for wrong in ({"train": ["projector"]}, {"train": ["lora"], "part_lr": {"mergr": 1e-3}}):
        with pytest.raises(RecipeError, match="which the model has not"):
            chosen_parts(Stage.model_validate(STAGE | wrong), parts)


def test_a_family_without_lora_keeps_its_modules_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tiny, "parts", lambda _: {"merger": WholePart(("merger",))})
    model = add_adapter(Tiny(), Lora(r=4))
    with torch.no_grad():
        trainable(model, ("merger",))["merger"][0].add_(1.0)
    save_adapter(model, tmp_path / "adapter")
    again = load_adapter(Tiny(), tmp_path / "adapter")
    ids = torch.tensor([[1, 300, 300, 5]])
    features = [torch.randn(2, 10)]
    assert torch.equal(
        model.get_base_model().embed(ids, features), again.get_base_model().embed(ids, features)
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"x": WholePart(("mergr",))}, "did you mean 'merger'"),
        ({"x": LoraPart("vision_encoder")}, "lies in the vision encoder"),
        ({"all": WholePart(("merger",))}, "`parts` does not say"),
        ({}, "`parts` does not say"),
        ({"x": "merger"}, "`parts` does not say"),
    ],
)
def test_parts_that_cannot_be_are_one_error(
    parts: Parts, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Tiny, "parts", lambda _: parts)
    outside_family.write_weights(tmp_path / "w")
    recipe = Model(family="tests.outside_family:tiny", options={"weights": str(tmp_path / "w")})

    def build() -> None:
        model, _ = build_family(recipe, device="cpu", dtype=torch.float32, feature_dtype=torch.float32)
        add_adapter(model, Lora(r=4))

    with pytest.raises((RecipeError, WeightsError), match=said):
        build()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tests.outside_family:Pixels", "cannot be built|no pair|takes no arguments"),
        ("tests.outside_family:IMAGE", "cannot be called"),
        ("tests.outside_family:tokenizer", "needs|no option|cannot be built"),
    ],
)
def test_what_is_no_family_is_one_error(name: str, said: str) -> None:
    recipe = Model(family=name)
    with pytest.raises(RecipeError, match=said):
        build_family(recipe, device="cpu", dtype=torch.float32, feature_dtype=torch.float32)
