"""How a file is read that does not say so itself, and what is found without being said."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from pefomed import jsonl
from pefomed.cli.app import app
from pefomed.data import load_samples
from pefomed.data.readers.format import Format
from pefomed.data.readers.rows import read_table
from pefomed.errors import DataError, RecordError
from pefomed.recipe import Dataset
from pefomed.schema import Score

QA = [["0.png", "Is there, really, a mass?", "yes"], ["1.png", "Which side?", "left"]]


def rows(path: Path, **how: Any) -> list[dict[str, Any]]:
    return [row for _, row in read_table(path, Format(**how))]


def evaluated(name: str, folder: Path, *flags: str) -> float:
    """Return the share of right answers in a file, by the command line."""
    run = folder / f"run{len(list(folder.iterdir()))}"
    app(["evaluate", str(folder / name), "--out", str(run), *flags], standalone_mode=False)
    return next(
        score.value for score in jsonl.read(run / "scores.jsonl", Score) if score.metric == "exact_match"
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_text_without_a_header_says_its_columns(tmp_path: Path, delimiter: str, count: int) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(QA[:count])
    names = ("image", "question", "answer")
    # A row with two commas and two bars could be either, if a space did not stand behind the commas.
    assert [tuple(row.values()) for row in rows(path, header=names)] == [tuple(row) for row in QA[:count]]
    with pytest.raises(DataError, match=r"(?s)line 1: expected 2 cells.*correct `header`"):
        rows(path, header=("image", "question"))


def test_a_header_that_is_there_is_not_taken_for_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,question\n0.png,q\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1: the table has the given header itself"):
        rows(tmp_path / "a.csv", header=("image", "question"))


def test_the_header_of_nihs_list_of_boxes(tmp_path: Path) -> None:
    # BBox_List_2017.csv: nine cells in the header, the box's brackets split over four of them.
    path = tmp_path / "BBox_List_2017.csv"
    path.write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00013118_008.png,Atelectasis,225.084745762712,547.019216763771,86.7796610169491,79.1864406779661,,,\n"
        "00014716_007.png,Mass,686.1,131.5,185.5,313.5\n",
        encoding="utf-8",
    )
    first, second = rows(path)
    assert second == {
        "Image Index": "00014716_007.png", "Finding Label": "Mass",
        "Bbox [x": "686.1", "y": "131.5", "w": "185.5", "h]": "313.5",
    }  # fmt: skip
    assert list(first.values())[2:] == [
        "225.084745762712", "547.019216763771", "86.7796610169491", "79.1864406779661",
    ]  # fmt: skip
    path.write_text("a,,b,,\n1,,2,,\n3,,4,x,\n", encoding="utf-8")
    assert rows(path) == [{"a": "1", "b": "2", "column 4": ""}, {"a": "3", "b": "4", "column 4": "x"}]
    path.write_text(",a\n0,x\n1,y\n", encoding="utf-8")  # as pandas writes its index
    assert rows(path) == [{"column 1": "0", "a": "x"}, {"column 1": "1", "a": "y"}]


@pytest.mark.parametrize("text", ["a,b\n1,2,\n,\n,,,\n3,4,,\n", "\n\na,b,\n1,2\n3,4\n"])
def test_delimiters_at_the_end_of_a_line_are_no_columns(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert rows(tmp_path / "a.csv") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_cells_beyond_the_header_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2,3\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: expected 2 cells"):
        rows(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("a,b,,\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: expected 4 cells"):
        rows(tmp_path / "a.csv")


TEXTS = [("cp1252", "Ödem"), ("cp1251", "отёк"), ("gb18030", "水肿"), ("shift_jis", "浮腫"), ("latin-1", "é")]
WRITTEN = [("a.csv", "q;a\r\n{};1\r\n"), ("a.jsonl", '{{"q": "{}"}}\n'), ("a.json", '[{{"q": "{}"}}]')]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
@pytest.mark.parametrize(("name", "form"), WRITTEN)
def test_another_encoding_is_said(tmp_path: Path, encoding: str, text: str, name: str, form: str) -> None:
    (tmp_path / name).write_bytes(form.format(text).encode(encoding))
    assert [row["q"] for row in rows(tmp_path / name, encoding=encoding)] == [text]
    with pytest.raises(DataError, match=r"(?s)is not UTF-8.*say its `encoding`.*cp1252"):
        rows(tmp_path / name)
    with pytest.raises(DataError, match=r"(?s)is not ascii.*correct `encoding`"):
        rows(tmp_path / name, encoding="ascii")


def test_a_huge_cell_is_a_cell(tmp_path: Path) -> None:
    # Python's csv module stops at 128 KiB.
    (tmp_path / "a.csv").write_text(f"a,b\n{'x' * 3_000_000},1\n", encoding="utf-8")
    assert [len(row["a"]) for row in rows(tmp_path / "a.csv")] == [3_000_000]


def test_what_cannot_be_said_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)`delimiter` is not for a table of the form JSON Lines.*text"):
        rows(tmp_path / "a.jsonl", delimiter=";")
    for wrong in ({"delimiter": "ab"}, {"header": ("a", "a")}, {"header": ("a", "")}, {"encoding": "zip"},
                  {"encoding": "nonsense"}, {"what": 1}):  # fmt: skip
        with pytest.raises(RecordError):
            Format(**wrong)


def test_a_list_below_a_key(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"info": {}, "data": {"v1.0": [{"a": 1}]}}', encoding="utf-8")
    assert rows(tmp_path / "a.json", records="data.v1.0") == [{"a": 1}]
    with pytest.raises(DataError, match=r"(?s)nothing at `records = 'dta'`.*data"):
        rows(tmp_path / "a.json", records="dta")


def test_the_table_loader_takes_them_as_options(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("0.png;Ödem?;ja\r\n".encode("cp1252"))
    options = {"header": ["image", "question", "answer"], "encoding": "cp1252", "delimiter": ";"}
    (sample,) = load_samples(Dataset(loader="table", root="a.csv", options=options), "train", tmp_path)
    assert (sample.question, sample.reference) == ("Ödem?", "ja")


def test_evaluate_takes_them_as_flags(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("q1^Ödem?^ja^ja\r\n".encode("cp1252"))
    (tmp_path / "r.json").write_text('{"data": [{"id": "q1", "question": "q", "reference": "ja"}]}')
    flags = ["--delimiter", "^", "--header", "id,question,reference,answer", "--encoding", "cp1252"]
    joined = ["--references", str(tmp_path / "r.json"), "--records", "data"]
    assert evaluated("a.csv", tmp_path, *flags) == 1
    assert evaluated("a.csv", tmp_path, *flags, *joined) == 1
    with pytest.raises(DataError, match=r"`sheet` is not for a table of the form text or JSON"):
        evaluated("a.csv", tmp_path, *flags, *joined, "--sheet", "A")
