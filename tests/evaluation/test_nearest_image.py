"""The floor that copies the boxes of the most similar training image."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pefomed.boxes.region import iou
from pefomed.datasets import load_samples
from pefomed.errors import ImageError
from pefomed.floors.nearest_image import nearest_image, thumbnails
from pefomed.metrics.phrase_items import PhraseItem, items_of
from pefomed.recipe import Dataset
from pefomed.schema import Box

LEFT, RIGHT = Box(x0=0.0, y0=0.0, x1=0.5, y1=1.0), Box(x0=0.5, y0=0.0, x1=1.0, y1=1.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def item(category: str, *boxes: Box) -> PhraseItem:
    return PhraseItem(0, category, 0, boxes, {"category": category})


def test_it_gives_the_boxes_of_the_category_in_the_likest_image() -> None:
    training = [item("Lung", LEFT), item("lung", RIGHT), item("Heart", LEFT, RIGHT), item("Liver", LEFT)]
    known = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [1.0, 0.0]])
    seen = np.array([[0.0, 1.0], [0.8, 0.6], [0.0, 1.0], [0.96, 0.28], [0.5, 0.5]])
    asked = [item("LUNG"), item("Lung"), item("Liver"), item("Bladder"), item("Bladder")]
    found = nearest_image(training, known, asked, seen)
    # Of the two lungs: by (0, 1) the second is nearer, .8 to 0; by (.8, .6) also, .96 to .8. The one liver
    # whatever the image. Bladders were not trained on: by (.96, .28) image 0 or 3, the earlier; by
    # (.5, .5) image 1, .7 to .5.
    assert found == [(RIGHT,), (RIGHT,), (LEFT,), (LEFT,), (RIGHT,)]
    assert nearest_image(training, known, [item("heart")], seen[:1]) == [(LEFT, RIGHT)]


def test_brightness_and_contrast_do_not_matter(tmp_path: Path) -> None:
    paths = []
    ramp = np.linspace(0, 100, 64)
    for name, values in (
        ("ramp", np.tile(ramp, (64, 1))),
        ("brighter", np.tile(60 + 1.5 * ramp, (64, 1))),
        ("upright", np.tile(ramp[:, None], (1, 64))),
        ("inverse", np.tile(100 - ramp, (64, 1))),
        ("flat", np.full((64, 64), 40.0)),
    ):
        paths.append(str(tmp_path / f"{name}.png"))
        Image.fromarray(values.astype(np.uint8)).save(paths[-1])
    found = thumbnails(paths)
    likeness = found @ found.T
    assert likeness[0] == pytest.approx([1, 1, 0, -1, 0], abs=0.01)
    assert likeness[4] == pytest.approx([0] * 5)


def test_an_image_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no image at .*gone\.png"):
        thumbnails([str(tmp_path / "gone.png")])


@pytest.mark.skipif("PEFOMED_DATA" not in os.environ, reason="needs PEFOMED_DATA with slake")
def test_slake() -> None:
    """Half of the test boxes are in the nearest training picture: neighbouring slices of a scan."""
    dataset = Dataset(loader="slake_boxes", root="slake", options={"boxes": "one"})
    training = [sample for split in ("train", "validate") for sample in load_samples(dataset, split)]
    asked = load_samples(dataset, "test")
    found = nearest_image(
        items_of(training),
        thumbnails([sample.images[0] for sample in training]),
        items_of(asked),
        thumbnails([sample.images[0] for sample in asked]),
    )
    ious = [iou(sample.boxes, boxes) for sample, boxes in zip(asked, found, strict=True)]
    assert len(ious) == 174
    assert np.mean(ious) == pytest.approx(0.561, abs=0.005)
