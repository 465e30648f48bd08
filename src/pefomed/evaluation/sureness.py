"""How sure each answer of a split is: its probability, its drawn answers, its picture. Reads files alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pefomed.answers.drawn import agreement, support
from pefomed.answers.writing import writing_of
from pefomed.files import jsonl
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder
from pefomed.samples.question_hash import question_hash
from pefomed.schema import Drawn, Likeness, Prediction, Sample

Confidences = dict[str, NDArray[np.float64]]
"""Metric -> value of each answer, NaN where it is not known; shape (N,)."""

CONFIDENCES = ("probability", "drawn_support", "drawn_agreement", "likeness")
"""In the order in which they are shown."""


def probabilities(predictions: Sequence[Prediction]) -> Confidences:
    """Return the answers' probabilities, where any is known."""
    known = np.array([np.nan if one.logprob is None else one.logprob for one in predictions])
    # A sum of logarithms that was rounded may be a hair above 0.
    return {} if np.isnan(known).all() else {"probability": np.exp(np.minimum(known, 0.0))}


def confidences_of(
    folder: Path,
    split: tuple[str, str],
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    recipe: Recipe | None,
) -> Confidences:
    """Return all that a run's folder, or its `calibration`, says of how sure its answers about images are.

    What was drawn or measured of another question or picture than the one answered is not known.

    Raises:
        DataError: a record is not valid.
    """
    files = RunFolder(folder)
    found = probabilities(predictions)
    drawn = {one.sample_id: one for one in jsonl.read(files.drawn_file(split), Drawn)}
    if drawn:
        found |= _of_drawn(samples, predictions, drawn, recipe)
    like = {one.sample_id: one for one in jsonl.read(files.likeness_file(split), Likeness)}
    if like:
        found["likeness"] = np.array(
            [
                like[one.sample_id].level if _same_picture(like.get(one.sample_id), one) else np.nan
                for one in predictions
            ]
        )
    return {name: found[name] for name in CONFIDENCES if name in found and not np.isnan(found[name]).all()}


def drawing_of(folder: Path, split: tuple[str, str]) -> str:
    """Return how the answers of a split were drawn; empty if none were, or in several ways."""
    said = {one.generation for one in jsonl.read(RunFolder(folder).drawn_file(split), Drawn)}
    return said.pop() if len(said) == 1 else ""


def _of_drawn(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    drawn: dict[str, Drawn],
    recipe: Recipe | None,
) -> Confidences:
    writing = writing_of(recipe)
    supports, agreements = (np.full(len(samples), np.nan) for _ in range(2))
    for place, (sample, answer) in enumerate(zip(samples, predictions, strict=True)):
        own = drawn.get(sample.id)
        if own is None or not _same_picture(own, answer):
            continue
        if own.asked and own.asked != (answer.asked or question_hash(sample)):
            continue
        agreements[place] = agreement(sample, own.texts, writing)
        supports[place] = support(sample, answer.text, own.texts, writing)
    return {"drawn_support": supports, "drawn_agreement": agreements}


def _same_picture(known: Drawn | Likeness | None, answer: Prediction) -> bool:
    return known is not None and (not known.shown or not answer.shown or known.shown == answer.shown)
