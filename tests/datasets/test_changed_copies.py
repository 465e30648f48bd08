"""Parts and changes of images: the pixels, the boxes in them, and the copies that training makes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pefomed.datasets.changed_copies import changed_copies, cropped_copies, original
from pefomed.errors import ImageError, RecipeError
from pefomed.images.crop import Crop, crop_of
from pefomed.images.images import content_hash, image_size, open_image
from pefomed.recipe import Changes
from pefomed.schema import Box, Sample


def _picture(folder: Path, name: str = "a.png") -> Path:
    # 40 x 20 with a white block at x 10..20, y 5..15.
    pixels = np.zeros((20, 40), dtype=np.uint8)
    pixels[5:15, 10:20] = 255
    path = folder / name
    Image.fromarray(pixels).save(path)
    return path


BLOCK = Box(x0=0.25, y0=0.25, x1=0.5, y1=0.75)


def test_a_path_may_name_a_part(tmp_path: Path) -> None:
    path = f"{_picture(tmp_path)}#crop=0.25:0:1.25:0.5"
    image = open_image(path)
    assert image.size == image_size(path) == (40, 10)
    pixels = np.asarray(image)[..., 0]
    # The block now begins at the left edge, y 5; beyond the old right edge (x 30) it is black.
    assert pixels[5:, :10].min() == 255
    assert pixels[:, 10:].max() == 0
    assert content_hash(path) != content_hash(tmp_path / "a.png")


def test_a_box_lies_where_its_pixels_lie(tmp_path: Path) -> None:
    crop = crop_of("-0.1:0.1:0.6:1.2")
    box = crop.box(BLOCK, (40, 20), least=0.8)
    assert box is not None
    pixels = np.asarray(crop.of(open_image(_picture(tmp_path))))[..., 0] == 255
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    height, width = pixels.shape
    assert (box.x0 * width, box.x1 * width) == pytest.approx((columns[0], columns[-1] + 1))
    assert (box.y0 * height, box.y1 * height) == pytest.approx((rows[0], rows[-1] + 1))


def test_a_box_cut_too_far_is_none() -> None:
    # From x = 0.3 on, 0.2 of the block's 0.25 is left: 80 %.
    assert Crop(0.3, 0.0, 1.0, 1.0).box(BLOCK, (40, 20), least=0.79) is not None
    assert Crop(0.3, 0.0, 1.0, 1.0).box(BLOCK, (40, 20), least=0.81) is None
    assert Crop(0.6, 0.0, 1.0, 1.0).box(BLOCK, (40, 20), least=0.0) is None


@pytest.mark.parametrize("text", ["", "0:0:1", "0:0:nan:1", "0.5:0:0.5:1", "0:0:9:1", "1:0:2:1", "0:-3:1:1"])
def test_what_is_no_part_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ImageError, match="left:top:right:bottom"):
        open_image(f"{_picture(tmp_path)}#crop={text or 'x'}")


@given(st.integers(0, 50), st.floats(0.01, 0.45))
def test_copies_share_their_images_crops_and_stay_within_reach(seed: int, reach: float) -> None:
    samples = [
        Sample(id=name, images=("scans/a.png",), task="refer", question=name, boxes=(BLOCK,), size=(400, 200))
        for name in ("one", "two")
    ]
    copies = list(cropped_copies(samples, 3, reach, seed))
    assert copies == list(cropped_copies(samples, 3, reach, seed))
    by_image: dict[str, set[str]] = {}
    for copy in copies:
        by_image.setdefault(copy.images[0], set()).add(copy.question)
        left, top, right, bottom = map(float, copy.images[0].split("crop=")[1].split(":"))
        assert max(abs(left), abs(top), abs(right - 1), abs(bottom - 1)) <= reach + 1e-4
        assert copy.size == crop_of(copy.images[0].split("crop=")[1]).size((400, 200))
    assert all(asked == {"one", "two"} for asked in by_image.values())
    assert len(by_image) <= 3
    assert len({copy.id for copy in copies}) == len(copies)


def test_only_samples_with_boxes_have_copies() -> None:
    question = Sample(id="q", images=("a.png",), task="vqa", question="Is it?", reference="yes")
    assert list(cropped_copies([question], 4, 0.1, 0)) == []


def _pixels(path: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(open_image(path))[..., 0]


def test_a_path_may_name_a_change(tmp_path: Path) -> None:
    path = _picture(tmp_path)
    # The block of x 10..20 is now at 20..30 of 40.
    mirrored = _pixels(f"{path}#flip=x")
    assert (mirrored == _pixels(str(path))[:, ::-1]).all()
    assert mirrored[5:15, 20:30].min() == 255
    # 0.4 of 40 and 0.25 of 20: of the block y 5..10 and x 16..20 stay.
    hidden = _pixels(f"{path}#border=0.4:0:0:0.5")
    rows, columns = np.nonzero(hidden)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 9, 16, 19)
    Image.new("L", (4, 4), 64).save(tmp_path / "grey.png")
    # 255 (64 / 255)^0.5 = 127.7
    assert set(_pixels(f"{tmp_path / 'grey.png'}#gamma=0.5").flat) == {128}
    assert image_size(f"{path}#crop=0:0:0.5:1&gamma=2&flip=x") == (20, 20)
    # A crop is done first: the block's left half, mirrored.
    assert np.flatnonzero(_pixels(f"{path}#crop=0:0:0.375:1&flip=x").any(0)).tolist() == list(range(5))
    assert (
        len({content_hash(f"{path}{view}") for view in ("", "#flip=x", "#gamma=2", "#border=0:0:0:0.5")}) == 4
    )


@pytest.mark.parametrize(
    "view",
    [
        "flip=y",
        "flip=",
        "gamma=0",
        "gamma=nan",
        "gamma=10",
        "border=0.5:0:0.5:0",
        "border=0:0:0",
        "gamma=1&gamma=2",
    ],
)
def test_what_is_no_change_is_an_error(tmp_path: Path, view: str) -> None:
    with pytest.raises(ImageError):
        open_image(f"{_picture(tmp_path)}#{view}")


@given(
    st.integers(0, 200), st.sampled_from([0.0, 0.1]), st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 0.3]), st.sampled_from([0.0, 1.0]),
)  # fmt: skip
def test_boxes_lie_where_their_pixels_lie(
    seed: int, crop: float, scale: float, border: float, flip: float
) -> None:
    """The white block is the box: what is white in the changed picture is what the box goes around."""
    if not (crop or scale or border or flip):
        return
    with tempfile.TemporaryDirectory() as folder:
        pixels = np.zeros((200, 400), dtype=np.uint8)
        pixels[50:150, 100:200] = 255
        path = Path(folder) / "a.png"
        Image.fromarray(pixels).save(path)
        sample = Sample(
            id="s", images=(str(path),), task="refer", question="left block", boxes=(BLOCK,), size=(400, 200)
        )
        changes = Changes(copies=2, crop=crop, scale=scale, border=border, flip=flip, contrast=0.5)
        for copy in changed_copies([sample], changes, seed):
            white = _pixels(copy.images[0]) == 255
            height, width = white.shape
            assert copy.size == (width, height)
            [box] = copy.boxes
            rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
            assert (box.x0 * width, box.x1 * width) == pytest.approx((columns[0], columns[-1] + 1), abs=1e-6)
            assert (box.y0 * height, box.y1 * height) == pytest.approx((rows[0], rows[-1] + 1), abs=1e-6)
            assert copy.question == ("right block" if flip else "left block")
            assert original(copy.images[0]) == str(path)


def _asked(question: str, answer: str) -> Sample:
    return Sample(id=question, images=("scans/a.png",), task="vqa", question=question, reference=answer)


def test_mirrored_questions_have_sides_exchanged(tmp_path: Path) -> None:
    questions = [
        _asked("Which lung is abnormal, left or right?", "Left Lung, Lower Right"),
        _asked("Is there cardiomegaly?", "Yes"),
        _asked("Is the RUL affected?", "Yes"),
        _asked("\u80ba\u5728\u54ea", "\u5de6"),
    ]
    placed = [sample.model_copy(update={"size": (40, 20)}) for sample in questions]
    copies = list(changed_copies(placed, Changes(copies=1, flip=1), 0))
    assert [(copy.question, copy.reference) for copy in copies] == [
        ("Which lung is abnormal, right or left?", "Right Lung, Lower Left"),
        ("Is there cardiomegaly?", "Yes"),
    ]
    assert {copy.images for copy in copies} == {("scans/a.png#flip=x",)}
    assert [copy.id for copy in copies] == [f"{sample.id}+copy1" for sample in questions[:2]]


def test_a_height_is_not_asked_of_a_cropped_copy() -> None:
    samples = [
        sample.model_copy(update={"size": (40, 20)})
        for sample in (_asked("Where is it?", "Upper Left"), _asked("Where is it?", "Left"))
    ]
    assert [c.reference for c in changed_copies(samples, Changes(copies=1, crop=0.1), 0)] == ["Left"]
    assert len(list(changed_copies(samples, Changes(copies=1, contrast=0.5), 0))) == 2


def test_copies_of_nothing_are_an_error_and_copies_are_drawn_by_the_seed() -> None:
    sample = _asked("q?", "a").model_copy(update={"size": (40, 20)})
    halves: tuple[tuple[dict[str, Any], str], ...] = (
        ({"copies": 1}, "nothing is to be changed"),
        ({"flip": 0.5}, "there are none"),
    )
    for half, told in halves:
        with pytest.raises(RecipeError, match=told):
            Changes(**half)
    assert list(changed_copies([sample], Changes(), 0)) == []
    changes = Changes(copies=40, flip=0.5, contrast=0.3)
    views = [copy.images[0] for copy in changed_copies([sample], changes, 1)]
    assert views == [copy.images[0] for copy in changed_copies([sample], changes, 1)]
    assert views != [copy.images[0] for copy in changed_copies([sample], changes, 2)]
    # Of 40 with a chance of one half: fewer than 8 or more than 32 come once in 20,000 seeds.
    assert 8 <= sum("flip" in view for view in views) <= 32
    # A picture that is a part already cannot be said to be another part.
    part = sample.model_copy(update={"images": ("a.png#crop=0:0:0.5:1",)})
    assert list(changed_copies([part], changes, 1)) == []
