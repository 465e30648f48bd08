from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pefomed.datasets import load_samples
from pefomed.errors import ImageError
from pefomed.images.addresses import address, with_view
from pefomed.images.images import content_hash, image_size, open_image
from pefomed.recipe import Dataset


def test_what_stands_behind_the_hash() -> None:
    found = address("a/b.dcm#frame=3&window=lung")
    assert (found.file, found.frame, str(found.window)) == (Path("a/b.dcm"), 3, "lung")
    assert address("a/b.dcm#window=lung&frame=3").view == found.view == "frame=3&window=lung"
    assert address("v.nii.gz#axis=2&index=40").index == 40
    assert address("a/b#1/c.png").file == Path("a/b#1/c.png")
    assert address("a/b#x=1/c.png").file == Path("a/b#x=1/c.png")
    assert address("a.png").view == ""


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("frmae=3", "did you mean 'frame'"), ("frame=-1", "whole number"), ("frame=", "whole number"),
        ("axis=3", "0, 1 or 2"), ("frame=1&frame=2", "twice"), ("window=lnug", "did you mean 'lung'"),
        ("frame=99999999999", "whole number"), ("file=x", "there is no 'file'"),
    ],
)  # fmt: skip
def test_a_wrong_view_is_named(view: str, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        address(f"scan.dcm#{view}")
    assert f"scan.dcm#{view}" in str(caught.value)


def test_a_file_that_is_called_so_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png#frame=1"
    Image.new("RGB", (3, 2)).save(path, format="PNG")
    assert open_image(path).size == (3, 2)
    assert with_view(str(path), "window=range") == str(path)


def test_with_view_adds_what_a_path_does_not_say() -> None:
    assert with_view("a.dcm", "window=lung") == "a.dcm#window=lung"
    assert with_view("a.dcm#frame=2", "window=lung") == "a.dcm#frame=2&window=lung"
    assert with_view("a.dcm#window=bone", "window=lung") == "a.dcm#window=bone"
    assert with_view("a.dcm", "") == "a.dcm"


def test_frames_of_tiff_and_gif_have_their_own_content(tmp_path: Path) -> None:
    for name in ("a.tiff", "a.gif"):
        frames = [Image.new("L", (4, 3), level) for level in (10, 200)]
        path = tmp_path / name
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert [np.asarray(open_image(f"{path}{view}")).max() for view in ("", "#frame=0", "#frame=1")] == [
            10,
            10,
            200,
        ]
        assert image_size(f"{path}#frame=1") == (4, 3)
        # The feature cache goes by this hash.
        assert content_hash(f"{path}#frame=1") != content_hash(path)
        with pytest.raises(ImageError, match="no frame 2") as caught:
            open_image(f"{path}#frame=2")
        assert "2 frames" in str(caught.value)


def test_what_a_kind_of_file_does_not_have_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 2)).save(path)
    for view, words in [
        ("frame=1", "one frame"),
        ("index=1", "slices are for NIfTI"),
        ("window=lung", "8 bits"),
    ]:
        with pytest.raises(ImageError, match=words):
            open_image(f"{path}#{view}")


def test_a_window_of_a_deep_png(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 1000, 1100, 1200, 65535]], dtype=np.uint16)).save(path)
    grey = np.asarray(open_image(f"{path}#window=1100:200"))[0, :, 0]
    assert grey.tolist() == [0, 0, 128, 255, 255]  # 127.5 rounds to the even 128
    with pytest.raises(ImageError, match="stores no window"):
        open_image(f"{path}#window=stored:0")


def test_a_recipe_says_the_window_of_a_whole_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,question,answer\na.dcm,q,yes\nb.dcm#window=bone,q,no\n")
    dataset = Dataset(loader="table", root="t.csv", options={"view": "window=lung"})
    images = [sample.images for sample in load_samples(dataset, "train", tmp_path)]
    assert images == [(str(tmp_path / "a.dcm#window=lung"),), (str(tmp_path / "b.dcm#window=bone"),)]
