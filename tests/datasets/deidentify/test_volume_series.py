"""Volumes (NIfTI, NRRD) brought in as DICOM series are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.deidentify.series import rows, settings, slice_at

from pefomed.deidentify import import_folder, secret_folder
from pefomed.deidentify.choice import rule_of
from pefomed.images.images import open_image
from pefomed.images.windows import AUTO, window

pytest.importorskip("dicomanonymizer", reason="the extra `dicom` is not installed")
nibabel: Any = pytest.importorskip("nibabel", reason="the extra `dicom` is not installed")


def volume(path: Path, low: float = -1000, axes: str = "RAS") -> Path:
    """Write 4 x 5 x 6 voxels of 1 x 2 x 3 mm whose values grow from the feet to the head."""
    values = np.zeros((4, 5, 6), np.float32) + np.arange(6) * 40
    values[0, 0] = low
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    image = nibabel.Nifti1Image(values, affine)
    wanted = nibabel.orientations.axcodes2ornt(axes)
    image = image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), wanted))
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("axes", ["RAS", "SPL"])
def test_slices_by_rule_as_the_address_shows_them(tmp_path: Path, axes: str) -> None:
    path = volume(tmp_path / "export" / "Muster_ct.nii.gz", axes=axes)
    out = tmp_path / "out"
    result = import_folder(
        tmp_path / "export", out,
        settings(slices=rule_of("count:2"), windows={"CT": window("brain"), "": AUTO}),
    )  # fmt: skip
    table = rows(out / "table.csv")
    assert [(row["slice"], row["slices"], row["slice_distance"], row["spacing"]) for row in table] == [
        ("1", "6", "3", "2/1"), ("4", "6", "3", "2/1")
    ]  # fmt: skip
    assert {(row["window"], row["width"], row["height"]) for row in table} == {("brain", "4", "5")}
    for row in table:
        shown = open_image(f"{path}#index={row['slice']}&window=brain")
        assert shown.size == (4, 10)
        assert np.array_equal(np.asarray(open_image(out / row["image"])), np.asarray(shown))
        with Image.open(out / row["image"]) as stored:
            assert stored.size == (4, 5)
    assert result["volumes_without_patient"] == 1
    (series,) = rows(out / "series.csv")
    assert series["image"].split(";") == [row["image"] for row in table]
    for each in out.rglob("*"):
        assert "Muster" not in str(each)
        assert not each.is_file() or b"Muster" not in each.read_bytes()


def test_windows_for_ct_are_for_volumes_with_air(tmp_path: Path) -> None:
    volume(tmp_path / "export" / "sub-1" / "a.nii", low=0)
    volume(tmp_path / "export" / "sub-1" / "b.nii")
    volume(tmp_path / "export" / "sub-2" / "c.nii", low=-900)
    given = settings(slices=rule_of("middle"), windows={"": window("medgemma")})
    result = import_folder(tmp_path / "export", tmp_path / "out", given)
    table = rows(tmp_path / "out" / "table.csv")
    assert sorted(row["window"] for row in table) == ["auto", "medgemma", "medgemma"]
    # Folders of BIDS say whose volumes are.
    assert (result["patients"], result["volumes_without_patient"], len(table)) == (2, 0, 3)
    assert "patient," in (secret_folder(tmp_path / "out") / "links.csv").read_text()


def test_beside_dicom_and_with_several_volumes(tmp_path: Path) -> None:
    slice_at(tmp_path / "export" / "a.dcm", 0.0)
    values = np.zeros((3, 3, 4, 2), np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "export" / "four.nii")
    (tmp_path / "export" / "cut.nii.gz").write_bytes(b"\x1f\x8b")
    out = tmp_path / "out"
    result = import_folder(tmp_path / "export", out, settings(slices=rule_of("middle"), keep=("PatientSex",)))
    assert result["files"] == {"image": 2, "unreadable": 1}
    found = [(row["PatientSex"], row["slice"], row["volume"]) for row in rows(out / "table.csv")]
    assert sorted(found) == [("", "2", "0"), ("", "2", "1"), ("F", "0", "0")]
    assert len(rows(out / "series.csv")) == 3
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    import_folder(tmp_path / "export", out, settings(slices=rule_of("middle"), keep=("PatientSex",)))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == before


def test_metaimage_and_nrrd_likewise(tmp_path: Path) -> None:
    sitk: Any = pytest.importorskip("SimpleITK", reason="the extra `volumes` is not installed")
    values = np.arange(6, dtype=np.int16).repeat(20).reshape(6, 5, 4)
    (tmp_path / "export").mkdir()
    for name in ("a.mhd", "b.nrrd"):
        sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "export" / name))
    result = import_folder(tmp_path / "export", tmp_path / "out", settings(slices=rule_of("every:3")))
    assert result["files"] == {"image": 2, "not DICOM": 1}  # the values of a.mhd stand in a.raw
    assert sorted(row["slice"] for row in rows(tmp_path / "out" / "table.csv")) == ["0", "0", "3", "3"]
