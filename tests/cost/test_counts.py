"""Counts as published, as given, limited; a data set nobody counted is one error."""

from __future__ import annotations

import pytest
from tests.cost.made import recipe

from pefomed.cost import Count, counts
from pefomed.errors import RecipeError


def count_of(made: object, **given: dict[str, int]) -> Count:
    [count] = counts(made, made.stages[0], **given).values()  # type: ignore[attr-defined, arg-type]
    return count


def test_published_counts() -> None:
    # VQA-RAD: 3,064 questions about 314 images
    count = count_of(recipe())
    assert (count.samples, count.images, count.images_each) == (3064, 314, 1)
    # IU-Xray in R2Gen's split: 2,069 studies of two views
    count = count_of(recipe({"iu": "iu_xray"}))
    assert (count.samples, count.images, count.images_each) == (2069, 4138, 2)


def test_several_splits_add_up() -> None:
    # SLAKE in English: 4,919 + 1,053 questions about 450 + 96 images
    count = count_of(recipe({"s": "slake"}, also_train=["validate"]))
    assert (count.samples, count.images) == (5972, 546)


def test_what_is_given_replaces_what_was_published() -> None:
    count = count_of(recipe(), samples={"rad": 10})
    assert (count.samples, count.images, count.source) == (10, 10, "as given")
    count = count_of(recipe(), samples={"rad": 10}, images={"rad": 4})
    assert (count.samples, count.images) == (10, 4)


def test_a_limit() -> None:
    made = recipe()
    limited = made.data["rad"].model_copy(update={"limit": 100})
    count = count_of(made.model_copy(update={"data": {"rad": limited}}))
    # in the worst case each of the hundred has an image of its own
    assert (count.samples, count.images) == (100, 100)


def test_cropped_copies_are_samples_and_images_of_their_own() -> None:
    count = count_of(recipe({"b": "slake_boxes"}, crops=3), samples={"b": 10}, images={"b": 5})
    assert (count.samples, count.images) == (40, 20)


def test_data_sets_nobody_counted_are_named_together() -> None:
    made = recipe({"rad": "vqa_rad", "cxr": "ms_cxr", "own": "table"})
    with pytest.raises(RecipeError, match="needs the number of samples of: cxr, own") as error:
        counts(made, made.stages[0])
    assert "--samples cxr=COUNT --samples own=COUNT" in str(error.value)
    with pytest.raises(RecipeError, match="of: own\n"):
        counts(made, made.stages[0], {"cxr": 7})


def test_a_split_without_a_count() -> None:
    made = recipe(split="validate")
    with pytest.raises(RecipeError, match="no published count of validate"):
        counts(made, made.stages[0])


def test_a_misspelt_data_set() -> None:
    made = recipe()
    with pytest.raises(RecipeError, match="no data set 'rda'") as error:
        counts(made, made.stages[0], {"rda": 7})
    assert "did you mean 'rad'?" in str(error.value)
