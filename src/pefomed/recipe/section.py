"""What every table of a recipe is: strict, and never changed once made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict

from pefomed.checked import Checked
from pefomed.errors import PefomedError, RecipeError


class Section(Checked):
    """A table of a recipe: unknown keys are errors."""

    mistake: ClassVar[type[PefomedError]] = RecipeError

    # As constants: `inf` (no clipping) is written as such, not as nothing.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")
