"""Samples told apart by whether their images were trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pefomed.evaluation.seen_images import ALIKE, NEW, SAME, seen_images
from pefomed.schema import Sample


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def picture(path: Path, seed: int, brighter: int = 0) -> str:
    small = np.random.default_rng(seed).integers(0, 200, (8, 8)).astype(np.uint8)
    image = Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC)
    Image.fromarray(np.asarray(image) + np.uint8(brighter)).save(path)
    return str(path)


def sample(name: str, *images: str) -> Sample:
    return Sample(id=name, images=images, task="vqa", question="?", reference="yes")


def test_same_alike_and_new(tmp_path: Path) -> None:
    trained = picture(tmp_path / "trained.png", 1)
    copy = picture(tmp_path / "copy.bmp", 1)  # other bytes, the same picture
    brighter = picture(tmp_path / "brighter.png", 1, brighter=20)
    other = picture(tmp_path / "other.png", 2)
    asked = [
        sample("copy", copy), sample("brighter", brighter), sample("other", other),
        sample("two views", other, brighter), sample("gone", str(tmp_path / "gone.png")),
    ]  # fmt: skip
    assert seen_images([sample("t", trained)], asked) == {
        "copy": SAME, "brighter": ALIKE, "other": NEW, "two views": ALIKE,
    }  # fmt: skip
    assert set(seen_images([], asked[:3]).values()) == {NEW}
