from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco
from scipy import ndimage

from pefomed.datasets import load_split
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WIDTH, HEIGHT = 640, 480
TENTHS = (0.1, 0.1, 0.5, 0.5)
RIB = (10 / 640, 300 / 480, 60 / 640, 340 / 480)


def two_labels(mass: int = 1, rib: int = 2, dtype: Any = np.uint8) -> Any:
    values = np.zeros((HEIGHT, WIDTH), dtype)
    values[48:240, 64:320] = mass
    values[300:340, 10:60] = rib
    return values


def put(folder: Path, files: dict[str, Any]) -> None:
    """Write images: of an array, an image, or 640 x 480 grey pixels for None."""
    for name, made in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if made is None:
            made = Image.new("L", (WIDTH, HEIGHT), len(name))
        (made if isinstance(made, Image.Image) else Image.fromarray(made)).save(path)


def read(folder: Path, split: str = "train", **options: Any) -> tuple[list[Sample], list[str]]:
    samples, left = load_split(Dataset(loader="masks", root="mine", options=options), split, folder)
    return samples, [each.reason for each in left]


def found(folder: Path, split: str = "train", **options: Any) -> dict[str, list[Any]]:
    """Return phrase -> its boxes."""
    return {
        sample.question: [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes]
        for sample in read(folder, split, **options)[0]
    }


NUMBERS = {"labels": {"1": "mass", "2": "rib"}}
BOTH = {"mass": [TENTHS], "rib": [RIB]}


def palette(values: Any) -> Image.Image:
    image = Image.fromarray(values).convert("P")
    image.putdata(values.flatten().tolist())
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 128, 0] + [9] * 759)
    return image


def colours() -> Any:
    values = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    values[two_labels() == 1] = (255, 0, 0)
    values[two_labels() == 2] = (0, 128, 0)
    return values


@pytest.mark.parametrize(
    ("name", "mask", "options"),
    [
        ("0.png", two_labels(), NUMBERS),
        ("0.tif", two_labels(1000, 40000, np.uint16), {"labels": {"1000": "mass", "40000": "rib"}}),
        ("0.png", palette(two_labels()), NUMBERS),
        ("0.png", np.repeat(two_labels()[..., None], 3, axis=2), NUMBERS),  # grey, saved as colour
        ("0.png", colours(), {"labels": {"#ff0000": "mass", "0, 128, 0": "rib"}}),
        ("0.png", palette(two_labels()), {"labels": {"#FF0000": "mass", "#008000": "rib"}}),
        ("0.png", np.dstack((colours(), np.full((HEIGHT, WIDTH), 255, np.uint8))),
         {"labels": {"#ff0000": "mass", "#008000": "rib"}}),
        ("0.png", two_labels(5, 7) + np.uint8(255) * (two_labels() == 0),
         {"labels": {"5": "mass", "7": "rib"}, "ignore": ["255"]}),
        ("0.tif", two_labels(1, 2, np.float32), NUMBERS),
    ],
)  # fmt: skip
def test_values_of_every_kind_are_labels(tmp_path: Path, name: str, mask: Any, options: Any) -> None:
    put(tmp_path, {"mine/images/0.png": None, f"mine/masks/{name}": mask})
    assert found(tmp_path, **options) == BOTH


def test_boxes_are_those_of_pycocotools_and_parts_those_of_scipy(tmp_path: Path) -> None:
    blobs = np.random.default_rng(3).random((HEIGHT, WIDTH)) > 0.997
    blobs = ndimage.binary_dilation(blobs, iterations=3)
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": blobs.astype(np.uint8)})

    def expected(mask: Any) -> Any:
        x, y, width, height = coco.toBbox(coco.encode(np.asfortranarray(mask.astype(np.uint8))))
        return pytest.approx((x / WIDTH, y / HEIGHT, (x + width) / WIDTH, (y + height) / HEIGHT))

    assert found(tmp_path, phrase="blob") == {"blob": [expected(blobs)]}
    numbered, count = ndimage.label(blobs, structure=np.ones((3, 3)))
    assert count > 100
    apart = found(tmp_path, phrase="blob", parts="component")["blob"]
    assert len(apart) == count
    for number in range(1, count + 1, 40):
        assert expected(numbered == number) in apart
    sizes = np.bincount(numbered.ravel())[1:]
    kept = read(tmp_path, phrase="blob", parts="component", least=30)
    assert kept[1].count("a part of fewer than 30 pixels") == int((sizes < 30).sum())


def test_touching_corners_are_one_part(tmp_path: Path) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[0:48, 0:64] = mask[48:96, 64:128] = 1
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": mask})
    assert found(tmp_path, phrase="x", parts="component") == {"x": [(0, 0, 0.2, 0.2)]}


LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "folders of splits": ({"images/train/a/0.png": None, "masks/train/a/0.png": 1, "images/val/1.png": None,
                           "masks/val/1.png": 1}, {"phrase": "mass"}),
    "splits first": ({"train/images/0.png": None, "train/masks/0.png": 1, "val/images/1.png": None,
                      "val/masks/1.png": 1}, {"phrase": "mass"}),
    "a mask a class": ({"images/train/0.png": None, "m/mass/train/0.png": 1, "m/rib/train/0.png": 0,
                        "images/val/1.png": None, "m/mass/val/1.png": 1},
                       {"masks": "m/{label}/{split}/{image}"}),
    "masks of all splits": ({"images/train/0.png": None, "masks/0.png": 1, "images/val/1.png": None,
                             "masks/1.png": 1}, {"phrase": "mass"}),
    "in the name": ({"images/train/0_a.png": None, "m/train/0_a_mass.png": 1, "images/val/1.png": None,
                     "m/val/1_mass.png": 1}, {"masks": "m/{split}/{image}_{label}.png"}),
    "beside": ({"train/0.png": None, "train/0_mask.png": 1, "train/0_mask_1.png": 0, "val/1.png": None,
                "val/1_mask.png": 1},
               {"images": "{split}", "masks": "{split}/{image}_mask*", "phrase": "mass"}),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_boxes(tmp_path: Path, layout: str) -> None:
    files, options = LAYOUTS[layout]
    square = np.where(two_labels() == 1, 255, 0).astype(np.uint8)
    put(
        tmp_path / "mine",
        {name: made if made is None else square * np.uint8(made) for name, made in files.items()},
    )
    for split in ("train", "validate"):
        assert found(tmp_path, split, **options) == {"mass": [TENTHS]}
    dataset = Dataset(loader="masks", root="mine", options=options)
    assert found_splits(dataset, tmp_path) == {"train": None, "val": None}


def test_soft_masks_need_a_threshold(tmp_path: Path) -> None:
    soft = np.zeros((HEIGHT, WIDTH), np.uint8)
    soft[40:250, 60:330] = 100
    soft[48:240, 64:320] = 200
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": soft})
    with pytest.raises(DataError, match=r"(?s)0\.png: a mask of one thing.*100 \(7,548 pixels\).*threshold"):
        read(tmp_path, phrase="mass")
    assert found(tmp_path, phrase="mass", threshold=128) == {"mass": [TENTHS]}
    assert found(tmp_path, phrase="mass", threshold=100) == {
        "mass": [(60 / 640, 40 / 480, 330 / 640, 250 / 480)]
    }
    # As JPEG, whose colours are not quite grey; the edges of 8 x 8 blocks stay.
    (tmp_path / "mine/masks/0.png").unlink()
    put(tmp_path, {"mine/masks/0.jpg": Image.fromarray(two_labels(255, 0)).convert("RGB")})
    assert found(tmp_path, phrase="mass", threshold=128) == {"mass": [TENTHS]}
    shares = two_labels(1, 0).astype(np.float32) * np.float32(0.75)
    (tmp_path / "mine/masks/0.jpg").unlink()
    put(tmp_path, {"mine/masks/0.tif": Image.fromarray(shares)})
    assert found(tmp_path, phrase="mass", threshold=0.5) == {"mass": [TENTHS]}


def test_images_without_a_mask_and_empty_masks_are_counted(tmp_path: Path) -> None:
    put(tmp_path, {f"mine/images/{number}.png": None for number in range(3)})
    put(tmp_path, {"mine/masks/0.png": two_labels(1, 0), "mine/masks/1.png": two_labels(0, 0)})
    samples, left = read(tmp_path, phrase="mass")
    assert len(samples) == 1
    assert left == ["an image with an empty mask", "an image without a mask"]


