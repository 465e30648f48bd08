"""What must be in order before transformers is imported, so that nobody's installation can break it.

transformers imports torchvision if there is one, whether it fits torch or not, and torch's compiler, which
makes its cache folder while it is imported. Neither is needed here, but where it fails all of transformers
does, with a traceback that names neither.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.abc import MetaPathFinder

_CACHE = "TORCHINDUCTOR_CACHE_DIR"


def prepare() -> None:
    """Have both looked at when transformers is imported, by whom or in what order ever; nothing before."""
    if "transformers" not in sys.modules and not any(isinstance(f, _Before) for f in sys.meta_path):
        sys.meta_path.insert(0, _Before())


class _Before(MetaPathFinder):
    """Finds nothing: it only sees the import of transformers coming."""

    def __init__(self) -> None:
        self._seen = False

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "transformers" and not self._seen:
            self._seen = True
            _leave_out_torchvision()
            _check_cache_folder()


def _leave_out_torchvision() -> None:
    """Take a torchvision that cannot be imported for one that is not installed, and say so."""
    if importlib.machinery.PathFinder.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # whatever its compiled part raises beside another torch
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision"] = None  # type: ignore[assignment]  # found nowhere from now on
        print(
            f"note: torchvision is left out: it does not fit torch ({str(error).splitlines()[0]});"
            " nothing here needs it; what to do: uninstall it, or install the release made for this torch",
            file=sys.stderr,
        )


def _check_cache_folder() -> None:
    """Forget a cache folder that cannot be made; where none can be, name one that exists.

    Compiling then fails when it is tried, where it is expected to.
    """
    if _can(lambda: os.makedirs(os.environ[_CACHE], exist_ok=True)):
        return
    os.environ.pop(_CACHE, None)
    if not _can(lambda: os.rmdir(tempfile.mkdtemp())):
        os.environ[_CACHE] = os.sep


def _can(make: Callable[[], None]) -> bool:
    try:
        make()
    except (OSError, KeyError):
        return False
    return True
