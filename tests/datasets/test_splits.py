"""Every split that is in the files is found, whatever it is called, and audited: a leak never passes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.made_parquet import write_arrow, write_parquet

from pefomed import recipe as recipes
from pefomed.audit.recipe import audit_dataset, audit_recipe
from pefomed.cli import main
from pefomed.datasets import load_samples
from pefomed.datasets.found_splits import found_splits, further_splits
from pefomed.errors import DataError
from pefomed.files.split_names import is_split, known_split, meant, seems_none, seems_split, split_roles
from pefomed.recipe import Dataset

Writer = Callable[..., Path]
HEAD = "image,question,answer"
ROW = "a.png,Is there a mass?,yes"


@pytest.fixture(autouse=True)
def picture(write_image: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    write_image("a.png")
    write_image("mine/a.png")


def audited(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what `pefomed data audit` says."""
    with pytest.raises(SystemExit) as ended:
        main(["data", "audit", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


LEAK = "1 of 1 samples of test occur in train with the same image, question and answer."


def table_column(folder: Path) -> tuple[str, str]:
    (folder / "t.csv").write_text(f"{HEAD},split\n{ROW},train\n{ROW},test\n")
    return "table", "t.csv"


def table_capital(folder: Path) -> tuple[str, str]:
    (folder / "t.csv").write_text(f"{HEAD},Split\n{ROW},TRAIN\n{ROW},Test\n")
    return "table", "t.csv"


def table_folder(folder: Path) -> tuple[str, str]:
    (folder / "mine/Training.csv").write_text(f"{HEAD}\n{ROW}\n")
    (folder / "mine/test.csv.gz").write_bytes(gzip.compress(f"{HEAD}\n{ROW}\n".encode()))
    return "table", "mine"


def rows(*splits: str) -> list[dict[str, Any]]:
    image = {"bytes": b"\x89PNG same", "path": None}
    return [{"image": image, "question": "q?", "answer": "x", "split": each} for each in splits]


def dataset_dict(folder: Path) -> tuple[str, str]:
    for split in ("train", "test"):
        write_arrow(folder / f"hf/{split}/data-00000-of-00001.arrow", rows("x"))
    return "hugging_face", "hf"


def hub_column(folder: Path) -> tuple[str, str]:
    write_parquet(folder / "hf/data/train-00000-of-00001.parquet", rows("train", "test"))
    return "hugging_face", "hf"


def coco(*splits: str, where: str = "images") -> dict[str, Any]:
    found: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "mass"}]}
    for number, split in enumerate(splits):
        found["images"].append({"id": number, "file_name": "a.png", "width": 12, "height": 8})
        found["annotations"].append(
            {"id": number, "image_id": number, "category_id": 1, "bbox": [1, 2, 3, 4]}
        )
        found[where][-1]["split"] = split
    return found


def coco_field(folder: Path) -> tuple[str, str]:
    (folder / "mine/boxes.json").write_text(json.dumps(coco("train", "test")))
    return "coco", "mine"


