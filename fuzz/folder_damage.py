"""Ways to spoil a file of a folder: the file itself goes, or what is in it."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Sequence
from pathlib import Path

from fuzz.damage import WORDS, flipped, other_value, put_in

VALUES = (
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 30, b"1048576", b"[]", b"{}", b'""', b'"x"',
    b'"\\ud800"', b'"../../x"', b'"a\\u0000b"', b"[null]", b"[" * 3000, b"9" * 5000,
)  # fmt: skip
"""What a number, a text or a list of a JSON file becomes."""

_TEXTS = (".json", ".jsonl", ".toml")


def kinds(file: Path) -> list[str]:
    """Return what can be done to `file`."""
    found = ["missing", "empty", "cut", "swapped", "flipped", "put in", "folder", "closed"]
    if file.suffix in _TEXTS:
        found += ["value", "line"]
    if file.suffix == ".safetensors":
        found += ["nan"]
    return found


def spoil(file: Path, kind: str, others: Sequence[Path], chance: random.Random) -> str:
    """Do it, and return what was done."""
    data = file.read_bytes()
    place = chance.randrange(len(data) + 1)
    if kind in ("missing", "folder"):
        file.unlink()
        if kind == "folder":
            file.mkdir()
        return kind
    if kind == "closed":
        file.chmod(0)
        return kind
    if kind == "empty":
        new, told = b"", kind
    elif kind == "cut":
        new, told = data[:place], f"cut at {place}"
    elif kind == "swapped":
        other = chance.choice([one for one in others if one.read_bytes() != data])
        new, told = other.read_bytes(), f"bytes of {other.parent.name}/{other.name}"
    elif kind == "flipped":
        bits = 1 << chance.randrange(8)
        new, told = flipped(data, place, bits), f"byte {place} of {len(data)} exclusive-or {bits}"
    elif kind == "put in":
        word = chance.choice(WORDS)
        new, told = put_in(data, place, word, chance.random() < 0.5), f"{word!r} at {place}"
    elif kind == "line":
        lines = data.splitlines(keepends=True)
        number = chance.randrange(len(lines))
        told = chance.choice(["gone", "twice", "a list", "an empty object"])
        line = {"gone": b"", "twice": lines[number] * 2, "a list": b"[1]\n"}.get(told, b"{}\n")
        new, told = b"".join([*lines[:number], line, *lines[number + 1 :]]), f"line {number + 1} {told}"
    elif kind == "value":
        which, value = chance.randrange(400), chance.choice(VALUES)
        new, told = other_value(data, which, value), f"value {which} becomes {value[:30]!r}"
    else:
        new, told = _with_nan(data, chance), "NaN in a tensor"
    file.write_bytes(new)
    return told


def restore(file: Path, data: bytes) -> None:
    """Put `file` back as it was."""
    if file.is_file():
        file.unlink()
    elif file.is_dir():
        file.rmdir()
    file.write_bytes(data)
    os.chmod(file, 0o644)


def _with_nan(data: bytes, chance: random.Random) -> bytes:
    """Return float32 safetensors in which one number is NaN."""
    start = 8 + struct.unpack("<Q", data[:8])[0]
    place = start + 4 * chance.randrange((len(data) - start) // 4)
    return data[:place] + struct.pack("<f", float("nan")) + data[place + 4 :]
