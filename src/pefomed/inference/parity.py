"""Whether a language model computes in our rows what it computes of each question alone.

Of a small random copy of the model (`model.small_copy`), with transformers' own plain attention and masks on
one side and ours on the other (where embeddings alone, which is what an image gives, say what a text's
tokens say):

- logits of every answer token, in rows that several questions share, against each question's own text;
- gradients with respect to the image features of those rows, against the sum of the questions' own;
- cached greedy decoding, against a plain loop that runs the whole text for every token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pefomed.errors import PefomedError
from pefomed.inference.generate import greedy
from pefomed.models.attention import set_attention
from pefomed.models.config import PefomedConfig
from pefomed.models.modeling import PefomedForConditionalGeneration
from pefomed.models.small_copy import large_weights, plain_model, small_configs
from pefomed.packing.batch import Tokens, collate, rows
from pefomed.packing.forward import forward
from pefomed.schema import Sample
from pefomed.weights.folders import first_line

TOLERANCE = 2e-3
"""Of the logits' deviation and the gradient's norm. Float32 differs by 1e-6 to 1e-4, a wrong mask by .04."""

_GENERATED = 6


class ParityError(NamedTuple):
    """How far ours is from the plain model; `failed` where it could not be computed."""

    logits: float = 0.0
    gradients: float = 0.0
    decoded: float = 0.0
    """Share of the generated texts that differ."""
    failed: str = ""

    @property
    def right(self) -> bool:
        return not self.failed and max(self.logits, self.gradients) <= TOLERANCE and not self.decoded

    def __str__(self) -> str:
        if self.failed:
            return self.failed
        return (
            f"logits differ by {self.logits:.2g} of their deviation, gradients by {self.gradients:.2g} of"
            f" their norm, {self.decoded:.0%} of the generated texts"
        )


def compare_attention(config: Any, kind: str, device: str = "cpu", shares: bool = True) -> ParityError:
    """Return how far `kind` of attention is from the plain model of this configuration, by computing it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        copies, reason = small_configs(config)
        for small in copies:
            try:
                plain = plain_model(small)
                large_weights(plain)
                ids, embed = torch.tensor([[3, 4, 5]]), plain.get_input_embeddings()
                with torch.no_grad():
                    of_ids = plain(input_ids=ids, use_cache=False).logits
                    of_embeds = plain(inputs_embeds=embed(ids), use_cache=False).logits
            except Exception as error:  # whatever a family says to widths that it does not like
                reason = first_line(error)
                continue
            if (of_ids - of_embeds).abs().max() > TOLERANCE * of_ids.std():
                return ParityError(
                    failed="it reads the text's tokens beside their embeddings, and images have none"
                )
            try:
                return _Pair(plain.to(device), small, kind, shares).difference()
            except PefomedError as error:
                return ParityError(failed=error.problem)
            except Exception as error:  # whatever a family says to masks and caches that it does not know
                return ParityError(failed=first_line(error))
    return ParityError(failed=f"no small copy of it can be computed ({reason})")


