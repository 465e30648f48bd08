"""JPEG frames that Pillow does not read, lossless or of 12 bits, decoded by GDCM in a process of its own.

GDCM aborts the whole process on some damaged frames. So it works in others, which are started when first
needed and kept: one that dies, or takes too long, had a damaged frame, and the next frame gets a new one.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pefomed.errors import PackageError
from pefomed.images.codestreams import LOSSLESS, jpeg_frame

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("gdcm_process.py")))
"""What is started; the frame goes to its standard input."""

SECONDS, PIXELS_A_SECOND = 20.0, 500_000
"""A frame may take so long, and longer by its pixels: a tenth of the speed of a slow machine."""

_START_SECONDS = 120.0
_EXTENDED = (0xC0, 0xC1)


def decode(frame: bytes) -> NDArray[np.uint16]:
    """Return the samples (height, width, components) of a frame, colours as they are stored.

    Raises:
        ValueError: it is damaged, cut, of another kind, or took too long.
        ModuleNotFoundError: python-gdcm is not installed.
        PackageError: it is installed and cannot be loaded.
    """
    about = jpeg_frame(frame)
    if about is None:
        raise ValueError("a frame that is no JPEG, or without a frame header")
    if about.process != LOSSLESS and about.process not in _EXTENDED:
        raise ValueError(f"a JPEG of another process (marker ff{about.process:02x})")
    if not 8 <= about.precision <= 16 or about.components not in (1, 3) or not about.width * about.height:
        raise ValueError(
            f"a JPEG of {about.width} x {about.height} pixels of {about.components} values of "
            f"{about.precision} bits"
        )
    request = {
        "rows": about.height, "columns": about.width, "components": about.components,
        "precision": about.precision, "lossless": about.process == LOSSLESS, "bytes": len(frame),
    }  # fmt: skip
    kind = np.dtype(np.uint8 if about.precision <= 8 else np.uint16)
    shape = (about.height, about.width, about.components)
    size = about.height * about.width * about.components * kind.itemsize
    with _worker() as worker:
        samples = worker.ask(request, frame, size, SECONDS + about.width * about.height / PIXELS_A_SECOND)
    return np.frombuffer(samples, kind).reshape(shape).astype(np.uint16)


class _Worker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        reply = self._reply(_START_SECONDS)
        if reply is None or "version" not in reply:
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip().splitlines()
            self.end()
            raise PackageError(
                "the package python-gdcm, which reads this kind of JPEG, cannot be loaded",
                found=(said or ["nothing said"])[-1][:300],
                remedy="install it again: `pip install --force-reinstall python-gdcm`",
                package="gdcm",
            )

    def ask(self, about: dict[str, Any], frame: bytes, size: int, seconds: float) -> bytes:
        """Return `size` bytes of samples.

        Raises:
            ValueError: the frame is damaged, or the process died or was too slow. It has ended then.
        """
        reply = self._reply(seconds, json.dumps(about).encode() + b"\n" + frame, size)
        if reply is None:
            self.end()
            raise ValueError("a damaged JPEG: its decoder stopped or took too long")
        if "fault" in reply:
            raise ValueError(str(reply["fault"]))
        return cast(bytes, reply["samples"])

    def _reply(self, seconds: float, request: bytes = b"", size: int = 0) -> dict[str, Any] | None:
        """Return the reply, its samples with it; None of a process that died or was too slow."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            stdin.write(request)
            stdin.flush()
            reply = json.loads(stdout.readline(10_000))
            if "bytes" in reply:
                reply["samples"] = stdout.read(size) if reply["bytes"] == size else b""
                if len(reply["samples"]) != size:
                    return None
            return cast(dict[str, Any], reply)
        except (OSError, ValueError):
            return None
        finally:
            timer.cancel()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()


_idle: list[_Worker] = []
_owner = 0
_lock = threading.Lock()


@contextmanager
def _worker() -> Iterator[_Worker]:
    """Lend a process that does nothing else meanwhile; each thread that asks has its own."""
    global _owner
    if importlib.util.find_spec("gdcm") is None:
        raise ModuleNotFoundError("No module named 'gdcm'", name="gdcm")
    with _lock:
        if _owner != os.getpid():  # after a fork they are the parent's
            _idle.clear()
            _owner = os.getpid()
        worker = _idle.pop() if _idle else None
    if worker is None:
        worker = _Worker()
    try:
        yield worker
    except BaseException as error:
        if not isinstance(error, ValueError):  # stopped halfway: what it still says belongs to no frame
            worker.end()
        raise
    finally:
        if worker.is_alive():
            with _lock:
                _idle.append(worker)


@atexit.register
def _end_all() -> None:
    while _idle and _owner == os.getpid():
        _idle.pop().end()
