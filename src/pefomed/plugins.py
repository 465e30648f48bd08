"""What a recipe names from outside of the package, `package.module:function`: found, called, told apart."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pefomed.errors import RecipeError, nearest


def named_object(name: str, what: str) -> Any:
    """Return what `package.module:function` names.

    Args:
        what: what it is named for, as errors say it.

    Raises:
        RecipeError: it cannot be imported, or does not exist.
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise RecipeError(
            f"the {what} {name!r} is no `package.module:function`",
            remedy="name it `my_package.module:function`",
        )
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module does when it is imported
        raise RecipeError(
            f"the {what} {name!r} cannot be imported",
            found=f"{type(error).__name__}: {error}"[:200],
            remedy="put its folder into PYTHONPATH or install its package",
        ) from error
    try:
        found: Any = module
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError:
        functions = [key for key, value in vars(module).items() if callable(value)]
        raise RecipeError(
            f"the {what} {name!r} does not exist: {module_name} has no {attribute!r}",
            remedy=nearest(attribute, functions) if functions else "name a function of the module",
        ) from None
    return found


def checked_arguments(
    what: str, function: Callable[..., Any], given: Mapping[str, Any], skip: int
) -> dict[str, Any]:
    """Return the options of a recipe as the arguments of a function, of the types that it names.

    Args:
        what: the function as errors say it: `the family 'tiny:model'`.
        skip: how many of its first parameters are no options.

    Raises:
        RecipeError: an option is unknown, lacks or has a wrong value.
    """
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    known = {one.name: one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    hints = _hints(function)
    for name in given:
        if name not in known and not takes_any:
            raise RecipeError(
                f"{what} has no option {name!r}",
                remedy=nearest(name, known) if known else "remove it; it has no options",
            )
    for name, parameter in known.items():
        if name not in given and parameter.default is parameter.empty:
            raise RecipeError(f"{what} needs the option {name!r}", remedy="add it to its options")
    return {name: _checked(what, name, value, hints.get(name, Any)) for name, value in given.items()}


def computed_by(named: str, function: Any) -> str:
    """Return what a plug-in is: its name, its package's version and a hash of its source."""
    return f"{named}{_version(named)}, {_source(function)}"


def sources_of(kinds: Iterable[type], ours: Iterable[str]) -> str:
    """Return 16 digits over the source of the modules that define `kinds`, but for those of packages `ours`.

    Nothing where all are theirs.
    """
    modules = {kind.__module__ for kind in kinds}
    outside = sorted(name for name in modules if name.partition(".")[0] not in set(ours) | {"builtins"})
    if not outside:
        return ""
    return hashlib.sha256("".join(_module_source(name) for name in outside).encode()).hexdigest()[:16]


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    of = function if inspect.isroutine(function) or inspect.isclass(function) else type(function).__call__
    try:
        return typing.get_type_hints(of, include_extras=True)
    except (NameError, TypeError, AttributeError):  # types that are imported for a type checker alone
        return {}


def _checked(what: str, name: str, value: Any, hint: Any) -> Any:
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join([name, *(str(part) for part in detail["loc"])])
        raise RecipeError(
            f"the option {where!r} of {what} has a wrong value",
            found=repr(detail["input"]),
            remedy=detail["msg"].removeprefix("Value error, "),
        ) from None


def _module_source(name: str) -> str:
    try:
        return inspect.getsource(importlib.import_module(name))
    except (OSError, TypeError, ImportError):
        return name


def _version(named: str) -> str:
    """Return the version of the package that a plug-in is part of, if it was installed."""
    package = named.partition(":")[0].partition(".")[0]
    for distribution in importlib.metadata.packages_distributions().get(package, ()):
        return f", {distribution} {importlib.metadata.version(distribution)}"
    return ""


def _source(function: Any) -> str:
    """Return a hash of what computes it, by which a changed function is seen."""
    for thing in (function, type(function)):
        try:
            return f"source {hashlib.sha256(inspect.getsource(thing).encode()).hexdigest()[:12]}"
        except (OSError, TypeError):
            continue
    return "compiled"
