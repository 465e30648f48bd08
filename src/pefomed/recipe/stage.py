"""A training stage of a recipe: its data, its length, its batches and its rates."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from pefomed.errors import nearest
from pefomed.files.storage import LONGEST_NAME
from pefomed.recipe.changes import Changes
from pefomed.recipe.section import Section

LossMean = Literal["token", "sample"]
"""What the loss of a step is the mean of, see `training/loss.py`."""


class Stage(Section):
    """One training stage; without any and without `[model]`, one like `mini/slake`'s on all data sets."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=LONGEST_NAME,
        description="Name of the stage and of its folder.",
    )
    data: dict[str, float] = Field(
        min_length=1, description="Data sets and the ratio at which a batch is drawn from each."
    )
    split: str = Field("train", description="Split to train on.")
    also_train: tuple[str, ...] = Field((), description="Further splits to train on, e.g. `validate`.")
    validate_split: str | None = Field(
        None,
        description="Split to validate on. The best checkpoint is kept: by exact match, boxes by IoU,"
        " captions and reports by CIDEr + BLEU-4; of equals the one with the lowest loss.",
    )
    validate_without_near_duplicates: bool = Field(
        False,
        description="Leave out of validation what shows a training image, or one that looks like one, as the"
        " audit finds them: what is chosen is chosen for new images.",
    )
    validate_texts: int = Field(
        200,
        ge=0,
        description="Most captions and reports that a validation decodes (not with split weights);"
        " 0: the validation loss decides.",
    )
    epochs: float | None = Field(
        None, gt=0, description="Passes over the data, counted in samples (or give `steps`)."
    )
    steps: int | None = Field(None, gt=0, description="Optimiser steps (or give `epochs`).")
    batch_size: int = Field(1, gt=0, description="Most samples in one batch.")
    batch_tokens: int = Field(4096, gt=0, description="Most tokens, padding included, in one batch.")
    accumulate: int = Field(1, gt=0, description="Batches per optimiser step.")
    share_image: bool = Field(
        True, description="All samples of an image in one row, the common prefix computed once."
    )
    max_questions: int = Field(32, gt=0, description="Most samples in one row; larger groups are split.")
    crops: int = Field(
        0,
        ge=0,
        description="Copies of each training sample with boxes, on an image cropped or padded a little.",
    )
    crop_reach: float = Field(
        0.15,
        gt=0,
        lt=0.5,
        description="How far a copy's edges lie off the image's, at most, as a share of it.",
    )
    neighbours: int = Field(
        0,
        ge=0,
        le=20,
        description="Train and validate with what is asked and answered about so many similar training images"
        " in the prompt, the image itself left out; for `predict.neighbours`.",
    )
    changes: Changes = Field(Changes(), description="Copies of training samples with changed pictures.")
    loss: LossMean = Field(
        "token",
        description="Mean over all answer tokens of a step; `sample`: mean over its samples, each the mean of"
        " its own answer tokens, so that a short answer weighs as much as a long one.",
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of each token's target that is spread evenly over all tokens, in training and in"
        " the validation loss.",
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of a running mean of the trained weights, e.g. 0.999; what is validated, kept as"
        " the best and ended with is the mean. 0 for none.",
    )
    train: tuple[str, ...] = Field(
        ("projector", "lora"),
        min_length=1,
        description="What is trained: `projector`, `lora`; of a `model.family` the parts it has, or `all`,"
        " its default there.",
    )
    lr: float = Field(gt=0, description="Peak learning rate of LoRA, and of parts without their own.")
    lr_end: float = Field(ge=0, description="Learning rate of LoRA at the end of the cosine.")
    part_lr: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="Peak rates of the parts of a `model.family`, by name; by default `lr`."
    )
    part_lr_end: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {}, description="Their end rates; by default in proportion to `lr_end`."
    )
    projector_lr: float | None = Field(None, gt=0, description="Peak rate of the projector; by default `lr`.")
    projector_lr_end: float | None = Field(
        None, ge=0, description="End rate of the projector; by default in proportion to `lr_end`."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps of linear warm-up (or give `warmup_ratio`).")
    warmup_ratio: float | None = Field(
        None, ge=0, lt=1, description="Linear warm-up as a share of the stage's steps, rounded up to a step."
    )
    warmup_start: float = Field(
        0.0, ge=0, description="Rate at which the warm-up begins, as a share of the peak."
    )
    weight_decay: float = Field(
        0.05, ge=0, description="AdamW's decay of weights with two or more dimensions."
    )
    betas: tuple[float, float] = Field((0.9, 0.999), description="AdamW's betas.")
    max_grad_norm: float = Field(
        1.0, gt=0, allow_inf_nan=True, description="Clip the gradient's norm; `inf` for no clipping."
    )
    validate_every: float = Field(1.0, gt=0, description="Epochs between validations.")
    checkpoint_every: int = Field(100, gt=0, description="Optimiser steps between checkpoints.")

    def warmup(self, steps: int) -> int:
        """Return the steps of warm-up among `steps`; a share is rounded up, as transformers does."""
        wanted = self.warmup_steps
        if self.warmup_ratio is not None:
            # Less a rounding error: 0.07 of 100 steps are 7.000000000000001.
            wanted = math.ceil(self.warmup_ratio * steps * (1 - 1e-9))
        return min(wanted, steps - 1)

    @property
    def says_parts(self) -> bool:
        """Whether the recipe says what is trained."""
        return "train" in self.model_fields_set

    def of_parts(self, parts: tuple[str, ...]) -> Stage:
        """Return the stage that trains these parts."""
        return self.model_copy(update={"train": parts})

    def check_parts(self, known: Collection[str]) -> None:
        """Raise ValueError if a part is named that is not there, or has a rate of its own twice."""
        for field, names in (
            ("train", self.train),
            ("part_lr", self.part_lr),
            ("part_lr_end", self.part_lr_end),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"stage {self.name!r}: `{field}` names the part {name!r}, which the model has not;"
                        f" {nearest(name, known)}"
                    )
        for field in ("projector_lr", "projector_lr_end"):
            short = field.removeprefix("projector_")
            if getattr(self, field) is not None and "projector" in getattr(self, f"part_{short}"):
                raise ValueError(
                    f"stage {self.name!r}: give only one of `{field}` and `part_{short}.projector`"
                )

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: Any) -> dict[str, Any]:
        """Leave out rates by part where there are none, as in recipes of older versions."""
        fields: dict[str, Any] = handler(self)
        empty = [name for name in ("part_lr", "part_lr_end") if not getattr(self, name)]
        return {name: value for name, value in fields.items() if name not in empty}

    @model_validator(mode="after")
    def _one_length(self) -> Stage:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give exactly one of `epochs` and `steps`")
        if self.warmup_ratio is not None and self.warmup_steps:
            raise ValueError("give only one of `warmup_steps` and `warmup_ratio`")
        if self.neighbours and (self.crops or self.changes.copies):
            raise ValueError(
                "`neighbours` goes with neither `crops` nor `changes`: what is told is of unchanged pictures"
            )
        if any(ratio <= 0 for ratio in self.data.values()):
            raise ValueError("every ratio in `data` must be above 0")
        return self
