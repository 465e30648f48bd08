"""Within a run a split is read once; what was not read to its end, or is too long, is read again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import model_recipe, table_recipe

from pefomed import recipe as recipes
from pefomed.datasets import LeftOut, load_samples, load_split, read_once, stream_samples
from pefomed.datasets import table as tables
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample
from pefomed.workflow import pipeline

MINE = Dataset(loader=f"{__name__}:mine", root=".")
asked: list[str] = []


def mine(root: Path, split: str) -> Iterator[Sample | LeftOut]:
    asked.append(split)
    for number in range(5):
        yield Sample(id=f"{split}-{number}", images=("a.png",), task="vqa", question="q", reference="r")
    yield LeftOut("row 6", "empty")
    if split == "broken":
        raise DataError("row 7 is broken")


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


def test_a_split_is_read_once_within_and_anew_outside() -> None:
    with read_once.read_once():
        first = load_samples(MINE, "train")
        with read_once.read_once():
            assert load_split(MINE, "train") == (first, [LeftOut("row 6", "empty")])
        assert list(stream_samples(MINE, "train")) == first
        assert load_samples(MINE, "test") != first
        assert len(load_samples(MINE.model_copy(update={"limit": 2}), "train")) == 2
    assert asked == ["train", "test", "train"]
    load_samples(MINE, "train")
    load_samples(MINE, "train")
    assert asked == ["train", "test", "train", "train", "train"]


def test_a_caller_changes_only_its_own_list() -> None:
    with read_once.read_once():
        load_samples(MINE, "train").clear()
        assert len(load_samples(MINE, "train")) == 5


def test_what_was_left_early_or_broke_is_read_again() -> None:
    with read_once.read_once():
        assert len(list(islice(stream_samples(MINE, "train"), 2))) == 2
        assert len(load_samples(MINE, "train")) == 5
        for _ in range(2):
            with pytest.raises(DataError, match="row 7"):
                load_samples(MINE, "broken")
    assert asked == ["train", "train", "broken", "broken"]


def test_more_than_memory_is_for_is_read_as_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_once, "MOST", 11)  # one split of six records, and not two
    with read_once.read_once():
        for split in ("train", "test", "train", "test"):
            assert len(load_samples(MINE, split)) == 5
    assert asked == ["train", "test", "test"]


def test_a_run_of_two_stages_reads_its_table_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, each=2, epochs=1, lr=1e-2)
    [task] = recipe.stages
    stages = (task.model_copy(update={"name": "first"}), task)
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dumps(recipe.model_copy(update={"stages": stages})))
    read = tables.load

    @wraps(read)
    def counted(root: Path, split: str, **options: Any) -> Iterator[Sample | LeftOut]:
        asked.append(split)
        return read(root, split, **options)

    monkeypatch.setattr(tables, "load", counted)
    pipeline.run(path, tmp_path / "runs", tmp_path)
    assert asked == ["train"]
