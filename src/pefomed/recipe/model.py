"""The [model] table of a recipe: two parts that are joined here, or a family from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_serializer, model_validator

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


_PARTS = ("vision_encoder", "language_model")
_OF_FAMILIES = ("family", "options", "lora", "start")
_NEEDED: dict[str, Any] = {"default": "**required** without `family`"}


class Model(Section):
    """The parts of the model and how they are joined; without this table those of `mini/slake`."""

    family: str | None = Field(
        None,
        description="A model of another kind, `package.module:function`, instead of all that is composed here"
        " (docs/families.md); `[model.lora]` and `start` hold for it too.",
    )
    options: dict[str, Any] = Field({}, description="With `family`: the options of that function.")
    vision_encoder: str = Field(
        "",
        description="A name of `pefomed weights`, a local folder, or a hub id of a ViT-like encoder.",
        json_schema_extra=_NEEDED,
    )
    vision_revision: str | None = Field(None, description="Hub revision of the vision encoder.")
    language_model: str = Field(
        "",
        description="A name of `pefomed weights`, a local folder, or a hub id of a causal language model.",
        json_schema_extra=_NEEDED,
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

    @model_validator(mode="before")
    @classmethod
    def _one_kind(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping):
            return fields
        if any(name not in cls.model_fields for name in fields):
            return fields  # a misspelt name is the mistake, not the one that is missing for it
        if fields.get("family") is None:
            if lacking := [name for name in _PARTS if name not in fields]:
                needed = " and ".join(f"model.{name}" for name in lacking)
                raise ValueError(f"give {needed}, or a `family` of your own")
            if fields.get("options"):
                raise ValueError("`options` are those of a `family`, which is not given")
            return fields
        foreign = [name for name in fields if name in cls.model_fields and name not in _OF_FAMILIES]
        if foreign:
            raise ValueError(
                f"`{foreign[0]}` belongs to models of a vision encoder and a language model, not to a"
                " `family` of your own; what that takes stands in [model.options]"
            )
        return fields

    @field_validator("family")
    @classmethod
    def _is_named(cls, name: str | None) -> str | None:
        module, _, attribute = (name or "x:x").partition(":")
        if not (module and attribute):
            raise ValueError(f"{name!r} is no `package.module:function`")
        return name

    @model_serializer(mode="wrap")
    def _of_its_kind(self, handler: Any) -> dict[str, Any]:
        """Leave out what says nothing of this kind of model: a recipe is written as it may be read."""
        fields: dict[str, Any] = handler(self)
        if self.family is None:
            return {name: value for name, value in fields.items() if name not in ("family", "options")}
        return {name: value for name, value in fields.items() if name in _OF_FAMILIES}


COMPOSED_PARTS = ("projector", "lora")
"""What a stage may train of a vision encoder and a language model; a family says which its own are."""

ALL_PARTS = "all"
"""Stands, of a family, for all parts that it has."""

WEIGHTS = ("vision_encoder", "vision_revision", "language_model", "language_revision", "start")
"""Fields of `Model` that say where weights lie; which ones they are is told by their hashes."""
