"""What is wrong among masks and outlines of CheXlocalize is an error that names a rule, or counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.datasets import load_split
from pefomed.errors import DataError
from pefomed.recipe import Dataset

VALUES = np.zeros((8, 10), np.uint8)
VALUES[1:4, 1:4] = 1


def put(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def read(
    root: Path, loader: str = "masks", split: str = "train", **options: Any
) -> tuple[list[str], list[str]]:
    samples, left = load_split(Dataset(loader=loader, root=".", options=options), split, root)
    return [sample.question for sample in samples], [each.reason for each in left]


def two_images(root: Path) -> None:
    for name in ("a", "b"):
        put(root / "images" / f"{name}.png", np.full((8, 10), ord(name), np.uint8))
        put(root / "masks" / f"{name}.png", VALUES)


@pytest.mark.parametrize(
    ("name", "values", "rule", "words"),
    [
        ("c", VALUES, "missing image", "without an image"),
        ("b", VALUES[:4], "wrong box", "does not fit its image"),
        ("b", VALUES * 9, "wrong box", "a value without a name"),
    ],
)
def test_rules_of_masks(tmp_path: Path, name: str, values: Any, rule: str, words: str) -> None:
    two_images(tmp_path)
    put(tmp_path / "masks" / f"{name}.png", values)
    labels = {"1": "mass"}
    with pytest.raises(DataError) as error:
        read(tmp_path, labels=labels)
    assert words in error.value.problem
    assert f'skip = ["{rule}"]' in str(error.value)
    for without in ("left out", "categories"):
        found, left = read(tmp_path, labels=labels, skip=[rule], without=without)
        # The image of a mask that cannot be read is not asked about at all.
        assert found == ["mass"] * (2 if name == "c" else 1)
        assert len(left) == 1


def test_a_label_is_left_out_and_not_absent(tmp_path: Path) -> None:
    two_images(tmp_path)
    both = VALUES.copy()
    both[6:8, 6:8] = 2
    put(tmp_path / "masks" / "b.png", both)
    labels = {"1": "mass", "2": "rib"}
    found, left = read(tmp_path, labels=labels, skip={"column": "label", "is": "rib"})
    assert (sorted(found), len(left)) == (["mass", "mass"], 1)


def test_slices_that_no_mask_touches_may_be_asked_about(tmp_path: Path) -> None:
    nibabel: Any = pytest.importorskip("nibabel", reason="the extra `dicom` is not installed")
    values = np.zeros((6, 5, 4), np.uint8)
    values[1:3, 1:3, 1] = 1
    values[3:5, 1:3, 2] = 2
    for folder, made in (("images", np.ones_like(values)), ("masks", values)):
        (tmp_path / folder).mkdir()
        nibabel.save(nibabel.Nifti1Image(made, np.eye(4)), tmp_path / folder / "v.nii")

    def asked(**options: Any) -> list[tuple[str, str, bool]]:
        labels = {"1": "mass", "2": "rib"}
        data = Dataset(loader="masks", root=".", options={"labels": labels, **options})
        samples, _ = load_split(data, "train", tmp_path)
        return sorted((s.images[0].rpartition("index=")[2], s.question, bool(s.boxes)) for s in samples)

    drawn = [("1", "mass", True), ("2", "rib", True)]
    touched = [("1", "rib", False), ("2", "mass", False)]
    others = [(index, name, False) for index in ("0", "3") for name in ("mass", "rib")]
    assert asked() == asked(asked_slices="all") == drawn
    assert asked(without="categories") == sorted(drawn + touched)
    assert asked(without="categories", asked_slices="all") == sorted(drawn + touched + others)
    assert asked(without="images", asked_slices="all") == sorted(drawn + others)
    assert asked(without="images") == drawn


def chexlocalize(root: Path, **findings: Any) -> None:
    content = {}
    for name, drawn in findings.items():
        content[f"{name}_study1_view1_frontal"] = {"img_size": [8, 10], **drawn}
    (root / "CheXlocalize").mkdir(exist_ok=True)
    (root / "CheXlocalize" / "gt_annotations_test.json").write_text(json.dumps(content))
    put(root / "CheXpert/test/patient1/study1/view1_frontal.jpg", VALUES)


def test_rules_of_chexlocalize(tmp_path: Path) -> None:
    square = [[1, 1], [4, 1], [4, 4], [1, 4]]
    drawn = {"Edema": [square], "Atelectasis": [square]}
    chexlocalize(tmp_path, patient1=drawn, patient2=drawn)
    with pytest.raises(DataError, match=r'(?s)no image of patient2.*skip = \["missing image"\]'):
        read(tmp_path, "chexlocalize", "test")
    assert read(tmp_path, "chexlocalize", "test", skip="missing image") == (
        ["Edema", "Atelectasis"], ["missing image"]
    )  # fmt: skip
    chexlocalize(tmp_path, patient1={"Edema": [square], "Atelectasis": [[[1, 1]]]})
    with pytest.raises(DataError, match=r'(?s)Atelectasis: an outline needs 3.*skip = \["wrong box"\]'):
        read(tmp_path, "chexlocalize", "test")
    found, left = read(tmp_path, "chexlocalize", "test", skip="wrong box")
    assert (found, len(left)) == (["Edema"], 1)
    chexlocalize(tmp_path, patient1=drawn)
    only = {"column": "finding", "is_not": "Edema"}
    assert read(tmp_path, "chexlocalize", "test", skip=only)[0] == ["Edema"]
    of_view = {"column": "view", "is_not": "view1_frontal"}
    assert read(tmp_path, "chexlocalize", "test", skip=of_view)[0] == ["Edema", "Atelectasis"]
