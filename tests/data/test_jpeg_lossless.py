"""Lossless JPEG against an encoder written here from the other half of the standard."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pefomed.data.pictures.jpeg_lossless import decode

# 17 categories with codes of 5 bits each: 0 .. 16 in order (T.81, annex C).
LENGTHS = bytes([0, 0, 0, 0, 17]) + bytes(11)


def encode(
    samples: NDArray[np.uint16], predictor: int = 1, precision: int = 16, restart: int = 0, shift: int = 0
) -> bytes:
    """Return a frame of `samples` (rows, columns, components), one sample at a time (T.81, H.1.2)."""
    rows, columns, count = samples.shape
    values = (samples >> shift).astype(int).tolist()
    parts, bits = [], ""
    for y in range(rows):
        if restart and y and y % restart == 0:
            parts.append(bits)
            bits = ""
        top = y % restart == 0 if restart else y == 0
        for x in range(columns):
            for k in range(count):
                a = values[y][x - 1][k] if x else 0
                b = values[y - 1][x][k] if y else 0
                c = values[y - 1][x - 1][k] if x and y else 0
                choices = (a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1)
                if top:
                    prediction = a if x else 1 << (precision - shift - 1)
                else:
                    prediction = choices[predictor - 1] if x else b
                bits += coded((values[y][x][k] - prediction) & 0xFFFF)
    parts.append(bits)
    scan = b""
    for number, part in enumerate(parts):
        part += "1" * (-len(part) % 8)
        coded_bytes = bytes(int(part[place : place + 8], 2) for place in range(0, len(part), 8))
        scan += (bytes([0xFF, 0xD0 + (number - 1) % 8]) if number else b"") + coded_bytes.replace(
            b"\xff", b"\xff\x00"
        )
    table = b"\x00" + LENGTHS + bytes(range(17))
    components = b"".join(bytes([k + 1, 0x11, 0]) for k in range(count))
    body = segment(0xC4, table)
    body += segment(0xC3, struct.pack(">BHHB", precision, rows, columns, count) + components)
    body += segment(0xDD, struct.pack(">H", restart * columns)) if restart else b""
    body += segment(0xDA, bytes([count, *(v for k in range(count) for v in (k + 1, 0)), predictor, 0, shift]))
    return b"\xff\xd8" + body + scan + b"\xff\xd9"


def coded(difference: int) -> str:
    """Return category and remainder of a difference modulo 2^16 (T.81, table H.2)."""
    signed = difference - 65536 if difference > 32768 else difference
    category = abs(signed).bit_length()
    if signed == 32768:
        return f"{16:05b}"
    rest = signed if signed > 0 else signed + (1 << category) - 1
    return f"{category:05b}" + (f"{rest:0{category}b}" if category else "")


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


@given(
    arrays(np.uint16, st.tuples(st.integers(1, 5), st.integers(1, 6), st.sampled_from([1, 3]))),
    st.integers(1, 7),
    st.sampled_from([0, 1, 2]),
)
def test_what_is_encoded_comes_back(samples: NDArray[np.uint16], predictor: int, restart: int) -> None:
    assert np.array_equal(decode(encode(samples, predictor, restart=restart)), samples)


def test_low_precision_and_shifted_points() -> None:
    samples = np.arange(24, dtype=np.uint16).reshape(4, 6, 1) * 8
    assert np.array_equal(decode(encode(samples, precision=8)), samples)
    assert np.array_equal(decode(encode(samples, precision=8, shift=3)), samples)


def test_more_than_one_chunk() -> None:
    # Noise of 16 bits needs some 20 bits a sample: 60,000 of them are more than one chunk of bytes.
    samples = np.random.default_rng(0).integers(0, 65536, (10, 6000, 1)).astype(np.uint16)
    assert np.array_equal(decode(encode(samples)), samples)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 40, 60, 80, -3])
def test_a_cut_frame_is_an_error(length: int) -> None:
    data = encode(np.arange(400, dtype=np.uint16).reshape(20, 20, 1) * 97)
    with pytest.raises(ValueError, match="JPEG"):
        decode(data[: length - 10 if length < 0 else length])


@given(st.data())
def test_a_damaged_frame_is_samples_or_an_error(data: st.DataObject) -> None:
    frame = bytearray(encode(np.arange(60, dtype=np.uint16).reshape(6, 10, 1) * 311, restart=2))
    # Not the size: a caller has compared it before.
    size = frame.index(b"\xff\xc3") + 5
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(2, len(frame) - 1))
        if not size <= place < size + 4:
            frame[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError, struct.error, IndexError):  # what the caller takes for damage
        assert decode(bytes(frame)).ndim == 3
