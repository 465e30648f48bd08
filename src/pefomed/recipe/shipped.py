"""The recipes that come with the program, by name: `mini/slake`."""

from __future__ import annotations

from pathlib import Path

from pefomed.errors import RecipeError, nearest
from pefomed.files import urls
from pefomed.files.storage import usable_paths

_LIST = "`pefomed recipe list` shows those that come with the program"


def shipped(name: str) -> Path:
    """Return the path of a recipe that comes with the program, e.g. `mini/demo`.

    Raises:
        RecipeError: there is no such recipe; the nearest is named.
    """
    path = _shipped(Path(name))
    if path is None:
        raise RecipeError(
            f"the program has no recipe {name!r}", found=nearest(_bare(Path(name)), names()), remedy=_LIST
        )
    return path


def names() -> list[str]:
    """Return the names of all of them."""
    root = _root()
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.toml"))


@usable_paths()
def find_recipe(path: Path) -> Path:
    """Return `path` if something is there, else the shipped recipe of that name.

    Raises:
        RecipeError: there is neither.
    """
    if path.exists():
        return path
    if url := urls.url_in(path):
        raise RecipeError(f"{url} is a URL, not a file", remedy=urls.REMEDY)
    known = _shipped(path)
    if known is None:
        raise RecipeError(
            f"no recipe at {path}",
            found=f"no shipped one of that name either; {nearest(_bare(path), names())}",
            remedy=f"give the path of a .toml file, or a name; {_LIST}",
        )
    return known


def is_recipe(text: str) -> bool:
    """Return whether a word of the command line means a recipe, not a loader (`slake`, `module:function`)."""
    return text.endswith(".toml") or ("/" in text and ":" not in text)


def _shipped(path: Path) -> Path | None:
    name = _bare(path)
    return _root() / f"{name}.toml" if name in names() else None


def _bare(path: Path) -> str:
    """Return the name that a path stands for: `recipes/mini/slake.toml` is `mini/slake`."""
    return path.as_posix().removeprefix("./").removeprefix("recipes/").removesuffix(".toml")


def _root() -> Path:
    package = Path(__file__).parents[1]
    # Installed, the recipes are inside the package; in a checkout they are at its root.
    roots = (package / "recipes", package.parents[1] / "recipes")
    return next((root for root in roots if root.is_dir()), roots[0])
