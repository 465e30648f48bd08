"""Records answered in batches: questions about the same images in one row, rows of a kind together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from pefomed.inference.decoding import Decoding, Sampling
from pefomed.inference.generate import Generated
from pefomed.inference.given_features import GivenFeatures
from pefomed.models import device as devices
from pefomed.models.adapter import base_of
from pefomed.models.protocol import ImageFeatures, Processor, move_features
from pefomed.packing.batch import PackedRow, Tokens, rows, tokenise
from pefomed.recipe import Recipe
from pefomed.schema import Sample

T = TypeVar("T")


class Engine:
    """A model on its device, its processor, and the decoding that a recipe asks for."""

    def __init__(self, recipe: Recipe, model: Any, processor: Processor):
        self.recipe, self.model, self.processor = recipe, model, processor
        self.device = devices.device(recipe.compute)
        self.dtype = devices.dtype(recipe.compute, self.device)
        self.decoding = Decoding(recipe, processor.tokenizer)

    def generated(
        self,
        samples: Sequence[Sample],
        features: Callable[[Iterable[str]], ImageFeatures],
        sampling: Sampling,
        blind: Tensor | None = None,
        *,
        cut: bool = False,
    ) -> Iterator[tuple[int, Generated]]:
        """Yield the place of a sample and its answer so far, each time that the answer has grown."""
        room = sampling.max_new_tokens
        count = partial(self.image_tokens, features, blind)
        sequences = tokenise(
            samples, self.recipe.prompt, self.processor, answers=False, room=room, cut=cut, image_tokens=count
        )
        places = {id(sequence): place for place, sequence in enumerate(sequences)}
        for chunk in self._chunks(sequences, sampling):
            own = [places[id(sequence)] for row in chunk for sequence in row.sequences]
            paths = [image for row in chunk for image in row.images]
            kept = features(paths) if blind is None else blind.expand(len(paths), *blind.shape)
            steps = self.decoding.answers(self.model, chunk, move_features(kept, self.device), sampling, own)
            for grown in self._computed(steps):
                for number, generated in grown:
                    yield own[number], generated

    def image_tokens(self, features: object, blind: Tensor | None, image: str) -> int:
        """Return how many tokens an image takes: a file's, a given one's, or the mean image's."""
        if blind is not None:
            return self.processor.tokens_for(len(blind))
        length = features.length(image) if isinstance(features, GivenFeatures) else None
        return self.processor.image_tokens(image) if length is None else self.processor.tokens_for(length)

    def _chunks(self, sequences: list[Tokens], sampling: Sampling) -> Iterator[list[PackedRow]]:
        """Yield rows in batches, all of which are decoded in the same way."""
        most = self.recipe.predict.batch_questions
        for alike in self.decoding.groups(sequences, sampling):
            made = rows(alike, share_image=base_of(self.model).shares_rows, max_questions=most)
            yield from _chunks(sorted(made, key=len), most)

    def _computed(self, steps: Iterator[T]) -> Iterator[T]:
        """Yield each of `steps`, computed in the run's precision, which the caller's own code is not."""
        while True:
            with (
                nullcontext() if self.dtype == torch.float32 else torch.autocast(self.device.type, self.dtype)
            ):
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step


def _chunks(made: Sequence[PackedRow], questions: int) -> Iterator[list[PackedRow]]:
    chunk: list[PackedRow] = []
    for row in made:
        if chunk and sum(len(one.sequences) for one in (*chunk, row)) > questions:
            yield chunk
            chunk = []
        chunk.append(row)
    if chunk:
        yield chunk
