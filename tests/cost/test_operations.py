"""The formulas against arithmetic by hand; `tests/models/test_shapes.py` has torch's own count."""

from __future__ import annotations

import dataclasses

import pytest
from tests.cost.made import SHAPES

from pefomed.cost import operations


def test_encoding_by_hand() -> None:
    # linear 2 x 5 tokens x 100; attention, 2 layers: 2 x (5 x 5 x 10) for the product of queries and keys, as
    # much for the values; patches 2 x 4 x 30
    assert operations.encoding(SHAPES) == 1000 + 2 * (500 + 500) + 240


def test_the_pairs_of_a_row_by_hand() -> None:
    # one text of 3 after an image of 2: 1 + 2 + 3 + 4 + 5
    assert operations.pairs_of_row(2, 1, 3) == 15
    # a second text sees the image and itself: 3 + 4 + 5 more
    assert operations.pairs_of_row(2, 2, 3) == 27


def test_training_by_hand() -> None:
    done = operations.training(SHAPES, tokens=10, pairs=55, answers=3, image_tokens=4)
    frozen = 2 * 10 * 1000 + 2 * 10 * 1000  # forward; gradient of the inputs
    lora = 3 * (2 * 10 * 50)  # forward; gradients of inputs and of weights
    attention = 55 * 3 * 20 * (4 + 8)
    head = 2 * (2 * 3 * 400)
    projector = 2 * (2 * 4 * 80)
    assert done == frozen + lora + attention + head + projector


def test_checkpointing_adds_one_forward_of_the_layers() -> None:
    plain = operations.training(SHAPES, tokens=10, pairs=55, answers=3, image_tokens=4)
    again = operations.training(SHAPES, tokens=10, pairs=55, answers=3, image_tokens=4, checkpointing=True)
    assert again - plain == 2 * 10 * (1000 + 50) + 4 * 55 * 3 * 20


@pytest.mark.parametrize(("part", "less"), [("lora", 2 * 10 * 50), ("projector", 2 * 4 * 80)])
def test_what_is_not_trained_needs_no_gradient_of_its_weights(part: str, less: int) -> None:
    both = operations.training(SHAPES, tokens=10, pairs=55, answers=3, image_tokens=4)
    one = operations.training(SHAPES, tokens=10, pairs=55, answers=3, image_tokens=4, **{part: False})
    assert both - one == less


def test_twice_the_rows_are_twice_the_operations() -> None:
    once = operations.training(SHAPES, tokens=10, pairs=55, answers=3, image_tokens=4)
    assert operations.training(SHAPES, tokens=20, pairs=110, answers=6, image_tokens=8) == 2 * once


def test_four_times_the_patches_cost_more_than_four_times() -> None:
    larger = dataclasses.replace(SHAPES, vision_tokens=20, patches=16)
    assert operations.encoding(larger) > 4 * operations.encoding(SHAPES)
