"""Configuration of the joined model: two Hugging Face configurations and how they are joined."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PretrainedConfig

from pefomed.models.patch_positions import WIDTH as POSITION_WIDTH


class PefomedConfig(PretrainedConfig):
    """Vision encoder, grouping, projector, language model.

    `image_token_id` is one past the language model's vocabulary: it can be written into `input_ids`
    to mark the place of an image token, and can never be generated.
    """

    model_type = "pefomed"
    sub_configs = {"vision_config": AutoConfig, "text_config": AutoConfig}  # noqa: RUF012

    def __init__(
        self,
        vision_config: PretrainedConfig | dict[str, Any] | None = None,
        text_config: PretrainedConfig | dict[str, Any] | None = None,
        image_size: int = 224,
        vision_layer: int | list[int] | tuple[int, ...] = -1,
        feature_norm: str = "encoder",
        group: int = 4,
        patch_positions: bool = False,
        **kwargs: Any,
    ):
        self.vision_config = _as_config(vision_config, "dinov2")
        self.text_config = _as_config(text_config, "llama")
        self.image_size = image_size
        self.vision_layer = vision_layer if isinstance(vision_layer, int) else list(vision_layer)
        self.feature_norm = feature_norm
        self.group = group
        self.patch_positions = patch_positions
        kwargs.setdefault("tie_word_embeddings", getattr(self.text_config, "tie_word_embeddings", False))
        super().__init__(**kwargs)

    @property
    def image_token_id(self) -> int:
        """The id that stands for one image token in `input_ids`."""
        return int(self.text_config.vocab_size)

    @property
    def grid(self) -> int:
        """Patches along one side of the image."""
        return self.image_size // side(self.vision_config.patch_size)

    @property
    def vision_layers(self) -> list[int]:
        """The hidden states that are concatenated, one as a rule."""
        return [self.vision_layer] if isinstance(self.vision_layer, int) else self.vision_layer

    @property
    def feature_width(self) -> int:
        """Width of a patch's features."""
        return int(self.vision_config.hidden_size) * len(self.vision_layers)

    @property
    def projector_width(self) -> int:
        """Width of what the projector reads: a group of patches, with their positions where asked for."""
        return (self.feature_width + (POSITION_WIDTH if self.patch_positions else 0)) * self.group

    @property
    def tokens_per_image(self) -> int:
        """Tokens an image takes in the language model."""
        return self.grid * self.grid // self.group

    def get_text_config(self, *args: Any, **kwargs: Any) -> PretrainedConfig:
        """Return the language model's configuration (`generate` and PEFT ask for it)."""
        return self.text_config


def side(value: Any) -> int:
    """Return a square's side, which some configurations give twice.

    Raises:
        ValueError: it is neither a number nor the same number twice.
    """
    distinct = set(value) if isinstance(value, (list, tuple)) else {value}
    if len(distinct) != 1 or not isinstance(one := distinct.pop(), int):
        raise ValueError(f"{value!r}, not one number")
    return one


def _as_config(config: PretrainedConfig | dict[str, Any] | None, default: str) -> PretrainedConfig:
    if isinstance(config, PretrainedConfig):
        return config
    fields = dict(config or {})
    kind = fields.pop("model_type", default)
    return AutoConfig.for_model(kind, **fields)
