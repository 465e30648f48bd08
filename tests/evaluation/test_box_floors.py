import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pefomed.boxes import Writing
from pefomed.datasets import load_samples
from pefomed.evaluation import score_boxes
from pefomed.floors.boxes import floors_of, keys_of
from pefomed.metrics.phrase_items import PhraseItem, items_of, written_and_read
from pefomed.recipe import Dataset
from pefomed.schema import Box

needs_data = pytest.mark.skipif("PEFOMED_DATA" not in os.environ, reason="needs PEFOMED_DATA with slake")


def upright(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.0, x1=x1, y1=1.0)


def item(category: str, *boxes: Box, phrase: str = "", **meta: str) -> PhraseItem:
    return PhraseItem(0, phrase or category, 0, boxes, {"category": category, **meta})


def given(training: list[PhraseItem], asked: PhraseItem) -> Mapping[str, Box]:
    return {floor.name.removeprefix("floor:"): floor.boxes[0] for floor in floors_of(training, [asked])}


CT, XRAY = {"modality": "CT"}, {"modality": "X-Ray"}
TRAINING = [
    item("Lung", upright(0.0, 0.1), **CT),
    item("lung", upright(0.1, 0.3), **CT),
    item("Lung", upright(0.5, 0.8), **CT),
    item("Lung", upright(0.6, 0.9), **XRAY),
    item("Heart", upright(0.4, 1.0), **XRAY),
    item("Heart", upright(0.9, 1.0), upright(0.8, 1.0), **XRAY),  # several boxes: not learned from
]


def test_medians_by_hand() -> None:
    # Left edges 0 .1 .4 .5 .6 and right edges .1 .3 .8 .9 1 of all; 0 .1 .5 .6 and .1 .3 .8 .9 of lungs;
    # 0 .1 .5 and .1 .3 .8 of lungs in CT.
    found = given(TRAINING, item("Lung", **CT))
    assert found["whole-image"] == upright(0.0, 1.0)
    assert found["median-box"] == upright(0.4, 0.8)
    assert found["median-box-category"] == pytest.approx(upright(0.3, 0.55))
    assert found["median-box-category-place"] == upright(0.1, 0.3)


def test_what_was_not_trained_on_falls_back() -> None:
    assert given(TRAINING, item("Heart", **CT))["median-box-category-place"] == upright(0.4, 1.0)
    assert given(TRAINING, item("Liver", **CT))["median-box-category-place"] == upright(0.4, 0.8)
    *_, place = floors_of(TRAINING, [item("Lung", **CT), item("Heart", **CT), item("Liver", **CT)])
    assert place.how.endswith("of 5 training phrases with one box; 2 of 3 fall back to a coarser key")


def test_side_and_zone_of_the_phrase_or_the_meta_values() -> None:
    asked = item("Opacity", phrase="opacity in the left lower lobe", modality="X-Ray")
    fine, no_zone, place, category, everything = keys_of(asked)
    assert fine == ("opacity", "x-ray", "", "left", "lower")
    assert (no_zone, place, category, everything) == (fine[:4], fine[:3], fine[:1], ())
    told = item("Opacity", phrase="opacity in the left lower lobe", side="Right", zone="upper")
    assert keys_of(told)[0] == ("opacity", "", "", "right", "upper")
    right, left = upright(0.0, 0.4), upright(0.6, 1.0)
    sides = [item("Opacity", right, phrase="on the right"), item("Opacity", left, phrase="on the left")]
    found = given(sides, item("Opacity", phrase="left-sided opacity"))
    assert found["median-box-category-place"] == left


def test_without_a_phrase_of_one_box_only_the_whole_image() -> None:
    assert list(given(TRAINING[-1:], item("Lung"))) == ["whole-image"]
    assert list(given([], item("Lung"))) == ["whole-image"]


@needs_data
def test_the_floors_and_ceilings_of_slake() -> None:
    """Median box, per label, and per label + modality + location: .053, .300, .339 and 33.3 % at best."""
    data, dataset = Path(os.environ["PEFOMED_DATA"]), Dataset(loader="slake_boxes", root="slake")
    training = [sample for split in ("train", "validate") for sample in load_samples(dataset, split, data)]
    samples = [sample for sample in load_samples(dataset, "test", data) if len(sample.boxes) == 1]
    items = items_of(samples)
    references = [one.boxes for one in items]
    assert len(items) == 174

    def mean(predictions: list[list[Box]], metric: str = "iou") -> float:
        scores = score_boxes(references, predictions, draws=0)
        return next(score.value for score in scores if score.metric == metric)

    found = {floor.name: [[box] for box in floor.boxes] for floor in floors_of(items_of(training), items)}
    means = [mean(boxes) for boxes in found.values()]
    assert means == pytest.approx([0.036, 0.053, 0.300, 0.339], abs=0.0006)
    assert mean(found["floor:median-box-category-place"], "acc_0.5") == 58 / 174  # 33.3 %
    # The whole image has the IoU of the box's share of it.
    areas = [(box.x1 - box.x0) * (box.y1 - box.y0) for [box] in references]
    assert mean(found["floor:whole-image"]) == pytest.approx(np.mean(areas))
    # Its boxes are smaller than those of the published ceilings, .959 of 100 bins and .996 of 1000.
    read = written_and_read(items, samples, Writing())
    assert mean([list(answer.boxes) for answer in read]) == pytest.approx(0.882, abs=0.0006)
