"""Images that stand in the cells of a table themselves, in every form that tables have them."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.files import unpacked
from pefomed.files.jsonl import read
from pefomed.files.unpacked import ImageFile, image_of
from pefomed.outside.run import outside_run
from pefomed.recipe import Dataset
from pefomed.schema import Sample


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def picture(kind: str = "PNG", shade: int = 7) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (9, 5), shade).save(buffer, kind)
    return buffer.getvalue()


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


FORMS: dict[str, Any] = {
    "bytes": lambda data: data,
    "base64": text_of,
    "base64 in lines": lambda data: base64.encodebytes(data).decode(),
    "base64 for URLs": lambda data: base64.urlsafe_b64encode(data).decode(),
    "data URL": lambda data: f"data:image/png;base64,{text_of(data)}",
    "data URL, escaped": lambda data: f"DATA:;charset=x;base64,{text_of(data).replace('+', '%2B')}",
    "datasets' struct": lambda data: {"bytes": data, "path": "a.png"},
    "struct with base64": lambda data: {"bytes": text_of(data)},
    "struct as Python writes it": lambda data: str({"bytes": data, "path": None}),
    "bytes as Python writes them": lambda data: str(data),
    "numbers": lambda data: list(data),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_form_of_an_image_is_its_bytes(form: str, kind: str) -> None:
    data = picture(kind)
    found = image_of(FORMS[form](data), "row 1")
    assert isinstance(found, ImageFile)
    assert Path(found).read_bytes() == data
    with Image.open(found) as opened:
        assert opened.format == kind


def test_several_images_none_and_names() -> None:
    one, other = picture(shade=1), picture(shade=2)
    for value in ([one, other, None], json.dumps([text_of(one), text_of(other)]), str([one, other])):
        found = image_of(value, "row 1")
        assert [Path(each).read_bytes() for each in found] == [one, other]
    assert image_of('["a.png", "b.png"]', "row 1") == ["a.png", "b.png"]
    alike = "abcdefghijklmnopqrstuvwxyz"
    for name in ("a.png", "", None, "/9j/scan.png", f"Qk1{alike}.png", f"UklGR{alike}.webp", "[1].png", 3,
                 "https://example.org/a.png", {"url": "x"}):  # fmt: skip
        assert image_of(name, "row 1") == name
        assert not isinstance(image_of(name, "row 1"), ImageFile)
    assert image_of({"bytes": None, "path": "a.png"}, "row 1") == "a.png"
    assert image_of({"bytes": None, "path": None}, "row 1") is None


@pytest.mark.parametrize(
    "damaged",
    [
        text_of(picture())[:-2],  # cut
        text_of(picture())[:50] + "?!" + text_of(picture())[52:],
        text_of(picture())[:40] + "...",  # as a program shortens what it prints
        "data:image/png;base64,AAA",
        "data:image/png,%89PNG",
        "data:text/html;base64,AAAA",
        "data:image/png",
        b"",
        {"bytes": b"", "path": None},
        str(picture())[:-9],
    ],
)
def test_a_damaged_image_is_an_error_that_names_the_row(damaged: Any, cache: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv, line 7: an image (inside the table is damaged|of 0 bytes)"):
        image_of(damaged, "a.csv, line 7")
    assert not cache.exists()


def test_an_image_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "IMAGE_LIMIT", 50)
    with pytest.raises(DataError, match="row 1: an image of too many bytes: at most 50"):
        image_of(picture(), "row 1")


def rows(form: str) -> list[dict[str, Any]]:
    images = [FORMS[form](picture(shade=n % 2)) for n in range(3)]
    texts = {"reference": "a", "answer": "a"}
    return [{"id": f"q{n}", "image": image, "question": f"q{n}?", **texts} for n, image in enumerate(images)]


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(made), encoding="utf-8")
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(made), path)
    elif "pandas" in path.name:
        pandas.DataFrame(made).to_csv(path, index=False)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(made[0]))
            writer.writeheader()
            writer.writerows(made)
    return path


IN_TEXT = ("base64", "base64 in lines", "data URL", "struct with base64")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *(("a.csv", form) for form in IN_TEXT[:3]),
        ("pandas.csv", "datasets' struct"),
        ("pandas.csv", "bytes"),
        *((name, form) for name in ("a.jsonl", "a.json") for form in (*IN_TEXT, "numbers")),
        *(("a.parquet", form) for form in ("base64", "data URL", "bytes", "datasets' struct")),
    ],
)
def test_tables_and_answers_with_images_inside(tmp_path: Path, name: str, form: str) -> None:
    path = write(tmp_path / name, rows(form))
    options = {"columns": {"id": ""}}
    samples = load_samples(Dataset(loader="table", root=name, options=options), "train", tmp_path)
    found = [sample.images for sample in samples]
    assert [Path(images[0]).read_bytes() for images in found] == [picture(shade=n % 2) for n in range(3)]
    assert found[0] == found[2]
    run = outside_run(path, tmp_path / "run", "d")
    assert [sample.images for sample in read(run / "samples" / "d-test.jsonl", Sample)] == found
