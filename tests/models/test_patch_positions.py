"""Patch positions: their numbers, where they enter the model, and that features are kept without them."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from pathlib import Path

import pytest
import torch
from tests.tiny import model_recipe

from pefomed.errors import WeightsError
from pefomed.features.frozen import space
from pefomed.models.adapter import add_adapter, load_adapter, save_adapter
from pefomed.models.build import build_model
from pefomed.models.describe import describe, meta_model
from pefomed.models.patch_positions import WIDTH, patch_positions
from pefomed.recipe import parse


def test_a_centre_is_waves_of_its_fractions() -> None:
    made = patch_positions(2)
    assert made.shape == (4, 16)
    # Centres at 1/4 and 3/4; cos and sin of pi/4, pi/2, pi and 2 pi for the first.
    r = sqrt(0.5)
    near = [r, 0, -1, 1, r, 1, 0, 0]
    far = [-r, 0, -1, 1, r, -1, 0, 0]
    expected = [near + near, far + near, near + far, far + far]  # raster order: x runs first
    torch.testing.assert_close(made, torch.tensor(expected), atol=1e-6, rtol=0)
    wide = patch_positions(5)[5 * 3 + 1]  # column 1, row 3
    assert wide[0] == pytest.approx(cos(pi * 0.3), abs=1e-6)
    assert wide[8 + 4] == pytest.approx(sin(pi * 0.7), abs=1e-6)


def test_no_two_patches_of_a_large_grid_are_alike() -> None:
    made = patch_positions(32)
    apart = torch.cdist(made, made) + torch.eye(len(made)) * 9
    assert apart.min() > 0.05


def test_the_projector_reads_features_and_places_of_its_group(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path, patch_positions=True)
    model, _ = build_model(recipe)
    features = torch.randn(2, 16, 16)  # 2 images, 4 x 4 patches
    tokens = model.project(features)
    assert tokens.shape == (2, 8, 32)
    places = patch_positions(4)
    token = 5  # row 2, columns 2 and 3: patches 10 and 11
    for image in range(2):
        read = torch.cat([features[image, 10], places[10], features[image, 11], places[11]])
        torch.testing.assert_close(tokens[image, token], model.projector(read))


def test_equal_patches_are_told_apart_by_their_places_alone(tmp_path: Path) -> None:
    same = torch.ones(1, 16, 16)
    without, _ = build_model(model_recipe(tmp_path))
    model, _ = build_model(model_recipe(tmp_path, patch_positions=True))
    assert (without.project(same) - without.project(same)[:, :1]).abs().max() < 1e-6
    tokens = model.project(same)[0].detach()
    assert (torch.cdist(tokens, tokens) + torch.eye(8)).min() > 1e-3


def test_off_by_default_and_the_kept_features_serve_both(tmp_path: Path) -> None:
    default = model_recipe(tmp_path)
    assert not default.patch_positions
    without, processor = build_model(default)
    recipe = model_recipe(tmp_path, patch_positions=True)
    model, _ = build_model(recipe)
    assert meta_model(recipe).projector.weight.shape == model.projector.weight.shape
    assert space(without, processor.image_processor) == space(model, processor.image_processor)
    pixels = torch.randn(1, 3, 56, 56)
    assert torch.equal(without.encode_images(pixels), model.encode_images(pixels))


def test_an_adapter_goes_with_its_positions(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path, patch_positions=True)
    model, _ = build_model(recipe)
    features = torch.randn(1, 16, 16)
    adapted = add_adapter(model, recipe.lora)
    before = adapted.get_base_model().project(features)
    save_adapter(adapted, tmp_path / "adapter")
    again = load_adapter(build_model(recipe)[0], tmp_path / "adapter")
    assert torch.equal(again.get_base_model().project(features), before)
    with pytest.raises(WeightsError, match=r"projector\.weight \(32, 64\) instead of \(32, 32\)"):
        load_adapter(build_model(model_recipe(tmp_path))[0], tmp_path / "adapter")


def test_described_projectors_grow_by_the_positions(tmp_path: Path) -> None:
    def projector(**changes: bool) -> int:
        model = model_recipe(tmp_path, **changes)
        recipe = parse({"name": "tiny", "model": model.model_dump(exclude_none=True)})
        parts = describe(recipe)["parts"]
        return next(part["parameters"] for part in parts if part["name"] == "projector")

    assert projector(patch_positions=True) - projector() == WIDTH * 2 * 32
