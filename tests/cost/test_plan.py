"""The whole plan by hand on small shapes, its laws, and the published recipe's figures."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.cost.made import SHAPES, recipe

from pefomed import recipe as recipes
from pefomed.cache import keeps
from pefomed.cost import Count, Rates, counts, plan
from pefomed.errors import RecipeError
from pefomed.models.shapes import shapes
from pefomed.recipe import Recipe

ROOT = Path(__file__).parents[2]
# 1,000 operations a second, 100 bytes a second, files of 10 bytes, texts of 3 tokens
RATES = Rates(tflops=1e-9, disk_gb_s=1e-7, image_mb=1e-5, text_tokens=3)


def planned(
    made: Recipe,
    gpus: tuple[int, ...] = (1,),
    rates: Rates = RATES,
    samples: dict[str, int] | None = None,
    images: dict[str, int] | None = None,
) -> dict[str, Any]:
    of_stages = {stage.name: counts(made, stage, samples, images) for stage in made.stages}
    [stage] = plan(made, SHAPES, of_stages, gpus, rates)["stages"]
    return stage  # type: ignore[no-any-return]


def test_a_stage_by_hand() -> None:
    made = recipe({"a": "table"}, epochs=2, batch_size=5, share_image=False)
    stage = planned(made, samples={"a": 10}, images={"a": 5})
    assert (stage["samples"], stage["tokens"]) == (20, 20 * (2 + 3))
    assert (stage["image_uses"], stage["images_reached"]) == (20, 5)
    # a row: 5 tokens, 15 pairs, 3 answer tokens, 2 image tokens; see test_operations for the factors
    row = 5 * (4 * 1000 + 6 * 50) + 15 * 3 * 20 * 12 + 4 * 3 * 400 + 4 * 2 * 80
    assert stage["training_flops"] == 20 * row
    assert (stage["encoding_flops"], stage["encoding_flops_cached"]) == (20 * 3240, 5 * 3240)
    # 4 patches x 10 wide x 2 bytes
    assert stage["cache_bytes"] == 5 * 80
    [one] = stage["gpus"]
    training = 20 * row / 1000
    assert one["hours_without_cache"] == pytest.approx((training + 20 * (3.24 + 0.1)) / 3600)
    # each image hashed, encoded, read for it, written; then its features read four times
    assert one["hours_with_cache"] == pytest.approx(
        (training + 5 * (0.1 + 3.24 + 0.1 + 0.8) + 20 * 0.8) / 3600
    )
    assert one["hours_cache_filled"] == pytest.approx((training + 5 * 0.1 + 20 * 0.8) / 3600)
    assert one["images_per_second_per_gpu"] == pytest.approx(20 / (training + 20 * 3.24))
    assert one["file_bytes_per_second_per_gpu"] == pytest.approx(20 * 10 / (training + 20 * 3.24))
    assert one["feature_bytes_per_second_per_gpu"] == pytest.approx(20 * 80 / training)
    assert one["pays_from_run"] == 1
    assert one["pays_from_uses"] == pytest.approx(4.24 / (3.34 - 0.8))


def test_twice_the_samples_are_twice_everything() -> None:
    made = recipe({"a": "table"}, epochs=2, batch_size=5, share_image=False)
    once, twice = planned(made, samples={"a": 10}), planned(made, samples={"a": 20})
    for key in (
        "samples",
        "tokens",
        "image_uses",
        "images_reached",
        "training_flops",
        "encoding_flops",
        "cache_bytes",
    ):
        assert twice[key] == pytest.approx(2 * once[key])
    for key in ("hours_without_cache", "hours_with_cache"):
        assert twice["gpus"][0][key] == pytest.approx(2 * once["gpus"][0][key])


def test_four_gpus_take_a_quarter_for_the_same_samples_and_steps() -> None:
    made = recipe({"a": "table"}, steps=6, accumulate=4, batch_size=5, share_image=False)
    one, four = planned(made, (1, 4), samples={"a": 100})["gpus"]
    assert (one["steps"], one["accumulate"], one["samples_per_step"]) == (6, 4, 20)
    assert (four["steps"], four["accumulate"], four["samples_per_step"]) == (6, 1, 20)
    # 120 samples of which each reads its file: that does not become faster
    files = 120 * 0.1 / 3600
    assert four["hours_without_cache"] - files == pytest.approx((one["hours_without_cache"] - files) / 4)
    assert four["images_per_second_per_gpu"] == pytest.approx(one["images_per_second_per_gpu"])


def test_more_gpus_than_batches_of_a_step_make_the_step_larger() -> None:
    made = recipe({"a": "table"}, steps=6, accumulate=4, batch_size=5, share_image=False)
    [ten] = planned(made, (10,), samples={"a": 100})["gpus"]
    # 24 batches on 10: three steps of 50 samples, and as long as 30 batches
    assert (ten["steps"], ten["accumulate"], ten["samples_per_step"]) == (3, 1, 50)
    [thirty] = planned(made, (30,), samples={"a": 100})["gpus"]
    assert thirty["steps"] == 1
    [lone] = planned(made, (1,), samples={"a": 100})["gpus"]
    read = 120 * (3.24 + 0.1) / 3600
    training = lone["hours_without_cache"] - read
    of_ten = ten["hours_without_cache"] - 120 * (0.324 + 0.1) / 3600
    assert of_ten == pytest.approx(training * 30 / 24 / 10)


def test_sharing_an_image_saves_its_tokens_and_encodings() -> None:
    apart = planned(recipe(epochs=2, batch_size=64, share_image=False))
    shared = planned(recipe(epochs=2, batch_size=64))
    assert shared["samples"] == apart["samples"] == 2 * 3064
    assert (shared["image_uses"], apart["image_uses"]) == (2 * 314, 2 * 3064)
    assert apart["tokens"] - shared["tokens"] == 2 * (2 * 3064 - 2 * 314)
    assert shared["training_flops"] < apart["training_flops"]


def test_a_family_that_cannot_share_rows_is_planned_with_one_question_a_row() -> None:
    made = recipe(epochs=2, batch_size=64)
    apart = planned(recipe(epochs=2, batch_size=64, share_image=False))
    alone = dataclasses.replace(SHAPES, alone="mamba")
    counts = {"task": {"rad": Count(3064, 314, "as given")}}
    found = plan(made, alone, counts, (1,), RATES)
    [stage] = found["stages"]
    assert (stage["image_uses"], stage["tokens"]) == (2 * 3064, apart["tokens"])
    assert stage["training_flops"] == apart["training_flops"]
    assert any("kind mamba cannot share rows" in sentence for sentence in found["assumed"])
    assert not any("share rows" in one for one in plan(made, SHAPES, counts, (1,), RATES)["assumed"])


def test_float32_features_take_twice_the_space() -> None:
    half, full = (planned(recipe(compute={"dtype": dtype})) for dtype in ("bfloat16", "float32"))
    assert full["cache_bytes"] == 2 * half["cache_bytes"] == 314 * 4 * 10 * 4
    for dtype, kind, each in (("bfloat16", "float32", 4), ("float32", "float16", 2), ("float16", "dtype", 2)):
        made = planned(recipe(compute={"dtype": dtype, "feature_dtype": kind}))
        assert made["cache_bytes"] == 314 * 4 * 10 * each


def test_what_auto_keeps() -> None:
    gib = 2**30
    assert keeps("auto", gib, 1.0, images=10, uses=11)
    assert not keeps("auto", gib, 1.0, images=10, uses=10)
    assert not keeps("auto", gib + 1, 1.0, images=10, uses=11)
    assert keeps("on", gib + 1, 1.0, images=10, uses=1)
    assert not keeps("off", 1, 1.0, images=10, uses=11)


def test_texts_longer_than_the_recipe_allows() -> None:
    with pytest.raises(RecipeError, match="texts of 2000 tokens do not fit"):
        planned(recipe(), rates=Rates(text_tokens=2000))


def test_a_recipe_without_stages() -> None:
    with pytest.raises(RecipeError, match="no \\[\\[stages\\]\\]"):
        plan(recipe().model_copy(update={"stages": ()}), SHAPES, {}, (1,), RATES)


def test_what_is_assumed_says_whether_it_was_given() -> None:
    made = recipe({"iu": "iu_xray"})
    options = made.data["iu"].model_copy(update={"options": {"views": "each"}})
    made = made.model_copy(update={"data": {"iu": options}})
    of_stages = {"task": counts(made, made.stages[0])}
    said = "\n".join(plan(made, SHAPES, of_stages, (1,), Rates(tflops=100))["assumed"])
    assert "100 TFLOP/s (--tflops), as given" in said
    assert "1 GB/s (--disk-gb-s), by default" in said
    assert "iu: the published count holds with the options views = each" in said


def test_the_published_stage_1() -> None:
    path = ROOT / "recipes" / "paper" / "stage1.toml"
    made = recipes.load(path)
    of_stages = {"captions": counts(made, made.stages[0])}
    whole = plan(made, shapes(made.model), of_stages, (1, 4), Rates())
    [stage] = whole["stages"]
    # 5000 steps of 4 batches of 25; ROCO, ImageCLEF and MIMIC-CXR three times as often as MEDICAT
    assert stage["samples"] == 500_000
    trained = {row["name"]: row["samples_trained"] for row in stage["data"]}
    assert trained == {"roco": 150_000, "clef": 150_000, "medicat": 50_000, "mimic": 150_000}
    assert stage["tokens"] == 500_000 * (256 + 128)
    images = 65_460 + 83_275 + 50_000 + 150_000
    # (448 / 14)^2 patches, 1408 wide, two bytes each
    assert stage["cache_bytes"] == images * 1024 * 1408 * 2
    assert stage["images_reached"] == images
    assert not stage["cache_kept"]
    one, four = stage["gpus"]
    assert (one["accumulate"], four["accumulate"], four["steps"]) == (4, 1, 5000)
    # 3 x 2 x 384 tokens x 6.5 billion weights are at least nine tenths of a sample's operations
    assert stage["training_flops"] / 500_000 == pytest.approx(6 * 384 * 6.476e9, rel=0.1)
