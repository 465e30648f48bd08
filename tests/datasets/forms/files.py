"""The same two questions in every kind of file."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

from tests.datasets.forms.form import QA, Form, asked, inside, picture, pictures, put

ROWS = [
    ("id", "image", "question", "answer"),
    *((str(n), f"{i}.png", q, a) for n, (i, q, a) in enumerate(QA)),
]


def text(delimiter: str, end: str = "\n") -> str:
    return "".join(delimiter.join(row) + end for row in ROWS)


def excel_german(root: Path) -> None:
    pictures(root, "0", "3")
    put(root / "table.csv", "\ufeff" + text(";", "\r\n"))


def excel_unicode(root: Path) -> None:
    pictures(root, "0", "3")
    (root / "table.txt").write_bytes(text("\t", "\r\n").encode("utf-16"))


def gzipped(root: Path) -> None:
    pictures(root, "0", "3")
    (root / "table.csv.gz").write_bytes(gzip.compress(text(",").encode()))


def code_page(root: Path) -> None:
    pictures(root, "0", "3")
    put(root / "table.csv", text(","), "cp1252")


def workbook(root: Path) -> None:
    from openpyxl import Workbook

    pictures(root, "0", "3")
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ROWS:
        sheet.append(row)
    book.save(root / "table.xlsx")


def saved(root: Path, split: str = "") -> None:
    """Write what `datasets` writes with `save_to_disk`; with a split a DatasetDict."""
    import pyarrow as pa

    images = [
        {"bytes": picture(root.parent / f"{root.name}-drawn/{i}.png", n).read_bytes(), "path": f"{i}.png"}
        for n, (i, _, _) in enumerate(QA)
    ]
    table = pa.table({"image": images, "question": [q for _, q, _ in QA], "answer": [a for *_, a in QA]})
    folder = root / split
    folder.mkdir(parents=True, exist_ok=True)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as out,
    ):
        out.write_table(table)
    features = {
        "image": {"_type": "Image"},
        "question": {"dtype": "string", "_type": "Value"},
        "answer": {"dtype": "string", "_type": "Value"},
    }
    put(folder / "dataset_info.json", json.dumps({"features": features}))
    files = [{"filename": "data-00000-of-00001.arrow"}]
    put(
        folder / "state.json",
        json.dumps({"_data_files": files, "_format_type": None, "_split": split or None}),
    )
    if split:
        put(root / "dataset_dict.json", json.dumps({"splits": [split]}))


def saved_with_splits(root: Path) -> None:
    saved(root, "train")


def web_dataset(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with tarfile.open(root / "train-000000.tar", "w") as out:
        for number, (image, question, answer) in enumerate(QA):
            said = json.dumps({"question": question, "answer": answer}).encode()
            drawn = picture(root.parent / f"{root.name}-drawn/{image}.png", number).read_bytes()
            for name, content in ((f"{image}.png", drawn), (f"{image}.json", said)):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                out.addfile(entry, io.BytesIO(content))


FORMS = {
    "Excel's CSV with semicolons and a mark in front": Form(excel_german, asked()),
    "Excel's Unicode text": Form(excel_unicode, asked()),
    "CSV in an old code page": Form(code_page, asked()),
    "CSV, gzipped": Form(gzipped, asked()),
    "Excel workbook": Form(workbook, asked()),
    "save_to_disk": Form(saved, inside()),
    "save_to_disk with splits": Form(saved_with_splits, inside()),
    "WebDataset": Form(web_dataset, inside()),
}
