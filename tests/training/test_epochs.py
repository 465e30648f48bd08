"""Epochs are samples seen by samples there are, whatever the batches and the ratios."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pefomed.packing.batch import PackedRow
from pefomed.recipe import Recipe, Stage
from pefomed.training import epochs, train
from pefomed.training.plan import plan
from tests.tiny import model_recipe, table_recipe
from tests.training.test_plan import ids, made, stage


def logged(run: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


def one_a_batch(number: int, samples: int) -> list[list[PackedRow]]:
    return [[row] for row in made("d", number, questions=samples)]


def test_epochs_count_samples_not_batches() -> None:
    # 3 batches of 2 samples and 1 of 4: 10 samples in all. After each: 2, 4, 6, 10.
    steps = [[batch] for batch in one_a_batch(3, 2) + one_a_batch(1, 4)]
    assert epochs.after_each(steps, 10) == [0.2, 0.4, 0.6, 1.0]


def test_planned_epochs_see_each_sample_as_often_as_they_say() -> None:
    # rows of 5 to 11 tokens in batches of at most 64: passes differ in their number of batches
    for times in (1, 2, 5, 7):
        steps = plan({"d": made("d", 50)}, stage(epochs=times), 0)
        assert len(ids(steps)) == 50 * times
        assert all(ids(steps).count(name) == times for name in set(ids(steps)))


def test_a_part_of_an_epoch_ends_with_the_batch_that_reaches_it() -> None:
    # batches of one sample; 0.1 of 30 samples are 3, and as floating-point numbers a little more
    one = {"batch_size": 1}
    assert len(ids(plan({"d": made("d", 30)}, stage(epochs=0.1, **one), 0))) == 3
    assert len(ids(plan({"d": made("d", 30)}, stage(epochs=0.11, **one), 0))) == 4
    assert len(ids(plan({"d": made("d", 30)}, stage(epochs=1e-6, **one), 0))) == 1


def test_a_mix_of_unequal_batches_is_counted_in_samples_too() -> None:
    # a: 40 short rows, 8 a batch; b: 10 rows that fill a batch each. By batches an epoch were 15 of them;
    # drawn one to one they hold about 7.5 * 8 + 7.5 = 67 samples, where there are 50.
    data = {"a": made("a", 40), "b": made("b", 10, length=60)}
    steps = plan(data, stage(epochs=4, data={"a": 1, "b": 1}), 0)
    last = steps[-1][-1]
    assert 200 <= len(ids(steps)) < 200 + sum(row.questions for row in last)


@pytest.mark.parametrize(
    ("done", "every", "steps"),
    [
        # 5 steps of 0.4: 0.4, 0.8, 1.2, 1.6, 2.0; the first to complete 1 is the third
        ([0.4, 0.8, 1.2, 1.6, 2.0], 1.0, {3, 5}),
        # every half: 0.8, 1.2, 1.6, 2.0 complete 0.5, 1.0, 1.5, 2.0
        ([0.4, 0.8, 1.2, 1.6, 2.0], 0.5, {2, 3, 4, 5}),
        # less than an epoch in all: at the end only
        ([0.1, 0.2, 0.3], 1.0, {3}),
        # three tenths are 0.30000000000000004 or 0.3: no matter which
        ([0.1, 0.2, 0.1 + 0.2, 0.4], 0.3, {3, 4}),
        ([0.1, 0.2, 0.3, 0.4], 0.1 + 0.2, {3, 4}),
    ],
)
def test_validation_comes_with_the_step_that_completes_an_epoch(
    done: list[float], every: float, steps: set[int]
) -> None:
    assert epochs.validation_steps(done, every) == steps


def test_the_log_of_a_stage_of_steps_says_samples_by_samples(tmp_path: Path) -> None:
    # 4 images of 3 questions, all of an image in one row, 6 a batch: 2 steps see the 12 samples once.
    recipe = table_recipe(
        tmp_path,
        model_recipe(tmp_path),
        batch_tokens=10_000,
        epochs=None,
        steps=5,
        validate_split="train",
    )
    train(recipe, tmp_path / "run", tmp_path)
    assert [row["epoch"] for row in logged(tmp_path / "run", "step")] == [0.5, 1.0, 1.5, 2.0, 2.5]
    # `validate_every` is one epoch: with `steps` as well
    assert [(row["step"], row["epoch"]) for row in logged(tmp_path / "run", "validation")] == [
        (2, 1.0),
        (4, 2.0),
        (5, 2.5),
    ]
    [begun] = [row["text"] for row in logged(tmp_path / "run", "event") if "rows" in row["text"]]
    assert begun.startswith("12 samples of 4 rows, 5 steps, 2.50 epochs, ")


def test_the_log_of_a_mix_says_how_often_each_set_was_seen(tmp_path: Path) -> None:
    recipe = mixed(table_recipe(tmp_path, model_recipe(tmp_path), epochs=None, steps=6), tmp_path)
    train(recipe, tmp_path / "run", tmp_path)
    # table: 12 samples, a batch holds 6 of them; few: 3 samples of one image, a batch holds all 3
    drawn = [row["samples"] for row in logged(tmp_path / "run", "step")]
    table, few = drawn.count(6), drawn.count(3)
    assert table + few == 6
    assert logged(tmp_path / "run", "step")[-1]["epoch"] == round((6 * table + 3 * few) / 15, 4)
    [begun] = [row["text"] for row in logged(tmp_path / "run", "event") if "rows" in row["text"]]
    assert f"{(6 * table + 3 * few) / 15:.2f} epochs (few {few:.2f}, table {table / 2:.2f}), " in begun


def test_what_is_frozen_has_no_learning_rate_in_the_log(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=1, epochs=1)
    for train_only, kept, gone in (("projector", "projector_lr", "lr"), ("lora", "lr", "projector_lr")):
        one = recipe.stages[0].model_copy(update={"name": train_only, "train": (train_only,)})
        train(recipe.model_copy(update={"stages": (one,)}), tmp_path / train_only, tmp_path)
        for row in logged(tmp_path / train_only, "step"):
            assert row[kept] > 0
            assert gone not in row


def mixed(recipe: Recipe, root: Path) -> Recipe:
    """Add a data set of the first image's three questions and draw from both alike."""
    lines = (root / "table.jsonl").read_text().splitlines()[:3]
    (root / "few.jsonl").write_text("\n".join(lines) + "\n")
    table = recipe.data["table"]
    [only] = recipe.stages
    both: Stage = only.model_copy(update={"data": {"table": 1.0, "few": 1.0}, "batch_tokens": 10_000})
    return recipe.model_copy(
        update={
            "data": {"table": table, "few": table.model_copy(update={"root": "few.jsonl"})},
            "stages": (both,),
        }
    )
