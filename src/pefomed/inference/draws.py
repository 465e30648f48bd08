"""Several answers drawn to each question, from one pass over its image.

All draws of the questions about an image stand in one row: image, instruction and question are computed once.
The random numbers of a draw hang on the seed, the sample's id and the draw's number alone, so that neither
the order of the samples, nor the size of a batch, nor a stop in between changes what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pefomed.errors import DataError
from pefomed.inference.decoding import Sampling
from pefomed.inference.engine import Engine
from pefomed.inference.generate import Generated
from pefomed.inference.text_pieces import text_of
from pefomed.models.protocol import ImageFeatures
from pefomed.recipe import Predict
from pefomed.schema import Drawn, Sample

_BATCHES = 4
"""Batches of questions that are begun together at least: what a stop can lose."""


@dataclass(frozen=True)
class Drawing:
    """How many answers are drawn to each question, and how.

    Raises:
        DataError: they could not differ.
    """

    samples: int
    temperature: float
    seed: int
    max_new_tokens: int
    constrained: str = ""
    """What boxes may be, as it is said."""

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise DataError("whether drawn answers agree takes 2 or more", found=repr(self.samples))
        if not self.temperature > 0:
            raise DataError(
                f"{self.samples} answers drawn at temperature 0 are all the same",
                remedy="give a temperature above 0; 1 draws from the model's own distribution",
            )

    @classmethod
    def of(cls, how: Predict, generation: str) -> Drawing:
        """Return what a recipe's [predict] table asks for; `generation` says how answers are made else."""
        medians = how.box_choice == "median"
        constrained = ", boxes constrained" if how.constrain_boxes or medians else ""
        if constrained and generation.endswith(", or none"):
            constrained += ", or none"
        return cls(how.samples, how.temperature, how.seed, how.max_new_tokens, constrained)

    def __str__(self) -> str:
        return (
            f"{self.samples} drawn at temperature {self.temperature:g}, seed {self.seed},"
            f" at most {self.max_new_tokens} tokens{self.constrained}"
        )


def draws(
    engine: Engine,
    samples: Sequence[Sample],
    features: Callable[[Iterable[str]], ImageFeatures],
    drawing: Drawing,
    *,
    cut: bool = False,
) -> Iterator[Drawn]:
    """Yield the drawn answers to each sample, those of an image one after the other.

    Args:
        features: where image features come from.
        cut: cut questions that are too long.
    """
    each, tokenizer = drawing.samples, engine.processor.tokenizer
    for block in _blocks(samples, -(-_BATCHES * engine.recipe.predict.batch_questions // each)):
        copies = [sample for sample in block for _ in range(each)]
        sampling = Sampling(
            drawing.max_new_tokens,
            drawing.temperature,
            drawing.seed,
            logprobs=True,
            names=tuple(f"{sample.id}/{number}" for sample in block for number in range(each)),
        )
        found: dict[int, dict[int, Generated]] = {}
        for place, generated in engine.generated(copies, features, sampling, cut=cut):
            if not generated.done:
                continue
            own = found.setdefault(place // each, {})
            own[place % each] = generated
            if len(own) == each:
                ordered = [own[number] for number in range(each)]
                yield _drawn(block[place // each], ordered, tokenizer, drawing)
                own.clear()


def _drawn(sample: Sample, answers: Sequence[Generated], tokenizer: Any, drawing: Drawing) -> Drawn:
    return Drawn(
        sample_id=sample.id,
        texts=tuple(text_of(tokenizer, one.tokens) for one in answers),
        logprobs=tuple(math.fsum(one.logprobs) for one in answers),
        generation=str(drawing),
    )


def _blocks(samples: Sequence[Sample], least: int) -> Iterator[list[Sample]]:
    """Yield the samples in blocks of at least so many, all samples of an image in one."""
    by_images: dict[tuple[str, ...], list[Sample]] = {}
    for sample in samples:
        by_images.setdefault(sample.images, []).append(sample)
    block: list[Sample] = []
    for own in by_images.values():
        block += own
        if len(block) >= least:
            yield block
            block = []
    if block:
        yield block
