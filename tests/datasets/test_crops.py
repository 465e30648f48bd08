"""Parts of images: the pixels, the boxes in them, and the copies that training makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pefomed.datasets.cropped_copies import cropped_copies
from pefomed.errors import ImageError
from pefomed.images.crop import Crop, crop_of
from pefomed.images.images import content_hash, image_size, open_image
from pefomed.schema import Box, Sample


def _picture(folder: Path, name: str = "a.png") -> Path:
    # 40 x 20 with a white block at x 10..20, y 5..15.
    pixels = np.zeros((20, 40), dtype=np.uint8)
    pixels[5:15, 10:20] = 255
    path = folder / name
    Image.fromarray(pixels).save(path)
    return path


BLOCK = Box(x0=0.25, y0=0.25, x1=0.5, y1=0.75)


def test_a_path_may_name_a_part(tmp_path: Path) -> None:
    path = f"{_picture(tmp_path)}#crop=0.25:0:1.25:0.5"
    image = open_image(path)
    assert image.size == image_size(path) == (40, 10)
    pixels = np.asarray(image)[..., 0]
    # The block now begins at the left edge, y 5; beyond the old right edge (x 30) it is black.
    assert pixels[5:, :10].min() == 255
    assert pixels[:, 10:].max() == 0
    assert content_hash(path) != content_hash(tmp_path / "a.png")


def test_a_box_lies_where_its_pixels_lie(tmp_path: Path) -> None:
    crop = crop_of("-0.1:0.1:0.6:1.2")
    box = crop.box(BLOCK, (40, 20), least=0.8)
    assert box is not None
    pixels = np.asarray(crop.of(open_image(_picture(tmp_path))))[..., 0] == 255
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    height, width = pixels.shape
    assert (box.x0 * width, box.x1 * width) == pytest.approx((columns[0], columns[-1] + 1))
    assert (box.y0 * height, box.y1 * height) == pytest.approx((rows[0], rows[-1] + 1))


def test_a_box_cut_too_far_is_none() -> None:
    # From x = 0.3 on, 0.2 of the block's 0.25 is left: 80 %.
    assert Crop(0.3, 0.0, 1.0, 1.0).box(BLOCK, (40, 20), least=0.79) is not None
    assert Crop(0.3, 0.0, 1.0, 1.0).box(BLOCK, (40, 20), least=0.81) is None
    assert Crop(0.6, 0.0, 1.0, 1.0).box(BLOCK, (40, 20), least=0.0) is None


@pytest.mark.parametrize("text", ["", "0:0:1", "0:0:nan:1", "0.5:0:0.5:1", "0:0:9:1", "1:0:2:1", "0:-3:1:1"])
def test_what_is_no_part_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ImageError, match="left:top:right:bottom"):
        open_image(f"{_picture(tmp_path)}#crop={text or 'x'}")


@given(st.integers(0, 50), st.floats(0.01, 0.45))
def test_copies_share_their_images_crops_and_stay_within_reach(seed: int, reach: float) -> None:
    samples = [
        Sample(id=name, images=("scans/a.png",), task="refer", question=name, boxes=(BLOCK,), size=(400, 200))
        for name in ("one", "two")
    ]
    copies = list(cropped_copies(samples, 3, reach, seed))
    assert copies == list(cropped_copies(samples, 3, reach, seed))
    by_image: dict[str, set[str]] = {}
    for copy in copies:
        by_image.setdefault(copy.images[0], set()).add(copy.question)
        left, top, right, bottom = map(float, copy.images[0].split("crop=")[1].split(":"))
        assert max(abs(left), abs(top), abs(right - 1), abs(bottom - 1)) <= reach + 1e-4
        assert copy.size == crop_of(copy.images[0].split("crop=")[1]).size((400, 200))
    assert all(asked == {"one", "two"} for asked in by_image.values())
    assert len(by_image) <= 3
    assert len({copy.id for copy in copies}) == len(copies)


def test_only_samples_with_boxes_have_copies() -> None:
    question = Sample(id="q", images=("a.png",), task="vqa", question="Is it?", reference="yes")
    assert list(cropped_copies([question], 4, 0.1, 0)) == []
