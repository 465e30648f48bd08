"""Ids of rows without one: they hang on what is asked, not on the row's place or its answer."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from pefomed.datasets import load_samples
from pefomed.recipe import Dataset
from pefomed.schema import Sample

Writer = Callable[..., Path]

ROWS = [
    ("a.png", "Is it left?", "yes"),
    ("a.png", "Is it large?", "no"),
    ("b.png", "Is it left?", "no"),
    ("sub/b.png", "Is it left?", "yes"),
]


def table(folder: Path, rows: list[tuple[str, ...]], name: str = "mine.csv", **options: Any) -> list[Sample]:
    text = "".join(
        ",".join(row) + "\n" for row in [("image", "question", "answer", "split")[: len(rows[0])], *rows]
    )
    (folder / name).write_text(text)
    return load_samples(Dataset(loader="table", root=name, options=options), "train", folder)


def asked(samples: list[Sample]) -> dict[str, tuple[str, str]]:
    return {sample.id: (Path(sample.images[0]).name, sample.question) for sample in samples}


def test_what_the_hash_is_of(tmp_path: Path) -> None:
    [sample] = table(tmp_path, ROWS[:1])
    # Image as written, task, question, no category.
    text = '["a.png","vqa","Is it left?",""]'
    assert sample.id == "mine-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def test_sorted_removed_and_corrected_rows_keep_their_ids(tmp_path: Path) -> None:
    whole = asked(table(tmp_path, ROWS))
    assert len(whole) == 4
    assert asked(table(tmp_path, sorted(ROWS, key=lambda row: row[1]))) == whole
    assert asked(table(tmp_path, ROWS[1:])).items() <= whole.items()
    corrected = table(tmp_path, [("a.png", "Is it left?", "no"), *ROWS[1:]])
    assert asked(corrected) == whole
    assert corrected[0].reference == "no"
    edited = asked(table(tmp_path, [("a.png", "Is it right?", "yes"), *ROWS[1:]]))
    assert len(edited.keys() & whole.keys()) == 3
    assert asked(table(tmp_path, [*ROWS, ("c.png", "Is it?", "no")])).items() >= whole.items()


def test_rows_that_ask_the_same_are_counted_within_their_split(tmp_path: Path) -> None:
    rows = [("a.png", "Is it?", "yes", "train"), ("a.png", "Is it?", "no", "train")]
    first, second = table(tmp_path, rows, columns={"split": "split"})
    assert second.id == f"{first.id}-2"
    test = [("a.png", "Is it?", "yes", "test")]
    again = table(tmp_path, [*test, *rows], columns={"split": "split"})
    assert [sample.id for sample in again] == [first.id, second.id]


def test_rows_of_boxes_keep_their_ids_in_any_order(tmp_path: Path, write_image: Writer) -> None:
    for name in ("a.png", "b.png"):
        write_image(name)
    rows = [
        (image, phrase, kind, str(x), "0", "2", "2")
        for image in ("a.png", "b.png")
        for phrase, kind in (("mass", "one"), ("mass", "two"), ("rib", "one"))
        for x in (0, 3)
    ]
    spec = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel", "category": "kind"}

    def read(rows: list[tuple[str, ...]]) -> dict[str, tuple[Any, ...]]:
        lines = [("image", "phrase", "kind", "x", "y", "w", "h"), *rows]
        (tmp_path / "t.csv").write_text("".join(",".join(line) + "\n" for line in lines))
        options = {"columns": {"question": "phrase"}, "boxes": spec}
        samples = load_samples(Dataset(loader="table", root="t.csv", options=options), "train", tmp_path)
        return {s.id: (Path(s.images[0]).name, s.question, s.meta["category"]) for s in samples}

    whole = read(rows)
    assert len(whole) == 6
    random.Random(0).shuffle(rows)
    assert read(rows) == whole
    assert read([row for row in rows if row[1] != "rib"]).items() <= whole.items()


def test_a_hugging_face_set_keeps_its_ids_in_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    mark = b"\x89PNG\r\n\x1a\n"
    rows = [
        {"image": {"bytes": mark + bytes([n // 2]), "path": "a.png"}, "question": f"q{n % 2}?", "answer": "a"}
        for n in range(6)
    ]

    def read(folder: str, parts: list[list[dict[str, Any]]]) -> dict[str, tuple[str, str]]:
        for number, part in enumerate(parts):
            path = tmp_path / folder / "data" / f"train-{number:05}-of-{len(parts):05}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(part), path)
        return asked(load_samples(Dataset(loader="hugging_face", root=folder), "train", tmp_path))

    whole = read("one", [rows])
    assert len(whole) == 6
    assert read("two", [rows[4:], rows[:4]]) == whole


def test_phrases_of_a_coco_file_keep_their_ids_in_any_order(tmp_path: Path, write_image: Writer) -> None:
    write_image("mine/a.png")
    entries = [{"id": n, "image_id": 1, "category_id": n % 3 + 1, "bbox": [n, 0, 2, 2]} for n in range(6)]

    def read(entries: list[dict[str, Any]]) -> dict[str, str]:
        content = {
            "images": [{"id": 1, "file_name": "a.png", "width": 12, "height": 8}],
            "categories": [{"id": n, "name": name} for n, name in enumerate(("liver", "lung", "rib"), 1)],
            "annotations": entries,
        }
        (tmp_path / "mine" / "train.json").write_text(json.dumps(content))
        samples = load_samples(Dataset(loader="coco", root="mine"), "train", tmp_path)
        return {sample.id: sample.question for sample in samples}

    whole = read(entries)
    assert sorted(whole.values()) == ["liver", "lung", "rib"]
    assert read(entries[::-1]) == whole
    assert read(entries[1::3]).items() <= whole.items()
