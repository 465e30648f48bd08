"""What stands beside the pixels of a file, made to take memory or time: bounded, and one clear error."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from pefomed.errors import ImageError
from pefomed.images.images import image_size, open_image, turn_of


def jpeg(path: Path, *parts: bytes) -> Path:
    """Write an 8 x 8 JPEG with parts (APP1) in front of its pixels."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "JPEG")
    plain = buffer.getvalue()
    told = b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in parts)
    path.write_bytes(plain[:2] + told + plain[2:])
    return path


def test_exif_in_many_parts_is_refused_before_it_is_joined(tmp_path: Path) -> None:
    part = b"Exif\0\0" + bytes(65_000)
    harmful = jpeg(tmp_path / "many.jpg", *[part] * 100)
    for reader in (open_image, image_size, turn_of):
        with pytest.raises(ImageError, match="bytes of a JPEG are EXIF"):
            reader(harmful)
    assert open_image(jpeg(tmp_path / "few.jpg", *[part] * 3)).size == (8, 8)
