"""Whether a family computes in shared rows, and with a cache, what it computes of each question alone.

Of the family's own model and processor, two drawn images and four questions. What each question's text alone
gives, as one row without padding (`attention_mask` of ones), is held against

- logits of every answer token in rows that several questions share, or padded together where it shares none;
- gradients with respect to the image features and to all parts that may be trained;
- logits of answers that grow token after token with the cache, and of trees of them, as medians need;

by the logits' deviation and the gradients' norm. In float32 they agree to 1e-4 or better; in a precision of
fewer digits to four times what padding alone changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pefomed.errors import PefomedError
from pefomed.inference.forest import grown
from pefomed.inference.generate import continued
from pefomed.inference.parity import TOLERANCE
from pefomed.models.adapter import parts_of
from pefomed.models.parts import PartOf
from pefomed.models.protocol import Processor, join_features
from pefomed.packing.batch import PackedRow, Tokens, collate, row, rows
from pefomed.packing.forward import forward
from pefomed.prompts import render
from pefomed.recipe import Prompt
from pefomed.schema import Sample
from pefomed.weights.folders import first_line


class RowParity(NamedTuple):
    """How far rows are from single texts."""

    logits: float = 0.0
    gradients: float = 0.0
    cached: float = 0.0
    """Logits of answers that grow with a cache."""
    limit: float = TOLERANCE
    failed: str = ""

    @property
    def right(self) -> bool:
        return not self.failed and max(self.logits, self.gradients, self.cached) <= self.limit

    def __str__(self) -> str:
        return self.failed or (
            f"logits differ by {self.logits:.2g} of their deviation, gradients by {self.gradients:.2g} of"
            f" their norm, logits with a cache by {self.cached:.2g}"
        )


def compare_rows(model: Any, processor: Processor, shares: bool) -> RowParity:
    """Return how far rows of `model` are from single texts, by computing both; the model stays as it is.

    Args:
        shares: compare rows that several questions share, else one question a row.
    """
    try:
        with torch.random.fork_rng(devices=[]), _as(model, shares):
            return _Comparison(model, processor, shares).found()
    except PefomedError as error:
        return RowParity(failed=error.problem)
    except Exception as error:  # whatever somebody else's model says to what it was not made for
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            raise  # says nothing of the family
        return RowParity(failed=first_line(error))


class _Comparison:
    def __init__(self, model: Any, processor: Processor, shares: bool):
        self.model, self.shares = model, shares
        first = next(one for one in model.language_model.parameters() if one.is_floating_point())
        self.device, self.dtype = first.device, first.dtype
        self.exact = self.dtype in (torch.float32, torch.float64)
        pictures = [_picture(number, size) for number, size in enumerate(_SIZES)]
        found = model.features_of([processor.image_processor.pixels(one) for one in pictures])
        self.images = {str(number): one.detach().float() for number, one in enumerate(found)}
        self.texts = [_text(processor, self.images, *asked) for asked in _ASKED]
        self.rows = rows(self.texts, share_image=shares, max_questions=len(self.texts))
        part_of = PartOf(parts_of(model))
        self.trained = [one for name, one in model.named_parameters() if part_of(name) and one.requires_grad]

    def found(self) -> RowParity:
        logits, gradients = self._computed([self.rows], self.shares)
        alone, alone_gradients = self._computed([[row([one])] for one in self.texts], False)
        if not (logits.isfinite().all() and gradients.isfinite().all()):
            return RowParity(failed="numbers that are not finite")
        if not alone_gradients.norm():
            return RowParity(failed="no gradient reaches the image features or a part that may be trained")
        limit = TOLERANCE
        if not self.exact:
            padded, _ = self._computed([rows(self.texts, share_image=False, max_questions=1)], False)
            limit = max(limit, 4 * _apart(padded, alone))
        apart = float((gradients - alone_gradients).norm() / alone_gradients.norm())
        return RowParity(_apart(logits, alone), apart, self._cached(), limit)

    def _computed(self, batches: Sequence[Sequence[PackedRow]], shares: bool) -> tuple[Tensor, Tensor]:
        """Return the logits (A, V) of all answers, text by text, and all gradients in one vector."""
        inputs = {name: one.clone().to(self.device).requires_grad_() for name, one in self.images.items()}
        logits: dict[str, Tensor] = {}
        with _as(self.model, shares), self._precision():
            for made in batches:
                batch = collate(made).to(self.device)
                features = join_features([inputs[name] for name in batch.images])
                output = (
                    forward(self.model, batch, features, answer_index=batch.answer_index, use_cache=False)
                    .logits[0]
                    .float()
                )
                for number, sample in enumerate(batch.samples):
                    logits[sample.id] = output[batch.owners == number]
        loss = sum(
            torch.nn.functional.cross_entropy(
                logits[one.sample.id], torch.tensor(one.answer, device=self.device), reduction="sum"
            )
            for one in self.texts
        )
        asked = [*inputs.values(), *self.trained]
        found = torch.autograd.grad(loss, asked, allow_unused=True)  # type: ignore[arg-type]
        flat = [
            (torch.zeros_like(one) if gradient is None else gradient).float().flatten()
            for one, gradient in zip(asked, found, strict=True)
        ]
        return torch.cat([logits[one.sample.id].detach() for one in self.texts]), torch.cat(flat)

    @torch.inference_mode()
    def _cached(self) -> float:
        """Return how far answers that grow by the same tokens with a cache are from whole passes."""
        asked = [Tokens(one.sample, one.prompt) for one in self.texts]
        made = rows(asked, share_image=self.shares, max_questions=len(asked))
        order = [one.sample.id for each in made for one in each.sequences]
        by_id = {one.sample.id: one for one in self.texts}
        answers = [by_id[name].answer[:-1] for name in order]
        features = join_features([self.images[name].to(self.device) for each in made for name in each.images])
        with self._precision():
            texts = continued(self.model, made, features)
            steps: list[list[Tensor]] = [[one] for one in texts.logits]
            for place in range(max(map(len, answers))):
                alive = [number for number, one in enumerate(answers) if len(one) > place]
                new = texts.step(alive, [answers[number][place] for number in alive])
                for number, one in zip(alive, new, strict=True):
                    steps[number].append(one)
            forest = grown(self.model, made, features)
            roots = list(range(len(answers)))
            tree = forest.grow([*roots, *roots], [one[0] for one in answers] + [one[-1] for one in answers])
            whole = [self._whole(by_id[name], answer) for name, answer in zip(order, answers, strict=True)]
            other = [
                self._whole(by_id[name], answer[-1:])[-1] for name, answer in zip(order, answers, strict=True)
            ]
        plain = torch.cat([*whole, torch.stack([one[1] for one in whole]), torch.stack(other)]).float()
        return _apart(torch.cat([torch.stack(one) for one in steps] + [tree]).float(), plain)

    def _whole(self, text: Tokens, answer: tuple[int, ...]) -> Tensor:
        """Return the logits (answer + 1, V) behind the prompt and behind each token, in one pass."""
        batch = collate([row([Tokens(text.sample, text.prompt, (*answer, 0))])]).to(self.device)
        features = join_features([self.images[name].to(self.device) for name in batch.images])
        with _as(self.model, False):
            return forward(
                self.model, batch, features, answer_index=batch.answer_index, use_cache=False
            ).logits[0]

    def _precision(self) -> Any:
        return nullcontext() if self.exact else torch.autocast(self.device.type, self.dtype)


def _apart(one: Tensor, plain: Tensor) -> float:
    return float((one - plain).abs().max() / plain.std())


@contextmanager
def _as(model: Any, shares: bool) -> Iterator[None]:
    """Let the model compute without dropout, and take its rows as shared or as single texts."""
    before, training = model.shares_rows, model.training
    if before != shares:
        model.shares_rows = shares
    model.eval()
    try:
        yield
    finally:
        if before != shares:
            model.shares_rows = before
        model.train(training)


def _text(processor: Processor, images: dict[str, Tensor], image: str, question: str, answer: str) -> Tokens:
    sample = Sample(
        id=f"{image}/{question}", images=(image,), task="vqa", question=question, reference=answer
    )
    counts = [processor.tokens_for(len(images[image]))]
    prompt = processor.encode_prompt(
        lambda shield: render(sample, Prompt(), processor.tokenizer, processor.resizing, shield), counts
    )
    return Tokens(sample, tuple(prompt), tuple(processor.encode_answer(answer)))


def _picture(number: int, size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


_SIZES = ((96, 64), (64, 80))
"""Width and height: where a family keeps them, images of unequal length."""

_ASKED = (
    ("0", "is the left lung clear?", "yes it is"),
    ("0", "is the left lung small?", "no"),
    ("0", "where is it, and what else is there to be seen in the image?", "the upper lobe"),
    ("1", "is the left lung clear?", "not at all"),
)
"""Beginnings in common, of different lengths, two images."""
