from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pefomed.errors import ImageError
from pefomed.images.images import content_hash, image_size, open_image, pixel_hash

Writer = Callable[..., Path]


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.bmp"])
def test_lossless_files_give_the_same_pixels(write_image: Writer, name: str) -> None:
    expected = np.random.default_rng(3).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(open_image(write_image(name, seed=3))), expected)


def test_webp_and_jpeg_open_as_rgb(write_image: Writer) -> None:
    for path in (write_image("a.webp", lossless=True), write_image("a.jpg")):
        image = open_image(path)
        assert (image.mode, image.size) == ("RGB", (12, 8))


@pytest.mark.parametrize("top", [1023, 4095, 65535])
def test_more_than_eight_bits_are_scaled_not_clipped(tmp_path: Path, top: int) -> None:
    # A ramp of 5 values from 0 to top in quarters must become 0, 64, 128, 191, 255 (255 k / 4, rounded).
    ramp = np.array([[0, top / 4, top / 2, 3 * top / 4, top]]).round().astype(np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(ramp).save(path)
    grey = np.asarray(open_image(path))[0, :, 0]
    assert np.abs(grey.astype(int) - [0, 64, 128, 191, 255]).max() <= 1
    assert (grey[0], grey[-1]) == (0, 255)


# Type, bits, TIFF's sample format, and whether 0 is white. What Pillow does not know is left out.
DEEP = [
    ("<u2", 16, 1, 0), ("<u2", 16, 1, 1), ("<i2", 16, 2, 1), ("<u4", 32, 1, 1), ("<f4", 32, 3, 1),
    (">u2", 16, 1, 1), (">i2", 16, 2, 1), (">f4", 32, 3, 1),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "bits", "sample", "photometric"), DEEP)
def test_deep_tiff_of_every_kind(tmp_path: Path, kind: str, bits: int, sample: int, photometric: int) -> None:
    order = kind[0]
    pixels = np.array([[0, 1000, 2000, 4000]]).astype(kind).tobytes()
    # TIFF 6.0: width, height, bits, no compression, photometric, place, samples, rows, bytes, sample format.
    values = {256: 4, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 1}
    values |= {279: len(pixels), 339: sample}
    entries = b"".join(struct.pack(f"{order}HHLHH", tag, 3, 1, value, 0) for tag, value in values.items())
    front = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HL", 42, 8 + len(pixels))
    path = tmp_path / "deep.tiff"
    path.write_bytes(front + pixels + struct.pack(f"{order}H", len(values)) + entries + bytes(4))
    grey = np.asarray(open_image(path))[0, :, 0].tolist()
    assert grey == ([0, 64, 128, 255] if photometric else [255, 191, 128, 0])


def test_a_flat_deep_image_is_black_not_an_error(tmp_path: Path) -> None:
    path = tmp_path / "flat.tiff"
    Image.fromarray(np.full((4, 4), 700, dtype=np.uint16)).save(path)
    assert np.asarray(open_image(path)).max() == 0


def test_float_images_with_nan_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "nan.tiff"
    Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32)).save(path)
    with pytest.raises(ImageError, match="not a finite number"):
        open_image(path)


def test_exif_orientation_turns_the_image_and_its_size(tmp_path: Path) -> None:
    # Orientation 6: the stored left column is shown as the top row.
    pixels = np.zeros((6, 4, 3), dtype=np.uint8)
    pixels[:, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    Image.fromarray(pixels).save(path, exif=exif)
    shown = np.asarray(open_image(path))
    assert shown.shape == (4, 6, 3)
    assert shown[0].min() == 255
    assert shown[1:].max() == 0
    assert image_size(path) == (6, 4)


def test_transparency_is_laid_over_black(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (2, 2), (200, 100, 50, 0)).save(path)
    assert np.asarray(open_image(path)).max() == 0


def test_missing_empty_foreign_and_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not an image")
    for name, words in [
        ("none.jpg", "no image at"), ("empty.jpg", "0 bytes"), ("text.jpg", "not an image"), (".", "folder"),
    ]:  # fmt: skip
        with pytest.raises(ImageError, match=words) as caught:
            open_image(tmp_path / name)
        assert str(tmp_path) in str(caught.value)
        assert "what to do" in str(caught.value)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tiff"])
def test_truncated_files_are_named(write_image: Writer, name: str) -> None:
    path = write_image(name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError) as caught:
        open_image(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_001, 10_000)])
def test_huge_images_are_refused_from_the_header(tmp_path: Path, width: int, height: int) -> None:
    # A PNG that claims its size and holds no pixels: decoding it would fail, or take 2.7 GB.
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(ImageError, match="too large") as caught:
        open_image(path)
    assert str(path) in str(caught.value)
    with pytest.raises(ImageError, match="too large"):
        image_size(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow, about damaged TIFF
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_an_image_or_our_error(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (12, 8), (10, 200, 30)).save(buffer, format=kind)
    damaged = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    with contextlib.suppress(ImageError):  # any other exception fails the test
        assert open_image(path).mode == "RGB"


def test_content_hash_is_sha256_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert content_hash(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ImageError, match="no image"):
        content_hash(tmp_path / "none")


def test_pixel_hash_knows_the_same_picture_in_another_file(write_image: Writer) -> None:
    png, tiff, other = write_image("a.png"), write_image("a.tiff"), write_image("b.png", seed=1)
    assert pixel_hash(png) == pixel_hash(tiff)
    assert hashlib.sha256(png.read_bytes()).digest() != hashlib.sha256(tiff.read_bytes()).digest()
    assert pixel_hash(png) != pixel_hash(other)


def test_pixel_hash_tells_shapes_apart(tmp_path: Path) -> None:
    # The same 24 bytes as 4 x 2 and as 2 x 4.
    for name, size in (("wide.png", (4, 2)), ("tall.png", (2, 4))):
        Image.new("RGB", size, (7, 7, 7)).save(tmp_path / name)
    assert pixel_hash(tmp_path / "wide.png") != pixel_hash(tmp_path / "tall.png")
