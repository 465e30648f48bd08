"""Broken packages of an installation: an import of one that fails says which it is and what to do.

torch, transformers, peft and accelerate import many packages where these are found, whatever state they are
in. Most such imports stand in a `try` that expects `ImportError` alone, so that a package that fails with
anything else takes down what does not need it; the rest end in a traceback that names another module.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from pefomed.errors import PackageError

_HOSTS = frozenset({"pefomed", "torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers"})
"""Packages whose imports of others are watched; a user's own program imports as it always does."""

_NEEDED = _HOSTS | frozenset(
    "PIL dicomanonymizer fastapi gguf huggingface_hub jinja2 nibabel numpy onnx openai openpyxl pyarrow"
    " pydantic pydicom rich scipy sklearn uvicorn".split()
)
"""What this project needs, always or for a part of it: the answer to a broken one is to install it anew."""

_PROJECTS = {"PIL": "pillow", "sklearn": "scikit-learn", "dicomanonymizer": "dicom-anonymizer"}
"""What an installer calls a package that is called otherwise there."""


class Guard(MetaPathFinder):
    """Watches the hosts' imports of other packages.

    Args:
        before: package -> what is done once before it is imported, by whomever.
    """

    def __init__(self, before: dict[str, Callable[[], None]]) -> None:
        self._before = dict(before)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if "." not in fullname and fullname in self._before:
            self._before.pop(fullname)()
        root = fullname.partition(".")[0]
        if root in sys.stdlib_module_names or root == "pefomed":
            return None
        host = _importer()
        # What a recipe names as a loader is its author's own code.
        if host not in _HOSTS or host == root or (host == "pefomed" and root not in _NEEDED):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # A package without a file has no loader to watch.
        if spec is not None and spec.loader is not None and spec.origin is not None:
            spec.loader = _Watched(spec.loader)
        return spec


def leave_out(package: str, needs: Sequence[str] = (), *, hint: str | None = None) -> None:
    """Take a package that is there but cannot be imported for one that is not installed, and say so.

    Args:
        needs: modules of it that must be there, too.
    """
    if package in sys.modules or PathFinder.find_spec(package) is None:
        return
    found = None
    try:
        for module in (package, *needs):
            importlib.import_module(module)
    except Exception as error:  # whatever a package raises that does not fit the others
        found = broken.found if (broken := broken_in(error)) else _reason(error)
    if found is None and getattr(sys.modules[package], "__file__", None) is None:
        found = "a folder without a package in it"
    if found is None:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]
    sys.modules[package] = None  # type: ignore[assignment]  # found nowhere from now on
    print(
        f"note: {package} is left out: it cannot be imported ({found}); nothing here needs it; what to do:"
        f" {hint or 'uninstall it, or install it anew'}",
        file=sys.stderr,
    )


def broken_in(error: BaseException | None) -> PackageError | None:
    """Return the first package that could not be imported among the causes of an error."""
    innermost = None
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, PackageError):
            innermost = error
        error = error.__cause__ or error.__context__
    return innermost


def absent(package: str) -> PackageError:
    """Return the error for a package that is needed and not there."""
    project = _PROJECTS.get(package, package)
    return PackageError(
        f"the package {package} is not installed",
        remedy=f"install it: `python -m pip install {project}`",
        package=package,
    )


class _Watched(Loader):
    """Loads as `loader` does; whatever fails there is one error that names the package."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        try:
            return self._loader.create_module(spec)
        except Exception as error:  # a compiled module that does not fit the machine, or anything else
            raise _broken(spec.name, error) from error

    def exec_module(self, module: ModuleType) -> None:
        # The package sees the loader that it expects.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        try:
            self._loader.exec_module(module)
        except Exception as error:
            raise _broken(module.__name__, error) from error


def _importer() -> str:
    """Return the package whose code imports, past the import system's own frames."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in ("importlib", "_frozen_importlib", "_frozen_importlib_external"):
            return str(name).partition(".")[0]
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _broken(module: str, error: Exception) -> PackageError:
    known = broken_in(error)
    if known is not None:
        return known
    package = module.partition(".")[0]
    if package in _NEEDED:
        project = _PROJECTS.get(package, package)
        remedy = f"install it anew: `python -m pip install --force-reinstall {project}`"
    else:
        remedy = f"uninstall it if nothing else needs it, or install a {package} that fits"
    return PackageError(
        f"the package {package} cannot be imported", found=_reason(error), remedy=remedy, package=package
    )


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
