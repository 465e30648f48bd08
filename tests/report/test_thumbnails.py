from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pefomed.report.thumbnails import SIZES, Thumbnail, thumbnails


@pytest.fixture
def noise(tmp_path: Path) -> list[str]:
    """Eight images that JPEG cannot make small."""
    random = np.random.default_rng(0)
    paths = [tmp_path / f"{index}.png" for index in range(8)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (400, 300), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


def opened(thumbnail: Thumbnail) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(thumbnail.uri.partition(",")[2])))


def test_a_thumbnail_keeps_the_shape_and_drops_idle_colour(tmp_path: Path) -> None:
    Image.new("RGB", (1000, 500), (80, 80, 80)).save(tmp_path / "grey.png")
    Image.new("RGB", (50, 100), (200, 0, 0)).save(tmp_path / "red.png")
    grey, red = thumbnails([str(tmp_path / "grey.png"), str(tmp_path / "red.png")]).values()
    assert (opened(grey).size, opened(grey).mode, grey.ratio) == ((SIZES[0][0], SIZES[0][0] // 2), "L", 2.0)
    assert (opened(red).size, opened(red).mode, red.ratio) == ((50, 100), "RGB", 0.5)


def test_a_repeated_path_is_one_thumbnail(noise: list[str]) -> None:
    assert list(thumbnails([noise[0], noise[1], noise[0]])) == noise[:2]


def test_images_shrink_together_until_they_fit(noise: list[str]) -> None:
    whole = sum(len(t.uri) for t in thumbnails(noise).values())
    made = thumbnails(noise, budget=whole // 3)
    assert sum(len(t.uri) for t in made.values()) <= whole // 3
    assert len({opened(t).size for t in made.values()}) == 1


def test_images_beyond_the_budget_at_the_smallest_size_are_named(noise: list[str]) -> None:
    made = thumbnails(noise, budget=3000)
    shown = [t for t in made.values() if t.uri]
    left_out = [t for t in made.values() if not t.uri]
    assert shown
    assert left_out
    assert sum(len(t.uri) for t in shown) <= 3000
    assert all("left out" in t.problem and t.name in t.problem for t in left_out)


def test_a_damaged_image_is_named_without_the_machines_folders(tmp_path: Path) -> None:
    path = tmp_path / "scans" / "x.png"
    path.parent.mkdir()
    path.write_bytes(b"")
    (made,) = thumbnails([str(path)]).values()
    assert (made.uri, made.name) == ("", "scans/x.png")
    assert "scans/x.png" in made.problem
    assert str(tmp_path) not in made.problem


def test_an_answer_without_an_image_says_so_once() -> None:
    assert thumbnails(["no image of 7"])["no image of 7"].problem == "no image of 7"
