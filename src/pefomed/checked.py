"""Models whose mistakes are errors of ours: pydantic's own never reaches a caller.

`Sample(task="vqq")` raises a `RecordError` that names the field, what was found and what would be right.
Reading JSON (`model_validate_json`) keeps pydantic's error: readers make theirs of it, with the file and the
line.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError

from pefomed.errors import PefomedError, RecordError, nearest, with_article


class Checked(BaseModel):
    """A model that is validated when made and says in our words what was wrong."""

    mistake: ClassVar[type[PefomedError]] = RecordError
    """What a wrong field raises."""
    called: ClassVar[str] = ""
    """What errors and references call one; by default the name of the class in words: `answer table`."""

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise mistake_of(type(self), error) from None

    # pydantic then takes it for its own, and reading JSON does not go through it.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError:
            raise self.mistake(
                f"{with_article(name_of(type(self)))} is frozen: {name!r} cannot be changed",
                remedy="make another one, e.g. `one.model_copy(update={...})`",
            ) from None


def name_of(model: type) -> str:
    """Return what one of a class is called in texts that users read: `ItemScore` is an `item score`."""
    return getattr(model, "called", "") or _INSIDE.sub(" ", model.__name__).lower()


_INSIDE = re.compile(r"(?<=[a-z])(?=[A-Z])")


def mistake_of(model: type[Checked], error: ValidationError) -> PefomedError:
    """Return what was wrong with the fields of `model`, the first of the complaints."""
    details = error.errors(include_url=False)
    a_record = with_article(name_of(model))
    # An unknown field often causes the other complaints (the right one is then missing).
    first = next((each for each in details if each["type"] == "extra_forbidden"), details[0])
    field = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = model.model_fields if len(first["loc"]) == 1 else ()
        return model.mistake(
            f"{a_record} has no field {field!r}",
            found=f"{first['input']!r:.80}{more}",
            remedy=nearest(field, known) if known else "remove it",
        )
    if first["type"] == "missing":
        return model.mistake(
            f"{a_record} needs the field {field!r}{more}",
            remedy=f"give it; its fields: {', '.join(model.model_fields)}",
        )
    message = first["msg"].removeprefix("Value error, ")
    return model.mistake(
        f"{a_record} cannot have this {field!r}" if field else f"not {a_record}",
        found=f"{first['input']!r:.80}{more}" if field else f"{message}{more}",
        remedy=message if field else f"correct its fields: {', '.join(model.model_fields)}",
    )
