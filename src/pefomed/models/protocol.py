"""A vision-language model as packing, features, training and inference know it.

The composed model (`modeling`, with `processing` and PEFT's wrapper around it) is one implementation; another
family is any object that does the same. A forward pass changes nothing in the model: two threads may run it
at once.

Shapes: B rows, L tokens of a row, K keys, S images, P patches of an image, D their width, A places of logits,
V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor, nn

from pefomed.boxes import Resizing
from pefomed.models.parts import Parts
from pefomed.models.text_tokens import Shield
from pefomed.recipe import Compute

ImageFeatures = Tensor | Sequence[Tensor]
"""(S, P, D), or, where images give features of unequal length, a list of S tensors (P, D)."""


class Output(Protocol):
    """What a forward pass returns."""

    @property
    def logits(self) -> Tensor:
        """(1, A, V) at the places that are wanted."""

    @property
    def past_key_values(self) -> Any:
        """The cache, to be given to the next call; None where the family has none."""

    # A family whose positions have several axes, or that needs anything else of rows behind their images, may
    # have `row_state` beside them: whatever it is, each later call on the same rows gets it back, as an
    # argument of that name. Qwen's three axes, for one, move all text behind an image by one number a row.


class VisionModel(Protocol):
    """The part whose output is frozen and kept: from images to features."""

    @property
    def vision_encoder(self) -> nn.Module:
        """What computes them, on its own device, whole in every process."""

    def feature_settings(self) -> list[Any]:
        """Return, as JSON, what frozen features depend on beside the encoder's weights and the pixels."""

    def feature_about(self) -> dict[str, Any]:
        """Return what a person who looks into the cache is told of its features."""

    def feature_bytes(self) -> int:
        """Return how many bytes the features of an image take, of the largest one."""

    def features_of(self, pixels: Sequence[Tensor]) -> list[Tensor]:
        """Return the features (P, D) of each image, from what the processor makes of it; P may differ.

        What the rest of the model needs to know of an image beside them, as its grid, are further columns.
        """

    # `mean_image(features) -> (P, D)` may be there: the blind run's image, where that of `features.frozen`
    # will not do because a mean of some columns says nothing.


class VisionLanguageModel(VisionModel, Protocol):
    """The whole, trained and asked."""

    shares_rows: bool
    """Whether several questions may stand in one row; else each is a text of its own."""

    @property
    def language_model(self) -> nn.Module:
        """The decoder: its attention is chosen, its layers compiled, checkpointed and split."""

    def parts(self) -> Parts:
        """Return what a stage may train, by name; the adapter holds all of it, none is in the encoder."""

    def fit_attention(self, compute: Compute, *, decoding: bool) -> str | None:
        """Choose a kind of attention, set `shares_rows` and return the kind, which is then tried.

        None, of the composed model alone: it is found out (`inference.attention_choice`).
        """

    def __call__(
        self,
        *,
        input_ids: Tensor,
        image_features: ImageFeatures | None = None,
        position_ids: Tensor,
        answer_index: tuple[Tensor, Tensor],
        tree: Tensor | None = None,
        attention_mask: Tensor | None = None,
        key_positions: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool = False,
    ) -> Output:
        """Run the language model over text and images.

        Args:
            input_ids: (B, L), with the family's image token wherever a feature goes.
            image_features: of all images, in the order of their places; none where all are in the cache.
            position_ids: (B, L), a token's place in its own text, that is on its path through the tree. A
                family with several axes makes them from these, the tokens and the images; with a cache, where
                the images are behind, from these and its `row_state`.
            answer_index: rows (A,) and columns (A,) where logits are wanted.
            tree: (B, L) the end of each node's subtree: query q sees key k if k <= q < tree[k].
            attention_mask: instead of a tree (B, 1, L, K), True where a key is seen; or (B, L) of ones and
                zeros, causal.
            key_positions: (B, K) places of the keys in the cache and of these tokens, as `position_ids`.
        """


class ImageSide(Protocol):
    """From an image to what the encoder takes."""

    def settings(self) -> list[Any]:
        """Return, as JSON, what pixels depend on."""

    def pixels(self, image: Image.Image) -> Tensor:
        """Return one RGB image as the encoder takes it; the shape may differ between images."""


class Processor(Protocol):
    """From samples to tokens, by the family's own template and image places."""

    @property
    def tokenizer(self) -> Any:
        """Of transformers."""

    @property
    def image_processor(self) -> ImageSide: ...

    @property
    def positions(self) -> tuple[int, bool] | None:
        """For how many positions the language model is made, and whether it has no others."""

    @property
    def resizing(self) -> Resizing:
        """What the preprocessing does to an image, and so to its boxes."""

    def image_tokens(self, image: str) -> int:
        """Return how many tokens an image, by its path, takes in a text."""

    def tokens_for(self, length: int) -> int:
        """Return how many tokens features (P, D) take of `length` = P patches, whatever image they are of."""

    def encode_prompt(self, write: Callable[[Shield], str], counts: Sequence[int] | None = None) -> list[int]:
        """Return the tokens of the prompt that `write` makes; what its data spells is no control token.

        Args:
            counts: tokens of each image, in order; by default those of `image_tokens`.
        """

    def encode_answer(self, text: str) -> list[int]:
        """Return an answer's tokens, closed by the end token."""


def join_features(features: Sequence[Tensor]) -> ImageFeatures:
    """Return features (P, D) of several images as one tensor where their shapes allow it."""
    return torch.stack(list(features)) if len({one.shape for one in features}) == 1 else list(features)


def move_features(features: ImageFeatures, device: torch.device | str) -> ImageFeatures:
    """Return features on a device."""
    if isinstance(features, Tensor):
        return features.to(device)
    return [one.to(device) for one in features]


def device_of(features: ImageFeatures) -> torch.device:
    """Return where features are."""
    return features.device if isinstance(features, Tensor) else features[0].device
