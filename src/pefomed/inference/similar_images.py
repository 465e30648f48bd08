"""The samples of a split, told of similar training images as `predict.neighbours` wants it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pefomed.boxes.samples import has_answer
from pefomed.datasets import stream_samples
from pefomed.datasets.stage_splits import last_trained_splits
from pefomed.features.frozen import Features
from pefomed.features.neighbours import Archive, can_be_told
from pefomed.inference.decoding import generation
from pefomed.inference.predictor import Predictor
from pefomed.packing.fitting import Fitting
from pefomed.prompts import target
from pefomed.recipe import Recipe
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Sample


def similar_known(
    recipe: Recipe, name: str, samples: Sequence[Sample], data_folder: Path | None
) -> list[Sample]:
    """Return the training samples that are told of, none if that is not wanted or nothing is asked so.

    Raises:
        DataError: the data cannot be read.
    """
    tasks = {sample.task for sample in samples if can_be_told(sample.task)}
    if not (recipe.predict.neighbours and tasks):
        return []
    return [
        sample
        for split in last_trained_splits(recipe, name)
        for sample in stream_samples(recipe.data[name], split, data_folder)
        if sample.task in tasks and has_answer(sample)
    ]


def hash_of_known(known: Sequence[Sample]) -> str:
    """Return the hash of what can be told."""
    boxes = ([[box.x0, box.y0, box.x1, box.y1] for box in each.boxes] for each in known)
    return short_hash(
        *([each.id, each.question, each.reference, own] for each, own in zip(known, boxes, strict=True))
    )


def told_text(recipe: Recipe) -> str:
    """Return what an answer says about how it was generated."""
    return f"{generation(recipe)}, told of {recipe.predict.neighbours} similar training images"


def told_of(
    samples: Sequence[Sample], known: Sequence[Sample], predictor: Predictor, features: Features
) -> list[Sample]:
    """Return the samples, each with what was asked about similar ones among `known` in its question."""
    recipe, processor = predictor.recipe, predictor.processor
    form = getattr(processor, "boxes", None)  # a family's own
    written = partial(target, prompt=recipe.prompt, resizing=processor.resizing, form=form)
    archive = Archive(known, features, written)
    fitting = Fitting(recipe.prompt, processor, answers=False, room=recipe.predict.max_new_tokens)
    return [
        archive.told(
            sample,
            recipe.predict.neighbours,
            leave_out=False,
            fits=lambda longer: fitting.too_long(longer) is None,
        )
        for sample in samples
    ]
