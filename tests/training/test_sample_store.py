"""Samples in a file, read back by number."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pefomed.errors import StorageError
from pefomed.schema import Box, Sample
from pefomed.training.sample_store import SampleStore


def sample(number: int) -> Sample:
    return Sample(
        id=f"é{number}",
        images=(f"{number}.png", "b.png")[: 1 + number % 2],
        task="refer",
        question="wörds\n\u2028" * number,
        boxes=(Box(x0=0.1, y0=1 / 3, x1=0.1 + 0.2, y1=1.0),),
        size=(3, 4),
        meta={"organ": "lung"},
    )


def test_samples_come_back_as_they_went_in_whatever_the_order(tmp_path: Path) -> None:
    store = SampleStore(tmp_path, map(sample, range(5)))
    assert store[4] == sample(4)
    assert store[0] == sample(0)
    store.append(sample(5))  # after reading: not over what is there
    assert list(store) == [sample(number) for number in range(6)]
    assert store[-1] == sample(5)
    assert store[1:3] == [sample(1), sample(2)]
    with pytest.raises(IndexError):
        store[6]


def test_what_is_added_while_it_is_read_harms_nothing(tmp_path: Path) -> None:
    store = SampleStore(tmp_path, map(sample, range(3)))
    for number in range(3):
        store.append(store[number].model_copy(update={"id": f"copy-{number}"}))
    assert [one.id for one in store] == ["é0", "é1", "é2", "copy-0", "copy-1", "copy-2"]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / "new", map(sample, range(3)))
    assert store[0]
    assert list((tmp_path / "new").iterdir()) == []


def test_a_full_disk_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SampleStore(tmp_path, [sample(0)])

    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_file", Full())
    with pytest.raises(StorageError, match="No space left"):
        store.append(sample(1))
