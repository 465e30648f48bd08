from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pefomed.errors import ImageError
from pefomed.images.given import given_image
from pefomed.images.images import content_hash, image_size, matrix_size, open_image
from pefomed.images.volume_files import volume_shape

sitk: Any = pytest.importorskip("SimpleITK", reason="the extra `volumes` is not installed")
pytest.importorskip("nibabel", reason="the extra `volumes` is not installed")

# (Z, Y, X) as SimpleITK takes it: 6 axial slices of 5 rows and 4 columns.
VALUES = (np.arange(120, dtype=np.int16) * 10 - 600).reshape(6, 5, 4)


def written(
    path: Path, values: Any = VALUES, spacing: Any = (1, 1, 1), axes: str = "LPS", **how: Any
) -> Path:
    """Write a volume whose axes run to `axes` (of DICOM's names) where `values` are in L-P-S."""
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    sitk.WriteImage(sitk.DICOMOrient(image, axes) if axes != "LPS" else image, str(path), **how)
    return path


def greys(path: Any) -> Any:
    return np.asarray(open_image(path))[..., 0].astype(int)


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd", "a.nhdr"])
@pytest.mark.parametrize("axes", ["LPS", "RAS", "SAL", "PIR"])
@pytest.mark.parametrize("packed", [False, True])
def test_slices_are_those_of_simpleitk_turned_to_lps(
    tmp_path: Path, name: str, axes: str, packed: bool
) -> None:
    path = written(tmp_path / name, axes=axes, useCompression=packed)
    turned = sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.ReadImage(str(path)), "LPS"))
    assert np.array_equal(turned, VALUES)
    assert volume_shape(path) == (4, 5, 6)
    share = (VALUES - 0) / 1200 + 0.5  # 0:1200
    grey = np.rint(np.clip(share, 0, 1) * 255)
    # L-P-S: columns to the left and rows to the back is how an axial slice is seen.
    assert np.array_equal(greys(f"{path}#index=2&window=0:1200"), grey[2])
    # Coronal from the back, the head above; sagittal from the left, the front on the left.
    assert np.array_equal(greys(f"{path}#axis=1&index=0&window=0:1200"), grey[::-1, 4])
    assert np.array_equal(greys(f"{path}#axis=0&index=0&window=0:1200"), grey[::-1, :, 3])


def test_pixels_that_are_not_square_and_further_volumes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.nrrd", spacing=(1, 2, 5))
    assert (image_size(path), matrix_size(path)) == ((4, 10), (4, 5))
    assert image_size(f"{path}#axis=1") == (4, 30)
    four = sitk.JoinSeries([sitk.GetImageFromArray(VALUES), sitk.GetImageFromArray(VALUES + 100)])
    sitk.WriteImage(four, str(tmp_path / "four.mha"))
    vector = sitk.GetImageFromArray(np.stack([VALUES, VALUES + 100], axis=-1), isVector=True)
    sitk.WriteImage(vector, str(tmp_path / "vector.nrrd"))
    plain = written(tmp_path / "plain.mha")
    for other in ("four.mha", "vector.nrrd"):
        assert np.array_equal(
            greys(f"{tmp_path / other}#volume=1&index=2&window=100:800"),
            greys(f"{plain}#index=2&window=0:800"),
        )
        with pytest.raises(ImageError, match="2 volumes"):
            open_image(f"{tmp_path / other}#volume=2")


def test_colours_and_flat_pictures(tmp_path: Path) -> None:
    colours = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(1, 5, 4, 3)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(tmp_path / "c.mha"))
    assert np.array_equal(np.asarray(open_image(tmp_path / "c.mha")), colours[0])
    with pytest.raises(ImageError, match="in colour"):
        open_image(f"{tmp_path / 'c.mha'}#window=0:10")
    sitk.WriteImage(sitk.GetImageFromArray(VALUES[0]), str(tmp_path / "flat.nrrd"))
    expected = np.rint((VALUES[0] - VALUES[0].min()) / 190 * 255)
    assert np.array_equal(greys(tmp_path / "flat.nrrd"), expected)
    assert volume_shape(tmp_path / "flat.nrrd") == (4, 5, 1)


