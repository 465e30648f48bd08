"""Somebody else's boxes: the floor of the most similar training picture, and several readers of a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.errors import DataError
from pefomed.evaluation import evaluate_run
from pefomed.outside.options import answer_table
from pefomed.outside.run import outside_run

RIGHT = {"columns": ["b"], "form": "xyxy", "unit": "pixel"}
GIVEN = {"columns": ["p"]}
LEFT, RIGHT_HALF, WHOLE, TOP = "0 0 50 100", "50 0 100 100", "0 0 100 100", "0 0 100 50"


def picture(path: Path, kind: str, seed: int = 0) -> None:
    """Bright on the left, on the right, or above, under a little noise."""
    values = np.random.default_rng(seed).normal(60, 8, (100, 100))
    place = {"left": np.s_[:, :50], "right": np.s_[:, 50:], "above": np.s_[:50]}[kind]
    values[place] += 120
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(path)


def scored(folder: Path, text: str, out: str = "run", **more: Any) -> dict[tuple[str, str], float]:
    (folder / "boxes.csv").write_text(text)
    files = {name: folder / more.pop(name) for name in ("references", "train") if name in more}
    said = {"columns": {"question": "phrase"}, "task": "refer", "boxes": RIGHT, "answer_boxes": GIVEN}
    how = answer_table(None, {**said, **more})
    run = outside_run(
        folder / "boxes.csv",
        folder / out,
        "mine",
        task="refer",
        skip=how.skip,
        boxes=how.box_table(None),
        **files,
    )
    return {(s.system, s.metric): s.value for s in evaluate_run(run) if s.group == "overall"}


def test_the_boxes_of_the_most_similar_training_picture(tmp_path: Path) -> None:
    for name, kind, seed in (
        ("c", "left", 1),
        ("d", "right", 2),
        ("e", "above", 3),
        ("a", "left", 4),
        ("b", "right", 5),
    ):
        picture(tmp_path / f"{name}.png", kind, seed)
    # Of masses in training: left in c, above in e; of cysts: the right half in d, which c and e do not have.
    train = f"image,phrase,b\nc.png,mass,{LEFT}\nd.png,cyst,{RIGHT_HALF}\ne.png,mass,{TOP}\n"
    (tmp_path / "train.csv").write_text(train)
    text = f"image,phrase,b,p\na.png,mass,{LEFT},{WHOLE}\nb.png,cyst,{WHOLE},{WHOLE}\n"
    found = scored(tmp_path, text, train="train.csv")
    assert found["model", "iou"] == pytest.approx((0.5 + 1) / 2)
    # a is like c: right. b gets the half of d, the only picture with a cyst.
    assert found["floor:nearest-image", "iou"] == pytest.approx((1 + 0.5) / 2)
    # A phrase that training lacks gets the boxes of the nearest picture, whatever they are of.
    text = f"image,phrase,b,p\nb.png,nodule,{RIGHT_HALF},{WHOLE}\n"
    assert scored(tmp_path, text, "other", train="train.csv")["floor:nearest-image", "iou"] == 1


def test_pictures_that_are_not_there_cost_that_floor_alone(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(f"image,phrase,b,W,H\nc.png,mass,{LEFT},100,100\n")
    sizes = {**RIGHT, "width": "W", "height": "H"}
    text = f"image,phrase,b,p,W,H\na.png,mass,{LEFT},{WHOLE},100,100\n"
    found = scored(tmp_path, text, train="train.csv", boxes=sizes)
    assert found["floor:median-box", "iou"] == 1
    assert ("floor:nearest-image", "iou") not in found
    assert "no floor of the most similar image" in (tmp_path / "run" / "log.jsonl").read_text()


ROWS = [("a.png", "R1", LEFT), ("a.png", "R2", WHOLE), ("b.png", "R2", TOP)]


def two_pictures(folder: Path) -> None:
    for name, kind in (("a", "left"), ("b", "right")):
        picture(folder / f"{name}.png", kind)


def apart(**more: Any) -> dict[str, Any]:
    return {**RIGHT, "reader": "rad_id", "readers": "apart", **more}


def test_readers_of_one_table(tmp_path: Path) -> None:
    two_pictures(tmp_path)
    text = "image,phrase,rad_id,b,p\n" + "".join(f"{i},mass,{r},{b},{LEFT}\n" for i, r, b in ROWS)
    with pytest.raises(DataError, match=r"(?s)several readers.*'rad_id': R1, R2"):
        scored(tmp_path, text)
    found = scored(tmp_path, text, boxes=apart())
    # The left half against the left half, the whole, and the upper half: 1, 1/2, 1/3.
    assert found["model", "iou"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    # a alone has two readers: 1/2 in both directions.
    assert found["ceiling:readers", "iou"] == pytest.approx(1 / 2)
    together = scored(tmp_path, text, "one", boxes={**RIGHT, "reader": ""})
    # Of a both boxes are right: the whole, of which the half was given.
    assert together["model", "iou"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert ("ceiling:readers", "iou") not in together


@pytest.mark.parametrize("own_ids", [True, False])
def test_readers_of_a_file_of_references_get_the_same_answer(tmp_path: Path, own_ids: bool) -> None:
    """One answer a phrase; the references have a row for each reader, under the phrase's id or their own."""
    two_pictures(tmp_path)
    ids = ["1", "2", "3"] if own_ids else ["1", "1", "3"]
    (tmp_path / "truth.csv").write_text(
        "id,image,phrase,rad_id,b\n"
        + "".join(f"{n},{i},mass,{r},{b}\n" for n, (i, r, b) in zip(ids, ROWS, strict=True))
    )
    given = "id,p\n" + "".join(f"{n},{LEFT}\n" for n in dict.fromkeys(ids))
    found = scored(tmp_path, given, boxes=apart(), references="truth.csv")
    assert found["model", "iou"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert found["ceiling:readers", "iou"] == pytest.approx(1 / 2)


def test_one_id_for_all_readers_of_a_phrase_in_one_table(tmp_path: Path) -> None:
    two_pictures(tmp_path)
    ids = ["1", "1", "3"]
    text = "id,image,phrase,rad_id,b,p\n" + "".join(
        f"{n},{i},mass,{r},{b},{LEFT}\n" for n, (i, r, b) in zip(ids, ROWS, strict=True)
    )
    found = scored(tmp_path, text, boxes=apart())
    assert found["model", "iou"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert found["ceiling:readers", "iou"] == pytest.approx(1 / 2)


def test_readers_and_masks(tmp_path: Path) -> None:
    two_pictures(tmp_path)
    rows = []
    for name, reader, box in ROWS:
        x0, y0, x1, y1 = map(int, box.split())
        rows.append(
            {
                "image": name,
                "phrase": "mass",
                "rad_id": reader,
                "p": LEFT,
                "m": [[x0, y0, x1, y0, x1, y1, x0, y1]],
            }
        )
    (tmp_path / "boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    how = answer_table(None, {
        "columns": {"question": "phrase"}, "task": "refer", "answer_boxes": {**RIGHT, **GIVEN},
        "boxes": {"mask": "m", "reader": "rad_id", "readers": "apart"},
    })  # fmt: skip
    run = outside_run(
        tmp_path / "boxes.jsonl", tmp_path / "run", "mine", task="refer", boxes=how.box_table(None)
    )
    found = {(s.system, s.metric): s.value for s in evaluate_run(run) if s.group == "overall"}
    # Dice of halves: 1, 2/3, 1/2; of a's two readers 2/3 in both directions.
    assert found["model", "mask_dice"] == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert found["ceiling:readers", "mask_dice"] == pytest.approx(2 / 3)


def test_answers_that_say_whose_they_are(tmp_path: Path) -> None:
    two_pictures(tmp_path)
    (tmp_path / "truth.csv").write_text(
        "id,image,phrase,rad_id,b\n" + "".join(f"{i},{i},mass,{r},{b}\n" for i, r, b in ROWS)
    )
    given = "id,rad_id,p\n" + "".join(f"{i},{r},{b}\n" for i, r, b in ROWS)
    assert scored(tmp_path, given, boxes=apart(), references="truth.csv")["model", "iou"] == 1


def test_a_box_given_twice_beside_phrases_without_is_one_box(tmp_path: Path) -> None:
    two_pictures(tmp_path)
    text = f"image,phrase,b,p\na.png,mass,{LEFT},{LEFT}\na.png,mass,{LEFT},{LEFT}\nb.png,mass,,\n"
    found = scored(tmp_path, text, boxes={**RIGHT, "without": "absent"})
    assert found["model", "iou"] == 1
