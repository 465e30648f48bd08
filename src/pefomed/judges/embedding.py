"""Sentence embeddings of all-MiniLM-L6-v2 in NumPy: a BERT of six layers, mean-pooled, of length one.

Wang et al., MiniLM (NeurIPS 2020); Reimers and Gurevych, Sentence-BERT (EMNLP 2019). Some hundred short texts
take a second on one core, and nothing here needs torch.

Shapes: B texts, T tokens, D width, H heads, K = D / H.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import WeightsError
from pefomed.progress import line

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = NDArray[np.float32]

MOST_TOKENS = 256
_BATCH_TOKENS = 4096


class Embedder:
    """Texts to vectors; each different text is computed once."""

    def __init__(self, folder: Path):
        """Read `config.json`, `model.safetensors` and `tokenizer.json` of `folder`.

        Raises:
            WeightsError: a file is missing or is not a BERT's.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            self._config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self._weights: dict[str, Array] = {
                name.removeprefix("bert."): tensor.astype(np.float32)
                for name, tensor in load_file(folder / "model.safetensors").items()
            }
            self._layers = int(self._config["num_hidden_layers"])
            self._heads = int(self._config["num_attention_heads"])
            self._epsilon = float(self._config.get("layer_norm_eps", 1e-12))
            self._tokenizer = _tokenizer(folder)
            self._weights[f"encoder.layer.{self._layers - 1}.output.LayerNorm.bias"]
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
            SafetensorError,
        ) as error:
            raise WeightsError(
                f"{folder} does not hold a sentence embedding of the kind of all-MiniLM-L6-v2",
                found=f"{type(error).__name__}: {error}",
                remedy="it needs config.json, model.safetensors and tokenizer.json of a BERT",
            ) from None
        self._known: dict[str, Array] = {}

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return the vectors of `texts`, each of length one, shape (B, D)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        # Texts of like length together: padding costs as much as text.
        tokens = sorted(
            ((self._tokenizer.encode(text).ids, text) for text in new), key=lambda one: len(one[0])
        )
        with line("embedding texts", len(new), "texts") as shown:
            while tokens:
                count = max(1, _BATCH_TOKENS // len(tokens[-1][0]))
                batch, tokens = tokens[-count:], tokens[:-count]
                for (_, text), vector in zip(batch, self._embed([ids for ids, _ in batch]), strict=True):
                    self._known[text] = vector
                shown.advance(len(batch))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 0), np.float32)

    def _embed(self, tokens: Sequence[Sequence[int]]) -> Array:
        longest = max(map(len, tokens))
        ids = np.array([[*each, *[0] * (longest - len(each))] for each in tokens])  # (B, T)
        mask = np.array([[1.0] * len(each) + [0.0] * (longest - len(each)) for each in tokens], np.float32)
        weights = self._weights
        hidden = (
            weights["embeddings.word_embeddings.weight"][ids]
            + weights["embeddings.position_embeddings.weight"][:longest]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )  # (B, T, D)
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for layer in range(self._layers):
            hidden = self._layer(hidden, mask, f"encoder.layer.{layer}")
        pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)  # (B, D)
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), np.float32)

    def _layer(self, hidden: Array, mask: Array, name: str) -> Array:
        heads = [self._split(self._linear(hidden, f"{name}.attention.self.{part}")) for part in _PARTS]
        query, key, value = heads  # (B, H, T, K)
        scores = query @ key.swapaxes(2, 3) / np.float32(np.sqrt(query.shape[-1]))  # (B, H, T, T)
        scores += (mask[:, None, None, :] - 1) * np.float32(1e9)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = (shares @ value).swapaxes(1, 2).reshape(hidden.shape)
        mixed = self._linear(mixed, f"{name}.attention.output.dense")
        hidden = self._norm(hidden + mixed, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(hidden, f"{name}.intermediate.dense"))
        return self._norm(hidden + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _split(self, hidden: Array) -> Array:
        size, length, width = hidden.shape
        return hidden.reshape(size, length, self._heads, width // self._heads).swapaxes(1, 2)

    def _linear(self, hidden: Array, name: str) -> Array:
        return np.asarray(
            hidden @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"], np.float32
        )

    def _norm(self, hidden: Array, name: str) -> Array:
        centred = hidden - hidden.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(self._epsilon))
        return np.asarray(
            scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"], np.float32
        )


_PARTS = ("query", "key", "value")


def _tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if not path.is_file():
        raise FileNotFoundError("no tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # an answer that says "[SEP]" says so, and does not separate
    tokenizer.enable_truncation(MOST_TOKENS)
    return tokenizer


def _gelu(values: Array) -> Array:
    from scipy.special import erf

    return np.asarray(0.5 * values * (1 + erf(values / np.float32(np.sqrt(2)))), np.float32)