class _Pair:
    """The plain language model, and the same weights in a model of ours."""

    def __init__(self, plain: Any, config: Any, kind: str, shares: bool):
        self.plain = plain
        device = next(plain.parameters()).device
        joined = PefomedConfig(_VISION, config.to_dict(), image_size=28, group=1)
        self.ours = PefomedForConditionalGeneration(joined).to(device).eval().requires_grad_(False)
        self.ours.projector.weight.normal_(std=0.25)
        self.ours.language_model.load_state_dict(plain.state_dict())
        self.ours.shares_rows = shares
        set_attention(self.ours, kind)
        place = (joined.image_token_id,) * joined.tokens_per_image
        made = [
            Tokens(Sample(id=str(number), images=(image,), task="vqa"), (1, *place, *asked), answer)
            for number, (image, asked, answer) in enumerate(_ASKED)
        ]
        self.rows = rows(made, share_image=shares, max_questions=len(made))
        images = sorted({image for row in self.rows for image in row.images})
        self.images = {
            image: torch.randn(joined.grid**2, joined.feature_width, device=device) for image in images
        }

    def difference(self) -> ParityError:
        """Return how far the two are from each other."""
        logits, gradients = self._of_rows()
        plain_logits, plain_gradients = self._of_texts()
        if not (logits.isfinite().all() and gradients.isfinite().all()):
            return ParityError(failed="numbers that are not finite")
        return ParityError(
            float((logits - plain_logits).abs().max() / plain_logits.std()),
            float((gradients - plain_gradients).norm() / plain_gradients.norm()),
            self._decoded(),
        )

    def _of_rows(self) -> tuple[Tensor, Tensor]:
        batch = collate(self.rows).to(self._device)
        features = self._features()
        index = batch.answer_index
        logits = forward(
            self.ours, batch, self._of(batch.images, features), answer_index=index, use_cache=False
        ).logits[0]
        return logits.detach(), self._gradients(logits, batch.targets, features)

    def _of_texts(self) -> tuple[Tensor, Tensor]:
        features = self._features()
        found: list[Tensor] = []
        targets: list[int] = []
        for row in self.rows:
            for one in row.sequences:
                embeds = self._embedded(one.prompt + one.answer[:-1], self._of(row.images, features))
                logits = self.plain(inputs_embeds=embeds, use_cache=False).logits[0]
                found.append(logits[len(one.prompt) - 1 :])
                targets += one.answer
        logits = torch.cat(found)
        return logits.detach(), self._gradients(logits, torch.tensor(targets, device=self._device), features)

    def _decoded(self) -> float:
        images = self._of([image for row in self.rows for image in row.images])
        answers = greedy(self.ours, self.rows, images, max_new_tokens=_GENERATED, end_token=-1)
        texts = [(one, row.images) for row in self.rows for one in row.sequences]
        wrong = 0
        for answer, (one, names) in zip(answers, texts, strict=True):
            tokens: list[int] = []
            for _ in range(_GENERATED):
                embeds = self._embedded((*one.prompt, *tokens), self._of(names))
                with torch.no_grad():
                    tokens.append(
                        int(self.plain(inputs_embeds=embeds, use_cache=False).logits[0, -1].argmax())
                    )
            wrong += answer.tokens != tokens
        return wrong / len(answers)

    @property
    def _device(self) -> torch.device:
        return torch.device(self.ours.device)

    def _features(self) -> dict[str, Tensor]:
        return {name: one.clone().requires_grad_() for name, one in self.images.items()}

    def _of(self, names: Sequence[str], features: dict[str, Tensor] | None = None) -> Tensor:
        return torch.stack([(features or self.images)[name] for name in names])

    def _embedded(self, tokens: Sequence[int], features: Tensor) -> Tensor:
        return self.ours.embed(torch.tensor([tokens], device=self._device), features)  # type: ignore[no-any-return]

    def _gradients(self, logits: Tensor, targets: Tensor, features: dict[str, Tensor]) -> Tensor:
        loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
        return torch.stack(torch.autograd.grad(loss, list(features.values())))


_VISION = {
    "model_type": "dinov2",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "image_size": 28,
    "patch_size": 14,
}
"""Never run: its configuration says that an image is 2 x 2 patches, 16 wide."""

_ASKED = (
    # Beginnings in common, of different lengths, all behind the copy's windows of 8 tokens, two images.
    ("a", (10, 11, 12, 13, 14, 15, 16), (20, 21, 2)),
    ("a", (10, 11, 12, 13, 17, 18), (22, 2)),
    ("a", (10, 11, 30, 31, 32, 33, 34, 35, 36, 37, 38), (20, 23, 24, 25, 2)),
    ("b", (10, 11, 12, 13, 14, 15), (26, 27, 2)),
)
