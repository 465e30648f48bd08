"""Which rows go into which batch."""

from __future__ import annotations

from collections import Counter

from pefomed.packing.batch import PackedRow, Tokens, row
from pefomed.recipe import Stage
from pefomed.schema import Sample
from pefomed.training.plan import plan


def made(name: str, count: int, length: int = 5, questions: int = 1) -> list[PackedRow]:
    return [
        row(
            [
                Tokens(
                    Sample(id=f"{name}-{n}-{q}", images=(f"{n}.png",), task="vqa"),
                    (1,) * (length + n % 7) + (q,),
                    (3,),
                )
                for q in range(questions)
            ]
        )
        for n in range(count)
    ]


def stage(**changes: object) -> Stage:
    values = {"name": "s", "data": {"d": 1}, "lr": 1e-4, "lr_end": 8e-5, "batch_size": 8, "batch_tokens": 64}
    return Stage.model_validate(values | changes)


def ids(steps: list[list[list[PackedRow]]]) -> list[str]:
    return [s.sample.id for step in steps for batch in step for one in batch for s in one.sequences]


def test_an_epoch_holds_every_sample_once_within_the_budgets() -> None:
    steps = plan({"d": made("d", 50, questions=2)}, stage(epochs=1), 0)
    assert Counter(ids(steps)).most_common(1)[0][1] == 1
    assert len(ids(steps)) == 100
    for step in steps:
        for batch in step:
            assert max(map(len, batch)) * len(batch) <= 64
            assert sum(len(one.sequences) for one in batch) <= 8


def test_the_seed_alone_decides_the_order_and_epochs_differ() -> None:
    rows = made("d", 40)
    assert ids(plan({"d": rows}, stage(epochs=2), 1)) == ids(plan({"d": rows}, stage(epochs=2), 1))
    assert ids(plan({"d": rows}, stage(epochs=2), 1)) != ids(plan({"d": rows}, stage(epochs=2), 2))
    both = ids(plan({"d": rows}, stage(epochs=2), 1))
    assert sorted(both[:40]) == sorted(both[40:])
    assert both[:40] != both[40:]


def test_batches_are_drawn_by_ratio() -> None:
    data = {"a": made("a", 10), "b": made("b", 300)}
    steps = plan(data, stage(steps=1000, data={"a": 3, "b": 1}), 0)
    share = sum(batch[0].sequences[0].sample.id.startswith("a") for step in steps for batch in step) / 1000
    # 3 of 4 expected; four standard deviations of a share of 1000 draws are 0.055.
    assert abs(share - 0.75) < 0.055
    assert len(steps) == 1000


def test_accumulation_groups_batches_into_steps() -> None:
    steps = plan({"d": made("d", 40)}, stage(steps=6, accumulate=3), 0)
    assert [len(step) for step in steps] == [3] * 6


def test_a_row_above_the_budget_makes_its_own_batch() -> None:
    rows = [*made("d", 3), *made("long", 1, length=100)]
    assert len(ids(plan({"d": rows}, stage(epochs=1), 0))) == 4
