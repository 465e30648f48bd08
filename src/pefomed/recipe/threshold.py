"""When a model says that it is not sure, as a recipe asks for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pefomed.recipe.section import Section

Confidence = Literal["probability", "drawn_support", "drawn_agreement"]


class Threshold(Section):
    """When an answer is given, and when the model says that it is not sure; without `data` always."""

    data: dict[str, str] = Field(
        {},
        description="Data set -> split whose answers the threshold is chosen on: neither trained on nor the"
        " one that is scored.",
    )
    most_wrong: float = Field(
        0.1, gt=0, lt=1, description="Largest share of wrong answers among the answered questions."
    )
    by: Confidence = Field(
        "probability",
        description="What says how sure an answer is: its `probability`; `drawn_support` or"
        " `drawn_agreement` need `predict.samples`.",
    )
    unlike: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Not sure about pictures of less likeness than this: as unlike the training pictures as"
        " this share of held-out pictures.",
    )
