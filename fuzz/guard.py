"""What no reader may do: run a program, speak to the network, unpickle a name, read outside of its folder.

The interpreter reports these itself (PEP 578). A reader may catch an exception, so they are noted and
looked at afterwards. One program may run: this project's decoder of JPEG frames, by its one command line.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pefomed.cache import cache_folder
from pefomed.images.gdcm_frames import COMMAND

FORBIDDEN = (
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.startfile", "os.system", "pickle.find_class",
    "pty.spawn", "socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "urllib.Request",
)  # fmt: skip

_PROJECT = Path(__file__).resolve().parents[1]
# Modules are imported when they are first needed.
_LIBRARIES = tuple(
    str(Path(place).resolve())
    for place in (
        sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), _PROJECT / "src", _PROJECT / "fuzz",
        "/dev", "/proc", "/sys", "/usr",
    )
)  # fmt: skip


class Trespass(Exception):
    """A reader did what no reader may do."""


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Let the block read in `folder` and in the cache alone.

    Raises:
        Trespass: it opened another file, or did something of `FORBIDDEN`.
    """
    global _noted, _roots
    _install()
    noted: list[str] = []
    # Images inside of Parquet are unpacked to the program's own cache.
    _noted, _roots = noted, (str(folder.resolve()), str(cache_folder().resolve()), *_LIBRARIES)
    try:
        yield
    finally:
        _noted = None
    if noted:
        raise Trespass("; ".join(noted[:5]))


_noted: list[str] | None = None
_roots: tuple[str, ...] = ()
_installed = False


def _install() -> None:
    global _installed
    if not _installed:  # a hook cannot be taken away again
        sys.addaudithook(_hook)
        _installed = True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _noted is None:
        return
    if event == "subprocess.Popen" and tuple(arguments[1]) == COMMAND:
        return
    if event in FORBIDDEN:
        _noted.append(f"{event}{arguments!r:.200}")
    elif event == "open" and isinstance(arguments[0], str | bytes):
        name = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode(errors="replace")
        if "\0" not in name and not str(Path(name).resolve()).startswith(_roots):
            _noted.append(f"opened {name!r:.200}")
