"""What is known of a recipe's model without its weights: sizes, tokenizer, positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pefomed.errors import RunError
from pefomed.models import device as devices
from pefomed.models.adapter import parts_of
from pefomed.models.build import build_processor
from pefomed.models.describe import describe_model, meta_model
from pefomed.models.family_description import family_shapes
from pefomed.models.layers import most_positions
from pefomed.models.location_tokens import teach
from pefomed.models.parts import Parts
from pefomed.models.protocol import Processor
from pefomed.recipe import Recipe
from pefomed.weights.lookup import resolve


@dataclass(frozen=True)
class UnloadedModel:
    """A recipe's model, without numbers."""

    processor: Processor
    described: dict[str, Any]
    """What `describe.json` holds."""
    feature_bytes: int
    """Of the features of an image, of the largest one."""
    parts: Parts
    """What a stage may train."""

    @property
    def part_sizes(self) -> Mapping[str, int]:
        """Parameters of each part that a stage may train."""
        sizes = {part["name"]: part["parameters"] for part in self.described["parts"]}
        # Of composed models it is called as people write it.
        return {name: sizes[name] if name in sizes else sizes["LoRA"] for name in self.parts}


def unloaded_model(recipe: Recipe, *, untrained: bool = False) -> UnloadedModel:
    """Return what is known; parts that are not on this disk are fetched.

    Raises:
        RunError: there is no stage to train, and none is meant to be.
        RecipeError, WeightsError: the parts do not fit each other, this machine or the recipe.
    """
    if not recipe.stages and not untrained:
        raise RunError("the recipe has no [[stages]]", remedy="add one, see docs/recipes.md")
    where = devices.device(recipe.compute)
    devices.dtype(recipe.compute, where)
    precision = devices.feature_dtype(recipe.compute, where)
    if recipe.model.family is not None:
        model, processor = family_shapes(recipe)
        parts, size = parts_of(model), int(model.feature_bytes())
        return UnloadedModel(processor, describe_model(recipe, model), size, parts)
    vision = resolve(recipe.model.vision_encoder, "vision", recipe.model.vision_revision)
    language = resolve(recipe.model.language_model, "language", recipe.model.language_revision)
    model = meta_model(recipe.model)
    config: Any = model.config
    processor = build_processor(recipe.model, config, vision, language)
    processor.positions = most_positions(model.language_model)
    if recipe.model.location_tokens:
        teach(processor.tokenizer, recipe.model.location_tokens)
    size = config.grid**2 * config.feature_width * precision.itemsize
    return UnloadedModel(processor, describe_model(recipe, model), size, parts_of(model))
