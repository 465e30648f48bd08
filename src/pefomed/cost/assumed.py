"""What a plan takes for granted, in sentences: what was given, what is a default, what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pefomed.cost.counts import Count
from pefomed.cost.rates import Rates
from pefomed.recipe import Recipe

if TYPE_CHECKING:  # it counts with torch, and this only computes
    from pefomed.models.shapes import Shapes


def sentences(
    recipe: Recipe, shapes: Shapes, counts: Mapping[str, Mapping[str, Count]], rates: Rates
) -> list[str]:
    """Return one sentence for each assumption."""
    default = Rates()
    found = [
        _rate(rates.tflops, default.tflops, "a GPU keeps up {:g} TFLOP/s (--tflops)")
        + ("; two fifths of the 149.7 of an A40's data sheet" if rates.tflops == default.tflops else ""),
        _rate(rates.disk_gb_s, default.disk_gb_s, "all GPUs read from one disk of {:g} GB/s (--disk-gb-s)"),
        _rate(rates.image_mb, default.image_mb, "an image file has {:g} MB (--image-mb)"),
        _rate(
            rates.text_tokens,
            default.text_tokens,
            f"a text has {{:g}} tokens (--text-tokens), at most {recipe.prompt.max_text_tokens}",
        )
        + "; all of them count as answer tokens",
        *_of_counts(recipe, counts),
        "batches are full and nothing is padded",
        "reading and encoding overlap with nothing, every read goes to the disk, decoding takes no time",
        "with the cache the file of every image that a step reaches is read once more, for its hash",
        f"GPUs wait for nothing: exchanging {4 * (shapes.lora + shapes.projector) / 1e6:,.0f} MB of gradients"
        " a step is free",
        "more GPUs train on the same samples, with the steps and accumulate shown",
        "validation, prediction, loading and compiling are left out",
    ]
    if shapes.alone:
        found.append(
            f"one question a row: language models of the kind {shapes.alone} cannot share rows; what is"
            " recurrent in them is left out"
        )
    if recipe.compute.gradient_checkpointing:
        found.append(
            "checkpointing computes a layer's forward again in full; torch leaves out its last product"
        )
    if recipe.compute.dtype == "auto":
        found.append("compute.dtype = auto is bfloat16 on the GPUs")
    if any(stage.crops for stage in recipe.stages):
        found.append("every sample has boxes, and every cropped copy is kept")
    if any(stage.changes.copies for stage in recipe.stages):
        found.append("every copy with a changed picture is kept")
    return found


def _rate(value: float, default: float, sentence: str) -> str:
    return sentence.format(value) + (", by default" if value == default else ", as given")


def _of_counts(recipe: Recipe, counts: Mapping[str, Mapping[str, Count]]) -> list[str]:
    published = {
        name
        for of_stage in counts.values()
        for name, count in of_stage.items()
        if count.source.startswith("published")
    }
    found = []
    if published:
        found.append(
            f"{', '.join(sorted(published))}: samples and images as published; what a loader's options choose"
            " or leave out is still among them (--samples, --images)"
        )
    for name in sorted(published):
        if options := recipe.data[name].options:
            told = ", ".join(f"{key} = {value}" for key, value in options.items())
            found.append(f"{name}: the published count holds with the options {told}")
    return found
