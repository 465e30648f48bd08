from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pefomed.errors import ImageError
from pefomed.images.images import image_size, open_image
from pefomed.images.volume_files import volume_shape

nibabel = pytest.importorskip("nibabel", reason="the extra `dicom` is not installed")

# In R-A-S order: 4 from left to right, 5 from back to front, 6 from feet to head.
RIGHT, FRONT, HEAD = 3, 4, 5


def body() -> Any:
    """Return a volume that is 100 at the right side, 150 at the front and 200 at the head, else 0."""
    values = np.zeros((4, 5, 6), np.int16)
    values[RIGHT] = 100
    values[:, FRONT] = 150
    values[:, :, HEAD] = 200
    return values


def saved(path: Path, values: Any, axes: str = "RAS", zooms: tuple[float, ...] = (1, 1, 1)) -> Path:
    """Write a volume given in R-A-S order with its axes stored in another order and direction."""
    affine = np.diag([*zooms, 1.0])
    image = nibabel.Nifti1Image(values, affine)
    wanted = nibabel.orientations.axcodes2ornt(axes)
    image = image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), wanted))
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAS", "PIR", "SAL", "IPL"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slices_stand_as_a_radiologist_expects(tmp_path: Path, axes: str, name: str) -> None:
    path = saved(tmp_path / name, body(), axes)
    assert volume_shape(path) == (4, 5, 6)

    def grey(view: str) -> Any:
        return np.asarray(open_image(f"{path}#{view}&window=100:200"))[..., 0]

    axial = grey("axis=2&index=2")  # 0 .. 200: 100 is 128, 150 is 191
    assert axial.shape == (5, 4)
    assert axial[0].tolist() == [191] * 4  # the front above
    assert axial[1:, 0].tolist() == [128] * 4  # the right side on the left
    assert axial[1:, 1:].max() == 0
    coronal = grey("axis=1&index=2")
    assert coronal.shape == (6, 4)
    assert coronal[0].tolist() == [255] * 4  # the head above
    assert coronal[1:, 0].tolist() == [128] * 5
    sagittal = grey("axis=0&index=1")
    assert sagittal.shape == (6, 5)
    assert sagittal[0].tolist() == [255] * 5
    assert sagittal[1:, 0].tolist() == [191] * 5  # the front on the left
    assert grey(f"axis=2&index={HEAD}").min() == 255


def test_the_middle_slice_and_the_first_volume_are_the_default(tmp_path: Path) -> None:
    values = np.zeros((3, 4, 5, 2), np.float32)
    values[:, :, 2, 0], values[:, :, 2, 1] = 1, 2
    values[0, 0] = 0
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    assert np.array_equal(open_image(path), open_image(f"{path}#axis=2&index=2&volume=0"))
    assert np.asarray(open_image(f"{path}#volume=1&window=1:2")).max() == 255
    assert np.asarray(open_image(f"{path}#window=1:2")).max() == 128
    for view, words in [("index=5", "5 slices"), ("volume=2", "2 volumes"), ("frame=0", "choose `axis`")]:
        with pytest.raises(ImageError, match=words):
            open_image(f"{path}#{view}")


def test_pixels_become_square(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", body(), "LPS", (1.0, 1.0, 3.0))
    for view, size in [("axis=0", (5, 18)), ("axis=1", (4, 18)), ("axis=2", (4, 5))]:
        assert open_image(f"{path}#{view}").size == image_size(f"{path}#{view}") == size


def test_nan_and_display_range(tmp_path: Path) -> None:
    values = np.array([np.nan, 0, 50, 100, np.inf], np.float32).reshape(1, 5, 1)
    path = tmp_path / "a.nii"
    image = nibabel.Nifti1Image(values, np.eye(4))
    nibabel.save(image, path)
    # The front is above: the column is shown in reverse.
    assert np.asarray(open_image(path))[:, 0, 0].tolist() == [255, 255, 128, 0, 0]
    image.header["cal_max"] = 200
    nibabel.save(image, path)
    assert np.asarray(open_image(path))[:, 0, 0].tolist() == [255, 128, 64, 0, 0]


def header(dimensions: tuple[int, ...], offset: float = 352, bits: int = 16) -> bytes:
    """Return a NIfTI-1 header that claims `dimensions`."""
    made = bytearray(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).header.binaryblock)
    made[40:56] = np.array([len(dimensions), *dimensions, *[1] * (7 - len(dimensions))], "<i2").tobytes()
    made[72:74] = np.array(bits, "<i2").tobytes()
    made[108:112] = np.array(offset, "<f4").tobytes()
    return bytes(made)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (header((32767, 32767, 32767)), "too large"),
        (header((2, 2, 2), offset=2e9), "begin at byte 2e"),
        (header((2, 2, 2), offset=float("nan")), "begin at byte nan"),
        (header((2, -2, 2)), "dimensions"),
        (header((2, 2, 2)), "damaged"),  # no values behind it
        (b"\x5c\x01\x00\x00" * 100, "damaged|not a NIfTI"),
        (b"no header", "not a NIfTI file"),
    ],
)
def test_headers_that_lie(tmp_path: Path, data: bytes, words: str) -> None:
    for name, content in (("a.nii", data), ("a.nii.gz", gzip.compress(data))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImageError, match=words):
            open_image(tmp_path / name)


def test_a_file_that_is_no_gzip(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"not packed at all")
    with pytest.raises(ImageError, match="damaged"):
        open_image(tmp_path / "a.nii.gz")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_an_image_or_our_error(tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(saved(tmp_path / "whole.nii", body()).read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, 359))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.nii"
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        image = open_image(path)
    except ImageError:
        return
    assert image.mode == "RGB"


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.nii", body())
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(ImageError, match=r"pip install 'pefomed\[dicom\]'"):
        open_image(path)


def test_a_window_with_a_name_is_for_volumes_with_air(tmp_path: Path) -> None:
    # Slice 0 holds soft tissue alone, slice 1 air: the volume is a CT. The other one is an MR.
    values = np.full((3, 4, 2), 40, np.int16)
    values[0, 0, 1] = -1000
    ct, mr = tmp_path / "ct.nii", tmp_path / "mr.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), ct)
    nibabel.save(nibabel.Nifti1Image(np.abs(values), np.eye(4)), mr)
    for view in ("index=0&window=brain", "index=0&window=medgemma"):
        open_image(f"{ct}#{view}")
        with pytest.raises(ImageError, match=r"(?s)Hounsfield.*without a value below -200.*CENTRE:WIDTH"):
            open_image(f"{mr}#{view}")
    assert np.array_equal(open_image(f"{mr}#index=0&window=40:80"), open_image(f"{ct}#index=0&window=brain"))
    # Another file under the same name is asked anew.
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), np.eye(4)), mr)
    open_image(f"{mr}#index=0&window=brain")


def test_three_windows_of_a_ct_as_medgemmas_notebook_has_them(tmp_path: Path) -> None:
    values = np.linspace(-1100, 1100, 60).reshape(3, 4, 5).astype(np.int16)
    path = tmp_path / "ct.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1.0, -1, 1, 1])), path)  # L-P-S, as it is seen
    image = np.asarray(open_image(f"{path}#index=2&window=wide+soft+brain"))
    for channel, (low, high) in enumerate([(-1024, 1024), (-135, 215), (0, 80)]):
        clipped = np.clip(values[:, :, 2].T.astype(np.float64), low, high)
        assert np.array_equal(image[..., channel], np.rint((clipped - low) / (high - low) * 255))
