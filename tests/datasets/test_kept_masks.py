"""What a sample keeps of its mask, and the pixels it is read back as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from pefomed.annotations.sample_masks import read_mask
from pefomed.datasets import load_split
from pefomed.datasets.changed_copies import cropped_copies
from pefomed.errors import DataError, ImageError
from pefomed.recipe import Dataset
from pefomed.samples.sample_hash import sample_hash
from pefomed.schema import Sample

BOTH = np.array([[1, 1, 0, 0], [0, 1, 0, 2], [0, 0, 0, 2], [1, 0, 0, 2]], np.uint8)


def put(folder: Path, **files: Any) -> None:
    """Write 4 x 4 pictures: `images_a` is images/a.png."""
    for name, values in files.items():
        path = folder / "mine" / f"{name.replace('_', '/', 1)}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)


def read(folder: Path, **options: Any) -> dict[str, Sample]:
    """Return phrase -> its sample of `refer`."""
    samples, _ = load_split(Dataset(loader="masks", root="mine", options=options), "train", folder)
    return {sample.question: sample for sample in samples if sample.task == "refer"}


@pytest.mark.parametrize(
    ("values", "options", "inside"),
    [
        (BOTH, {"labels": {"1": "mass", "2": "rib"}}, BOTH == 1),
        ((BOTH == 1).astype(np.uint8) * 255, {"phrase": "mass"}, BOTH == 1),
        (BOTH * 100, {"phrase": "mass", "threshold": 128}, BOTH == 2),
        (np.stack([BOTH == 1, BOTH == 9, BOTH == 2], 2) * np.uint8(255),
         {"labels": {"#ff0000": "mass", "#0000ff": "rib"}}, BOTH == 1),
        # The lone pixel in the corner is a part of one pixel.
        (BOTH, {"labels": {"1": "mass", "2": "rib"}, "parts": "component", "least": 2},
         (BOTH == 1) & (np.arange(4)[:, None] < 3)),
    ],
)  # fmt: skip
def test_the_mask_is_read_back(tmp_path: Path, values: Any, options: Any, inside: Any) -> None:
    put(tmp_path, images_a=np.zeros((4, 4), np.uint8), masks_a=values)
    sample = read(tmp_path, **options)["mass"]
    sample = Sample.model_validate_json(sample.model_dump_json())
    [mask] = sample.masks
    assert read_mask(mask).tolist() == inside.tolist()


def test_what_several_values_or_files_say_of_a_phrase_is_kept_together(tmp_path: Path) -> None:
    put(tmp_path, images_a=np.zeros((4, 4), np.uint8), masks_a=BOTH)
    two = read(tmp_path, labels={"1": "mass", "2": "mass"})["mass"]
    assert sorted(read_mask(mask).sum() for mask in two.masks) == [3, 4]
    # The diagonals have the same box, which counts once; the masks are two.
    for name, values in (("one_a", np.eye(4, dtype=np.uint8)), ("two_a", np.eye(4, dtype=np.uint8)[::-1])):
        put(tmp_path / "files", images_a=np.zeros((4, 4), np.uint8), **{f"masks_{name}": values})
    diagonals = read(tmp_path / "files", masks="masks/*_{image}", phrase="cross")["cross"]
    assert len(diagonals.boxes) == 1
    assert np.sum([read_mask(mask) for mask in diagonals.masks], axis=0).tolist() == [
        [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1],
    ]  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_of_a_volume_it_is_the_slice(tmp_path: Path, axis: int) -> None:
    inside = np.zeros((4, 5, 6), np.int16)
    inside[1, 1:4, 2] = inside[1, 2, 1:4] = 3  # a cross of 5 voxels in one sagittal slice
    # From the right, the front and the head: the slices shown are turned.
    affine = np.diag([-1.0, -1.0, -1.0, 1.0])
    for name, values in (("images", np.zeros_like(inside)), ("masks", inside)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        picture = nibabel.Nifti1Image(values, affine)  # type: ignore[no-untyped-call]
        nibabel.save(picture, tmp_path / "mine" / name / "a.nii.gz")
    samples, _ = load_split(
        Dataset(loader="masks", root="mine", options={"phrase": "x", "axis": axis}), "train", tmp_path
    )
    masks = [read_mask(mask) for sample in samples for mask in sample.masks]
    assert sorted(int(mask.sum()) for mask in masks) == {0: [5], 1: [1, 1, 3], 2: [1, 1, 3]}[axis]
    for sample, mask in zip(samples, masks, strict=True):
        [box], (height, width) = sample.boxes, mask.shape
        rows, columns = np.nonzero(mask)
        assert (box.x0 * width, box.x1 * width) == pytest.approx((columns.min(), columns.max() + 1))
        assert (box.y0 * height, box.y1 * height) == pytest.approx((rows.min(), rows.max() + 1))


def test_a_mask_that_is_gone_or_has_changed(tmp_path: Path) -> None:
    put(tmp_path, images_a=np.zeros((4, 4), np.uint8), masks_a=BOTH)
    options = {"labels": {"1": "mass", "2": "rib"}}
    mass, rib = (read(tmp_path, **options)[name].masks[0] for name in ("mass", "rib"))
    changed = BOTH.copy()
    changed[1, 0] = 1  # inside of its box: only the pixels tell
    put(tmp_path, masks_a=changed)
    with pytest.raises(DataError, match=r"masks/a\.png: the mask has changed since"):
        read_mask(mass)
    assert read_mask(rib).sum() == 3  # not changed
    Path(rib.path).unlink()
    with pytest.raises(ImageError, match=r"a\.png"):
        read_mask(rib)


def test_only_where_boxes_are_asked_for_and_no_part_of_hash_or_crop(tmp_path: Path) -> None:
    put(tmp_path, images_a=np.zeros((4, 4), np.uint8), masks_a=BOTH)
    options = {"labels": {"1": "mass", "2": "rib"}, "tasks": ["refer", "detection", "identify"]}
    samples, _ = load_split(Dataset(loader="masks", root="mine", options=options), "train", tmp_path)
    assert {sample.task: len(sample.masks) for sample in samples} == {
        "refer": 1, "detection": 1, "identify": 0,
    }  # fmt: skip
    for sample in samples:
        bare = sample.model_copy(update={"masks": ()})
        assert sample_hash(bare) == sample_hash(sample)
        assert "masks" not in bare.model_dump()
    copies = list(cropped_copies(samples, 3, 0.01, 0))
    assert copies
    assert not any(copy.masks for copy in copies)
