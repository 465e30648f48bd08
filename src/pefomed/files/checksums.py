"""A folder's checksums: whether every file that was written into it is there and as it was written.

`checksums.json` in the folder: {"file": "SHA-256 in hex digits"}, of all its files but itself.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pefomed.files.storage import write

FILE = "checksums.json"


def seal(folder: Path) -> None:
    """Write the checksums of what the folder holds now.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    digests = {file.name: sha256(file) for file in sorted(folder.iterdir()) if file.name != FILE}
    write(folder / FILE, json.dumps(digests, indent=1) + "\n")


def damage(folder: Path) -> str:
    """Return what is wrong with a sealed folder, e.g. ``"adapter.safetensors is missing"``; else nothing."""
    try:
        digests = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"{FILE} is missing"
    except (OSError, ValueError, RecursionError):
        return f"{FILE} cannot be read"
    if not isinstance(digests, dict) or not digests:
        return f"{FILE} names no files"
    for name, digest in digests.items():
        file = folder / Path(name).name
        try:
            if not file.is_file():
                return f"{name} is missing"
            if not file.stat().st_size:
                return f"{name} is empty"
            if sha256(file) != digest:
                return f"{name} is not as it was written"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
    return ""


def is_sealed(folder: Path) -> bool:
    """Return whether the folder has checksums."""
    return (folder / FILE).exists()


def equal_folders(one: Path, other: Path) -> bool:
    """Return whether both folders were sealed over the same files, and the other's are still the same."""
    if not is_sealed(one) or damage(other):
        return False
    return (one / FILE).read_bytes() == (other / FILE).read_bytes()


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hex digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
