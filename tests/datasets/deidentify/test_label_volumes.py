"""Volumes of labels beside volumes: boxes of each label and the slices they touch, against SimpleITK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.deidentify.series import rows, settings

from pefomed.annotations.sample_masks import read_mask
from pefomed.cli import main
from pefomed.datasets import load_samples
from pefomed.deidentify import import_folder, secret_folder
from pefomed.deidentify.choice import rule_of
from pefomed.deidentify.label_volumes import labels_of
from pefomed.errors import DataError
from pefomed.recipe import Dataset

pytest.importorskip("dicomanonymizer", reason="the extra `dicom` is not installed")
sitk: Any = pytest.importorskip("SimpleITK", reason="the extra `volumes` is not installed")

# 6 slices of 8 x 10 voxels: label 1 in slices 1 and 2, label 2 in two parts in slice 2, label 7 in slice 4.
LABELS = np.zeros((6, 8, 10), np.uint8)  # slice, row, column
LABELS[1:3, 2:5, 3:7] = 1
LABELS[2, 6:8, 0:2] = LABELS[2, 6:8, 8:10] = 2
LABELS[4, 0:1, 0:1] = 7


def put(path: Path, values: Any, origin: tuple[float, ...] = (0, 0, 0), direction: Any = None) -> None:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 2.0, 3.0))
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(direction)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def volume(value: int = 0) -> Any:
    return (np.arange(6)[:, None, None] * 40 + np.zeros((6, 8, 10)) + value).astype(np.int16)


def found(out: Path) -> list[tuple[Any, ...]]:
    """Slice, phrase and corners of each box."""
    table = {row["id"]: row for row in rows(out / "table.csv")}
    return [
        (
            int(table[row["image_id"]]["slice"]),
            row["phrase"],
            *(float(row[c]) for c in ("x0", "y0", "x1", "y1")),
        )
        for row in rows(out / "boxes.csv")
    ]


def expected() -> list[tuple[Any, ...]]:
    """The same by SimpleITK; patients lie as they are shown in LPS: columns to the left, rows to the back."""
    boxes = []
    for index in range(6):
        each = sitk.LabelShapeStatisticsImageFilter()
        each.Execute(sitk.GetImageFromArray(LABELS[index]))
        for label in each.GetLabels():
            x, y, width, height = each.GetBoundingBox(label)
            boxes.append((index, f"label {label}", x, y, x + width, y + height))
    return boxes


@pytest.mark.parametrize("ending", [".nii.gz", ".mha", ".nrrd", ".mhd"])
def test_each_label_of_each_slice_is_a_box(tmp_path: Path, ending: str) -> None:
    put(tmp_path / "in" / f"a{ending}", volume())
    put(tmp_path / "in" / f"a_seg{ending}", LABELS)
    out = tmp_path / "out"
    result = import_folder(tmp_path / "in", out, settings(masks="{volume}_seg"))
    assert len(rows(out / "table.csv")) == 6
    assert sorted(found(out)) == sorted(expected())
    assert result["files"]["image"] == result["files"]["labels"] == 1
    assert result["boxes"] == {"MASK": 4}


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_touched_slices_whatever_way_the_files_are_turned(tmp_path: Path, flips: tuple[int, ...]) -> None:
    x, y, z = flips
    origin = tuple(0 if f > 0 else (n - 1) * s for f, n, s in zip(flips, (10, 8, 6), (1, 2, 3), strict=True))
    turned = np.ascontiguousarray(LABELS[::z, ::y, ::x])
    put(tmp_path / "in/imagesTr/a_0000.nii.gz", volume())
    direction = (x, 0, 0, 0, y, 0, 0, 0, z)
    put(tmp_path / "in/labelsTr/a.nii.gz", turned, origin, direction)
    out = tmp_path / "out"
    given = settings(
        masks="labelsTr/{volume}",
        slices=rule_of("touched"),
        labels={"1": "liver", "2": "cyst"},
        shares=(1.0, 0.0, 0.0),
    )
    result = import_folder(tmp_path / "in", out, given)
    assert [row["slice"] for row in rows(out / "table.csv")] == ["1", "2"]
    called = {"label 1": "liver", "label 2": "cyst"}
    assert sorted(found(out)) == sorted(
        (index, called[label], *box) for index, label, *box in expected() if label in called
    )
    assert result["regions_without_box"] == {"a label without a name": 1}
    # What comes out is read by the loader `table`, every box on its picture.
    boxes = {"columns": ["x0", "y0", "x1", "y1"], "form": "xyxy", "unit": "pixel"}
    boxes |= {"width": "width", "height": "height", "mask": "mask"}
    options: dict[str, Any] = {"columns": {"question": "phrase"}, "boxes": boxes}
    options |= {"only_split": "train"}
    data = Dataset(loader="table", root="out/boxes.csv", options=options)
    samples = load_samples(data, "train", tmp_path)
    assert [(sample.question, len(sample.boxes)) for sample in samples] == [
        ("liver", 1), ("cyst", 1), ("liver", 1),
    ]  # fmt: skip
    held = {(s.question, Path(s.images[0]).name): read_mask(s.masks[0]) for s in samples}
    by_place = {row["slice"]: Path(row["image"]).name for row in rows(out / "table.csv")}
    for index, label, name in ((1, 1, "liver"), (2, 1, "liver"), (2, 2, "cyst")):
        assert (held[name, by_place[str(index)]] == (LABELS[index] == label)).all()


def test_parts_and_several_volumes_of_a_case(tmp_path: Path) -> None:
    for name in ("t1", "t2"):
        put(tmp_path / f"in/case1/case1_{name}.nii.gz", volume(value=len(name) * (name == "t2")))
    put(tmp_path / "in/case1/case1_seg.nii.gz", LABELS)
    out = tmp_path / "out"
    import_folder(tmp_path / "in", out, settings(masks="{folder}_seg", parts=True, slices=rule_of("touched")))
    assert len(rows(out / "table.csv")) == 6  # three slices each
    assert sorted(box for box in found(out) if box[1] == "label 2") == [
        (2, "label 2", 0, 6, 2, 8), (2, "label 2", 0, 6, 2, 8),
        (2, "label 2", 8, 6, 10, 8), (2, "label 2", 8, 6, 10, 8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "origin", "words"),
    [
        (LABELS[:, :, :9], (0, 0, 0), "does not fit its volume"),
        (LABELS, (5, 0, 0), "lies elsewhere in the body"),
    ],
)
def test_labels_with_other_voxels_leave_their_volume_out(
    tmp_path: Path, values: Any, origin: tuple[float, ...], words: str
) -> None:
    put(tmp_path / "in/good.nii.gz", volume(3))
    put(tmp_path / "in/good_seg.nii.gz", LABELS)
    put(tmp_path / "in/Muster.nii.gz", volume())
    put(tmp_path / "in/Muster_seg.nii.gz", values, origin)
    out = tmp_path / "out"
    result = import_folder(tmp_path / "in", out, settings(masks="{volume}_seg"))
    assert result["files"] == {"labels": 2, "image": 1, "unreadable": 1}
    left = (secret_folder(out) / "left_out.csv").read_text()
    assert words in left
    assert "Muster.nii.gz" in left


def test_again_when_labels_change_or_are_empty(tmp_path: Path) -> None:
    put(tmp_path / "in/a.nii.gz", volume())
    put(tmp_path / "in/a_seg.nii.gz", LABELS)
    out = tmp_path / "out"
    given = settings(masks="{volume}_seg", slices=rule_of("touched"))
    import_folder(tmp_path / "in", out, given)
    before = found(out)
    import_folder(tmp_path / "in", out, given)
    assert found(out) == before
    other = np.zeros_like(LABELS)
    other[5, 1:3, 1:3] = 1
    put(tmp_path / "in/a_seg.nii.gz", other)
    import_folder(tmp_path / "in", out, given)
    assert found(out) == [(5, "label 1", 1, 1, 3, 3)]
    put(tmp_path / "in/b.nii.gz", volume(9))
    put(tmp_path / "in/b_seg.nii.gz", np.zeros_like(LABELS))
    result = import_folder(tmp_path / "in", out, given)
    assert result["files"]["not chosen"] == 1


def test_which_labels_belong_to_which_volume() -> None:
    there = ["imagesTr/a_0000.nii.gz", "imagesTr/b.nii", "labelsTr/a.nii.gz", "labelsTr/c.nii.gz"]
    assert labels_of(there, "labelsTr/{volume}") == (
        {"imagesTr/a_0000.nii.gz": "labelsTr/a.nii.gz"}, ["labelsTr/a.nii.gz", "labelsTr/c.nii.gz"],
    )  # fmt: skip
    assert labels_of(there, "labelsTr/{volume}.nii.gz")[0] == {"imagesTr/a_0000.nii.gz": "labelsTr/a.nii.gz"}
    beside = ["x/a.mha", "x/a_seg.mha", "y/a.mha"]
    assert labels_of(beside, "{volume}_seg") == ({"x/a.mha": "x/a_seg.mha"}, ["x/a_seg.mha"])
    for wrong in ("{volume}", "labels", "{volume}_mask"):
        with pytest.raises(DataError):
            labels_of(there, wrong)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "in/a.nii.gz", volume())
    put(tmp_path / "in/a_seg.nii.gz", LABELS)
    command = ["data", "import", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--masks", "{volume}_seg", "--slices", "touched", "--label", "1=liver"])
    assert not ended.value.code
    assert "Boxes in `boxes.csv`: MASK 2." in capsys.readouterr().out
    for wrong in (["--label", "1=liver"], ["--masks", "{volume}_seg", "--label", "liver=1"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, *wrong])
        assert ended.value.code
