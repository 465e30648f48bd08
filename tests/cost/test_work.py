"""Batches and samples of a stage against arithmetic by hand, and against the plan that training makes."""

from __future__ import annotations

import pytest
from tests.cost.made import recipe

from pefomed.cost.counts import Count
from pefomed.cost.work import parts
from pefomed.packing.batch import PackedRow, Tokens, row
from pefomed.schema import Sample
from pefomed.training.plan import plan as batches_of

MIX = {"a": "table", "b": "table"}


def test_steps_times_accumulate_times_batch_size() -> None:
    stage = recipe({"a": "table"}, steps=10, accumulate=3, batch_size=4, share_image=False).stages[0]
    [part] = parts(stage, {"a": Count(20, 20, "")}, 2, 3)
    assert (part.batches, part.samples, part.image_uses) == (30, 120, 120)
    assert part.passes == 6
    assert part.reached == 20


def test_batches_are_dealt_by_ratio_and_a_part_is_reached_in_less_than_a_pass() -> None:
    stage = recipe(MIX, data={"a": 3, "b": 1}, steps=10, batch_size=4, share_image=False).stages[0]
    found = {part.name: part for part in parts(stage, {"a": Count(15, 15, ""), "b": Count(50, 50, "")}, 2, 3)}
    # 10 batches of 4: 30 samples of a, which has 15; 10 of b, which has 50
    assert (found["a"].samples, found["a"].passes, found["a"].reached) == (30, 2, 15)
    assert (found["b"].samples, found["b"].passes, found["b"].reached) == (10, 0.2, 10)


def test_epochs_are_passes() -> None:
    stage = recipe({"a": "table"}, epochs=3, batch_size=7, share_image=False).stages[0]
    [part] = parts(stage, {"a": Count(50, 10, "")}, 2, 3)
    assert part.samples == pytest.approx(150)
    assert part.image_uses == pytest.approx(150)


def test_a_shared_image_is_used_once_for_its_samples() -> None:
    stage = recipe({"a": "table"}, epochs=3, batch_size=10).stages[0]
    [part] = parts(stage, {"a": Count(50, 10, "")}, 2, 3)
    assert (part.samples, part.image_uses) == (pytest.approx(150), pytest.approx(30))
    # of 5 samples of an image at most 2 are in a row, so it is used 2.5 times a pass
    split = stage.model_copy(update={"max_questions": 2})
    [part] = parts(split, {"a": Count(50, 10, "")}, 2, 3)
    assert part.image_uses == pytest.approx(75)


def test_tokens_limit_a_batch_too() -> None:
    # rows of 2 + 3 tokens: 4 of them in 20, though 8 samples were allowed
    stage = recipe({"a": "table"}, steps=5, batch_size=8, batch_tokens=20, share_image=False).stages[0]
    [part] = parts(stage, {"a": Count(100, 100, "")}, 2, 3)
    assert part.samples == 20
    # a row that is larger than a batch makes one of its own
    [part] = parts(stage, {"a": Count(100, 100, "")}, 30, 3)
    assert part.samples == 5


def made_row(number: int) -> PackedRow:
    sample = Sample(id=f"{number}", images=(f"{number}.png",), task="vqa", question="q", reference="a")
    return row([Tokens(sample, (1, 2, 3, 4), (5, 6))])


@pytest.mark.parametrize(
    "changes",
    [{"epochs": 3}, {"steps": 12, "accumulate": 2}, {"epochs": 2, "batch_tokens": 24}],
    ids=["epochs", "steps", "tokens"],
)
def test_training_deals_as_many(changes: dict[str, int]) -> None:
    stage = recipe({"a": "table"}, batch_size=8, share_image=False, **changes).stages[0]
    rows = [made_row(number) for number in range(48)]
    steps = batches_of({"a": rows}, stage, seed=0)
    # a row has 5 nodes: the last token is only ever predicted
    [part] = parts(stage, {"a": Count(48, 48, "")}, 0, 5)
    assert sum(len(batch) for step in steps for batch in step) == part.rows
    assert sum(len(step) for step in steps) == part.batches
