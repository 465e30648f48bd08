"""Spreadsheets: what a rater may fill in comes back as given, everything else is an error by cell."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from pefomed.errors import DataError
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.verdicts import Rating, save, states
from pefomed.raters.workbook import write_workbooks
from pefomed.raters.workbook_import import import_workbooks

Change = Callable[[Any], None]


@pytest.fixture
def session(vqa_run: Path) -> Session:
    return open_session(vqa_run, SessionRequest(raters=2, sample=10, seed=7))


@pytest.fixture
def books(session: Session, tmp_path: Path) -> list[Path]:
    return write_workbooks(session, tmp_path / "sheets")


def edit(path: Path, change: Change) -> None:
    book = load_workbook(path)
    change(book)
    book.save(path)


def labels(session: Session, number: int = 0) -> list[int | None]:
    rater = session.raters()[number]
    said = states(session, rater)
    return [said.get(item.id, Rating()).label for item in session.items(rater)]


def test_only_label_and_comment_can_be_filled_in(books: list[Path]) -> None:
    book = load_workbook(books[0])
    sheet = book["rating"]
    assert [cell.value for cell in sheet[1]] == [
        "id", "image", "question", "reference", "answer", "label", "comment",
    ]  # fmt: skip
    assert sheet.protection.sheet
    assert [cell.protection.locked for cell in sheet[2]] == [True] * 5 + [False] * 2
    [rule] = sheet.data_validations.dataValidation
    assert (rule.formula1, str(rule.sqref)) == ('"right,wrong,cannot judge"', "F2:F11")
    assert len(sheet._images) == 10
    assert sheet.max_row == 11
    assert book.sheetnames == ["rating", "rubric", "about"]


def test_a_spreadsheet_tells_neither_model_nor_metric(books: list[Path]) -> None:
    with zipfile.ZipFile(books[0]) as packed:
        told = b"".join(packed.read(name) for name in packed.namelist() if name.endswith((".xml", ".rels")))
    for word in (b"covert", b"secret-model", b"rad-test", b"exact", b"stratum", b"grey.png"):
        assert word not in told


def test_what_is_filled_in_comes_back(session: Session, books: list[Path]) -> None:
    def fill(book: Any) -> None:
        for row, value in enumerate(["right", "wrong", 1, 0.0, "Right ", "1", "cannot judge"], 2):
            book["rating"].cell(row, 6).value = value
        book["rating"]["G8"] = "too dark"
        book["rating"]["G9"] = "no idea yet"

    edit(books[0], fill)
    [found] = import_workbooks(session, books[0])
    assert (found.rater, found.rated, found.changed) == ("rater-01", 7, 8)
    assert labels(session) == [1, 0, 1, 0, 1, 1, None, None, None, None]
    rater = session.raters()[0]
    said = [states(session, rater).get(item.id, Rating()) for item in session.items(rater)]
    assert (said[6].cannot, said[6].comment) == (True, "too dark")
    assert (said[7].rated, said[7].comment) == (False, "no idea yet")
    # Read again, nothing changes; and what is rated stands in the next spreadsheet.
    assert import_workbooks(session, books[0])[0].changed == 0
    again = load_workbook(write_workbooks(session, books[0].parent)[0])["rating"]
    assert [again.cell(row, 6).value for row in range(2, 10)] == [
        "right", "wrong", "right", "wrong", "right", "right", "cannot judge", None,
    ]  # fmt: skip


def test_an_empty_cell_takes_nothing_away(session: Session, books: list[Path]) -> None:
    rater = session.raters()[0]
    first, second = session.items(rater)[:2]
    save(session, rater, first.id, Rating(1, comment="from the page"), change="a")
    edit(books[0], lambda book: book["rating"].cell(3, 6, "wrong"))
    import_workbooks(session, books[0].parent)
    assert states(session, rater) == {
        first.id: Rating(1, comment="from the page", revision=1),
        second.id: Rating(0, revision=1),
    }


def put(cell: str, value: Any, sheet: str = "rating") -> Change:
    def change(book: Any) -> None:
        book[sheet][cell] = value

    return change


def move_a_column(book: Any) -> None:
    sheet = book["rating"]
    for row in range(1, sheet.max_row + 1):
        left, right = sheet.cell(row, 4), sheet.cell(row, 5)
        left.value, right.value = right.value, left.value


def double_an_id(book: Any) -> None:
    for column in range(1, 8):
        book["rating"].cell(4, column).value = book["rating"].cell(3, column).value


def drop_a_sheet(name: str) -> Change:
    return lambda book: book.remove(book[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("F4", 2), "cell F4: 2 is not on the scale; choose one of: right, wrong, cannot judge"),
        (put("F4", -1), "cell F4: -1 is not on the scale"),
        (put("F4", "maybe"), "cell F4: 'maybe' is not on the scale"),
        (put("F4", True), "cell F4: True is not on the scale"),
        (put("F4", "=1"), "cell F4: '=1' is not on the scale"),
        (put("F4", 0.5), "cell F4: 0.5 is a decimal"),
        (put("F4", "0,5"), "cell F4: '0,5' is a decimal"),
        (put("F4", "nan"), "cell F4: 'nan' is not on the scale"),
        (put("G4", "x" * 2001), "cell G4: more than 2000 characters"),
        (put("E4", "another text"), "cell E4: the answer is not the one given out"),
        (put("A4", "00000000"), "cell A4: unknown id '00000000'"),
        (put("A4", None), "cell A4: unknown id None"),
        (double_an_id, "cell A4: the id"),
        (move_a_column, "cell D1: the column 'reference' is to stand here, not 'answer'"),
        (put("F1", "score"), "cell F1: the column 'label' is to stand here, not 'score'"),
        (
            lambda book: book["rating"].insert_cols(2),
            "cell B1: the column 'image' is to stand here, not None",
        ),
        (lambda book: book["rating"].delete_rows(5), "sheet 'rating': 1 rows are missing"),
        (put("B1", "deadbeef", "about"), "sheet 'about', cell B1: session 'deadbeef'; this is session"),
        (put("B2", "nobody", "about"), "sheet 'about', cell B2: 'nobody' is no rater of this session"),
        (drop_a_sheet("rating"), "the sheet 'rating' is missing"),
    ],
)
def test_what_is_wrong_is_named_by_cell_and_nothing_is_stored(
    session: Session, books: list[Path], change: Change, message: str
) -> None:
    edit(books[0], put("F3", "right"))
    edit(books[0], change)
    with pytest.raises(DataError) as refused:
        import_workbooks(session, books[0])
    assert message in str(refused.value)
    assert "rater-01.xlsx" in str(refused.value)
    assert labels(session) == [None] * 10


def test_all_cells_are_named_at_once_and_no_file_is_stored(session: Session, books: list[Path]) -> None:
    edit(books[0], put("F3", "right"))
    edit(books[1], put("F4", 7))
    edit(books[1], put("F5", 1.5))
    with pytest.raises(DataError) as refused:
        import_workbooks(session, books[0].parent)
    assert "rater-02.xlsx, cell F4" in str(refused.value)
    assert "rater-02.xlsx, cell F5" in str(refused.value)
    assert labels(session) == [None] * 10


def as_csv(path: Path, delimiter: str = ";", encoding: str = "utf-8", skip: int = 0) -> Path:
    """Save the rating sheet as an office program does: the first sheet alone, no images."""
    text = io.StringIO()
    rows = list(load_workbook(path)["rating"].iter_rows(values_only=True))
    csv.writer(text, delimiter=delimiter).writerows([rows[0], *rows[1 + skip :]])
    saved = path.with_suffix(".csv")
    saved.write_text(text.getvalue(), encoding=encoding)
    return saved


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8"), (",", "utf-8-sig"), ("\t", "utf-16")])
def test_a_sheet_saved_as_csv_is_read(
    session: Session, books: list[Path], delimiter: str, encoding: str
) -> None:
    edit(books[1], put("F3", "right"))
    edit(books[1], put("G4", "Größe; unklar"))
    # Whose it is, its ids say, whatever the file is called.
    saved = as_csv(books[1], delimiter, encoding).rename(books[1].with_name("rater-01.csv"))
    [found] = import_workbooks(session, saved)
    assert (found.rater, found.rated, found.changed) == ("rater-02", 1, 2)
    assert labels(session, 1)[:3] == [None, 1, None]
    assert labels(session, 0) == [None] * 10


def test_faults_of_a_csv_are_named_by_cell(session: Session, books: list[Path]) -> None:
    edit(books[0], put("F4", "maybe"))
    with pytest.raises(DataError, match=r"rater-01.csv, cell F4: 'maybe' is not on the scale"):
        import_workbooks(session, as_csv(books[0]))
    edit(books[0], put("F4", None))
    with pytest.raises(DataError, match="3 rows are missing"):
        import_workbooks(session, as_csv(books[0], skip=3))
    path = as_csv(books[0])
    path.write_text(path.read_text(), encoding="utf-8")
    path.write_text("\n".join(path.read_text().splitlines()[:1]))
    with pytest.raises(DataError, match=r"rater-01.csv: no rows"):
        import_workbooks(session, path)
    path.write_bytes("id;label\n1;für\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"rater-01.csv: is not UTF-8.*convert"):
        import_workbooks(session, path)
    path.write_text("id;label\n1;right\n")
    with pytest.raises(DataError, match="no row has an id of session"):
        import_workbooks(session, path)


def test_no_file_of_a_folder_is_passed_over(session: Session, books: list[Path]) -> None:
    for number, book in enumerate(books):
        edit(book, put("F3", ("right", "wrong")[number]))
    books[0].rename(books[0].with_suffix(".XLSX"))
    as_csv(books[1])
    books[1].unlink()
    (books[0].parent / "~$rater-01.xlsx").write_bytes(b"lock")
    assert [one.rater for one in import_workbooks(session, books[0].parent)] == ["rater-01", "rater-02"]
    assert (labels(session, 0)[1], labels(session, 1)[1]) == (1, 0)
    (books[0].parent / "rater-03.ods").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"rater-03.ods: .ods is not read"):
        import_workbooks(session, books[0].parent)


def test_sheets_may_be_renamed_or_gone_and_rows_sorted(session: Session, books: list[Path]) -> None:
    def change(book: Any) -> None:
        sheet = book["rating"]
        sheet["F3"] = "right"
        rows = sorted(sheet.iter_rows(min_row=2, values_only=True))
        for number, row in enumerate(rows, 2):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column).value = value
        sheet.title = "Bewertung"
        book.remove(book["about"])

    edit(books[1], change)
    [found] = import_workbooks(session, books[1])
    assert (found.rater, found.rated) == ("rater-02", 1)
    assert labels(session, 1)[1] == 1


def test_rows_of_two_raters_in_one_file_are_refused(session: Session, books: list[Path]) -> None:
    first, second = as_csv(books[0]), as_csv(books[1])
    first.write_text(first.read_text() + "".join(second.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(DataError, match="holds rows of several raters: rater-01, rater-02"):
        import_workbooks(session, first)


def test_two_files_of_one_rater_are_refused(session: Session, books: list[Path]) -> None:
    (books[0].parent / "copy.xlsx").write_bytes(books[0].read_bytes())
    with pytest.raises(DataError, match="also holds the ratings of rater-01"):
        import_workbooks(session, books[0].parent)


def test_another_sessions_spreadsheet_is_refused(session: Session, report_run: Path, tmp_path: Path) -> None:
    other = open_session(report_run, SessionRequest(raters=2, sample=5))
    books = write_workbooks(other, tmp_path / "other")
    with pytest.raises(DataError, match="this is session"):
        import_workbooks(session, books[0])


def test_what_is_no_spreadsheet_is_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("id,label\n1,2\n")
    with pytest.raises(DataError, match=r"a.xlsx: not a readable .xlsx file"):
        import_workbooks(session, tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as packed:
        packed.writestr("x", "y")
    with pytest.raises(DataError, match=r"b.xlsx: not a readable .xlsx file"):
        import_workbooks(session, tmp_path / "b.xlsx")
    with pytest.raises(DataError, match="nothing to import"):
        import_workbooks(session, tmp_path / "c.xlsx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no .xlsx and no .csv file"):
        import_workbooks(session, tmp_path / "empty")
    Workbook().save(tmp_path / "d.xlsx")
    with pytest.raises(DataError, match="the sheet 'rating' is missing; sheets: Sheet"):
        import_workbooks(session, tmp_path / "d.xlsx")
    (tmp_path / "e.ods").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"e.ods: .ods is not read; save it as .xlsx or .csv"):
        import_workbooks(session, tmp_path / "e.ods")


def test_reports_have_numbers_and_unnamed_sides(report_run: Path, tmp_path: Path) -> None:
    session = open_session(report_run, SessionRequest(raters=1, sample=12))
    [path] = write_workbooks(session, tmp_path / "sheets")
    sheet = load_workbook(path)["rating"]
    assert [cell.value for cell in sheet[1]] == ["id", "image", "text A", "text B", "label", "comment"]
    left = [str(sheet.cell(row, 3).value).split()[0] for row in range(2, 14)]
    assert sorted(left) == ["Generated"] * 6 + ["Reference"] * 6
    [rule] = sheet.data_validations.dataValidation
    assert rule.formula1 == '"4,3,2,1,0,cannot judge"'
    edit(path, put("E2", 4))
    edit(path, put("E3", 0))
    import_workbooks(session, path)
    assert labels(session)[:3] == [4, 0, None]
    edit(path, put("E4", 5))
    with pytest.raises(DataError, match="cell E4: 5 is not on the scale"):
        import_workbooks(session, path)


def test_a_text_that_looks_like_a_formula_stays_a_text(tmp_path: Path, images: list[str]) -> None:
    from tests.raters.conftest import vqa_pairs, write

    [(sample, _)] = vqa_pairs(images, 1)
    hostile = '=HYPERLINK("http://evil.example","x")\x00\x07 + control'
    write(tmp_path / "run", "rad-test", [(sample, hostile)])
    session = open_session(tmp_path / "run", SessionRequest(raters=1))
    [path] = write_workbooks(session, tmp_path / "sheets")
    cell = load_workbook(path)["rating"]["E2"]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("=HYPERLINK")
    edit(path, put("F2", "wrong"))
    import_workbooks(session, path)
    assert labels(session) == [0]