@pytest.mark.parametrize(
    "made", [table_column, table_capital, table_folder, dataset_dict, hub_column, coco_field]
)
def test_a_row_in_train_and_test_is_found_without_being_told_of_splits(
    made: Callable[[Path], tuple[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loader, root = made(tmp_path)
    options = ["--option", "annotations=boxes.json"] if loader == "coco" else []
    assert LEAK in audited(capsys, loader, root, "--data", str(tmp_path), *options)


def test_unexpected_names_are_named_with_their_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = ["train", "Test", "test", "validation", "held-out", "held out", ""]
    (tmp_path / "t.csv").write_text(
        "".join(f"{line}\n" for line in [f"{HEAD},split", *(f"{ROW},{s}" for s in splits)])
    )
    text = audited(capsys, "table", "t.csv", "--data", str(tmp_path))
    for sentence in (
        "test: 2 samples on 1 image.",
        "The split test is 'Test' (1 row) and 'test' (1 row) in the files.",
        "The split validate is 'validation' (1 row) in the files.",
        "held-out: 2 samples on 1 image.",
        "(none): 1 sample on 1 image.",
    ):
        assert sentence in text
    dataset = Dataset(loader="table", root="t.csv")
    assert len(load_samples(dataset, "test", tmp_path)) == 2
    assert len(load_samples(dataset, "val", tmp_path)) == 1
    with pytest.raises(DataError, match=r"(?s)no row of the split 'external'.*'held-out' \(1\)"):
        load_samples(dataset, "external", tmp_path)


def test_two_synonyms_are_two_splits(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"{HEAD},split\n{ROW},train\n{ROW},val\n{ROW},dev\n{ROW},dev\n")
    dataset = Dataset(loader="table", root="t.csv")
    assert further_splits(dataset, ["train"], tmp_path) == {"val": 1, "dev": 2}
    with pytest.raises(DataError, match=r"(?s)several splits may be meant by 'validate'.*'val', 'dev'"):
        load_samples(dataset, "validate", tmp_path)
    assert len(load_samples(dataset, "dev", tmp_path)) == 2


def test_what_a_table_is_that_says_so_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text(f"{HEAD},split,fold\n{ROW},train,train\n{ROW},test,test\n")
    text = audited(capsys, "table", "t.csv", "--data", str(tmp_path), "--option", "only_split=test")
    assert "test: 2 samples" in text
    assert "Only test was looked at" in text
    dataset = Dataset(loader="table", root="t.csv", options={"columns": {"split": ""}})
    assert len(load_samples(dataset, "train", tmp_path)) == 2
    (tmp_path / "f.csv").write_text(f"{HEAD},fold\n{ROW},train\n{ROW},test\n")
    assert len(load_samples(Dataset(loader="table", root="f.csv"), "train", tmp_path)) == 2
    assert "the column fold may say the split" in capsys.readouterr().err


def test_a_named_column_is_read_in_every_table_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine/one.csv").write_text(f"{HEAD},fold\n{ROW},train\n{ROW},test\n")
    (tmp_path / "mine/two.csv").write_text(f"{HEAD},fold\n{ROW},test\n")
    (tmp_path / "mine/notes.csv").write_text("who,what\nme,nothing\n")
    dataset = Dataset(loader="table", root="mine", options={"columns": {"split": "fold"}})
    assert found_splits(dataset, tmp_path) == {"train": 1, "test": 2}
    assert len(load_samples(dataset, "test", tmp_path)) == 2


def test_files_that_are_no_splits(tmp_path: Path) -> None:
    for name in ("train", "cohort_b", "labels"):
        (tmp_path / f"mine/{name}.csv").write_text(f"{HEAD}\n{ROW}\n")
    (tmp_path / "mine/scores.csv").write_text("who,points\nme,3\n")
    assert found_splits(Dataset(loader="table", root="mine"), tmp_path) == {"train": 1, "cohort_b": 1}
    for name in ("train", "Val", "cohort", "labels"):
        (tmp_path / f"mine/{name}.json").write_text(json.dumps(coco("x")))
    (tmp_path / "mine/other.json").write_text("{}")
    dataset = Dataset(loader="coco", root="mine")
    assert further_splits(dataset, (), tmp_path) == {"train": None, "validate": None, "cohort": None}
    assert len(load_samples(dataset, "validate", tmp_path)) == 1


def test_a_run_audits_what_the_recipe_does_not_use(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        f"{HEAD},split\n{ROW},train\n{ROW},held-out\n{ROW},test\na.png,q?,,hidden\n"
    )
    recipe = recipes.parse(
        {
            "name": "one",
            "model": {"vision_encoder": "dinov2-small", "language_model": "smollm2-135m"},
            "data": {"mine": {"loader": "table", "root": "t.csv"}},
            "stages": [{"name": "vqa", "data": {"mine": 1}, "lr": 1e-3, "lr_end": 1e-3, "epochs": 1}],
            "predict": {"data": {"mine": "test"}},
        }
    )
    found = audit_recipe(recipe, tmp_path)["mine"]
    assert list(found["counts"]) == ["train", "test", "held-out"]
    assert [(p["in"], p["of"], p["triplets"]["count"]) for p in found["leakage"]] == [
        ("train", "test", 1), ("train", "held-out", 1), ("test", "held-out", 1)
    ]  # fmt: skip
    assert found["further_splits"] == {"hidden": 1}
    [sentence] = [each for each in found["summary"] if "hidden" in each]
    assert "cannot be read" in sentence
    assert "'answer' is empty" in sentence
    # A split that is used has to be right.
    with pytest.raises(DataError, match="'answer' is empty"):
        audit_dataset(recipe.data["mine"], ["hidden"], tmp_path)


def test_show_begins_with_a_split_that_is_there_and_names_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text(f"{HEAD},split\n{ROW},validation\n{ROW},test\n{ROW},test\n")
    with pytest.raises(SystemExit) as ended:
        main(["data", "show", "table", "t.csv", "--data", str(tmp_path), "-o", str(tmp_path / "s.html")])
    assert ended.value.code == 0
    assert "table: validate" in (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "table also has the split test (2 rows)" in capsys.readouterr().out


def test_shards_are_of_the_split_they_are_called_by(tmp_path: Path) -> None:
    write_parquet(tmp_path / "hf/data/test-00000-of-00001.parquet", rows("x"))
    write_parquet(tmp_path / "hf/data/test-hard-00000-of-00001.parquet", rows("x", "x"))
    write_arrow(tmp_path / "saved/train/data-00000-of-00001.arrow", rows("x"))
    write_arrow(tmp_path / "saved/train/cache-0123456789abcdef.arrow", rows("x", "x", "x"))
    assert len(load_samples(Dataset(loader="hugging_face", root="hf"), "test", tmp_path)) == 1
    assert len(load_samples(Dataset(loader="hugging_face", root="hf"), "test-hard", tmp_path)) == 2
    assert len(load_samples(Dataset(loader="hugging_face", root="saved"), "train", tmp_path)) == 1
    for name in ("train", "test"):
        write_parquet(tmp_path / f"configs/vqa/{name}-00000-of-00001.parquet", rows("x"))
    with pytest.raises(DataError, match=r"(?s)holds several splits.*test, train.*this folder as the root"):
        load_samples(Dataset(loader="hugging_face", root="configs"), "vqa", tmp_path)


def test_images_without_annotation_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = coco("train", "test")
    content["images"] += [
        {"id": 8, "file_name": "a.png", "split": "test"}, {"id": 9, "file_name": "a.png", "split": "test"}
    ]  # fmt: skip
    (tmp_path / "mine/train.json").write_text(json.dumps(content))
    options = ["--option", "annotations=train.json"]
    text = audited(capsys, "coco", "mine", "--data", str(tmp_path), *options)
    assert "test: left out 2, an image without annotations, e.g. " in text
    assert "train.json, image 8." in text
    assert "train: left out" not in text


def test_names_of_splits() -> None:
    for split, names in {
        "train": "train Training TRAIN trn",
        "test": "test Testing TEST",
        "validate": "val Valid dev validation Dev",
    }.items():
        assert {known_split(name) for name in names.split()} == {split}
    assert known_split("held-out") == "held-out"
    for name in ("val2017", "Test", "held-out", "test_images", "external", "fold_1", "my_test"):
        assert seems_split(name)
    for name in ("The patient did a stress test last year", "Is the test positive?", "Tested."):
        assert not seems_split(name)
    assert all(map(is_split, ("Test", "val2017", "held-out", "test_1", "fold 3", "train set")))
    assert not any(map(is_split, ("stress test", "lab test", "test tube", "", "12")))
    for name in ("labels", "metadata", "all_images"):
        assert seems_none(name)
    assert not any(map(seems_none, ("cohort_b", "site 2", "test_labels")))
    assert split_roles(["testing", "train", "test", "Train"]) == {
        "train": ["train", "Train"], "testing": ["testing"], "test": ["test"]
    }  # fmt: skip
    assert meant("test", ["testing", "train"]) == ["testing"]
    assert meant("validate", ["train", "test"]) == []
