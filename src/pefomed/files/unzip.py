"""Zip archives unpacked with care: nothing outside of the folder, no links, no bombs; resumable."""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from pefomed.errors import DataError
from pefomed.files.files import inside
from pefomed.files.storage import storage_errors
from pefomed.progress import track

SIZE_LIMIT = 50 * 10**9
"""Most bytes that an archive may unpack to."""

RATIO_LIMIT = 200
"""Most bytes out of one byte in; images hardly shrink at all."""


ZIP_FAULTS = (
    EOFError, LookupError, MemoryError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError,
    lzma.LZMAError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile raises on damaged archives, e.g. for names that are not UTF-8 or offsets before the file."""


def unzip(archive: Path, folder: Path) -> Path:
    """Unpack `archive` into `folder / <its stem>` and return that; files that are there whole are kept.

    A top folder of the archive's own name is not doubled: `imgs.zip` with `imgs/a.jpg` becomes `imgs/a.jpg`.

    Raises:
        DataError: the archive is damaged, encrypted, too large, or has a link or a path out of the folder.
        StorageError: the disk is full.
    """
    target = folder / archive.stem
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not is_litter(member)]
            _check(archive, members)
            for member in track(members, f"unpacking {archive.name}", unit="files"):
                name = member.filename.removeprefix(f"{archive.stem}/")
                path = inside(target, name, str(archive))
                if path.is_file() and path.stat().st_size == member.file_size:
                    continue
                part = path.with_name(f".part-{path.name}")
                with storage_errors(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(member) as source, part.open("wb") as file:
                        shutil.copyfileobj(source, file, 2**20)
                    part.replace(path)
    except ZIP_FAULTS as error:
        raise DataError(
            f"{archive} cannot be unpacked",
            found=str(error) or type(error).__name__,
            remedy="delete it and fetch it again",
        ) from None
    return target


def is_litter(member: zipfile.ZipInfo) -> bool:
    """Return whether a member of an archive is a folder, or what macOS adds to any archive."""
    name = member.filename
    return member.is_dir() or name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] == ".DS_Store"


def _check(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{archive} holds a link, which is not unpacked", found=member.filename)
    size = sum(member.file_size for member in members)
    # Members may overlap, so that each says as its own what all of them are unpacked from.
    packed = min(sum(member.compress_size for member in members), archive.stat().st_size)
    if size > SIZE_LIMIT or size > RATIO_LIMIT * max(packed, 2**20):
        raise DataError(
            f"{archive} unpacks to too much: at most {SIZE_LIMIT:,} bytes, {RATIO_LIMIT} times its size",
            found=f"{size:,} bytes from {packed:,}",
            remedy="check where it comes from",
        )
