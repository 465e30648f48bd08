from __future__ import annotations

from typing import Any

from tests.report.small_run import AUDIT, RECIPE

from pefomed import recipe
from pefomed.report.audit import tell


def pair(earlier: str, later: str, images: int, samples: int) -> dict[str, Any]:
    counts = {"images": {"of": 9, "count": images}, "triplets": {"of": 20, "count": samples}}
    return {"in": earlier, "of": later, "texts": {"of": 20, "count": 20}, **counts}


def alarms(*pairs: dict[str, Any], also_train: list[str] | None = None) -> list[str]:
    raw = {**RECIPE, "stages": [{**RECIPE["stages"][0], "also_train": also_train or []}]}
    return tell("rad", {**AUDIT, "leakage": list(pairs)}, recipe.parse(raw)).alarms


def test_shared_images_and_samples_raise_an_alarm() -> None:
    assert alarms(pair("train", "test", 9, 14)) == [
        "All 9 images of test also occur in train.",
        "14 of its 20 samples occur there with the same image, question and answer.",
    ]
    assert alarms(pair("train", "test", 3, 0)) == ["3 of 9 images of test also occur in train."]


def test_equal_texts_alone_raise_none() -> None:
    assert alarms(pair("train", "test", 0, 0)) == []


def test_only_a_split_that_was_trained_on_can_leak_into_the_one_that_was_scored() -> None:
    leaks = pair("train", "validate", 9, 9), pair("validate", "test", 9, 9)
    assert alarms(*leaks) == []
    assert len(alarms(*leaks, also_train=["validate"])) == 2


def test_without_a_recipe_every_leak_is_an_alarm() -> None:
    assert len(tell("rad", {**AUDIT, "leakage": [pair("a", "b", 1, 1)]}, None).alarms) == 2
