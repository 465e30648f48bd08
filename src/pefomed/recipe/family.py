"""What `[model] family` names: a function that builds a model of another kind, and what it says of itself.

    def tiny(asked, *, weights: str, width: int = 8):
        return model, processor          # as `models/protocol.py` says

Its keyword arguments are the recipe's `[model.options]`. Attributes of the function, or of an object with
`__call__` in its place, say more; each is a value, or a function of the same options:

    files    {name: path}: what holds the frozen weights, hashed so that an adapter knows its base
    boxes    how boxes stand in its answers (`boxes.notation`); by default as in the papers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pefomed.errors import PefomedError, RecipeError, WeightsError
from pefomed.plugins import checked_arguments, computed_by, named_object
from pefomed.recipe.model import Model


@dataclass(frozen=True)
class NamedFamily:
    """A family's function and the options it is called with."""

    name: str
    function: Callable[..., Any]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"the family {self.name!r}"

    @cached_property
    def implementation(self) -> str:
        """Its name, its package's version and a hash of its source."""
        return computed_by(self.name, self.function)

    def build(self, asked: Any) -> Any:
        """Return what the function makes.

        Args:
            asked: see `models.family.Asked`.

        Raises:
            RecipeError: it fails.
        """
        return self._called(self.function, "cannot be built", asked)

    def files(self) -> dict[str, Path]:
        """Return the files and folders that hold its frozen weights, by the names it gives them.

        Raises:
            WeightsError: one is not there.
        """
        said = self._said("files", {})
        if not isinstance(said, Mapping):
            raise RecipeError(
                f"{self}: `files` is no table", found=type(said).__name__, remedy='return {"weights": path}'
            )
        found = {str(name): Path(path).expanduser() for name, path in said.items()}
        for name, path in found.items():
            if name == "family" or not name.isidentifier():
                raise RecipeError(f"{self}: `files` cannot be called {name!r}", remedy="use letters and _")
            if not path.exists():
                raise WeightsError(
                    f"{self}: there is no {name} at {path}", remedy="correct the path in [model.options]"
                )
        return found

    def boxes(self) -> Any:
        """Return how it writes boxes (`boxes.notation.BoxNotation`); None: as the papers do.

        Raises:
            RecipeError: what it says cannot write and read them.
        """
        said = self._said("boxes", None)
        lacking = [name for name in _NOTATION if said is not None and not hasattr(said, name)]
        if lacking:
            raise RecipeError(
                f"{self}: `boxes` has no {', '.join(lacking)}",
                remedy="give it what `pefomed.boxes.notation.BoxNotation` has",
            )
        return said

    def _said(self, attribute: str, otherwise: Any) -> Any:
        said = getattr(self.function, attribute, otherwise)
        # An object that writes boxes may well be callable: only functions are asked.
        return self._called(said, f"cannot say its {attribute}") if _is_function(said) else said

    def _called(self, function: Callable[..., Any], what: str, *first: Any) -> Any:
        try:
            return function(*first, **self.options)
        except (PefomedError, MemoryError):
            raise
        except Exception as error:  # whatever somebody else's function raises
            if type(error).__name__ == "OutOfMemoryError":
                raise
            raise RecipeError(
                f"{self} {what}",
                found=f"{type(error).__name__}: {error}"[:300],
                remedy="mend the function; --debug shows where it failed",
            ) from error


def family_of(model: Model) -> NamedFamily:
    """Return the family that a recipe names, its options checked against the function's own.

    Raises:
        RecipeError: it cannot be imported or called, or an option is unknown, lacks or has a wrong value.
    """
    assert model.family is not None
    function = named_object(model.family, "family")
    if not callable(function):
        raise RecipeError(
            f"the family {model.family!r} cannot be called",
            found=f"a {type(function).__name__}",
            remedy="name a function `(asked, **options) -> (model, processor)`",
        )
    what = f"the family {model.family!r}"
    return NamedFamily(model.family, function, checked_arguments(what, function, model.options, 1))


_NOTATION = ("boxes", "phrase", "read")


def _is_function(said: Any) -> bool:
    return callable(said) and not hasattr(said, "read")
