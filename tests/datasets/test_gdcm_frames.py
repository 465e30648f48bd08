"""JPEG by GDCM in a process of its own: exact, and whatever is damaged is an error of ours.

Lossless frames come from an encoder written here from the other half of the standard.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tests.datasets.made_dicom import corpus_file, made

from pefomed.errors import ImageError, PackageError
from pefomed.images import gdcm_frames
from pefomed.images.dicom_file import open_dicom_file
from pefomed.images.gdcm_frames import decode
from pefomed.images.images import open_image

pytest.importorskip("gdcm", reason="the extra `dicom` is not installed")

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


@pytest.mark.parametrize("precision", range(8, 17))
def test_every_precision_that_dicom_has(precision: int) -> None:
    noise = np.random.default_rng(precision).integers(0, 1 << precision, (9, 11, 1)).astype(np.uint16)
    assert np.array_equal(decode(encode(noise, precision=precision)), noise)
    assert np.array_equal(decode(encode(noise, 4, precision=precision, restart=2)), noise)


def test_a_whole_file_of_twelve_bits_is_shown() -> None:
    # The same picture saved twice; the first has a wrong scan header, which decoders pass over.
    one, other = (np.asarray(open_image(corpus_file(name))) for name in ("JPEG-lossy.dcm", "JPGExtended.dcm"))
    assert one.shape == other.shape == (1024, 256, 3)
    assert np.abs(one.astype(int) - other).mean() < 1


def test_shifted_points() -> None:
    samples = np.arange(24, dtype=np.uint16).reshape(4, 6, 1) * 8
    assert np.array_equal(decode(encode(samples, precision=8, shift=3)), samples)


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
    with contextlib.suppress(ValueError):  # what the caller takes for damage
        assert decode(bytes(frame)).ndim == 3


def twelve_bits() -> bytes:
    """Return the frame of 12 bits that pydicom ships."""
    from pydicom import dcmread
    from pydicom.encaps import get_frame

    frame: bytes = get_frame(dcmread(corpus_file("JPGExtended.dcm")).PixelData, 0, number_of_frames=1)
    return frame


def test_twelve_bits() -> None:
    samples = decode(twelve_bits())
    assert samples.shape == (1024, 256, 1)
    # libjpeg-turbo's 12-bit decoder gives the same to the last bit: these are its least, largest and sum.
    assert (samples.min(), samples.max(), samples.sum(dtype=int)) == (0, 264, 3_767_007)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_a_cut_frame_of_twelve_bits_is_not_filled_with_grey(share: float) -> None:
    frame = twelve_bits()
    cut = frame[: int(share * len(frame))]
    for data in (cut, cut + b"\xff\xd9"):  # the decoder itself takes the second for a whole picture
        with pytest.raises(ValueError, match="JPEG"):
            decode(data)


# GDCM aborts on a lossless frame of 7 bits: "terminate called after throwing an instance of gdcm::Exception".
ABORTING = encode(np.full((4, 4, 1), 5, np.uint16), precision=7)


def test_a_frame_that_aborts_the_decoder_is_a_damaged_one(fresh: None) -> None:
    good = np.arange(24, dtype=np.uint16).reshape(4, 6, 1)
    assert np.array_equal(decode(encode(good)), good)
    with gdcm_frames._worker() as worker:
        request = {"rows": 4, "columns": 4, "components": 1, "precision": 7, "lossless": True}
        with pytest.raises(ValueError, match="its decoder stopped"):
            worker.ask(request | {"bytes": len(ABORTING)}, ABORTING, 16, 60)
        assert not worker.is_alive()
    assert np.array_equal(decode(encode(good)), good)  # by the next process


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_a_decoder_that_takes_too_long_is_ended(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with gdcm_frames._worker() as worker:
        os.kill(worker._process.pid, signal.SIGSTOP)  # works for ever
    monkeypatch.setattr(gdcm_frames, "SECONDS", 0.2)
    with pytest.raises(ValueError, match="took too long"):
        decode(encode(np.zeros((4, 4, 1), np.uint16)))
    assert not worker.is_alive()


def test_threads_have_a_process_each_and_leave_it_to_the_next(fresh: None) -> None:
    images = [np.full((6, 7, 1), value, np.uint16) for value in range(8)]
    found: list[bool] = []

    def read(image: NDArray[np.uint16]) -> None:
        found.extend(np.array_equal(decode(encode(image)), image) for _ in range(5))

    for _ in range(2):
        threads = [threading.Thread(target=read, args=(image,)) for image in images[:4]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [True] * 40
    assert len(gdcm_frames._idle) <= 4


@pytest.fixture
def fresh() -> Iterator[None]:
    """No process left over from another test."""
    gdcm_frames._end_all()
    yield
    gdcm_frames._end_all()


def test_a_package_that_cannot_be_loaded(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gdcm.py").write_text("raise ImportError('libgdcm.so: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PackageError, match="cannot open shared object file"):
        decode(encode(np.zeros((4, 4, 1), np.uint16)))


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(
        tmp_path / "a.dcm", np.zeros((4, 4), np.uint16), "1.2.840.10008.1.2.4.70",
        [encode(np.zeros((4, 4, 1), np.uint16))],
    )  # fmt: skip
    open_image(path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImageError, match=r"python-gdcm[\s\S]*pefomed\[dicom\]"):
        open_image(path)


@pytest.mark.parametrize(("precision", "space"), [(7, "MONOCHROME2"), (12, "YBR_FULL")])
def test_a_kind_that_is_not_read_is_not_called_damaged(tmp_path: Path, precision: int, space: str) -> None:
    colours = 3 if space == "YBR_FULL" else 1
    frame = encode(np.full((4, 4, colours), 5, np.uint16), precision=precision)
    pixels = np.zeros((4, 4, 3)[: 2 + (colours > 1)], np.uint16)
    path = made(
        tmp_path / "a.dcm", pixels, "1.2.840.10008.1.2.4.70", [frame], PhotometricInterpretation=space
    )
    with pytest.raises(ImageError, match=rf"cannot be decoded[\s\S]*{precision} bits"):
        open_image(path)


def test_signs_and_colours_are_the_files_own(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    signed = random.integers(-2048, 2048, (5, 7)).astype(np.int16)
    twelve = (signed.view(np.uint16) & 0xFFF)[..., None]  # two's complement in the 12 stored bits
    path = made(
        tmp_path / "s.dcm", signed, "1.2.840.10008.1.2.4.70", [encode(twelve, precision=12)],
        PixelRepresentation=1, BitsStored=12, HighBit=11,
    )  # fmt: skip
    with open_dicom_file(path) as file:
        assert np.array_equal(file.stored(0), signed)
    colours = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    path = made(
        tmp_path / "c.dcm",
        colours,
        "1.2.840.10008.1.2.4.70",
        [encode(colours.astype(np.uint16), precision=8)],
    )
    with open_dicom_file(path) as file:
        assert np.array_equal(file.stored(0), colours)


def test_another_kind_of_jpeg_than_the_file_says(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.dcm", np.zeros((1024, 256), np.uint16), "1.2.840.10008.1.2.4.70", [twelve_bits()]
    )
    with pytest.raises(ImageError, match="another process"):
        open_image(path)
