"""Rows that are built when their step has come are those that would be built at once."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pefomed.packing.batch import Tokens, rows
from pefomed.recipe import Stage
from pefomed.schema import Sample
from pefomed.training import stored_rows
from pefomed.training.plan import plan
from pefomed.training.sample_store import SampleStore
from pefomed.training.stored_rows import StoredRows

# `pefomed.training` has a function of the module's name.
PLANNING = sys.modules[plan.__module__]


def tokenise(samples: Iterable[Sample]) -> list[Tokens]:
    """One token a letter of the question, one of the answer and its end."""
    return [Tokens(s, (0, *map(ord, s.question)), (*map(ord, s.reference), 2)) for s in samples]


def sample(number: int, images: tuple[str, ...], question: str) -> Sample:
    return Sample(id=str(number), images=images, task="vqa", question=question, reference="a" * (number % 3))


@given(
    asked=st.lists(
        st.tuples(st.sampled_from([("a",), ("b",), ("c",), ("a", "b"), ("ab",)]), st.text("xyz", max_size=4)),
        min_size=1,
        max_size=40,
    ),
    share_image=st.booleans(),
    most=st.integers(1, 5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_they_are_the_rows_that_are_made_at_once(
    tmp_path: Path, asked: list[tuple[tuple[str, ...], str]], share_image: bool, most: int
) -> None:
    samples = [sample(number, *one) for number, one in enumerate(asked)]
    expected = rows(tokenise(samples), share_image=share_image, max_questions=most)
    stored = StoredRows(SampleStore(tmp_path, samples), tokenise, share_image=share_image, max_questions=most)
    assert [row.built() for row in stored] == expected
    assert [len(row) for row in stored] == [len(row) for row in expected]
    assert [row.questions for row in stored] == [len(row.sequences) for row in expected]
    assert [row.images for row in stored] == [row.images for row in expected]
    assert [row.answer_tokens for row in stored] == [
        sum(len(pairs) for pairs in row.answers) for row in expected
    ]


def test_a_row_is_tokenised_once_as_far_as_memory_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenised: list[str] = []

    def counted(samples: Iterable[Sample]) -> list[Tokens]:
        found = tokenise(samples)
        tokenised.extend(one.sample.id for one in found)
        return found

    # Rows of 4 tokens: the first, three letters; each has no answer but its end, which is no input.
    samples = [sample(3 * number, (str(number),), "xyz") for number in range(3)]
    expected = rows(tokenise(samples), share_image=True, max_questions=9)
    monkeypatch.setattr(stored_rows, "KEPT", 2 * len(expected[0]))
    stored = StoredRows(SampleStore(tmp_path, samples), counted, share_image=True, max_questions=9)
    for _ in range(3):
        assert [(len(row), row.built()) for row in stored] == [(len(row), row) for row in expected]
    assert sorted(tokenised) == ["0", "3", "6", "6", "6", "6"]  # of the last: its length, then each time


def stage(**changes: object) -> Stage:
    values = {"name": "s", "data": {"d": 1}, "lr": 1e-4, "lr_end": 8e-5, "batch_size": 8, "batch_tokens": 64}
    return Stage.model_validate(values | changes)


def counted(folder: Path, count: int) -> tuple[StoredRows, list[str]]:
    """Return rows of one sample each, and the ids of the samples that were tokenised."""
    seen: list[str] = []

    def remembering(samples: Iterable[Sample]) -> list[Tokens]:
        samples = list(samples)
        seen.extend(one.id for one in samples)
        return tokenise(samples)

    store = SampleStore(folder, (sample(n, (f"{n}.png",), "x" * (n % 7)) for n in range(count)))
    return StoredRows(store, remembering, share_image=True, max_questions=8), seen


def test_only_what_is_reached_is_tokenised_and_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PLANNING, "BLOCK", 50)
    stored, seen = counted(tmp_path, 1000)
    steps = plan({"d": stored}, stage(steps=3), 0)
    assert len(steps) == 3
    assert len(seen) == len(set(seen)) == 50


def test_an_epoch_of_many_blocks_holds_every_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PLANNING, "BLOCK", 50)
    stored, seen = counted(tmp_path, 230)
    steps = plan({"d": stored}, stage(epochs=1), 0)
    places = [row.place for step in steps for batch in step for row in batch]
    assert sorted(places) == list(range(230))
    assert len(seen) == 230
    # The order is drawn over all rows, not block by block.
    assert max(places[:50]) > 150
    again = plan({"d": stored}, stage(epochs=1), 0)
    assert [row.place for step in again for batch in step for row in batch] == places
