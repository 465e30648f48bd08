"""Pixels inside of polygons and circles, against pycocotools and the winding of corners around a centre."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco
from scipy import ndimage

from pefomed.annotations.filled import filled_circle, polygon_pixels
from pefomed.annotations.rle import as_text, rle_mask, rle_text
from pefomed.annotations.sample_outlines import of_mask, of_polygons, of_segmentation, outline_mask
from pefomed.schema import Outline


def by_pycocotools(polygons: list[list[float]], size: tuple[int, int]) -> Any:
    width, height = size
    return coco.decode(coco.merge(coco.frPyObjects(polygons, height, width))).astype(bool)


def winds(points: list[tuple[float, float]], x: float, y: float) -> bool:
    """Whether the corners wind around a point an odd number of times, by the sum of the angles."""
    angles = [math.atan2(b - y, a - x) for a, b in points]
    turns = [
        (after - before + math.pi) % (2 * math.pi) - math.pi
        for before, after in zip(angles, [*angles[1:], angles[0]], strict=True)
    ]
    return round(sum(turns) / (2 * math.pi)) % 2 == 1


def test_whole_pixels_are_those_of_pycocotools() -> None:
    for left, top, right, bottom in ((0, 0, 7, 5), (1, 1, 3, 4), (2, 0, 3, 5), (6, 4, 7, 5)):
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
        expected = np.zeros((5, 7), bool)
        expected[top:bottom, left:right] = True
        assert (polygon_pixels(points, (7, 5)) == expected).all()
        assert (by_pycocotools([[float(n) for p in points for n in p]], (7, 5)) == expected).all()


def test_centres_as_the_corners_wind_around_them() -> None:
    random = np.random.default_rng(0)
    for corners in (3, 4, 7, 12):  # most of these cross themselves
        for _ in range(10):
            points = [(float(x), float(y)) for x, y in random.uniform(-5, 25, (corners, 2))]
            expected = [[winds(points, x + 0.5, y + 0.5) for x in range(20)] for y in range(15)]
            assert polygon_pixels(points, (20, 15)).tolist() == expected


def test_drawn_outlines_are_those_of_pycocotools_but_for_their_edge() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        angles = np.arange(24) * np.pi / 12  # without spikes narrower than a pixel
        radii = random.uniform(30, 45, 24)
        points = np.stack([60 + radii * np.cos(angles), 50 + radii * np.sin(angles)], axis=1)
        theirs = by_pycocotools([points.ravel().tolist()], (120, 100))
        ours = polygon_pixels([(float(x), float(y)) for x, y in points], (120, 100))
        # It draws the edge with five steps a pixel, so that a pixel on it may be on the other side.
        square = np.ones((3, 3))
        edge = ndimage.binary_dilation(ours, square) & ~ndimage.binary_erosion(ours, square)
        assert not ((ours != theirs) & ~edge).any()
        assert abs(int(ours.sum()) - int(theirs.sum())) < 0.02 * ours.sum()


def test_two_polygons_with_an_edge_between_them_leave_no_gap_and_no_overlap() -> None:
    one, other = [(0, 0), (9, 0), (4.5, 9.5)], [(9, 0), (10, 9.5), (4.5, 9.5)]
    both = polygon_pixels(one, (10, 10)).astype(int) + polygon_pixels(other, (10, 10))
    assert both.max() == 1
    assert (both == polygon_pixels([(0, 0), (9, 0), (10, 9.5), (4.5, 9.5)], (10, 10))).all()


def test_a_circle_holds_the_centres_within_its_radius() -> None:
    # Around the corner of four pixels, whose centres are sqrt(0.5) = 0.707 away; the next are 1.58 away.
    assert filled_circle((2, 2), 0.71, (4, 4)).astype(int).tolist() == [
        [0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0],
    ]  # fmt: skip
    assert not filled_circle((2, 2), 0.7, (4, 4)).any()
    assert filled_circle((2, 2), 1.6, (4, 4)).sum() == 12


def test_outlines_far_out_of_the_image_are_cut() -> None:
    assert polygon_pixels([(-1e300, -1e300), (1e300, -1e300), (1e300, 1e300), (-1e300, 1e300)], (3, 2)).all()
    assert not polygon_pixels([(10, 10), (20, 10), (20, 20)], (3, 2)).any()


def test_codes_are_written_as_pycocotools_writes_them() -> None:
    random = np.random.default_rng(2)
    for height, width in random.integers(1, 60, (40, 2)):
        mask = random.random((height, width)) < random.random()
        packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert rle_text(mask) == packed
        again = rle_mask({"size": [int(height), int(width)], "counts": packed})
        assert isinstance(again, np.ndarray)
        assert (again == mask).all()
    assert as_text({"size": [3, 2], "counts": [2, 3, 1]}) == "231"
    assert as_text({"size": [3, 2], "counts": [6]}) is None


@pytest.mark.parametrize("side", [(7, 5), (1, 1), (64, 33)])
def test_an_outline_holds_what_it_was_made_of(side: tuple[int, int]) -> None:
    width, height = side
    mask = np.random.default_rng(3).random((height, width)) < 0.5
    mask[0, 0] = True
    kept = of_mask(mask)
    assert kept is not None
    assert (outline_mask(Outline.model_validate_json(kept.model_dump_json())) == mask).all()
    polygons = [[0.1, 0.1, width - 0.3, 0.2, width / 3, height - 1 / 3]]
    drawn = of_segmentation(polygons, side)
    assert isinstance(drawn, Outline)
    points = list(zip(polygons[0][::2], polygons[0][1::2], strict=True))
    assert drawn == of_polygons([points], side)
    again = Outline.model_validate_json(drawn.model_dump_json())
    assert (outline_mask(again) == polygon_pixels(points, side)).all()
    assert "pixels" not in drawn.model_dump()
