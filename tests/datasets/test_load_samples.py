from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pefomed.datasets
from pefomed.datasets import LOADERS, card, data_folder, load_samples, loader
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

HERE = __name__


def three(root: Path, split: str, *, same_id: bool = False, depth: int = 1) -> Iterator[Sample]:
    if split == "none":
        return
    for number in range(3):
        yield Sample(
            id=f"x{0 if same_id else number}", images=(str(root / "i.png"),), task="vqa", reference=f"{depth}"
        )


def needs(root: Path, split: str, *, columns: dict[str, str]) -> Iterator[Sample]:
    yield from three(root, split)


def misspelt(root: Path, split: str) -> Iterator[Sample]:
    yield Sample(id="1", images=("a.png",), task="vqa", anser="yes")  # type: ignore[call-arg]


def wrong_type(root: Path, split: str) -> Iterator[Sample]:
    yield Sample(id="1", images="a.png", task="vqa")  # type: ignore[arg-type]


def plain_dicts(root: Path, split: str) -> Iterator[dict[str, str]]:
    yield {"id": "1"}


def eager(root: Path, split: str) -> list[Sample]:
    return [Sample(id="1", task="vqa")]  # type: ignore[call-arg]


def nothing(root: Path, split: str) -> None:
    return None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("misspelt", "a sample has no field 'anser'\n"),
        ("wrong_type", "a sample cannot have this 'images'\n  found: 'a.png'"),
        ("eager", "a sample needs the field 'images'"),
        ("plain_dicts", "a loader yields records of the type Sample\n  found: dict"),
        ("nothing", "a loader yields samples\n  found: None"),
    ],
)
def test_a_wrong_sample_of_a_loader_names_the_loader_and_the_field(
    tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(DataError, match=rf"(?s)the split 'train' of {HERE}:{name} at .*: {said}") as raised:
        load_samples(dataset(f"{HERE}:{name}"), "train", tmp_path)
    assert raised.value.remedy


def dataset(name: str = f"{HERE}:three", **more: Any) -> Dataset:
    return Dataset(loader=name, root="some/root", **more)


def test_a_function_of_another_module_is_a_loader(tmp_path: Path) -> None:
    samples = load_samples(dataset(), "train", tmp_path)
    assert [sample.id for sample in samples] == ["x0", "x1", "x2"]
    assert samples[0].images == (str(tmp_path / "some/root/i.png"),)


def test_limit_and_options(tmp_path: Path) -> None:
    samples = load_samples(dataset(limit=2, options={"depth": 5}), "train", tmp_path)
    assert [sample.reference for sample in samples] == ["5", "5"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (dataset("slak"), "did you mean 'slake'"),
        (dataset("nowhere.at.all:load"), "cannot be imported"),
        (dataset(f"{HERE}:tree"), "did you mean 'three'"),
        (dataset(options={"dept": 1}), "did you mean 'depth'"),
        (dataset(options={"depth": "deep"}), "'depth'.*wrong value"),
        (dataset(f"{HERE}:needs"), "needs the option 'columns'"),
        (Dataset(loader="slake", root="x", options={"language": "fr"}), "'en', 'zh' or 'both'"),
        (Dataset(loader="table", root="x", options={"columns": {"awnser": "a"}}), "did you mean 'answer'"),
    ],
)
def test_mistakes_in_a_recipe_are_recipe_errors(tmp_path: Path, made: Dataset, words: str) -> None:
    with pytest.raises(RecipeError, match=f"(?s){words}"):
        load_samples(made, "train", tmp_path)


def test_ids_must_differ_and_a_split_must_not_be_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its own id"):
        load_samples(dataset(options={"same_id": True}), "train", tmp_path)
    with pytest.raises(DataError, match=r"'none'.*empty"):
        load_samples(dataset(), "none", tmp_path)
    no_images = Dataset(loader="phantom", root="p", options={"validate": 0})
    with pytest.raises(DataError, match=r"(?s)'validate'.*empty.*train, validate, test"):
        load_samples(no_images, "validate", tmp_path)


def test_data_folder_prefers_explicit_then_environment_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "c")
    monkeypatch.setenv("PEFOMED_DATA", str(tmp_path / "b"))
    assert data_folder(tmp_path / "a") == tmp_path / "a"
    assert data_folder() == tmp_path / "b"
    monkeypatch.delenv("PEFOMED_DATA")
    assert data_folder() == tmp_path / "c"


def test_an_absent_data_folder_is_drawn_into_or_named(tmp_path: Path) -> None:
    drawn = Dataset(loader="phantom", root="phantom", options={"train": 1, "size": 64})
    assert load_samples(drawn, "train", tmp_path / "new")
    with pytest.raises(DataError, match=r"(?s)no file at .*absent/slake/train\.json.*PEFOMED_DATA"):
        load_samples(Dataset(loader="slake", root="slake"), "train", tmp_path / "absent")


def test_every_loader_has_the_documented_shape_and_a_card() -> None:
    for name in LOADERS:
        load: Callable[..., Any] = loader(name)
        assert load.__doc__
        found = card(name)
        assert found is not None
        assert found.title
        assert found.licence


def test_exported_names_exist() -> None:
    assert all(hasattr(pefomed.datasets, name) for name in pefomed.datasets.__all__)
