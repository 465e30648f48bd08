"""Answers of a model that cannot share rows: every question is a text of its own.

The state of a recurrent or convolutional layer is one a row: neither may several questions stand in it, nor
padding, which would enter it. Texts of equal length go together, the cache is the family's own.

Shapes: Q questions, L tokens, V vocabulary, S images, P patches, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pefomed.inference.prefill import row_state
from pefomed.models.protocol import ImageFeatures, device_of, join_features
from pefomed.packing.batch import PackedRow, Tokens, collate, row
from pefomed.packing.forward import forward

TOGETHER = 16
"""Most texts that are run again from their beginning together."""


class PromptRows:
    """The prompts of all questions of `rows`, in order, and the features (S, P, D) of each one's images."""

    def __init__(self, rows: Sequence[PackedRow], features: ImageFeatures):
        self.prompts: list[list[int]] = []
        self.features: list[Sequence[Tensor]] = []
        place = 0
        for one in rows:
            own = list(features[place : place + len(one.images)])
            place += len(one.images)
            self.prompts += [list(sequence.prompt) for sequence in one.sequences]
            self.features += [own] * one.questions

    def of_images(self, questions: Sequence[int]) -> ImageFeatures:
        """Return the features of the images of these questions, in order."""
        return join_features([one for question in questions for one in self.features[question]])


class Continuations:
    """Every question's text, to which one token after the other is added, with the family's own cache.

    Where a family returns none (Mamba, RecurrentGemma), a text is run again from its beginning.
    """

    def __init__(self, model: Any, rows: Sequence[PackedRow], features: ImageFeatures):
        """Run the prompts; `features` (S, P, D) are of the rows' images."""
        self.model, self.device = model, device_of(features)
        self._texts = PromptRows(rows, features)
        lengths = list(map(len, self._texts.prompts))
        self._groups = [
            Group([question for question, own in enumerate(lengths) if own == length])
            for length in sorted(set(lengths))
        ]
        for group in self._groups:
            group.ids = [self._texts.prompts[question] for question in group.questions]
        self.logits = self._run(self._groups, list(range(len(lengths))))
        """(Q, V) behind the prompts."""

    def step(self, alive: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Add a token to each question of `alive`, which get fewer only; return the logits there, (Q, V)."""
        new = dict(zip(alive, tokens, strict=True))
        going = [group for group in self._groups if new.keys() & set(group.questions)]
        for group in going:
            for question, text in zip(group.questions, group.ids, strict=True):
                # Who has finished goes along with any token: nobody looks at what comes behind it.
                text.append(new.get(question, 0))
        return self._run(going, alive)

    @torch.inference_mode()
    def _run(self, groups: Sequence[Group], wanted: Sequence[int]) -> Tensor:
        found: dict[int, Tensor] = {}
        for group in groups:
            begun = group.cache is not None
            texts = torch.tensor(group.ids, device=self.device)
            rows, length = texts.shape
            first = length - 1 if begun else 0
            last = torch.full((rows,), length - 1 - first, device=self.device)
            output = self.model(
                input_ids=texts[:, first:],
                image_features=None if begun else self._texts.of_images(group.questions),
                attention_mask=torch.ones_like(texts),
                position_ids=torch.arange(first, length, device=self.device).expand(rows, -1),
                past_key_values=group.cache,
                answer_index=(torch.arange(rows, device=self.device), last),
                use_cache=True,
                **group.state,
            )
            group.cache = getattr(output, "past_key_values", None)
            if not begun and group.cache is not None:
                group.state = row_state(output)
            found |= zip(group.questions, output.logits[0], strict=True)
        return torch.stack([found[question] for question in wanted])


@dataclass
class Group:
    """Questions whose texts are equally long."""

    questions: list[int]
    ids: list[list[int]] = field(default_factory=list)
    cache: Any = None
    state: dict[str, Any] = field(default_factory=dict)


class Paths:
    """A `forest.Forest` without a cache: each node's logits are of its whole text, run from the beginning."""

    def __init__(self, model: Any, rows: Sequence[PackedRow], features: ImageFeatures):
        """Run the prompts; `features` (S, P, D) are of the rows' images."""
        self.model, self.device = model, device_of(features)
        self._texts = PromptRows(rows, features)
        self._samples = [sequence.sample for one in rows for sequence in one.sequences]
        self._nodes: list[tuple[int, tuple[int, ...]]] = [
            (number, ()) for number in range(len(self._samples))
        ]
        self.logits = self._run(range(len(self)))
        """Of the questions' roots, (Q, V)."""

    def __len__(self) -> int:
        """Return how many nodes there are, the questions' own included: the next one's number."""
        return len(self._nodes)

    def grow(
        self, parents: Sequence[int], tokens: Sequence[int], wanted: Sequence[int] | None = None
    ) -> Tensor:
        """Add a node of each token behind its parent and return logits (N, V), as `forest.Forest.grow`."""
        first = len(self)
        for parent, token in zip(parents, tokens, strict=True):
            question, path = self._nodes[parent]
            self._nodes.append((question, (*path, token)))
        return self._run(range(first, len(self)) if wanted is None else wanted)

    def cut(self) -> None:
        """Take away every node but the questions' own."""
        del self._nodes[len(self._samples) :]

    @torch.inference_mode()
    def _run(self, nodes: Sequence[int]) -> Tensor:
        found = []
        for start in range(0, len(nodes), TOGETHER):
            part = [self._nodes[node] for node in nodes[start : start + TOGETHER]]
            texts = [(*self._texts.prompts[question], *path) for question, path in part]
            made = [
                row([Tokens(self._samples[question], text)])
                for (question, _), text in zip(part, texts, strict=True)
            ]
            last = torch.tensor([len(text) - 1 for text in texts], device=self.device)
            index = (torch.arange(len(part), device=self.device), last)
            images = self._texts.of_images([question for question, _ in part])
            batch = collate(made).to(self.device)
            found.append(forward(self.model, batch, images, answer_index=index, use_cache=False).logits[0])
        return torch.cat(found)
