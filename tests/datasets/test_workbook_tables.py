"""Tables in Excel workbooks, written by openpyxl and pandas."""

from __future__ import annotations

import datetime
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas
import pytest

from pefomed.cli.app import app
from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.files import jsonl, workbook
from pefomed.files.format import Format
from pefomed.files.rows import read_table
from pefomed.recipe import Dataset
from pefomed.schema import Score

HEADER = ["id", "image", "question", "reference", "answer"]
ROWS = [
    HEADER,
    ["q1", "0.png", "Is there a mass?", "yes", "yes"],
    [2, "1.png", "Which side?", "left", "left"],
]


def made(path: Path, *sheets: list[list[Any]], change: Callable[[Any], None] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, cells in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in cells:
            sheet.append(row)
    if change:
        change(book)
    book.save(path)
    return path


def rows(path: Path, **how: Any) -> list[dict[str, Any]]:
    return [row for _, row in read_table(path, Format(**how))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.xlsx"


def test_a_workbook_is_a_table_for_loader_and_evaluate(tmp_path: Path, path: Path) -> None:
    made(path, ROWS, [])
    assert next(iter(read_table(path)))[0] == f"{path}, sheet 'Sheet 1', row 2"
    first, second = load_samples(Dataset(loader="table", root=path.name), "train", tmp_path)
    assert (first.id, first.question, second.id, second.reference) == ("q1", "Is there a mass?", "2", "left")
    app(["evaluate", str(path), "--out", str(tmp_path / "run"), "--sheet", "Sheet 1"], standalone_mode=False)
    scores = jsonl.read(tmp_path / "run" / "scores.jsonl", Score)
    assert next(score.value for score in scores if score.metric == "exact_match") == 1


def test_cells_are_what_a_csv_of_the_sheet_holds(path: Path) -> None:
    day, minute = datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 14, 30)
    cells = [7, 7.0, 1.5, True, None, "a\nb", day, minute, datetime.time(9, 5), "007"]
    made(path, [[f"c{n}" for n in range(len(cells))], cells])
    (row,) = rows(path)
    assert list(row.values()) == [
        7, 7, 1.5, "TRUE", "", "a\nb", "2024-03-01", "2024-03-01 14:30:00", "09:05:00", "007",
    ]  # fmt: skip


def test_what_pandas_writes(path: Path) -> None:
    frame = pandas.DataFrame({"a": ["x", None], "n": [1, 2]})
    frame.to_excel(path)  # with its index
    assert rows(path) == [{"column 1": 0, "a": "x", "n": 1}, {"column 1": 1, "a": "", "n": 2}]


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows(path: Path, count: int) -> None:
    made(path, ROWS[: 1 + count])
    assert [row["id"] for row in rows(path)] == ["q1"][:count]
    assert rows(made(path, [])) == []


def test_several_sheets_are_named(path: Path) -> None:
    def hide(book: Any) -> None:
        book["Sheet 3"].sheet_state = "hidden"

    made(path, ROWS, [["id"], ["z"]], ROWS, [], change=hide)
    with pytest.raises(DataError, match=r"(?s)several sheets.*'Sheet 1', 'Sheet 2'\n.*sheet = 'Sheet 1'"):
        rows(path)
    assert rows(path, sheet="Sheet 2") == [{"id": "z"}]
    assert len(rows(path, sheet="Sheet 3")) == 2
    with pytest.raises(DataError, match=r"(?s)no sheet 'sheet 2'.*did you mean 'Sheet 2'"):
        rows(path, sheet="sheet 2")


def test_titles_stand_above_and_merged_cells_hold_for_all(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def merge(book: Any) -> None:
        book.active.merge_cells("A1:C1")
        book.active.merge_cells("A4:A5")
        book.active.merge_cells("C6:C7")

    title = [["Table 1: answers"], [], ["patient", "question", "answer"]]
    made(
        path,
        [*title, ["p1", "a?", "yes"], [None, "b?", "no"], ["p2", "c?", None], ["p2", "d?"]],
        change=merge,
    )
    assert [list(row.values()) for row in rows(path)] == [
        ["p1", "a?", "yes"], ["p1", "b?", "no"], ["p2", "c?", ""], ["p2", "d?", ""],
    ]  # fmt: skip
    assert "row 1: 'Table 1: answers' stands above the table and is not read" in capsys.readouterr().err


def test_a_sheet_without_a_header_and_a_table_that_begins_further_in(path: Path) -> None:
    made(path, ROWS[1:])
    assert rows(path, header=tuple(HEADER))[1]["id"] == 2
    made(path, [[], [None, "a", "b"], [], [None, "x", 1]])
    assert rows(path) == [{"a": "x", "b": 1}]


def test_of_a_formula_its_value_counts(path: Path) -> None:
    cells = [["id", "answer"], ["q1", '=UPPER("yes")'], ["q2", '=IF(TRUE,"",1)']]
    made(path, cells)
    with pytest.raises(DataError, match=r"(?s)row 2: a formula without a value.*UPPER.*computes the values"):
        rows(path)
    # As a spreadsheet program saves it: the value beside the formula, an empty one too.
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts[part] = parts[part].replace(b"<v />", b"<v></v>").replace(b"<v/>", b"<v></v>")
    first, second = parts[part].split(b"<v></v>", 1)
    parts[part] = (first + b"<v>YES</v>" + second).replace(b'<c r="B2">', b'<c r="B2" t="str">')
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    assert rows(path) == [{"id": "q1", "answer": "YES"}, {"id": "q2", "answer": ""}]


@pytest.mark.parametrize("damage", [b"", b"PK", b"\xd0\xcf\x11\xe0 protected", "cut", "no XML"])
def test_a_damaged_workbook_is_a_clear_error(path: Path, damage: Any) -> None:
    whole = made(path, ROWS).read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-30])
    elif isinstance(damage, bytes):
        path.write_bytes(damage)
    else:
        with zipfile.ZipFile(path) as packed:
            parts = {name: packed.read(name) for name in packed.namelist()}
        parts["xl/worksheets/sheet1.xml"] = b"<worksheet><sheetData><row"
        with zipfile.ZipFile(path, "w") as packed:
            for name, data in parts.items():
                packed.writestr(name, data)
    with pytest.raises(DataError, match=r"(?s)a\.xlsx is no workbook that can be read.*password"):
        rows(path)


def test_a_workbook_that_would_take_the_memory_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(path, [["a"], ["x" * 30_000]])
    monkeypatch.setattr(workbook, "PART_LIMIT", 20_000)
    with pytest.raises(DataError, match=r"at most 20,000 bytes are read of xl/worksheets/sheet1\.xml"):
        rows(path)
    monkeypatch.undo()
    monkeypatch.setattr(workbook, "STRINGS_LIMIT", 200)
    with pytest.raises(DataError, match="at most 200 bytes are read of"):
        rows(path)
    monkeypatch.undo()
    monkeypatch.setattr(workbook, "RATIO_LIMIT", 2)  # a few thousand bytes that unpack to many
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet2.xml", b"<a>" * 1_000_000)
    with pytest.raises(DataError, match=r"(?s)is too large.*sheet2\.xml"):
        rows(path)
    made(path, ROWS)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("docProps/custom.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x/>')
    with pytest.raises(DataError, match="XML declarations"):
        rows(path)


def test_without_openpyxl_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path, ROWS)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"pefomed\[excel\]"):
        rows(path)
