"""Tables: CSV, TSV, JSON Lines, Parquet, Arrow; answers of somebody else's model; raters' spreadsheets."""

from __future__ import annotations

import atexit
import csv
import functools
import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from fuzz.target import Target, each
from pefomed.datasets import load_samples
from pefomed.files import jsonl
from pefomed.outside.run import outside_run
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.workbook import write_workbooks
from pefomed.raters.workbook_import import import_workbooks
from pefomed.recipe import Dataset
from pefomed.schema import Prediction, Sample

ROWS: tuple[dict[str, Any], ...] = (
    {"id": "1", "image": "a.png", "question": "Is it, \"so\"?", "answer": "yes", "reference": "no",
     "x": 1, "y": 1, "w": 5, "h": 4, "split": "train", "organ": "left\nlung"},
    {"id": "2", "image": "a.png;b.png", "question": "Où ?", "answer": "au cœur", "reference": "yes",
     "x": "0", "y": "2.5", "w": "3", "h": "1e0", "split": "test", "organ": ""},
)  # fmt: skip
BOXES = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel", "category": "organ"}
OPTIONS: tuple[dict[str, Any], ...] = (
    {"columns": {"id": "id", "split": "split", "meta": ["organ"]}},
    {"columns": {"question": "answer"}, "boxes": BOXES},
    {"columns": {"question": "answer"}, "boxes": {**BOXES, "columns": ["x"]}},
)
NUMBERS = (
    b"NaN",
    b"1e999",
    b"9" * 400,
    b"-0",
    b"true",
    b"null",
    b"[[1,1,2,2]]",
    b'"\\ud800"',
    b"\0",
    b"../b.png",
)


def csvs() -> list[bytes]:
    """Return tables with every delimiter, and in other encodings."""
    made = []
    for delimiter in ",\t;|":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
        made.append(buffer.getvalue().encode())
    return [*made, b"\xef\xbb\xbf" + made[0], made[0].decode().encode("utf-16")]


def json_lines() -> list[bytes]:
    """Return the same rows as JSON Lines, and a table whose column `x` holds all boxes of a row."""
    listed = [{**row, "x": [[1, 1, 5, 4], [0, 0, 2, 2]], "organ": None} for row in ROWS]
    return [b"".join(json.dumps(row).encode() + b"\n" for row in rows) for rows in (ROWS, listed)]


def parquets() -> list[bytes]:
    """Return Parquet files: plain, and with images, lists of images, classes and a timestamp."""
    import pyarrow.parquet

    made = []
    for table in _arrow_tables():
        buffer = io.BytesIO()
        pyarrow.parquet.write_table(table, buffer, row_group_size=1)
        made.append(buffer.getvalue())
    return made


def arrows() -> list[bytes]:
    """Return the same as Arrow: streams, and one file with an index."""
    import pyarrow

    made = []
    for table in _arrow_tables():
        for open_writer in (pyarrow.ipc.new_stream, pyarrow.ipc.new_file):
            buffer = io.BytesIO()
            with open_writer(buffer, table.schema) as writer:
                writer.write_table(table)
            made.append(buffer.getvalue())
    return made


def workbooks() -> list[bytes]:
    """Return a rater's spreadsheet of `session()`, as it was given out."""
    folder = Path(tempfile.mkdtemp())
    try:
        return [path.read_bytes() for path in write_workbooks(session(), folder)]
    finally:
        shutil.rmtree(folder)


@functools.cache
def session() -> Session:
    """Return a rating session of two answers; its folder is removed when the program ends."""
    run = Path(tempfile.mkdtemp(prefix="pefomed-fuzz-"))
    atexit.register(shutil.rmtree, run, ignore_errors=True)
    Image.new("L", (8, 8)).save(run / "a.png")
    for number in range(2):
        sample = Sample(
            id=f"s{number}", images=(str(run / "a.png"),), task="vqa", question="q?", reference="a"
        )
        answer = Prediction(sample_id=sample.id, text="b", tokens=1, finish="stop", generation="made")
        jsonl.append(run / "samples" / "d-test.jsonl", [sample])
        jsonl.append(run / "predictions" / "d-test.jsonl", [answer])
    made = open_session(run, SessionRequest(raters=1, sample=2, seed=0))
    # The same in every process, so that a file found once is found again.
    return replace(made, id="fuzz", secret="fuzz")


def _arrow_tables() -> list[Any]:
    import pyarrow

    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    image = {"bytes": buffer.getvalue(), "path": None}
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    plain = pyarrow.Table.from_pylist(
        [{key: str(value) for key, value in row.items()} | {"split": "train"} for row in ROWS]
    )
    rich = pyarrow.table(
        {
            "image": pyarrow.array([image, {"bytes": None, "path": "a.png"}], kind),
            "more": pyarrow.array([[image], []], pyarrow.list_(kind)),
            "question": ["q", "r"],
            "answer": pyarrow.array([0, 1]),
            "when": pyarrow.array([0, 10**9], pyarrow.timestamp("s")),
        }
    )
    feature = {"_type": "ClassLabel", "names": ["no", "yes"]}
    about = {"huggingface": json.dumps({"info": {"features": {"answer": feature}}})}
    return [plain, rich.replace_schema_metadata(about)]


def _read_table(path: Path) -> None:
    """Read with each of the options; it fails if none of them is right."""
    datasets = [Dataset(loader="table", root=path.name, options=options) for options in OPTIONS]
    each([str(number) for number in range(len(datasets))], lambda name: load_samples(
        datasets[int(name.name)], "train", path.parent
    ))(path.parent)  # fmt: skip


def _read_columnar(path: Path) -> None:
    load_samples(Dataset(loader="table", root=path.name), "train", path.parent)


def _read_answers(path: Path) -> None:
    outside_run(path, path.parent / f"run-{path.name}", "d")


def _read_workbook(folder: Path) -> None:
    import_workbooks(session(), folder / "a.xlsx")


def _packed_tables() -> Sequence[bytes]:
    return [gzip.compress(data) for data in (*csvs()[::2], *json_lines())]


def _answers() -> Sequence[bytes]:
    return [*csvs()[::2], *json_lines(), json.dumps(ROWS).encode()]


def _target(files: tuple[str, ...], read: Any, seeds: Any) -> Target:
    return Target(files, each(files, read), seeds, NUMBERS)


TARGETS = {
    "csv": _target(("a.csv", "a.tsv"), _read_table, csvs),
    "json_lines": _target(("a.jsonl",), _read_table, json_lines),
    "table_gz": _target(("a.csv.gz", "a.jsonl.gz"), _read_table, _packed_tables),
    "parquet": _target(("a.parquet",), _read_columnar, parquets),
    "arrow": _target(("a.arrow",), _read_columnar, arrows),
    "answers": _target(("a.csv", "a.jsonl", "a.json"), _read_answers, _answers),
    "xlsx": Target(("a.xlsx",), _read_workbook, workbooks),
}
