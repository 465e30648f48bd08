"""A run made by hand whose answers say how sure they are: 40 images of three questions each."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from pefomed.files import jsonl
from pefomed.recipe import dumps, parse
from pefomed.runs import RunFolder
from pefomed.schema import Box, Prediction, Sample

RECIPE: dict[str, Any] = {
    "name": "sure",
    "model": {"vision_encoder": "eye", "language_model": "mouth"},
    "data": {"rad": {"loader": "vqa_rad", "root": "rad"}},
    "stages": [{"name": "task", "data": {"rad": 1}, "steps": 40, "lr": 6e-4, "lr_end": 6e-5}],
    "predict": {"data": {"rad": "test"}, "blind": False},
    "evaluate": {"floors": False},
}

IMAGES, EACH = 40, 3


def samples_of(name: str, images: int = IMAGES) -> list[Sample]:
    """Return questions, of which every third is open; the right answer is always yes."""
    return [
        Sample(
            id=f"{name}-{image}-{number}", images=(f"{name}-{image}.png",), task="vqa",
            question=f"Is it {number}?", reference="yes",
            meta={"answer_type": "OPEN" if number == 2 else "CLOSED"},
        )
        for image in range(images)
        for number in range(EACH)
    ]  # fmt: skip


def drawn(samples: list[Sample], seed: int = 0) -> tuple[list[float], list[bool]]:
    """Return a probability of each answer, and whether it is right: as often as the probability says."""
    random = np.random.default_rng(seed)
    probabilities = random.beta(4, 1.5, len(samples))
    return probabilities.tolist(), (random.random(len(samples)) < probabilities).tolist()


def predictions_of(samples: list[Sample], probabilities: list[float], right: list[bool]) -> list[Prediction]:
    return [
        Prediction(
            sample_id=sample.id, text="Yes" if good else "no", tokens=2, finish="stop",
            generation="greedy, at most 32 tokens", logprob=math.log(probability),
        )
        for sample, probability, good in zip(samples, probabilities, right, strict=True)
    ]  # fmt: skip


def write_run(folder: Path, **changes: Any) -> RunFolder:
    """Write the run; `changes` are tables of its recipe."""
    run = RunFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run.recipe_file.write_text(dumps(parse({**RECIPE, **changes})))
    write_split(run, "test", seed=0)
    return run


def write_split(run: RunFolder, split: str, seed: int, images: int = IMAGES) -> None:
    samples = samples_of(split, images)
    jsonl.append(run.samples_file(("rad", split)), samples)
    jsonl.append(run.predictions_file(("rad", split)), predictions_of(samples, *drawn(samples, seed)))


def box(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.0, x1=x1, y1=1.0)
