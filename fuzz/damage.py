"""Ways to spoil a file: bits, cuts, pieces put in, taken out or doubled, and values of other kinds."""

from __future__ import annotations

import re

WORDS = (
    b"\0", b'"', b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f", b"\0\0\0\0", b"<", b"&x;", b"{", b"[", b"\\", b"..", b"/",
)  # fmt: skip
"""What is put into any file."""

_VALUE = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|\[[^\[\]]*\]|true|false|null')


def flipped(data: bytes, place: int, bits: int) -> bytes:
    """Return `data` with the byte at `place` exclusive-or `bits`."""
    place %= max(1, len(data))
    return data[:place] + bytes(byte ^ bits for byte in data[place : place + 1]) + data[place + 1 :]


def put_in(data: bytes, place: int, word: bytes, over: bool) -> bytes:
    """Return `data` with `word` at `place`, over what stands there or in front of it."""
    place %= len(data) + 1
    return data[:place] + word + data[place + (len(word) if over else 0) :]


def moved(data: bytes, start: int, length: int, place: int) -> bytes:
    """Return `data` with a piece of it once more at `place`."""
    start %= len(data) + 1
    return put_in(data, place, data[start : start + length], False)


def other_value(data: bytes, which: int, value: bytes) -> bytes:
    """Return a text (JSON, TOML, CSV) in which one text, number or list is `value`."""
    found = list(_VALUE.finditer(data))
    if not found:
        return data + value
    chosen = found[which % len(found)]
    return data[: chosen.start()] + value + data[chosen.end() :]
