"""Tables that are packed, in workbooks or in tar archives; pictures in cells; answers with a mapping."""

from __future__ import annotations

import base64
import bz2
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from fuzz.tables import NUMBERS, ROWS, csvs, json_lines
from fuzz.target import Target, each
from pefomed.datasets import load_samples
from pefomed.outside.options import AnswerTable, answer_table
from pefomed.outside.run import outside_run
from pefomed.proposals import propose
from pefomed.recipe import Dataset

_COLUMNS: dict[str, Any] = {"columns": {"id": "id", "split": "split", "meta": ["organ"]}}
_DEEP: dict[str, Any] = {
    "columns": {
        "id": "about.id", "question": ["about.history", "question"], "answer": {"constant": "a"},
        "image": "images/{about.id}.png", "further": ["more.0"], "meta": ["about.patient"],
    },
    "skip": ["no image", "missing image", "empty answer"],
}  # fmt: skip


def bz2s() -> Sequence[bytes]:
    return [bz2.compress(csvs()[0])]


def xzs() -> Sequence[bytes]:
    return [lzma.compress(csvs()[0])]


def zips() -> Sequence[bytes]:
    """Return archives of one table, and of one beside what systems add."""
    made = []
    for names in (["a.csv"], ["a.csv", "__MACOSX/._a.csv"]):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, csvs()[0])
        made.append(buffer.getvalue())
    return made


def tars() -> Sequence[bytes]:
    """Return WebDatasets: plain and packed, with pictures, texts, JSON and what is left out."""
    made = []
    for mode in ("w", "w:gz", "w:xz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
            for key in ("a/1", "a/2"):
                fields = {"question": "q?", "answer": "a", "split": "train", "id": key}
                for ending, content in {
                    "png": _picture(), "json": json.dumps(fields).encode(), "txt": b"t", "cls": b"3",
                    "pyd": b"\x80\x04.",
                }.items():  # fmt: skip
                    member = tarfile.TarInfo(f"{key}.{ending}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
        made.append(buffer.getvalue())
    return made


def workbooks() -> Sequence[bytes]:
    """Return a workbook of texts, numbers, dates, and two sheets."""
    import datetime

    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append(list(row.values()))
    sheet["M1"], sheet["M2"] = "when", datetime.datetime(2026, 1, 2)
    sheet.merge_cells("A5:B5")
    book.create_sheet("other").append([None, 1.5, True])
    buffer = io.BytesIO()
    book.save(buffer)
    return [buffer.getvalue()]


def cells() -> Sequence[bytes]:
    """Return tables whose pictures stand in the cell: as base64, data URL, list, object with path."""
    text = base64.b64encode(_picture()).decode()
    written = (text, f"data:image/png;base64,{text}", [text, text], {"path": "a.png"}, {"bytes": text})
    rows = [{"id": str(n), "image": each, "question": "q", "answer": "a"} for n, each in enumerate(written)]
    return [json.dumps(row).encode() + b"\n" for row in rows]


def deep() -> Sequence[bytes]:
    """Return rows of objects and lists."""
    row = {"about": {"id": "a", "history": "h", "patient": 3}, "question": "q?", "more": ["b", None]}
    return [json.dumps(row).encode() + b"\n" + json.dumps({**row, "more": [], "about": None}).encode()]


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def _load(*choices: dict[str, Any]) -> Any:
    """Return a reader of a file with each of `choices`; it fails if none of them is right."""

    def read(path: Path) -> None:
        datasets = [Dataset(loader="table", root=path.name, options=options) for options in choices]
        each([str(number) for number in range(len(datasets))], lambda name: load_samples(
            datasets[int(name.name)], "train", path.parent
        ))(path.parent)  # fmt: skip

    return read


def _target(name: str, read: Any, seeds: Any, words: tuple[bytes, ...] = NUMBERS) -> Target:
    return Target((name,), each((name,), read), seeds, words)


def _with_picture(path: Path) -> None:
    (path.parent / "images").mkdir(exist_ok=True)
    for name in ("a.png", "images/a.png"):
        (path.parent / name).write_bytes(_picture())
    _load(_DEEP)(path)


def _picture_beside(path: Path) -> None:
    (path.parent / "a.png").write_bytes(_picture())


def _cells(path: Path) -> None:
    _picture_beside(path)
    _load({"columns": {"id": "id"}}, {"columns": {"id": "id"}, "skip": ["no image"]})(path)


_BOXED = AnswerTable.model_validate({
    "task": "refer", "columns": {"id": "id", "question": "organ"}, "skip": ["missing image", "no image"],
    "boxes": {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "fraction"},
    "answer_boxes": {"columns": ["x", "y", "w", "h"]},
})  # fmt: skip
_NAMED = AnswerTable.model_validate(
    {"columns": {"answer": "answer", "meta": ["organ"]}, "skip": ["no image"]}
)


def _answers(path: Path) -> None:
    def read(name: Path) -> None:
        table = {"boxed": _BOXED, "named": _NAMED}[name.name]
        outside_run(
            path, path.parent / f"run-{name.name}", "d", task=table.task, columns=table.columns,
            skip=table.skip, boxes=table.box_table(None),
        )  # fmt: skip

    each(("boxed", "named"), read)(path.parent)


def _proposed(path: Path) -> None:
    _picture_beside(path)
    propose(path, path.parent)


_MAP = b"""task = "refer"
delimiter = ";"
header = ["a", "b"]
skip = ["no image", { column = "organ", is = "lung" }]
[columns]
id = "about.id"
image = ["images/{id}.png", "b"]
question = { constant = "q?" }
meta = ["organ"]
[boxes]
columns = ["x", "y", "w", "h"]
form = "xywh"
unit = "pixel"
[answer_boxes]
columns = ["u", "v", "w", "h"]
"""

TARGETS = {
    "proposal": Target(
        ("a.csv", "a.jsonl", "a.json"),
        each(("a.csv", "a.jsonl", "a.json"), _proposed),
        lambda: [csvs()[0], json_lines()[1], *deep()],
        NUMBERS,
    ),
    "map": Target(
        ("a.toml",),
        each(("a.toml",), lambda path: answer_table(path, {}).box_table(None)),
        lambda: [_MAP],
        (*NUMBERS, b"{a.b.0}", b'"{"', b"[[columns]]", b"inf"),
    ),
    "table_bz2": _target("a.csv.bz2", _load(_COLUMNS), bz2s),
    "table_xz": _target("a.csv.xz", _load(_COLUMNS), xzs),
    "table_zip": _target("a.csv.zip", _load(_COLUMNS), zips),
    "tar": _target("a.tar", _load({"columns": {"question": "json.question", "answer": "json.answer"}}), tars),
    "xlsx_table": _target("a.xlsx", _load({**_COLUMNS, "sheet": "Sheet"}), workbooks),
    "image_cells": _target("a.jsonl", _cells, cells, (b"data:image/png;base64,", b'{"bytes":null}', b'"=="')),
    "deep_rows": _target("a.jsonl", _with_picture, deep),
    "named_answers": _target("a.csv", _answers, csvs),
    "named_answer_lines": _target("a.jsonl", _answers, json_lines),
}
