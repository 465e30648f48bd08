"""How the pictures of a stage's training samples are changed, in further copies of them."""

from __future__ import annotations

from pydantic import Field, model_validator

from pefomed.recipe.section import Section


class Changes(Section):
    """Copies of training samples with changed pictures, so that to recognise a picture does not help."""

    copies: int = Field(
        0,
        ge=0,
        description="Copies of each training sample, questions as well as boxes; all samples of an image"
        " share its changed pictures.",
    )
    crop: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="How far a copy's edges lie inside or outside of the image's, at most, as a share of it.",
    )
    scale: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="How much larger or smaller what it shows becomes, at most, as a share.",
    )
    border: float = Field(
        0.0, ge=0, lt=0.4, description="How much of each side is blackened, at most, as a share of it."
    )
    contrast: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Greys become their power of 2^u, u at most this far from 0; black and white stay.",
    )
    flip: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the copies that are mirrored, with left and right exchanged in question and"
        " answer; a sample whose words for sides are not sure is left out of these.",
    )

    @model_validator(mode="after")
    def _says_both(self) -> Changes:
        changed = self.crop or self.scale or self.border or self.contrast or self.flip
        if self.copies and not changed:
            raise ValueError(
                "`changes.copies` makes copies, and nothing is to be changed in them; set `crop`, `scale`,"
                " `border`, `contrast` or `flip` beside it"
            )
        if changed and not self.copies:
            raise ValueError(
                "`changes` says how copies are changed, and there are none; set `changes.copies`"
            )
        return self
