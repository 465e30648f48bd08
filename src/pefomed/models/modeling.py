"""The multimodal model: frozen vision encoder, grouped tokens, linear projector, language model.

PeFoMed (arXiv 2401.02797), section 3.1: patch tokens without CLS, `group` consecutive tokens of a row
concatenated, one linear layer into the language model's embedding space.

Shapes: B rows, L tokens of a row, I images, P patches of an image, N = P / group image tokens,
D width of a patch's features, H width of the language model, A answer tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from pefomed.models.config import PefomedConfig, side
from pefomed.models.feature_precision import precision_of, products
from pefomed.models.logit_places import with_logits_at
from pefomed.models.masks import Visibility, seen_by
from pefomed.models.parts import COMPOSED, Parts
from pefomed.models.patch_positions import patch_positions
from pefomed.models.protocol import ImageFeatures
from pefomed.models.vision_part import final_norm, hidden_states
from pefomed.models.vision_part import from_config as vision_from_config
from pefomed.recipe import Compute
from pefomed.weights.base import Base


class PefomedForConditionalGeneration(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """An ordinary Hugging Face model that answers text about images.

    `input_ids` hold `config.image_token_id` where image tokens go; either `pixel_values`
    (I, 3, S, S) or `image_features` (I, P, D), the kept output of `encode_images`, fills them in order.
    """

    config_class = PefomedConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _no_split_modules = None

    shares_rows = True
    """Whether several questions may stand in one row: not where a family's layers carry a state along it."""

    base_identity: Callable[[], Base] | None = None
    """Tells which weights the frozen parts are, where they came from files."""

    def __init__(self, config: PefomedConfig):
        super().__init__(config)
        _check_grid(config)
        self.vision_encoder = vision_from_config(config.vision_config)
        text_width = int(config.text_config.hidden_size)
        self.projector = nn.Linear(config.projector_width, text_width)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        return self.language_model.get_output_embeddings()

    def get_decoder(self) -> nn.Module:
        return self.language_model.get_decoder()

    @torch.no_grad()
    def encode_images(self, pixel_values: Tensor) -> Tensor:
        """Return the frozen features (I, P, D) of images (I, 3, S, S): no CLS, chosen layer, normalised."""
        config, encoder = self.config, self.vision_encoder
        encoder.eval()
        pixels = pixel_values.to(next(encoder.parameters()).dtype)
        with products(encoder, pixels.device):
            states = hidden_states(encoder, config.vision_config, pixels, config.image_size)
            kept = [self._features(states[layer]) for layer in config.vision_layers]
            return torch.cat(kept, dim=-1).to(precision_of(encoder))

    def features_of(self, pixels: Sequence[Tensor]) -> list[Tensor]:
        """Return the features (P, D) of each image (3, S, S), on the CPU."""
        device = next(self.vision_encoder.parameters()).device
        # A product's last bits depend on how many images are in it. On a CPU one at a time costs nothing,
        # and an image's features are the same bits whichever images were computed before a kill.
        size = 1 if device.type == "cpu" else len(pixels)
        parts = torch.stack(list(pixels)).split(size)
        return list(torch.cat([self.encode_images(part.to(device)).cpu() for part in parts]))

    def feature_settings(self) -> list[Any]:
        """Return what frozen features depend on beside the encoder's weights and the pixels."""
        config = self.config
        return [
            config.vision_config.model_type,
            config.image_size,
            config.vision_layer,
            config.feature_norm,
        ]

    def feature_about(self) -> dict[str, Any]:
        """Return what a person who looks into the cache is told of its features."""
        return {"vision_layer": self.config.vision_layer, "image_size": self.config.image_size}

    def feature_bytes(self) -> int:
        """Return how many bytes the features of an image take."""
        size = precision_of(self.vision_encoder).itemsize
        return int(self.config.grid**2 * self.config.feature_width * size)

    def parts(self) -> Parts:
        """Return what a stage may train."""
        return COMPOSED

    def fit_attention(self, compute: Compute, *, decoding: bool) -> str | None:
        """Return None: what is right for the language model's family is found out."""
        return None

    def _features(self, hidden: Tensor) -> Tensor:
        """Return the normalised patches (I, P, width) of a hidden state (I, prefix + P, width)."""
        config = self.config
        hidden = hidden[:, hidden.shape[1] - config.grid**2 :]
        if config.feature_norm == "encoder":
            return final_norm(self.vision_encoder)(hidden)  # type: ignore[no-any-return]
        if config.feature_norm == "layernorm":
            return nn.functional.layer_norm(hidden, hidden.shape[-1:])
        return hidden

    def project(self, features: Tensor) -> Tensor:
        """Return image tokens (I, N, H) of features (I, P, D): groups in raster order, then the projector."""
        if self.config.patch_positions:
            places = patch_positions(self.config.grid).to(features)
            features = torch.cat([features, places.expand(len(features), -1, -1)], dim=-1)
        images, patches, width = features.shape
        group = self.config.group
        grouped = features.reshape(images, patches // group, group * width)
        weight = self._projector_dtype()
        return self.projector(grouped.to(weight))  # type: ignore[no-any-return]

    def embed(self, input_ids: Tensor, image_features: ImageFeatures | None) -> Tensor:
        """Return input embeddings (B, L, H): text embedded, image places filled with projected features.

        Raises:
            ValueError: the number of image places is not that of the image tokens given.
        """
        places = input_ids == self.config.image_token_id
        embeds = self.get_input_embeddings()(input_ids.masked_fill(places, 0))
        wanted = int(places.sum())
        given = 0 if image_features is None else len(image_features) * self.config.tokens_per_image
        if wanted != given:
            raise ValueError(f"the text has places for {wanted} image tokens, the images give {given}")
        if image_features is None:
            return embeds  # type: ignore[no-any-return]
        if not isinstance(image_features, Tensor):  # all of one length here
            image_features = torch.stack(list(image_features))
        tokens = self.project(image_features).to(embeds.dtype)
        return embeds.masked_scatter(places[..., None], tokens)  # type: ignore[no-any-return]

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_features: ImageFeatures | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        answer_index: tuple[Tensor, Tensor] | None = None,
        tree: Tensor | None = None,
        key_positions: Tensor | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Run the language model over text and images.

        Args:
            attention_mask: (B, L) of ones and zeros, or (B, 1, L, K) boolean, True where a key is seen. A
                family's own rules, as of windows, come on top, by position.
            tree: (B, L) instead of a mask: the end of each node's subtree, see `packing.batch`.
            key_positions: (B, K) with a boolean mask where there is a cache: the positions of its keys and
                of these tokens; else `position_ids`.
            labels: (B, L), -100 where there is no loss; shifted inside, as everywhere in transformers.
            answer_index: rows (A,) and columns (A,); logits (1, A, V) are computed there only.
        """
        if inputs_embeds is None:
            assert input_ids is not None
            if image_features is None and pixel_values is not None:
                image_features = self.encode_images(pixel_values)
            inputs_embeds = self.embed(input_ids, image_features)
        kwargs.pop("num_items_in_batch", None) if labels is None else None
        seen = None
        if tree is not None or (attention_mask is not None and attention_mask.dim() == 4):
            assert position_ids is not None
            keys = position_ids if key_positions is None else key_positions
            seen = Visibility(position_ids, keys, attention_mask if tree is None else None, tree)
            # Of ones, so that the family neither guesses sequences from positions nor pads.
            attention_mask = torch.ones_like(keys)
        language_model = self.language_model
        if answer_index is not None:
            language_model = with_logits_at(language_model, answer_index)
        with seen_by(seen):
            output: CausalLMOutputWithPast = language_model(
                inputs_embeds=inputs_embeds,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=past_key_values,
                labels=labels,
                **kwargs,
            )
        return output

    def prepare_inputs_for_generation(  # type: ignore[override]
        self,
        input_ids: Any,
        past_key_values: Any = None,
        pixel_values: Tensor | None = None,
        image_features: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(  # type: ignore[misc]
            input_ids, past_key_values=past_key_values, **kwargs
        )
        # Images belong to the prompt: once it is in the cache they must not be scattered again.
        if past_key_values is None or past_key_values.get_seq_length() == 0:
            inputs["pixel_values"], inputs["image_features"] = pixel_values, image_features
        return inputs

    def _init_weights(self, module: nn.Module) -> None:
        # The parts initialise themselves; only the projector is new here.
        if module is self.projector:
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)

    def _projector_dtype(self) -> torch.dtype:
        return next(self.projector.parameters()).dtype


def _check_grid(config: PefomedConfig) -> None:
    patch = side(config.vision_config.patch_size)
    if config.image_size % patch:
        raise ValueError(f"image_size {config.image_size} is not a multiple of the patch size {patch}")
    if config.grid % config.group:
        raise ValueError(
            f"group {config.group} does not divide the grid's width {config.grid}: "
            "grouped tokens must lie in one row"
        )
