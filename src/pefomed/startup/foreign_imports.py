"""What must be in order before torch and transformers are imported, so that no installation can break it.

torch makes its compiler's cache folder while it is imported, and transformers imports torchvision and others
where they are found, fit or not. None of it is needed here, but where it fails all of transformers does, with
a traceback that names another module.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Callable

from pefomed.startup.guarded_imports import Guard, leave_out

_CACHE = "TORCHINDUCTOR_CACHE_DIR"

_FIT = "uninstall it, or install the release made for this torch"

_IMPORTED_BY_TORCH = ("dill",)

_IMPORTERS = ("transformers", "accelerate", "peft")
_IMPORTED: dict[str, tuple[str, ...]] = {
    "torchvision": ("torchvision.io", "torchvision.transforms.v2.functional"),
    "torchaudio": (),
    "soundfile": (),
    "soxr": (),
    "bitsandbytes": (),
    "torchao": (),
    "transformer_engine": (),
    "mistral_common": (),
    "boto3": (),
}
"""Packages that these import wherever they are found, with their modules that are imported.

None imports one of the importers itself, which would then be imported twice; a broken one of the others, such
as hqq or deepspeed, is an error that names it.
"""


def prepare() -> None:
    """Have all of it looked at when either is imported, by whom or in what order ever; nothing before."""
    if not any(isinstance(finder, Guard) for finder in sys.meta_path):
        before = {"torch": _before_torch} | dict.fromkeys(_IMPORTERS, _before_transformers)
        sys.meta_path.insert(0, Guard(before))


def _before_torch() -> None:
    for package in _IMPORTED_BY_TORCH:
        leave_out(package)


@functools.cache  # before the first of them
def _before_transformers() -> None:
    for package, modules in _IMPORTED.items():
        leave_out(package, modules, hint=_FIT if package.startswith("torch") else None)
    _check_cache_folder()


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
