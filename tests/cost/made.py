"""A recipe and shapes small enough to compute by hand."""

from __future__ import annotations

from typing import Any

from pefomed.models.shapes import Shapes
from pefomed.recipe import Recipe, parse

SHAPES = Shapes(
    vision_linear=100,
    patch_embedding=30,
    vision_tokens=5,
    vision_layers=2,
    vision_width=10,
    patches=4,
    feature_width=10,
    tokens_per_image=2,
    projector=80,
    decoder_linear=1000,
    lora=50,
    decoder_layers=3,
    decoder_width=20,
    head=400,
)
"""4 patches 10 wide and a CLS token; 2 image tokens."""


def recipe(
    loaders: dict[str, str] | None = None, compute: dict[str, Any] | None = None, **stage: Any
) -> Recipe:
    """Return a recipe of one stage; `loaders` maps data sets to theirs."""
    loaders = loaders or {"rad": "vqa_rad"}
    first = {"name": "task", "data": dict.fromkeys(loaders, 1.0), "lr": 1e-4, "lr_end": 1e-5}
    length = {} if {"steps", "epochs"} & stage.keys() else {"epochs": 1}
    return parse(
        {
            "name": "made",
            "model": {"vision_encoder": "dinov2-small", "language_model": "smollm2-135m"},
            "data": {name: {"loader": loader, "root": name} for name, loader in loaders.items()},
            "stages": [first | length | stage],
            "compute": compute or {},
        }
    )
