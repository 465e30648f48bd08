"""A family of models from outside of the package: images of unequal lengths, one or three axes of positions.

Patches of 10 x 10 pixels, a merger, and a LLaMA whose masks are dense. A recipe names it as
`tests.outside_family:tiny`, or a copy of this file, which needs nothing else of the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pefomed.boxes import Resizing
from pefomed.features.frozen import mean_image
from pefomed.models.parts import LoraPart, Parts, WholePart
from pefomed.models.text_tokens import TextTokens

IMAGE, PATCH, WIDTH, HIDDEN = 300, 10, 8, 32


def tokenizer() -> PreTrainedTokenizerFast:
    """Return one with a token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<pad>", "<s>", "</s>", *alphabet])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


class Pixels:
    """Images as they are, of any whole number of patches."""

    def settings(self) -> list[Any]:
        return ["as it is"]

    def pixels(self, image: Image.Image) -> Tensor:
        return torch.from_numpy(np.asarray(image.convert("L"), dtype=np.float32) / 255)


class Words:
    """The processor: an image's tokens are as many as it has patches."""

    def __init__(self) -> None:
        self.tokenizer, self.image_processor = tokenizer(), Pixels()
        self.positions, self.resizing = None, Resizing()
        self._texts = TextTokens(self.tokenizer)

    def image_tokens(self, image: str) -> int:
        with Image.open(image) as opened:
            return (opened.width // PATCH) * (opened.height // PATCH)

    def tokens_for(self, length: int) -> int:
        return length

    def encode_prompt(self, write: Callable[..., str], counts: Sequence[int] | None = None) -> list[int]:
        first, *others = self._texts.of_prompt(write)
        places = [[IMAGE] * count + text for count, text in zip(counts or (), others, strict=True)]
        return [1, *first, *(token for text in places for token in text)]

    def encode_answer(self, text: str) -> list[int]:
        return [*self._texts(text), self.tokenizer.eos_token_id]


class Axes(nn.Module):
    """Rotary angles of positions (B, L), or (3, B, L) whose axes take every third frequency."""

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("inv_freq", 100.0 ** -(torch.arange(0, width, 2) / width), persistent=False)

    def forward(self, x: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        if position_ids.dim() == 2:
            position_ids = position_ids.expand(3, -1, -1)
        axis = torch.arange(len(self.inv_freq)) % 3
        angles = position_ids[axis].permute(1, 2, 0) * self.inv_freq  # (B, L, width / 2)
        angles = torch.cat([angles, angles], -1)
        return angles.cos().to(x), angles.sin().to(x)


class Tiny(nn.Module):
    """The model; nothing in it is of the composed one."""

    def __init__(self, axes: int = 1, shares: bool = True, mistake: str = ""):
        super().__init__()
        torch.manual_seed(5)
        self.axes, self.shares_rows, self.mistake = axes, shares, mistake
        self.vision_encoder = nn.Linear(PATCH * PATCH, WIDTH)
        self.merger = nn.Linear(WIDTH, HIDDEN)
        config = LlamaConfig(
            vocab_size=259,
            hidden_size=HIDDEN,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            initializer_range=0.5,
        )
        self.language_model = LlamaForCausalLM._from_config(config, attn_implementation="eager")
        self.language_model.model.rotary_emb = Axes(HIDDEN // 4)
        self.requires_grad_(False)

    def parts(self) -> Parts:
        return {"lora": LoraPart("language_model"), "merger": WholePart(("merger",))}

    def fit_attention(self, compute: Any, *, decoding: bool) -> str:
        return "eager"

    def feature_settings(self) -> list[Any]:
        return ["patches", PATCH]

    def feature_about(self) -> dict[str, Any]:
        return {"patch": PATCH}

    def feature_bytes(self) -> int:
        return 4 * 100 * (WIDTH + 2)

    @torch.no_grad()
    def features_of(self, pixels: Sequence[Tensor]) -> list[Tensor]:
        """Return (P, WIDTH + 2): behind a patch's features its row and column."""
        found = []
        for one in pixels:
            patches = one.unfold(0, PATCH, PATCH).unfold(1, PATCH, PATCH)  # (h, w, 10, 10)
            h, w = patches.shape[:2]
            grid = torch.cartesian_prod(torch.arange(h), torch.arange(w)).float()
            found.append(torch.cat([self.vision_encoder(patches.reshape(h * w, -1)), grid], 1))
        return found

    def mean_image(self, features: Iterable[Tensor]) -> Tensor:
        """Return the mean of what patches show, in the grid of the image that is in the middle by length."""
        all_ = list(features)
        middle = sorted(all_, key=len)[(len(all_) - 1) // 2]
        mean = mean_image(one[:, :WIDTH] for one in all_)
        return torch.cat([mean, middle[:, WIDTH:]], 1)

    def embed(self, input_ids: Tensor, image_features: Sequence[Tensor] | None) -> Tensor:
        places = input_ids == IMAGE
        embeds = self.language_model.get_input_embeddings()(input_ids.masked_fill(places, 0))
        if image_features is None:
            return embeds
        features = torch.cat([one[:, :WIDTH] for one in image_features])
        tokens = self.merger(features.float())  # trained in float32
        assert len(tokens) == int(places.sum())
        return embeds.masked_scatter(places[..., None], tokens.to(embeds))

    def positions(
        self, input_ids: Tensor, places: Tensor, image_features: Sequence[Tensor] | None, shift: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return positions (3, B, L), and by how much less than its place a token behind all images has.

        An image of h x w patches takes max(h, w) positions: time stands, the others are its row and column.
        """
        if shift is not None:  # behind all images
            return (places - shift[:, None]).expand(3, -1, -1), shift
        images = iter(() if image_features is None else image_features)
        made, shifts = places.expand(3, -1, -1).clone(), []
        for row, ids in enumerate(input_ids.tolist()):
            column, moved = 0, 0
            while IMAGE in ids[column:]:
                start = ids.index(IMAGE, column)
                image = next(images)
                column = start + len(image)
                grid = image[:, WIDTH:].detach().round().long()
                first = int(places[row, start]) - moved
                axes = torch.stack([torch.zeros_like(grid[:, 0]), grid[:, 0], grid[:, 1]])
                made[:, row, start:column] = first + axes
                moved += len(image) - int(grid.max()) - 1
                behind = places[row] > places[row, column - 1]
                made[:, row, behind] = places[row, behind] - moved
            shifts.append(moved)
        return made, torch.tensor(shifts)

    def forward(
        self,
        *,
        input_ids: Tensor,
        position_ids: Tensor,
        answer_index: tuple[Tensor, Tensor],
        image_features: Any = None,
        tree: Tensor | None = None,
        attention_mask: Tensor | None = None,
        key_positions: Tensor | None = None,
        past_key_values: Any = None,
        row_state: Tensor | None = None,
        use_cache: bool = False,
    ) -> Any:
        if self.axes == 3:
            position_ids, row_state = self.positions(input_ids, position_ids, image_features, row_state)
        if self.mistake == "counts wrong with a cache" and past_key_values is not None:
            position_ids = position_ids + int(past_key_values.get_seq_length() > 0)
        inputs = self.embed(input_ids, image_features)
        length = inputs.shape[1]
        if tree is not None:
            key = torch.arange(length)
            query = key[:, None]
            seen = (key <= query) & (query < tree[:, None, :])
            if self.mistake == "sees the other questions":
                seen = (key <= query).expand_as(seen)
            attention_mask = seen[:, None]
        elif attention_mask is not None and attention_mask.dim() == 2:
            keys = attention_mask.shape[1]
            attention_mask = (torch.arange(keys) <= torch.arange(keys - length, keys)[:, None])[None, None]
        assert attention_mask is not None
        mask = torch.zeros(attention_mask.shape).masked_fill(~attention_mask, torch.finfo(torch.float32).min)
        output = self.language_model.model(
            inputs_embeds=inputs,
            attention_mask=mask.expand(len(inputs), -1, -1, -1),
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
        logits = self.language_model.lm_head(output.last_hidden_state[answer_index])[None]
        return SimpleNamespace(logits=logits, past_key_values=output.past_key_values, row_state=row_state)


def write_weights(path: Any) -> None:
    """Write what the frozen parts hold."""
    save_file({name: one.contiguous() for name, one in Tiny().state_dict().items()}, path)


def tiny(
    asked: Any, *, weights: str, axes: int = 1, shares: bool = True, mistake: str = ""
) -> tuple[Tiny, Words]:
    """Return model and processor, as `[model] family` names it."""
    model = Tiny(axes, shares, mistake)
    if asked.weights:
        model.load_state_dict(load_file(weights))
    return model.to(asked.dtype), Words()


tiny.files = lambda weights, **_: {"weights": weights}  # type: ignore[attr-defined]
