from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from pefomed.errors import DataError
from pefomed.files import lines
from pefomed.files.files import inside
from pefomed.files.rows import read_table


def test_gzipped_tables_are_read_as_they_are(tmp_path: Path) -> None:
    for name, text in (("t.csv.gz", '\ufeffa,b\n1,"x\ny"\n'), ("t.jsonl.gz", '{"a": "1", "b": "x\\ny"}\n')):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
        ((place, row),) = read_table(tmp_path / name)
        assert row == {"a": "1", "b": "x\ny"}
        assert place.startswith(f"{tmp_path / name}, line ")


@pytest.mark.parametrize("damage", [b"no gzip", gzip.compress(b"a,b\n1,2\n")[:-9], b""])
def test_a_damaged_gzip_file_is_a_clear_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(damage)
    if damage:
        with pytest.raises(DataError, match=r"t\.csv\.gz is not a whole gzip file"):
            list(read_table(path))
    else:
        assert list(read_table(path)) == []


@pytest.mark.parametrize(
    ("text", "ends"), [("a,b\r\n1,2\r\n3,4\r\n", 2), ("a,b\r1,2\r3,4\r", 2), ("a,b\n1,2\n\n3,4", 2)]
)
def test_every_kind_of_line_end_ends_a_csv_row(tmp_path: Path, text: str, ends: int) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    assert [row for _, row in read_table(path)] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_not_utf8_names_the_byte_far_into_the_file(tmp_path: Path) -> None:
    for name, start in (("t.csv", b"a,b\n"), ("t.jsonl", b"")):
        line = b"1,2\n" if start else b'{"a": 1}\n'
        path = tmp_path / name
        path.write_bytes(start + line * 50_000 + b"\xe9")
        with pytest.raises(DataError, match=rf"0xe9 at offset {len(start) + 50_000 * len(line)}, line 5000"):
            list(read_table(path))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_what_stands_between_cells_is_found(tmp_path: Path, delimiter: str, ending: str) -> None:
    # Cells hold every other delimiter: the one that splits all rows alike is meant.
    cells = [["id", "question", "answer"], ["1", "Is it, really?", "no"], ["2", "left; or right", "a | b, c"]]
    text = "".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) + "\r\n" for row in cells
    )
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        path = tmp_path / f"{encoding}{ending}"
        path.write_bytes(text.encode(encoding))
        assert [list(row.values()) for _, row in read_table(path)] == cells[1:]


def test_a_long_quoted_cell_does_not_hide_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id;report\n1;" + '"' + "a, b\n" * 40 + '"\n2;c\n', encoding="utf-8")
    assert [row["id"] for _, row in read_table(path)] == ["1", "2"]


def test_excels_first_line_says_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("sep=;\r\na;b\r\n1;2,3\r\n".encode("utf-16"))
    assert list(read_table(path)) == [(f"{path}, line 3", {"a": "1", "b": "2,3"})]


def test_json_is_read_in_every_encoding(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        (tmp_path / "t.json").write_bytes('[{"a": "é"}]'.encode(encoding))
        assert list(read_table(tmp_path / "t.json")) == [(f"{tmp_path / 't.json'}, record 1", {"a": "é"})]
        (tmp_path / "t.jsonl").write_bytes('{"a": "é"}\n'.encode(encoding))
        assert [row for _, row in read_table(tmp_path / "t.jsonl")] == [{"a": "é"}]


@pytest.mark.parametrize(("name", "text"), [("t.csv", "a\n1\n"), ("t.jsonl", "{}\n"), ("t.json", "[]")])
def test_a_cut_utf16_file_is_a_clear_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-16") + b"\x00")
    with pytest.raises(DataError, match=rf"{name} begins as UTF-16 and is not"):
        list(read_table(tmp_path / name))


def test_memory_holds_rows_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    line = '{"a": "' + "x" * 1000 + '"}\n'
    path.write_text(line * 20_000, encoding="utf-8")  # 20 MB
    tracemalloc.start()
    count = sum(1 for _ in read_table(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2_000_000


def test_a_line_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 1000)
    for name in ("t.jsonl.gz", "t.csv.gz"):
        # A bomb: a megabyte of one letter in a kilobyte.
        (tmp_path / name).write_bytes(gzip.compress(b"a\n" + b"x" * 1_000_000))
        with pytest.raises(DataError, match=r"line [12]( is too long|: not JSON)"):
            list(read_table(tmp_path / name))


def test_json_too_deep_or_too_long_a_number_is_a_clear_error(tmp_path: Path) -> None:
    for text in ("[" * 100_000, '{"a": ' + "1" * 10_000 + "}"):
        path = tmp_path / "t.jsonl"
        path.write_text(text + "\n", encoding="utf-8")
        with pytest.raises(DataError, match=r"t\.jsonl, line 1: not JSON"):
            list(read_table(path))


@pytest.mark.parametrize(
    "name", ["", " ", "..", "../a", "a/../../b", "/a", "C:/a", "c:\\a", "..\\a", "a\0b", "."]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="row 1: a file name must stay inside"):
        inside(tmp_path, name, "row 1")


def test_names_that_stay_inside_are_paths(tmp_path: Path) -> None:
    assert inside(tmp_path, "a/b c..png", "") == tmp_path / "a" / "b c..png"


def test_an_error_does_not_repeat_a_header_of_thousands_of_letters(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("r" * 100_000 + "\n1,2\n")
    with pytest.raises(DataError) as error:
        list(read_table(tmp_path / "a.csv"))
    assert len(str(error.value)) < 1_000 + len(str(tmp_path))
