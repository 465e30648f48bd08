"""A mask in a column of a table: files, pictures, polygons, run lengths as their publishers decode them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco
from tests.datasets.made_parquet import write_parquet

from pefomed.annotations.sample_masks import read_mask
from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.evaluation import evaluate_run
from pefomed.outside.options import AnswerTable
from pefomed.outside.run import outside_run
from pefomed.recipe import Dataset
from pefomed.schema import Sample

WIDTH, HEIGHT = 12, 8
SHAPE = np.zeros((HEIGHT, WIDTH), bool)
SHAPE[1:6, 1:3] = True
SHAPE[4:6, 3] = True
BOX = (1 / 12, 1 / 8, 4 / 12, 6 / 8)
L_CORNERS = [1, 1, 3, 1, 3, 4, 4, 4, 4, 6, 1, 6]


def png(mask: Any) -> bytes:
    opened = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(opened, format="PNG")
    return opened.getvalue()


def code(mask: Any = SHAPE) -> dict[str, Any]:
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": packed["size"], "counts": packed["counts"].decode()}


def mask2rle(img: Any, width: int, height: int) -> str:
    """SIIM-ACR's own `mask_functions.py`: gap and length of each run, of the transposed matrix.

    (It forgets the last run of a mask that reaches the last pixel; these do not.)
    """
    rle = []
    lastColor = 0
    currentPixel = 0
    runStart = -1
    runLength = 0
    for x in range(width):
        for y in range(height):
            currentColor = img[x][y]
            if currentColor != lastColor:
                if currentColor == 255:
                    runStart = currentPixel
                    runLength = 1
                else:
                    rle.append(str(runStart))
                    rle.append(str(runLength))
                    runStart = -1
                    runLength = 0
                    currentPixel = 0
            elif runStart > -1:
                runLength += 1
            lastColor = currentColor
            currentPixel += 1
    return " ".join(rle)


def kaggle(mask: Any) -> str:
    """The usual function of Kaggle's notebooks: the first pixel from 1 and the length, down the columns."""
    pixels = np.concatenate([[0], mask.T.flatten(), [0]])
    runs = np.where(pixels[1:] != pixels[:-1])[0] + 1
    runs[1::2] -= runs[::2]
    return " ".join(map(str, runs))