def test_bytes_are_told_by_what_they_hold(tmp_path: Path) -> None:
    for name in ("a.mha", "a.nrrd"):
        path = written(tmp_path / name)
        assert np.array_equal(np.asarray(given_image(path.read_bytes())), np.asarray(open_image(path)))


def test_values_beside_the_header_count_in_the_hash(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mhd")
    before = content_hash(path)
    raw = bytearray((tmp_path / "a.raw").read_bytes())
    raw[0] ^= 1
    (tmp_path / "a.raw").write_bytes(bytes(raw))
    assert content_hash(path) != before


@pytest.mark.parametrize(
    "place", ["../secret.raw", "/etc/hosts", "sub/a.raw", "LIST", "a%03d.raw 1 2 1", "..", ""]
)
@pytest.mark.parametrize(("name", "field"), [("a.mhd", "ElementDataFile = "), ("a.nhdr", "data file: ")])
def test_a_header_names_no_file_elsewhere(tmp_path: Path, place: str, name: str, field: str) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    path = written(tmp_path / "in" / name)
    raw = next(each for each in path.parent.iterdir() if each.suffix in (".raw", ".gz"))
    for other in (tmp_path / "secret.raw", path.parent / "sub" / "a.raw"):
        other.write_bytes(raw.read_bytes())
    path.write_text(path.read_text().replace(f"{field}{raw.name}", f"{field}{place}"))
    with pytest.raises(ImageError, match=r"not beside it|damaged"):
        open_image(path)
    raw.unlink()
    raw.symlink_to(tmp_path / "secret.raw")
    path.write_text(path.read_text().replace(f"{field}{place}", f"{field}{raw.name}"))
    with pytest.raises(ImageError, match="not beside it"):
        open_image(path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.mha", "DimSize = 4 5 6", "DimSize = 40000 50000 60"),
        ("a.mha", "DimSize = 4 5 6", "DimSize = 4 5 600"),
        ("a.mha", "DimSize = 4 5 6", "DimSize = 4 5 0"),
        ("a.mha", "NDims = 3", "NDims = 9"),
        ("a.mha", "MET_SHORT", "MET_STRING"),
        ("a.nrrd", "sizes: 4 5 6", "sizes: 40000 50000 60"),
        ("a.nrrd", "sizes: 4 5 6", "sizes: 4 5 600"),
        ("a.nrrd", "dimension: 3", "dimension: 4"),
        ("a.nrrd", "encoding: raw", "encoding: tar"),
        ("a.nrrd", "NRRD0004", "PNG 0004"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, name: str, old: str, new: str) -> None:
    path = written(tmp_path / name)
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode()))
    with pytest.raises(ImageError, match=r"damaged|too large|is not (a|of)"):
        open_image(path)


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.mha")
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(ImageError, match=r"pefomed\[volumes\]"):
        open_image(path)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    "said", ["BinaryData = False\n", "", 'BinaryData = "True\n', "BinaryData = T\n", "BinaryData =\x1cTrue\n"]
)
def test_values_that_are_no_binary_ones_never_reach_the_library(
    tmp_path: Path, said: str, packed: bool
) -> None:
    # ITK 5.4 ends the process with such a header: it reads text into memory of another size.
    path = tmp_path / "a.mha"
    volume = sitk.GetImageFromArray(np.zeros((5, 4, 3), np.int16))
    sitk.WriteImage(volume, str(path), useCompression=packed)
    path.write_bytes(path.read_bytes().replace(b"BinaryData = True\n", said.encode(), 1))
    with pytest.raises(ImageError, match=r"damaged|as text"):
        open_image(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("DimSize = 3 4 5", "DimSize = 3 4 6"), ("CompressedDataSize = ", "CompressedDataSize = 1\nComment = ")],
)
def test_packed_values_that_end_too_early_are_refused_at_once(tmp_path: Path, old: str, new: str) -> None:
    # ITK 5.4 waits for the others for ever: so does a file that was copied in part.
    path = tmp_path / "a.mha"
    volume = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(5, 4, 3))
    sitk.WriteImage(volume, str(path), useCompression=True)
    whole = path.read_bytes()
    assert open_image(path)
    path.write_bytes(whole.replace(old.encode(), new.encode(), 1))
    with pytest.raises(ImageError, match="of packed values where"):
        open_image(path)
    path.write_bytes(whole[:-20])
    with pytest.raises(ImageError, match="packed values"):
        open_image(path)
