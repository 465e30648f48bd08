"""The plan of a recipe: samples, tokens, operations, bytes, and hours on so many GPUs, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pefomed.cache import keeps
from pefomed.cost import assumed, operations
from pefomed.cost.counts import Count
from pefomed.cost.pays import Image, pays_from_run
from pefomed.cost.rates import Rates
from pefomed.cost.work import StageShare, parts
from pefomed.errors import RecipeError
from pefomed.recipe import Recipe, Stage

if TYPE_CHECKING:  # it counts with torch, and this only computes
    from pefomed.models.shapes import Shapes


@dataclass(frozen=True)
class _Load:
    """What a stage costs in one process, however many share it."""

    stage: Stage
    parts: Sequence[StageShare]
    training: float
    encoding: int
    feature_bytes: int
    file_bytes: float

    @property
    def uses(self) -> float:
        return sum(part.image_uses for part in self.parts)

    @property
    def images(self) -> float:
        """Images that a step reaches: those whose features are kept."""
        return sum(part.reached for part in self.parts)

    @property
    def batches(self) -> float:
        return sum(part.batches for part in self.parts)

    @property
    def samples(self) -> float:
        return sum(part.samples for part in self.parts)


def plan(
    recipe: Recipe,
    shapes: Shapes,
    counts: Mapping[str, Mapping[str, Count]],
    gpus: Sequence[int],
    rates: Rates,
) -> dict[str, Any]:
    """Return the plan, made for JSON; nothing is read from disk.

    Args:
        counts: of each stage's data sets, by stage.

    Each stage has `data` (a row for each data set), `samples`, `tokens`, `image_uses` (encodings without
    cache), `images_reached` (encodings with cache), `training_flops`, `encoding_flops`,
    `encoding_flops_cached`, `cache_bytes`, `cache_kept`, and `gpus` (a row for each number of GPUs: hours,
    bytes and images a second of each GPU, when the cache pays). `assumed` lists what was not computed.

    Raises:
        RecipeError: the recipe has no stage, or `rates.text_tokens` is above what the recipe lets a text be.
    """
    if not recipe.stages:
        raise RecipeError(f"{recipe.name} has no [[stages]] to plan", remedy="add one, see docs/recipes.md")
    if rates.text_tokens > recipe.prompt.max_text_tokens:
        raise RecipeError(
            f"texts of {rates.text_tokens:g} tokens do not fit the recipe",
            found=f"prompt.max_text_tokens = {recipe.prompt.max_text_tokens}",
            remedy="give the mean length of a text, not the longest",
        )
    stages = [_stage(recipe, stage, shapes, counts[stage.name], gpus, rates) for stage in recipe.stages]
    return {
        "recipe": recipe.name,
        "feature_bytes_per_image": _feature_bytes(recipe, shapes),
        "encoding_flops_per_image": operations.encoding(shapes),
        "tokens_per_image": shapes.tokens_per_image,
        "stages": stages,
        "assumed": assumed.sentences(recipe, shapes, counts, rates),
    }


def _stage(
    recipe: Recipe,
    stage: Stage,
    shapes: Shapes,
    counts: Mapping[str, Count],
    gpus: Sequence[int],
    rates: Rates,
) -> dict[str, Any]:
    if shapes.alone:  # as training does
        stage = stage.model_copy(update={"share_image": False})
    found = parts(stage, counts, shapes.tokens_per_image, rates.text_tokens)
    training = sum(_training(recipe, stage, shapes, part, rates) for part in found)
    encoding, bytes_ = operations.encoding(shapes), _feature_bytes(recipe, shapes)
    load = _Load(stage, found, training, encoding, bytes_, rates.image_mb * 1e6)
    compute, needed = recipe.compute, round(load.images) * bytes_
    return {
        "stage": stage.name,
        "data": [
            {
                "name": part.name,
                "samples": part.count.samples,
                "images": part.count.images,
                "source": part.count.source,
                "samples_trained": round(part.samples),
                "passes": part.passes,
                "image_uses": round(part.image_uses),
                "uses_per_image": part.image_uses / part.count.images,
                "images_reached": round(part.reached),
                "cache_bytes": round(part.reached) * bytes_,
            }
            for part in found
        ],
        "samples": round(load.samples),
        "tokens": round(sum(_tokens(shapes, part, rates) for part in found)),
        "image_uses": round(load.uses),
        "images_reached": round(load.images),
        "training_flops": training,
        "encoding_flops": load.uses * encoding,
        "encoding_flops_cached": load.images * encoding,
        "cache_bytes": needed,
        "cache_setting": compute.feature_cache,
        "cache_kept": keeps(compute.feature_cache, needed, compute.cache_gib, round(load.images), load.uses),
        "gpus": [_on(load, number, rates) for number in gpus],
    }


def _on(load: _Load, gpus: int, rates: Rates) -> dict[str, Any]:
    """Return the same samples on `gpus` GPUs, `accumulate` and `steps` set so that they stay the same."""
    accumulate = max(1, load.stage.accumulate // gpus)
    # 20 batches on 64 GPUs take as long as 64: the last ones have nothing to do.
    idle = math.ceil(load.batches / gpus) * gpus / load.batches
    image = Image(load.encoding, load.feature_bytes, load.file_bytes, gpus, rates.flops, rates.disk)
    training = load.training / (gpus * rates.flops) * idle
    encoding = load.uses * image.encode
    without = training + encoding + load.uses * image.read_file
    with_ = training + load.images * image.fill + load.uses * image.read
    filled = training + load.images * image.read_file + load.uses * image.read
    disk = image.disk_from(load.uses / load.images)
    return {
        "gpus": gpus,
        "accumulate": accumulate,
        "steps": math.ceil(load.batches / (accumulate * gpus)),
        "samples_per_step": round(load.samples / load.batches * accumulate * gpus),
        "hours_without_cache": without / 3600,
        "hours_with_cache": with_ / 3600,
        "hours_cache_filled": filled / 3600,
        "images_per_second_per_gpu": load.uses / (training + encoding) / gpus,
        "file_bytes_per_second_per_gpu": load.uses * load.file_bytes / (training + encoding) / gpus,
        "feature_bytes_per_second_per_gpu": load.uses * load.feature_bytes / training / gpus,
        "pays_from_run": pays_from_run(without, with_, filled),
        "pays_from_uses": image.pays_from(),
        "pays_from_disk_bytes_per_second": disk,
    }


def _training(recipe: Recipe, stage: Stage, shapes: Shapes, part: StageShare, rates: Rates) -> float:
    prefix = part.count.images_each * shapes.tokens_per_image
    return operations.training(
        shapes,
        tokens=_tokens(shapes, part, rates),
        pairs=part.rows * operations.pairs_of_row(prefix, part.samples_per_row, rates.text_tokens),
        answers=part.samples * rates.text_tokens,
        image_tokens=part.rows * prefix,
        checkpointing=recipe.compute.gradient_checkpointing,
        lora="lora" in stage.train,
        projector="projector" in stage.train,
    )


def _tokens(shapes: Shapes, part: StageShare, rates: Rates) -> float:
    return part.image_uses * shapes.tokens_per_image + part.samples * rates.text_tokens


def _feature_bytes(recipe: Recipe, shapes: Shapes) -> int:
    compute = recipe.compute
    kind = compute.dtype if compute.feature_dtype in ("auto", "dtype") else compute.feature_dtype
    return shapes.patches * shapes.feature_width * (4 if kind == "float32" else 2)
