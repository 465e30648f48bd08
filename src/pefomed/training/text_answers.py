"""Greedy answers to the captions and reports of a validation split, and their CIDEr + BLEU-4.

No report is ever repeated word for word, so exact match says nothing of them; PeFoMed chooses its checkpoints
by CIDEr + BLEU-4 (0 to 11) of decoded answers, and so does this. Decoding costs a forward pass a token: at
most `validate_texts` samples are decoded, the same at every validation, each to the length of the longest
reference among them. Nothing depends on `[predict]`, which may change after a training.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from pefomed.inference.generate import greedy
from pefomed.metrics.captions import bleu
from pefomed.metrics.captions.cider import cider
from pefomed.metrics.captions.presets import PRESETS
from pefomed.metrics.references import each_of
from pefomed.models.adapter import base_of
from pefomed.models.protocol import ImageFeatures, Processor
from pefomed.packing.batch import PackedRow, Tokens, rows
from pefomed.schema import Sample
from pefomed.tasks import TEXTS
from pefomed.training.plan import padded_batches
from pefomed.training.stored_rows import StoredRow, StoredRows


@dataclass(frozen=True)
class DecodedText:
    """One decoded answer beside what was to be written."""

    task: str
    references: tuple[str, ...]
    text: str


@dataclass
class TextAnswers:
    """The samples that are decoded at every validation."""

    chunks: Sequence[Sequence[PackedRow]]
    tokenizer: Any
    longest: int
    """Tokens of the longest reference, the end token included."""
    switch: Callable[[bool], object]
    """Sets the language model's attention for decoding (True) or for training."""

    def written(
        self, model: Any, features: Callable[[Sequence[str]], ImageFeatures], share: tuple[int, int]
    ) -> list[DecodedText]:
        """Return what `model` writes in this process's share of the chunks.

        Args:
            share: this process's number, and how many processes there are.
        """
        end = int(self.tokenizer.eos_token_id)
        found: list[DecodedText] = []
        with self._ready(base_of(model)):
            for chunk in self.chunks[share[0] :: share[1]]:
                seen = features([image for row in chunk for image in row.images])
                answers = greedy(model, chunk, seen, max_new_tokens=self.longest, end_token=end)
                samples = (sequence.sample for row in chunk for sequence in row.sequences)
                for sample, answer in zip(samples, answers, strict=True):
                    tokens = [token for token in answer.tokens if token != end]
                    text = self.tokenizer.decode(tokens, skip_special_tokens=True).strip()
                    found.append(DecodedText(sample.task, each_of(sample.references), text))
        return found

    @contextmanager
    def _ready(self, base: nn.Module) -> Iterator[None]:
        """Let the model decode: the attention for it, and no layer compiled anew for every length."""
        compiled = {
            module: module._compiled_call_impl for module in base.modules() if module._compiled_call_impl
        }
        self.switch(True)
        for module in compiled:
            module._compiled_call_impl = None
        try:
            yield
        finally:
            for module, call in compiled.items():
                module._compiled_call_impl = call
            self.switch(False)


def text_answers(
    validation: Sequence[StoredRow],
    most: int,
    seed: int,
    *,
    processor: Processor,
    share_image: bool,
    max_questions: int,
    batch_tokens: int,
    switch: Callable[[bool], object],
) -> TextAnswers | None:
    """Return what is decoded of the rows that are validated on; None if no text is, or none may be."""
    found: list[tuple[Sample, StoredRows, int]] = []
    for row in validation:
        for number in row.rows.members(row.place):
            sample = row.rows.samples[number]
            if sample.task in TEXTS:
                found.append((sample, row.rows, number))
    if len(found) > most:
        found = random.Random(f"{seed}/texts").sample(sorted(found, key=lambda one: one[0].id), most)
    if not found:
        return None
    whole = [tokens for _, own, number in found for tokens in own.tokens([number])]
    asked = [Tokens(one.sample, one.prompt) for one in whole]
    made = rows(asked, share_image=share_image, max_questions=max_questions)
    longest = max(len(one.answer) for one in whole)
    if processor.positions is not None and processor.positions[1]:  # a table, which ends
        longest = min(longest, processor.positions[0] + 1 - max(len(one.prompt) for one in whole))
    chunks = padded_batches(sorted(made, key=len), 2 * batch_tokens, 10**9)
    return TextAnswers(chunks, processor.tokenizer, longest, switch)


def text_score(written: Sequence[DecodedText]) -> dict[str, float]:
    """Return `cider` (0 to 10), `bleu_4` (0 to 1) and their sum `texts`; of several tasks weighted means."""
    totals = {"cider": 0.0, "bleu_4": 0.0}
    for task in sorted({one.task for one in written}):
        own = [one for one in written if one.task == task]
        answers = [_tokens(one.text) for one in own]
        references = [[_tokens(text) for text in one.references] for one in own]
        sums = [bleu.statistics(a, several) for a, several in zip(answers, references, strict=True)]
        share = len(own) / len(written)
        totals["bleu_4"] += share * float(bleu.bleu(np.sum(sums, axis=0))[3])
        totals["cider"] += share * float(cider(answers, references).mean())
    return totals | {"texts": totals["cider"] + totals["bleu_4"]}


def _tokens(text: str) -> list[str]:
    return " ".join(PRESETS["coco-ptb"].tokens(text)).split()
