"""The table `[model]` of a recipe: the parts of the model and how they are joined."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pefomed.recipe.section import Section


class Lora(Section):
    """Low-rank adaptation of the language model (PEFT)."""

    r: int = Field(64, gt=0, description="Rank of the update.")
    alpha: float = Field(16, gt=0, description="Scale numerator: the update is multiplied by alpha / r.")
    dropout: float = Field(
        0.05, ge=0, lt=1, description="Dropout on the input of the update. On CPU it is costly."
    )
    targets: tuple[str, ...] = Field(
        ("q_proj", "v_proj"),
        min_length=1,
        description="Names of the language model's linear layers to adapt.",
    )


class Model(Section):
    """The parts of the model and how they are joined; without this table those of `mini/slake`."""

    vision_encoder: str = Field(
        description="A name of `pefomed weights`, a local folder, or a hub id of a ViT-like encoder."
    )
    vision_revision: str | None = Field(None, description="Hub revision of the vision encoder.")
    language_model: str = Field(
        description="A name of `pefomed weights`, a local folder, or a hub id of a causal language model."
    )
    language_revision: str | None = Field(None, description="Hub revision of the language model.")
    image_size: int = Field(224, gt=0, description="Side of the square the image is resized to, in pixels.")
    resize: Literal["squash", "letterbox"] = Field(
        "squash", description="`squash` stretches to the square (the paper); `letterbox` pads it."
    )
    image_mean: tuple[float, float, float] | None = Field(
        None, description="Mean per channel; by default the encoder's own."
    )
    image_std: tuple[float, float, float] | None = Field(
        None, description="Standard deviation per channel; by default the encoder's own."
    )
    vision_layer: int | tuple[int, ...] = Field(
        -1,
        description="Hidden state to use: 0 is the embeddings, n is after layer n, -1 the last. A list of"
        " several is concatenated.",
    )
    feature_norm: Literal["encoder", "layernorm", "none"] = Field(
        "encoder",
        description="After the hidden state: the encoder's own final norm, a plain LayerNorm without"
        " weights (the paper's is frozen at identity), or nothing.",
    )
    group: int = Field(4, gt=0, description="Neighbouring patch tokens (same row) concatenated into one.")
    patch_positions: bool = Field(
        False, description="Join the place of each patch, 16 sines of its centre, to its features."
    )
    location_tokens: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Give each step of a box coordinate a token of its own, `<0>` to `<n>`: the number of"
        " steps, as `prompt.box_bins`; 0 writes numbers digit by digit.",
    )
    lora: Lora = Field(Lora(), description="Low-rank adaptation of the language model.")
    start: str | None = Field(
        None, description="Start weights: an adapter folder, or a PeFoMed / MiniGPT-v2 `.pth` file."
    )


WEIGHTS = ("vision_encoder", "vision_revision", "language_model", "language_revision", "start")
"""Fields of `Model` that say where weights lie; which ones they are is told by their hashes."""