def test_masks_of_other_sizes_are_refused_or_scaled(tmp_path: Path) -> None:
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": two_labels(1, 0)[::2, ::2].copy()})
    with pytest.raises(DataError, match=r"(?s)0\.png does not fit its image.*320 x 240.*scaled_masks"):
        read(tmp_path, phrase="mass")
    assert found(tmp_path, phrase="mass", scaled_masks=True) == {"mass": [TENTHS]}
    put(tmp_path, {"mine/masks/0.png": np.ones((WIDTH, HEIGHT), np.uint8)})
    with pytest.raises(DataError, match="does not fit its image"):
        read(tmp_path, phrase="mass", scaled_masks=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "has no name"),
        ({"labels": {"1": "mass"}}, r"0\.png: a value without a name.*2 \(2,000 pixels\)"),
        ({"labels": {"#ff0000": "mass"}}, r"a value without a name.*#010101"),
        ({"labels": {"1": "mass", "#ff0000": "rib"}}, "numbers or colours"),
        ({"labels": {"one": "mass"}}, "'one' is no value"),
        ({"labels": {"256,0,0": "mass"}}, "'256,0,0' is no value"),
        ({"labels": {"1": "mass"}, "threshold": 1}, "soft masks of one thing"),
        ({"masks": "m"}, "has no masks"),
        ({"phrase": "x", "masks": "masks/{image}_mask"}, "masks without an image"),
        ({"images": "pictures"}, "has no images"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": two_labels()})
    with pytest.raises(DataError, match=f"(?s){words}"):
        read(tmp_path, **options)


def test_masks_without_an_image_and_transparent_ones_are_refused(tmp_path: Path) -> None:
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": two_labels(1, 0), "mine/masks/7.png": None})
    with pytest.raises(DataError, match=r"1 masks without an image\n.*7\.png"):
        read(tmp_path, phrase="mass")
    (tmp_path / "mine/masks/7.png").unlink()
    put(tmp_path, {"mine/masks/0.png": np.dstack((colours(), two_labels(7, 100)))})
    with pytest.raises(DataError, match="partly transparent"):
        read(tmp_path, phrase="mass")


def volume(folder: Path, values: Any, affine: Any, name: str) -> None:
    import nibabel

    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(values, affine).to_filename(path)  # type: ignore[no-untyped-call]


RAS, LPS = np.diag([1.0, 2.0, 3.0, 1.0]), np.diag([-1.0, -2.0, 3.0, 1.0])


@pytest.mark.parametrize("affine", [RAS, LPS])
def test_slices_of_a_volume_are_images(tmp_path: Path, affine: Any) -> None:
    from pefomed.images.images import open_image

    values = np.zeros((20, 16, 5), np.int16)
    scan = np.random.default_rng(0).integers(0, 50, values.shape).astype(np.int16)
    values[2:6, 4:8, 1] = 1
    values[2:8, 4:8, 2] = 1
    values[10:12, 0:2, 2] = 2
    scan[values == 1], scan[values == 2] = 1000, 2000
    volume(tmp_path, scan, affine, "mine/images/ct.nii.gz")
    volume(tmp_path, values, affine, "mine/masks/ct.nii.gz")
    samples, left = read(tmp_path, **NUMBERS)
    assert left == []
    assert [(sample.question, Path(sample.images[0]).name) for sample in samples] == [
        ("mass", "ct.nii.gz#axis=2&index=1"), ("mass", "ct.nii.gz#axis=2&index=2"),
        ("rib", "ct.nii.gz#axis=2&index=2"),
    ]  # fmt: skip
    # In the picture itself, whose pixels are square: what is bright there is what the box is around.
    for sample in samples:
        seen = np.asarray(open_image(sample.images[0]).convert("L")).astype(int)
        # Of the slice with both, 2000 is white and 1000 about half of it.
        bright = (
            seen > 200 if sample.question == "rib" or sample.images[0].endswith("1") else abs(seen - 127) < 15
        )
        rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
        height, width = seen.shape
        [box] = sample.boxes
        assert (box.x0 * width, box.x1 * width) == pytest.approx((columns[0], columns[-1] + 1), abs=1)
        assert (box.y0 * height, box.y1 * height) == pytest.approx((rows[0], rows[-1] + 1), abs=1)
    largest, _ = read(tmp_path, slices="largest", **NUMBERS)
    assert [Path(sample.images[0]).name[-1] for sample in largest] == ["2", "2"]
    windowed, _ = read(tmp_path, slices="largest", view="window=100:200", **NUMBERS)
    assert windowed[0].images[0].endswith("#axis=2&index=2&window=100:200")
    assert len(read(tmp_path, axis=0, **NUMBERS)[0]) == 6 + 2  # x = 2..7 and 10..11


def test_a_volume_and_its_mask_are_on_the_same_voxels(tmp_path: Path) -> None:
    values = np.zeros((20, 16, 5), np.uint8)
    values[2:6, 4:8, 1] = 1
    volume(tmp_path, values, RAS, "mine/images/ct_0000.nii.gz")
    # The same voxels, stored the other way round: mirrored in both axes, the first at the other corner.
    turned = LPS.copy()
    turned[:2, 3] = 19, 30
    volume(tmp_path, values[::-1, ::-1].copy(), turned, "mine/masks/ct.nii")
    [sample], _ = read(tmp_path, phrase="mass")
    # Seen from the feet: x runs to the patient's left, y to the back: 20 - 6 and 16 - 8.
    [box] = sample.boxes
    assert (box.x0 * 20, box.x1 * 20, box.y0 * 16, box.y1 * 16) == pytest.approx((14, 18, 8, 12))
    # The same as SimpleITK writes it, whose millimetres run the other way.
    import SimpleITK

    (tmp_path / "mine/masks/ct.nii").rename(tmp_path / "ct.nii")
    for ending in (".mha", ".nrrd"):
        other = tmp_path / f"mine/masks/ct{ending}"
        SimpleITK.WriteImage(SimpleITK.ReadImage(tmp_path / "ct.nii"), other)
        [same], _ = read(tmp_path, phrase="mass")
        # All but the file's name: also the pixels that are kept.
        assert [mask.digest for mask in same.masks] == [mask.digest for mask in sample.masks]
        assert same.model_copy(update={"masks": sample.masks}) == sample
        other.unlink()
    moved = RAS.copy()
    moved[0, 3] = 4
    for made, words in (
        ((values, moved), "lies elsewhere in the body"),
        ((values[:, :, :4].copy(), RAS), r"20 x 16 x 4 slices, the volume 20 x 16 x 5"),
        ((np.repeat(values[..., None], 2, 3), RAS), "4 dimensions"),
    ):
        volume(tmp_path, *made, "mine/masks/ct.nii")
        with pytest.raises(DataError, match=f"(?s){words}"):
            read(tmp_path, phrase="mass")
    (tmp_path / "mine/masks/ct.nii").unlink()
    put(tmp_path, {"mine/masks/ct.png": two_labels()})
    with pytest.raises(DataError, match="is a volume"):
        read(tmp_path, **NUMBERS)


def test_what_no_mask_holds_may_be_asked_for(tmp_path: Path) -> None:
    mass = two_labels(rib=0)
    put(
        tmp_path,
        {
            "mine/images/0.png": None, "mine/masks/0.png": mass, "mine/images/1.png": None,
            "mine/masks/1.png": np.zeros_like(mass), "mine/images/2.png": None,
        },
    )  # fmt: skip
    drawn, left = read(tmp_path, **NUMBERS)
    assert left == ["an image with an empty mask", "an image without a mask"]
    samples, left = read(tmp_path, without="images", view="window=lung", **NUMBERS)
    assert [s.id for s in samples[:1]] == [s.id for s in drawn]
    assert [(Path(s.images[0]).name, s.question, s.boxes) for s in samples[1:]] == [
        (f"{name}.png#window=lung", label, ()) for name in (1, 2) for label in ("mass", "rib")
    ]
    assert left == []
    samples, _ = read(tmp_path, without="categories", **NUMBERS)
    absent = [(Path(s.images[0]).name, s.question) for s in samples if not s.boxes]
    assert absent == [
        ("0.png", "rib"), ("1.png", "mass"), ("1.png", "rib"), ("2.png", "mass"), ("2.png", "rib"),
    ]  # fmt: skip


def test_a_part_too_small_is_there_all_the_same(tmp_path: Path) -> None:
    put(tmp_path, {"mine/images/0.png": None, "mine/masks/0.png": two_labels()})
    samples, left = read(tmp_path, without="categories", least=5000, **NUMBERS)  # the rib has 50 x 40
    assert [(s.question, len(s.boxes)) for s in samples] == [("mass", 1)]
    assert left == ["a part of fewer than 5000 pixels"]


def test_slices_that_a_mask_touches_are_asked_about(tmp_path: Path) -> None:
    values = np.zeros((6, 5, 4), np.uint8)
    values[1:3, 1:3, 1] = 1
    values[1:4, 1:4, 2] = 1
    values[4, 4, 2] = 2
    volume(tmp_path, np.ones((6, 5, 4), np.int16), RAS, "mine/images/0.nii.gz")
    volume(tmp_path, values, RAS, "mine/masks/0.nii.gz")
    samples, _ = read(tmp_path, without="categories", **NUMBERS)
    asked = {(s.images[0].rpartition("index=")[2], s.question): len(s.boxes) for s in samples}
    assert asked == {("1", "mass"): 1, ("1", "rib"): 0, ("2", "mass"): 1, ("2", "rib"): 1}
    # Of each label the largest slice alone: both in the same, and neither is absent there.
    samples, _ = read(tmp_path, without="categories", slices="largest", **NUMBERS)
    assert [(s.question, len(s.boxes)) for s in samples] == [("mass", 1), ("rib", 1)]
