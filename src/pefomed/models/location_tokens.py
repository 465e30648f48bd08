"""One token for each step of a box coordinate, `<0>` to `<n>`, in place of its digits.

The text of a box stays as it is, `{<12><30><45><60>}`; only the tokenizer reads and writes a number with
its brackets as one token, so that a coordinate is one prediction, and a box six tokens instead of twenty.

The new rows of the embeddings are fixed, not trained: they follow from the language model's own and
`bins`, so an adapter holds nothing more than without them. With x = k / bins in [0, 1],

    row(k) = m + s R phi(x),   phi(x) = 2^(-j/2) (cos(pi 2^j x), sin(pi 2^j x)),  j = -1 ... 5

where m is the mean row of the ten digits, R has orthonormal columns drawn from a fixed seed, and s makes
the second part as long as the model's mean row. Neighbouring steps are alike (waves of doubling frequency,
as in the positions of Vaswani et al. 2017), so what is learnt of one is nearly learnt of the next.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from tokenizers import AddedToken
from torch import Tensor

from pefomed.errors import WeightsError

OCTAVES = range(-1, 6)


def token_texts(bins: int) -> list[str]:
    """Return the tokens' texts, `<0>` to `<bins>`."""
    return [f"<{step}>" for step in range(bins + 1)]


def added_rows(bins: int) -> int:
    """Return by how many rows the embeddings grow; 0 bins stand for no location tokens."""
    return bins + 1 if bins else 0


def add_location_tokens(language_model: Any, tokenizer: Any, bins: int) -> None:
    """Teach the tokenizer `<0>` to `<bins>` and give the language model's embeddings their rows.

    Raises:
        WeightsError: the tokenizer has more tokens than the language model has embeddings.
    """
    size = int(language_model.get_input_embeddings().weight.shape[0])
    if len(tokenizer) > size:
        raise WeightsError(
            "location tokens cannot be added: tokenizer and language model do not belong together",
            found=f"{len(tokenizer)} tokens, {size} embeddings",
            remedy="name a language model whose folder holds its own tokenizer",
        )
    digits = [tokenizer(digit, add_special_tokens=False)["input_ids"][-1] for digit in "0123456789"]
    places = teach(tokenizer, bins)
    language_model.resize_token_embeddings(size + added_rows(bins), mean_resizing=False)
    inputs, outputs = language_model.get_input_embeddings(), language_model.get_output_embeddings()
    with torch.no_grad():
        # The input's rows are the output's too where the two are tied.
        for module in (inputs,) if outputs.weight is inputs.weight else (inputs, outputs):
            module.weight[places] = rows(module.weight[:size], digits, bins).to(module.weight)


def teach(tokenizer: Any, bins: int) -> list[int]:
    """Teach the tokenizer `<0>` to `<bins>`; return their numbers."""
    texts = token_texts(bins)
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=False) for text in texts])
    numbers: list[int] = tokenizer.convert_tokens_to_ids(texts)
    return numbers


def rows(embeddings: Tensor, digits: list[int], bins: int) -> Tensor:
    """Return the rows (bins + 1, H), float32, that go with `embeddings` (V, H).

    Args:
        digits: the tokens of 0 to 9.
    """
    known = embeddings.detach().float().cpu()
    steps = torch.arange(bins + 1) / bins
    waves = 2.0 ** torch.tensor(OCTAVES)
    angles = math.pi * waves * steps[:, None]
    features = torch.cat([angles.cos(), angles.sin()], 1) * torch.cat([waves, waves]) ** -0.5
    drawn = torch.randn(known.shape[1], features.shape[1], generator=torch.Generator().manual_seed(0))
    part = features @ torch.linalg.qr(drawn)[0].T
    length = known.norm(dim=1).mean() / part.norm(dim=1).mean()
    return known[digits].mean(0) + length * part
