"""Images to tensors and text to tokens: one preprocessing for training, prediction and serving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature, ProcessorMixin
from transformers.image_processing_utils import BaseImageProcessor

from pefomed.boxes.frame import Resizing, letterbox_place
from pefomed.models.text_tokens import IMAGE_PLACE, Shield, TextTokens


class PefomedImageProcessor(BaseImageProcessor):  # type: ignore[misc]
    """Bicubic resize to a square, scale to [0, 1], normalise; no crop and no flip."""

    model_input_names = ["pixel_values"]  # noqa: RUF012

    def __init__(
        self,
        image_size: int = 224,
        image_mean: tuple[float, ...] = (0.48145466, 0.4578275, 0.40821073),
        image_std: tuple[float, ...] = (0.26862954, 0.26130258, 0.27577711),
        resize: str = "squash",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.image_size, self.resize = image_size, resize
        self.image_mean, self.image_std = list(image_mean), list(image_std)

    def settings(self) -> list[Any]:
        """Return what pixels depend on; their number is the model's own."""
        return [self.resize, self.image_mean, self.image_std]

    def preprocess(self, images: Any, return_tensors: str = "pt", **kwargs: Any) -> BatchFeature:
        """Return `pixel_values` (I, 3, S, S), float32, of one PIL image or a list of them."""
        images = images if isinstance(images, (list, tuple)) else [images]
        pixels = torch.stack([self.pixels(image) for image in images])
        return BatchFeature({"pixel_values": pixels}, tensor_type=return_tensors)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """Return one image as (3, S, S)."""
        size = (self.image_size, self.image_size)
        image = image.convert("RGB")
        if self.resize == "letterbox":
            image = _letterbox(image, self.image_size)
        elif image.size != size:
            image = image.resize(size, Image.Resampling.BICUBIC)
        array = np.asarray(image, dtype=np.float32) / 255.0
        mean, std = np.array(self.image_mean), np.array(self.image_std)
        array = ((array - mean) / std).astype(np.float32)
        return torch.from_numpy(array.transpose(2, 0, 1).copy())


class PefomedProcessor(ProcessorMixin):  # type: ignore[misc]
    """Image processor and tokenizer; `<ImageHere>` in a text becomes the image's tokens."""

    attributes = ["image_processor", "tokenizer"]  # noqa: RUF012
    image_processor_class = "AutoImageProcessor"
    tokenizer_class = "AutoTokenizer"

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        image_token_id: int = 0,
        tokens_per_image: int = 64,
        **kwargs: Any,
    ):
        self.image_token_id, self.tokens_per_image = image_token_id, tokens_per_image
        self.positions: tuple[int, bool] | None = None
        """For how many positions the language model is made, and whether it has no others (`layers`)."""
        super().__init__(image_processor, tokenizer, **kwargs)
        self.text_tokens = TextTokens(tokenizer)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a prompt that is one's own throughout: it may spell control tokens.

        There is exactly one BOS in front, and image places are expanded.
        """
        return self._joined([self.text_tokens.as_it_is(piece) for piece in text.split(IMAGE_PLACE)])

    @property
    def resizing(self) -> Resizing:
        """What the preprocessing does to an image, and so to its boxes."""
        return Resizing(self.image_processor.resize, self.image_processor.image_size)

    def image_tokens(self, image: str) -> int:
        """Return how many tokens an image takes: all take as many."""
        return self.tokens_per_image

    def tokens_for(self, length: int) -> int:
        """Return how many tokens features of so many patches take."""
        return self.tokens_per_image

    def encode_prompt(self, write: Callable[[Shield], str], counts: Sequence[int] | None = None) -> list[int]:
        """Return the tokens of the prompt that `write` makes, as `encode`; its data spells no control token.

        Args:
            write: see `TextTokens.of_prompt`.
            counts: tokens of each image, all `tokens_per_image` here.
        """
        return self._joined(self.text_tokens.of_prompt(write))

    def encode_answer(self, text: str) -> list[int]:
        """Return the answer's tokens, closed by the end token; what the text spells is data."""
        return [*self.text_tokens(text), self.tokenizer.eos_token_id]

    def _joined(self, pieces: list[list[int]]) -> list[int]:
        """Return the pieces with images between them: tokenised apart, as MiniGPT-v2 did."""
        tokens: list[int] = []
        for number, piece in enumerate(pieces):
            if number:
                tokens += [self.image_token_id] * self.tokens_per_image
            tokens += piece
        bos = self.tokenizer.bos_token_id
        if bos is not None and (not tokens or tokens[0] != bos):
            tokens.insert(0, bos)
        return tokens

    def __call__(self, text: str | list[str], images: Any = None, **kwargs: Any) -> BatchFeature:
        """Return `input_ids`, `attention_mask` (left-padded, for `generate`) and `pixel_values`."""
        rows = [self.encode(one) for one in ([text] if isinstance(text, str) else text)]
        length = max(map(len, rows))
        pad = self.tokenizer.pad_token_id
        pad = self.tokenizer.eos_token_id if pad is None else pad
        ids = torch.tensor([[pad] * (length - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in rows])
        data = {"input_ids": ids, "attention_mask": mask}
        if images is not None:
            data["pixel_values"] = self.image_processor(images)["pixel_values"]
        return BatchFeature(data)


def _letterbox(image: Image.Image, side: int) -> Image.Image:
    """Scale the longer side to `side` and pad the shorter one evenly with black."""
    left, top, width, height = letterbox_place(image.size, side)
    square = Image.new("RGB", (side, side))
    square.paste(image.resize((width, height), Image.Resampling.BICUBIC), (left, top))
    return square
