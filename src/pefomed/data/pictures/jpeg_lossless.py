"""Lossless JPEG as scanners write it (ITU-T T.81, annex H: Huffman coded, processes 14 and 14 SV1).

The free decoders for it abort the process on damaged frames, and it is the commonest compression of
older archives. A sample is coded as its difference, modulo 2^16, from a prediction out of its left,
upper and upper left neighbours. Code lengths are looked up at every bit of a chunk at once; only
the walk from code to code is a loop.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 17  # bytes whose every bit is looked up at once: some 10 MB of arrays
_PADDING = bytes(8)

Int = NDArray[np.int64]
Table = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""At every 16 bits that may stand there: length of the code, category, bits to the next code."""


@dataclass
class _Frame:
    precision: int = 0
    height: int = 0
    width: int = 0
    components: list[int] = field(default_factory=list)
    tables: dict[int, Table] = field(default_factory=dict)
    restart: int = 0


def decode(data: bytes) -> NDArray[np.uint16]:
    """Return the samples (height, width, components) of one frame.

    Raises:
        ValueError, IndexError, struct.error: it is damaged, cut, or not a lossless JPEG of this kind.
    """
    if data[:2] != b"\xff\xd8":
        raise ValueError("a frame that is no JPEG")
    frame, place = _Frame(), 2
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 4 > len(data):
            raise ValueError("a JPEG without a scan")
        marker = data[place + 1]
        if marker in (0x00, 0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        body = data[place + 4 : place + 2 + length]
        if len(body) != length - 2:
            raise ValueError("a JPEG that ends in its header")
        place += 2 + length
        if marker == 0xDA:
            return _scan(frame, body, data, place)
        _read_segment(frame, marker, body)


def _read_segment(frame: _Frame, marker: int, body: bytes) -> None:
    if marker == 0xC3:
        frame.precision, frame.height, frame.width, count = struct.unpack_from(">BHHB", body)
        parts = [body[6 + 3 * number : 9 + 3 * number] for number in range(count)]
        if not 2 <= frame.precision <= 16 or not frame.height or not frame.width or len(parts[-1:][0]) != 3:
            raise ValueError("a JPEG frame header with wrong values")
        if any(part[1] != 0x11 for part in parts):
            raise ValueError("a lossless JPEG with subsampled components")
        frame.components = [part[0] for part in parts]
    elif marker == 0xC4:
        place = 0
        while place + 17 <= len(body):
            counts = body[place + 1 : place + 17]
            symbols = body[place + 17 : place + 17 + sum(counts)]
            frame.tables[body[place]] = _table(counts, symbols)
            place += 17 + sum(counts)
    elif marker == 0xDD:
        (frame.restart,) = struct.unpack_from(">H", body)
    elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
        raise ValueError(f"a JPEG of another process (marker ff{marker:02x}) where a lossless one is said")


def _table(counts: bytes, symbols: bytes) -> Table:
    lengths, categories = np.zeros(65536, np.uint8), np.zeros(65536, np.uint8)
    if len(symbols) != sum(counts) or any(symbol > 16 for symbol in symbols):
        raise ValueError("a Huffman table with wrong values")
    code = place = 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[place : place + count]:
            start, end = code << (16 - length), (code + 1) << (16 - length)
            if end > 65536:
                raise ValueError("a Huffman table with more codes than fit")
            lengths[start:end], categories[start:end] = length, symbol
            code += 1
        place += count
        code <<= 1
    # Category 16 has no further bits. An impossible code steps on, too, and is found out afterwards.
    steps = np.where(lengths == 0, 1, lengths + np.where(categories == 16, 0, categories)).astype(np.uint8)
    return lengths, categories, steps


def _scan(frame: _Frame, body: bytes, data: bytes, place: int) -> NDArray[np.uint16]:
    count = body[0] if body else 0
    if not frame.components or count != len(frame.components) or len(body) < 2 * count + 4:
        raise ValueError("a JPEG whose components are in several scans")
    keys = [body[2 + 2 * number] >> 4 for number in range(count)]
    if any(key not in frame.tables for key in keys):
        raise ValueError("a JPEG without its Huffman table")
    predictor, transform = body[1 + 2 * count], body[3 + 2 * count] & 15
    if not 1 <= predictor <= 7 or transform >= frame.precision:
        raise ValueError(f"a JPEG with the predictor {predictor}")
    if frame.restart % frame.width:
        raise ValueError("a JPEG that restarts within a line")
    rows = frame.restart // frame.width or frame.height
    first = 1 << (frame.precision - transform - 1)
    out = np.empty((frame.height, frame.width, count), np.uint16)
    parts = _parts(data, place)
    for number, top in enumerate(range(0, frame.height, rows)):
        if number >= len(parts):
            raise ValueError("a JPEG that ends early")
        shape = (min(rows, frame.height - top), frame.width, count)
        differences = _differences(parts[number], [frame.tables[key] for key in keys], shape)
        for component in range(count):
            out[top : top + rows, :, component] = _predicted(differences[..., component], predictor, first)
    out <<= transform
    return out


def _parts(data: bytes, place: int) -> list[bytes]:
    """Return the coded bytes between restart markers, without stuffing."""
    parts, start = [], place
    while True:
        place = data.find(b"\xff", place)
        marker = data[place + 1] if 0 <= place < len(data) - 1 else 0xD9
        if marker == 0x00:
            place += 2
            continue
        parts.append(data[start : place if place >= 0 else len(data)].replace(b"\xff\x00", b"\xff"))
        if not 0xD0 <= marker <= 0xD7:
            return parts
        place += 2
        start = place


def _differences(part: bytes, tables: list[Table], shape: tuple[int, int, int]) -> Int:
    wanted = shape[0] * shape[1] * shape[2]
    if wanted > 8 * len(part):  # a code has a bit at least
        raise ValueError("a JPEG that ends early")
    used = tables[:1] if all(table is tables[0] for table in tables) else tables
    padded = np.frombuffer(part + _PADDING, np.uint8)
    found: list[Int] = []
    done, bit = 0, 0
    for base in range(0, len(part), _CHUNK):
        count = min(_CHUNK, len(part) - base)
        # 40 bits from each byte: a code of 16, a difference of 16, and 7 to shift.
        window = np.zeros(count, np.int64)
        for byte in range(5):
            window = window << 8 | padded[base + byte : base + byte + count]
        places, bit = _walk([_steps(window, table) for table in used], bit, 8 * count, wanted - done, done)
        found.append(_coded(window, places, used, done))
        done += len(places)
        bit -= 8 * count
        if done == wanted:
            return np.concatenate(found).reshape(shape)
    raise ValueError("a JPEG that ends early")


def _steps(window: Int, table: Table) -> bytes:
    """Return how many bits further the next code is, as if a code began at each bit."""
    steps = np.empty((len(window), 8), np.uint8)
    for shift in range(8):
        steps[:, shift] = table[2][(window >> (24 - shift)) & 0xFFFF]
    return steps.tobytes()


def _walk(steps: list[bytes], bit: int, end: int, most: int, done: int) -> tuple[Int, int]:
    """Return where at most `most` codes begin between `bit` and `end`, and where the next one would."""
    places: list[int] = []
    note = places.append
    if len(steps) == 1:
        only = steps[0]
        while bit < end and len(places) < most:
            note(bit)
            bit += only[bit]
    else:
        number = done % len(steps)
        while bit < end and len(places) < most:
            note(bit)
            bit += steps[number][bit]
            number = (number + 1) % len(steps)
    return np.array(places, np.int64), bit


def _coded(window: Int, places: Int, tables: list[Table], done: int) -> Int:
    """Return the differences coded at `places`."""
    word, shift = window[places >> 3], places & 7
    code = (word >> (24 - shift)) & 0xFFFF
    order = (done + np.arange(len(places))) % len(tables)
    length, category = (
        np.choose(order, [table[part][code] for table in tables]).astype(np.int64) for part in (0, 1)
    )
    if not length.all():
        raise ValueError("a JPEG with an unknown Huffman code")
    more = np.where(category == 16, 0, category)
    extra = (word >> (40 - shift - length - more)) & ((1 << more) - 1)
    negative = (more > 0) & (extra < 1 << np.maximum(more - 1, 0))
    return np.where(category == 16, 32768, np.where(negative, extra - (1 << more) + 1, extra))


def _predicted(differences: Int, predictor: int, first: int) -> NDArray[np.uint16]:
    """Return the samples (H, W) of one component, modulo 2^16."""
    values = differences.copy()
    values[0, 0] += first
    if predictor == 1:  # left; a line begins from the one above
        values[:, 0] = np.cumsum(values[:, 0])
        return np.cumsum(values, axis=1).astype(np.uint16)
    values[0] = np.cumsum(values[0]) & 0xFFFF
    for row in range(1, len(values)):
        values[row] = _line(values[row], values[row - 1], predictor)
    return values.astype(np.uint16)


def _line(line: Int, above: Int, predictor: int) -> Int:
    """Return a line's samples; a is to the left, b above, c above to the left (T.81, table H.1)."""
    b, c = above[1:], above[:-1]
    line = line.copy()
    line[0] = (line[0] + above[0]) & 0xFFFF
    if predictor in (2, 3):
        line[1:] += b if predictor == 2 else c
    elif predictor in (4, 5):  # a + (b - c), a + (b - c) / 2: sums along the line
        line[1:] += (b - c) if predictor == 4 else (b - c) >> 1
        line = np.cumsum(line)
    else:
        left, samples = int(line[0]), [int(line[0])]
        for difference, up, corner in zip(line[1:].tolist(), b.tolist(), c.tolist(), strict=True):
            prediction = up + ((left - corner) >> 1) if predictor == 6 else (left + up) >> 1
            left = (difference + prediction) & 0xFFFF
            samples.append(left)
        line = np.array(samples, np.int64)
    return line & 0xFFFF
