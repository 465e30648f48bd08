"""The ordinary way: one question a row, padded on the right; encoder, causal mask and full logits every time.

What one writes with transformers and PEFT: a collator, `model(input_ids, pixel_values, attention_mask,
labels)`, gradients accumulated over batches of 8 rows; `model.generate` for every question. Where there
was a choice it is the faster one: images are decoded and resized beforehand, and no key-value cache is
kept in training.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from benchmarks.setting import Bench
from pefomed.features.frozen import Features
from pefomed.images.images import open_image
from pefomed.models.processing import PefomedProcessor
from pefomed.packing.batch import Tokens

ROWS = 8
"""Questions in one batch."""


def step(
    bench: Bench, sequences: Sequence[Tokens], *, features: Features | None = None, answers_only: bool = False
) -> None:
    """Take one optimiser step on `sequences`, in batches of `ROWS`.

    Args:
        features: take image features from here instead of running the encoder.
        answers_only: compute logits only where an answer token is.
    """
    bench.model.train()
    total = sum(len(sequence.answer) for sequence in sequences)
    with as_usual(bench.model):
        for batch in batches(sequences, bench.processor):
            loss = batch_loss(bench.model, batch, total, features, answers_only)
            bench.accelerator.backward(loss)
    if bench.stage.max_grad_norm is not None:
        bench.accelerator.clip_grad_norm_(bench.parameters, bench.stage.max_grad_norm)
    bench.optimiser.step()
    bench.optimiser.zero_grad(set_to_none=True)


@contextmanager
def as_usual(model: Any) -> Iterator[None]:
    """Run `model` with the attention that transformers takes by itself, and not compiled."""
    language_model = model.get_base_model().language_model
    own = language_model.config._attn_implementation
    language_model.set_attn_implementation("sdpa")
    try:
        with torch.compiler.set_stance("force_eager"):
            yield
    finally:
        language_model.set_attn_implementation(own)


def batches(sequences: Sequence[Tokens], processor: PefomedProcessor) -> list[dict[str, Any]]:
    """Return shuffled, padded batches of `ROWS` rows: tokens (B, L), pixels (B, 3, S, S), image paths."""
    order = random.Random(0).sample(list(sequences), len(sequences))
    return [_collate(order[start : start + ROWS], processor) for start in range(0, len(order), ROWS)]


def batch_loss(
    model: Any,
    batch: dict[str, Any],
    total: int,
    features: Features | None = None,
    answers_only: bool = False,
) -> Tensor:
    """Return the batch's share of the mean loss over `total` answer tokens."""
    device = next(model.parameters()).device
    tensors = {name: value.to(device) for name, value in batch.items() if isinstance(value, Tensor)}
    labels, pixels = tensors.pop("labels"), tensors.pop("pixel_values")
    if features is None:
        images = {"pixel_values": pixels}
    else:
        images = {"image_features": features(batch["images"]).to(device)}
    if not answers_only:
        output = model(**tensors, **images, labels=labels, num_items_in_batch=total, use_cache=False)
        return output.loss  # type: ignore[no-any-return]
    rows, columns = (labels[:, 1:] != -100).nonzero(as_tuple=True)
    output = model(**tensors, **images, answer_index=(rows, columns), use_cache=False)
    targets = labels[rows, columns + 1]
    return torch.nn.functional.cross_entropy(output.logits[0].float(), targets, reduction="sum") / total


@torch.no_grad()
def answer(model: Any, sequence: Tokens, processor: PefomedProcessor, max_new_tokens: int) -> list[int]:
    """Return the greedy answer to one question: the new tokens, without the end token."""
    device = next(model.parameters()).device
    end = int(processor.tokenizer.eos_token_id)
    prompt = torch.tensor([sequence.prompt], device=device)
    generated = model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        pixel_values=pixels(sequence, processor).to(device),
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=end,
        pad_token_id=end,
    )
    return [token for token in generated[0, prompt.shape[1] :].tolist() if token != end]


def pixels(sequence: Tokens, processor: PefomedProcessor) -> Tensor:
    """Return the sample's images (I, 3, S, S), prepared once and then kept in memory."""
    size = processor.image_processor.image_size
    return torch.stack([_pixels(path, size, processor.image_processor) for path in sequence.sample.images])


@lru_cache(maxsize=512)
def _pixels(path: str, size: int, images: Any) -> Tensor:
    return images.pixels(open_image(path))  # type: ignore[no-any-return]


def _collate(sequences: Sequence[Tokens], processor: PefomedProcessor) -> dict[str, Any]:
    texts = [sequence.prompt + sequence.answer for sequence in sequences]
    length = max(map(len, texts))
    pad = processor.tokenizer.pad_token_id
    ids = torch.full((len(texts), length), processor.tokenizer.eos_token_id if pad is None else pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for number, (sequence, text) in enumerate(zip(sequences, texts, strict=True)):
        ids[number, : len(text)] = torch.tensor(text)
        mask[number, : len(text)] = 1
        labels[number, len(sequence.prompt) : len(text)] = torch.tensor(sequence.answer)
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "pixel_values": torch.cat([pixels(sequence, processor) for sequence in sequences]),
        "images": [path for sequence in sequences for path in sequence.sample.images],
    }