def read(folder: Path, rows: list[dict[str, Any]], **boxes: Any) -> list[Sample]:
    options = {"columns": {"question": "finding"}, "boxes": {"mask": "mask", **boxes}}
    for n in range(3):
        Image.new("L", (WIDTH, HEIGHT), n).save(folder / f"{n}.png")
    rows = [{"image": "0.png", "finding": "mass", **row} for row in rows]
    if any(not isinstance(row["mask"], str) for row in rows):
        (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        path = "t.jsonl"
    else:
        with (folder / "t.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        path = "t.csv"
    return load_samples(Dataset(loader="table", root=path, options=options), "train", folder)


def held(sample: Sample) -> Any:
    return np.any([read_mask(mask) for mask in sample.masks], axis=0)


def corners(sample: Sample) -> list[tuple[float, ...]]:
    return [(box.x0, box.y0, box.x1, box.y1) for box in sample.boxes]


@pytest.mark.parametrize(
    ("mask", "options"),
    [
        ("masks/a.png", {}),
        (code(), {}),
        (json.dumps(code()), {}),
        ({"size": [HEIGHT, WIDTH], "counts": [9, 5, 3, 5, 6, 2, 66]}, {}),
        ([L_CORNERS], {}),
        (json.dumps([L_CORNERS]), {}),
        (L_CORNERS, {}),
        (mask2rle(SHAPE.T * 255, WIDTH, HEIGHT), {"runs": "gaps"}),
        (kaggle(SHAPE), {"runs": "starts"}),
        (kaggle(SHAPE.T), {"runs": "starts across"}),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_every_way_to_write_a_mask(tmp_path: Path, mask: Any, options: dict[str, Any], beside: bool) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(png(SHAPE))
    own = {"columns": ["b"], "form": "xywh", "unit": "pixel"} if beside else {}
    [sample] = read(tmp_path, [{"mask": mask, "b": "1 1 2 3"}], **options, **own)
    assert (held(sample) == SHAPE).all()
    assert corners(sample) == ([(1 / 12, 1 / 8, 3 / 12, 4 / 8)] if beside else [BOX])


def test_the_known_numbers_of_siim() -> None:
    # 9 outside, 5 inside; 3, 5; 6, 2.
    assert mask2rle(SHAPE.T * 255, WIDTH, HEIGHT) == "9 5 3 5 6 2"


def test_siim_as_it_is_published(tmp_path: Path) -> None:
    # Two runs of one picture in two rows, one without, and the file's own header with a space in front.
    (tmp_path / "t.csv").write_text("ImageId, EncodedPixels\n0, 9 5 3 5\n0, 28 2\n1, -1\n")
    for n in range(2):
        Image.new("L", (WIDTH, HEIGHT), n).save(tmp_path / f"{n}.png")
    options = {
        "columns": {"image": "{ImageId}.png", "question": {"constant": "pneumothorax"}},
        "boxes": {"mask": "EncodedPixels", "runs": "gaps", "without": "absent"},
    }
    found = load_samples(Dataset(loader="table", root="t.csv", options=options), "train", tmp_path)
    assert [corners(sample) for sample in found] == [
        [(1 / 12, 1 / 8, 3 / 12, 6 / 8), (3 / 12, 4 / 8, 4 / 12, 6 / 8)],
        [],
    ]
    assert (held(found[0]) == SHAPE).all()
    assert found[1].masks == ()


def test_parts_of_one_mask(tmp_path: Path) -> None:
    two = np.zeros((HEIGHT, WIDTH), bool)
    two[0:2, 0:3] = two[5:8, 9:12] = True
    [whole] = read(tmp_path, [{"mask": code(two)}])
    [parts] = read(tmp_path, [{"mask": code(two)}], parts="component")
    assert corners(whole) == [(0, 0, 1, 1)]
    assert corners(parts) == [(0, 0, 3 / 12, 2 / 8), (9 / 12, 5 / 8, 1, 1)]
    assert (held(parts) == two).all()


def test_a_soft_mask_and_one_of_labels(tmp_path: Path) -> None:
    Image.fromarray((SHAPE * 200 + ~SHAPE * 20).astype(np.uint8)).save(tmp_path / "soft.png")
    with pytest.raises(DataError, match=r"one value beside 0") as error:
        read(tmp_path, [{"mask": "soft.png"}])
    assert "`boxes.threshold`" in str(error.value)
    [sample] = read(tmp_path, [{"mask": "soft.png"}], threshold=128)
    assert (held(sample) == SHAPE).all()


@pytest.mark.parametrize("nothing", ["", "-1", "empty.png", [], {"size": [HEIGHT, WIDTH], "counts": [96]}])
def test_no_mask_is_an_error_or_an_answer(tmp_path: Path, nothing: Any) -> None:
    (tmp_path / "empty.png").write_bytes(png(SHAPE & False))
    with pytest.raises(DataError, match=r"without boxes"):
        read(tmp_path, [{"mask": nothing}])
    [sample] = read(tmp_path, [{"mask": nothing}], without="absent")
    assert (sample.boxes, sample.masks, sample.size) == ((), (), (WIDTH, HEIGHT))


@pytest.mark.parametrize(
    ("mask", "options", "words"),
    [
        ("9 5 3 5", {}, "`boxes.runs`"),
        ("9 5 3", {"runs": "gaps"}, "in pairs"),
        ("9 5 300 5", {"runs": "gaps"}, "do not fit its image"),
        ("9 5 11 5", {"runs": "starts"}, "overlap"),
        ("0 5", {"runs": "starts"}, "do not fit its image"),
        ("../out.png", {}, "inside"),
        ("small.png", {}, "not as large as its image"),
        ({"size": [4, 4], "counts": [3, 13]}, {}, "not as large as its image"),
        ('{"size": [8, 12]', {}, "no JSON"),
        ("gone.png", {}, "gone.png"),
        ([[1, 1, 2]], {}, "even number"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, mask: Any, options: dict[str, Any], words: str) -> None:
    from pefomed.errors import PefomedError

    (tmp_path / "small.png").write_bytes(png(SHAPE[:4, :6]))
    with pytest.raises(PefomedError) as error:
        read(tmp_path, [{"mask": mask}], **options)
    assert words in str(error.value)


def test_lists_of_masks_beside_lists_of_phrases_and_pictures_in_parquet(tmp_path: Path) -> None:
    other = ~SHAPE
    buffer = io.BytesIO()
    Image.new("L", (WIDTH, HEIGHT)).save(buffer, format="PNG")
    rows = [
        {"image": "0.png", "objects": {"category": ["mass", "rest"], "segmentation": [code(), code(other)]}}
    ]
    (tmp_path / "t.jsonl").write_text(json.dumps(rows[0]) + "\n")
    Image.new("L", (WIDTH, HEIGHT)).save(tmp_path / "0.png")
    options = {"columns": {"question": "objects.category"}, "boxes": {"mask": "objects.segmentation"}}
    both = load_samples(Dataset(loader="table", root="t.jsonl", options=options), "train", tmp_path)
    assert [(each.question, held(each).tolist()) for each in both] == [
        ("mass", SHAPE.tolist()),
        ("rest", other.tolist()),
    ]
    hub = [
        {"image": {"bytes": buffer.getvalue(), "path": None}, "label": {"bytes": png(SHAPE), "path": None}}
    ]
    write_parquet(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", hub)
    options = {"columns": {"question": {"constant": "mass"}}, "boxes": {"mask": "label"}}
    [sample] = load_samples(Dataset(loader="hugging_face", root="hub", options=options), "train", tmp_path)
    assert (held(sample) == SHAPE).all()
    assert corners(sample) == [BOX]


def test_somebody_elses_boxes_and_masks_against_the_mask(tmp_path: Path) -> None:
    for n in range(2):
        Image.new("L", (WIDTH, HEIGHT), n).save(tmp_path / f"{n}.png")
    (tmp_path / "a.png").write_bytes(png(SHAPE))
    (tmp_path / "p.png").write_bytes(png(np.ones((HEIGHT, WIDTH), bool)))
    text = "image,phrase,mask,p,pm\n0.png,mass,a.png,1 1 4 6,p.png\n1.png,mass,a.png,0 0 12 8,p.png\n"
    (tmp_path / "answers.csv").write_text(text)
    columns = {"question": "phrase"}

    def dice(name: str, **said: Any) -> float:
        how = AnswerTable(columns=columns, task="refer", **said)
        run = outside_run(
            tmp_path / "answers.csv", tmp_path / name, "mine", task="refer", boxes=how.box_table(None)
        )
        [value] = [
            s.value
            for s in evaluate_run(run)
            if (s.system, s.metric, s.group) == ("model", "mask_dice", "overall")
        ]
        return value

    # The mask has 12 pixels, its box 15, the picture 96.
    own, whole = 24 / 27, 24 / 108
    given = {"columns": ["p"], "form": "xyxy", "unit": "pixel"}
    assert dice("one", boxes={"mask": "mask"}, answer_boxes=given) == pytest.approx((own + whole) / 2)
    # An answered mask counts as its box.
    assert dice("two", boxes={"mask": "mask"}, answer_boxes={"mask": "pm"}) == pytest.approx(whole)


def test_ids_are_those_of_the_table_without_masks(tmp_path: Path) -> None:
    own = {"columns": ["b"], "form": "xywh", "unit": "pixel"}
    [masked] = read(tmp_path, [{"mask": code(), "b": "1 1 3 5"}], **own)
    [plain] = read(tmp_path, [{"mask": code(), "b": "1 1 3 5"}], **own, mask=None)
    assert plain.masks == ()
    assert masked.model_copy(update={"masks": ()}) == plain
