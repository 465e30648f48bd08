from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.rle import rle_bounds, rle_mask

masks = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 1))


def both_codes(mask: Any) -> list[dict[str, Any]]:
    """Return a mask as pycocotools compresses it, and as a list of counts."""
    packed = coco.encode(np.asfortranarray(mask))
    flat = mask.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    counts = [0, *counts] if flat[0] else counts
    size = list(mask.shape)
    return [{"size": size, "counts": packed["counts"].decode()}, {"size": size, "counts": counts}]


@given(masks)
def test_masks_are_those_of_pycocotools(mask: Any) -> None:
    x, y, width, height = coco.toBbox(coco.encode(np.asfortranarray(mask)))
    expected = (x, y, x + width, y + height) if mask.any() else None
    for code in both_codes(mask):
        assert rle_bounds(code) == expected
        found = rle_mask(code)
        assert isinstance(found, np.ndarray)
        assert (found == mask).all()


def test_counts_by_hand() -> None:
    # Three rows, two columns, down the columns: 2 outside, 3 inside, 1 outside.
    code = {"size": [3, 2], "counts": [2, 3, 1]}
    found = rle_mask(code)
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [[False, True], [False, True], [True, False]]
    assert rle_bounds(code) == (0, 0, 2, 3)
    assert rle_bounds({"size": [3, 2], "counts": "231"}) == (0, 0, 2, 3)  # 48 + 2, 48 + 3, 48 + 1
    assert rle_bounds({"size": [3, 2], "counts": [6]}) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"size": [3, 2], "counts": [2, 3]}, "does not cover its image"),
        ({"size": [3, 2], "counts": [2, 3, 2]}, "does not cover its image"),
        ({"size": [3, 2], "counts": "23"}, "does not cover its image"),
        ({"size": [3, 2], "counts": [2, -3, 7]}, "whole numbers"),
        ({"size": [3, 2], "counts": [2, 3.0, 1]}, "whole numbers"),
        ({"size": [3, 2], "counts": [True, 5]}, "whole numbers"),
        ({"size": [3, 2], "counts": None}, "whole numbers"),
        ({"size": [3, 2], "counts": "2 1"}, "damaged"),
        ({"size": [3, 2], "counts": "2\x7f"}, "damaged"),
        ({"size": [3, 2], "counts": "oooooooo1"}, "damaged"),  # a count of more than 35 bits
        ({"size": [3, 2], "counts": "23o"}, "cut"),
        ({"size": [3, 2], "counts": "@"}, "the count -16"),  # 48 + 16: the sign alone
        ({"size": [0, 2], "counts": [0]}, "size"),
        ({"size": [3], "counts": [3]}, "size"),
        ({"size": "3x2", "counts": [6]}, "size"),
        ({"size": [2**20, 2**20], "counts": [2**40]}, "size"),
    ],
)
def test_damaged_codes_are_named(code: dict[str, Any], words: str) -> None:
    for read in (rle_bounds, rle_mask):
        fault = read(code)
        assert isinstance(fault, Fault)
        assert words in f"{fault.reason} {fault.found}"
