"""Pictures on their way to an endpoint: pixels alone, in a size that servers take."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pefomed.answers.from_endpoint import MOST_SIDE, content, data_url
from pefomed.errors import ImageError
from pefomed.recipe import parse
from pefomed.schema import Sample

RECIPE = parse({"name": "small", "model": {"vision_encoder": "v", "language_model": "l"}})


def sent(path: Path) -> Image.Image:
    kind, _, packed = data_url(path).partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(packed)))


def test_pixels_are_sent_as_they_are_and_nothing_else(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x010E] = "patient: Anna Example"  # image description
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("patient", "Anna Example")
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path, exif=exif, pnginfo=text)
    assert b"Anna Example" in path.read_bytes()
    assert np.array_equal(np.asarray(sent(path)), pixels)
    assert b"Anna" not in base64.b64decode(data_url(path).partition(",")[2])


def test_a_large_image_is_scaled_down_in_proportion(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("L", (2 * MOST_SIDE, MOST_SIDE)).save(path)
    assert sent(path).size == (MOST_SIDE, MOST_SIDE // 2)


def test_all_images_come_before_the_instruction(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.png" for name in "ab"]
    for path in paths:
        Image.new("RGB", (8, 8)).save(path)
    sample = Sample(id="1", images=tuple(map(str, paths)), task="report", reference="secret")
    parts = content(sample, RECIPE)
    assert [part["type"] for part in parts] == ["image_url", "image_url", "text"]
    assert parts[-1]["text"] == "Describe the given chest x-ray image in detail."
    with pytest.raises(ImageError):
        content(sample.model_copy(update={"images": ("none.png",)}), RECIPE)
