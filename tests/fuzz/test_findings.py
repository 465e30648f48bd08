"""What fuzzing has found, each as the smallest file that shows it."""

from __future__ import annotations

import io
import json
import pickle
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzz.pictures import images
from fuzz.records import COCO, MEDRPG, PATH_VQA, SLAKE, VQA_RAD
from fuzz.tables import session, workbooks
from fuzz.target import check
from fuzz.targets import TARGETS

from pefomed.boxes.marks import without_marks
from pefomed.boxes.reading import read_boxes
from pefomed.datasets import ms_cxr_medrpg
from pefomed.datasets.openi_xml import read_report
from pefomed.endpoint.completion import completion
from pefomed.endpoint.failures import BadBody
from pefomed.errors import DataError, ImageError
from pefomed.files.format import Format
from pefomed.files.plain_pickle import read_plain_pickle
from pefomed.files.rows import read_table
from pefomed.files.unzip import unzip
from pefomed.images.images import open_image
from pefomed.raters.workbook_import import import_workbooks

DEEP = b"[" * 100_000
LONG = b"9" * 5000  # Python makes no integer of more than 4,300 digits, and no float of more than 308
HALF = "\ud800"  # half of a surrogate pair: JSON can say it, no file can hold it
REPEATED = b"(K\x01K\x01t" + b"2\x86" * 60 + b"."  # a pair of a pair of ...: 2^60 numbers


def error_of(name: str, data: bytes) -> str:
    error = check(TARGETS[name], data)
    assert error is not None
    return str(error)


@pytest.mark.parametrize(
    ("name", "rows", "changed"),
    [
        ("vqa_rad", VQA_RAD, {"question": HALF}),
        ("slake", SLAKE, {"img_name": "../../../secret.png"}),
        ("slake", SLAKE, {"img_name": "/etc/secret.png"}),
    ],
)
def test_values_that_no_published_file_has(name: str, rows: list[dict[str, Any]], changed: Any) -> None:
    assert "surrogates not allowed" in (said := error_of(name, json.dumps([rows[0] | changed]).encode())) or (
        "must stay inside" in said
    )


@pytest.mark.parametrize("name", ["answers", "recipe", "slake_boxes"])
@pytest.mark.parametrize("text", [DEEP, b"a = " + DEEP, b"a = " + LONG, b'[{"id": ' + LONG + b"}]"])
def test_lists_in_lists_and_numbers_of_thousands_of_digits(name: str, text: bytes) -> None:
    assert error_of(name, text)


def test_a_box_of_huge_integers() -> None:
    box = [10**400, 1, 1, 1]
    assert "four finite numbers" in error_of("slake_boxes", json.dumps([{"Lung": box}]).encode())
    rows = COCO | {"annotations": [COCO["annotations"][0] | {"bbox": box}]}
    assert "four finite numbers" in error_of("coco", json.dumps(rows).encode())


def test_a_reply_of_brackets() -> None:
    with pytest.raises(BadBody):
        completion(DEEP.decode())


@pytest.mark.parametrize(
    "text",
    ["<p>" * 20_000, "{" + " " * 20_000, ("<" + " " * 2000) * 10, "x" + " " * 50_000 + "x", "<1>" * 20_000],
)
def test_long_answers_take_no_longer_than_they_are(text: str) -> None:
    begun = time.process_time()
    read_boxes(text)
    without_marks(text)
    assert time.process_time() - begun < 5  # it was minutes


def test_a_report_in_hundreds_of_thousands_of_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"<e>" + b'<AbstractText Label="F">ab</AbstractText>' * 100_000 + b"</e>")
    assert read_report(path).sections == {"f": "ab " * 99_999 + "ab"}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.", "damaged"),  # a text of 4 EiB
        (b"]" + REPEATED, "damaged"),
        (REPEATED, "more than 10,000,000 values"),
        (REPEATED[:-1] + b"}" + b"K\x01K\x02s.", "damaged"),
        (b"}" + REPEATED[:-1] + b"K\x01s.", "a key that is a tuple"),
        (b"]" * 200 + b"a" * 199 + b".", "nested in more than 100"),
        (b"]2a.", "nested in more than 100 others, or in themselves"),
        (b"X\x03\0\0\0\xed\xa0\x80.", "surrogates not allowed"),
    ],
)
def test_pickles_that_multiply(data: bytes, found: str) -> None:
    with pytest.raises(DataError, match=found):
        read_plain_pickle(Path("a.pkl"), io.BytesIO(data))


def test_values_that_stand_twice_are_read_twice() -> None:
    assert check(TARGETS["pickle"], pickle.dumps(PATH_VQA)) is None  # the same dict twice


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_archives_that_are_damaged_where_zipfile_does_not_look(tmp_path: Path) -> None:
    wrong_name = zipped(("ü.txt", b"a")).replace("ü".encode(), b"\xc3(")
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        whole = zipped(("a.txt", b"abc" * 50), method=method)
        (tmp_path / "a.zip").write_bytes(whole[:50] + b"\xff\xff\xff" + whole[53:])
        with pytest.raises(DataError, match="cannot be unpacked"):
            unzip(tmp_path / "a.zip", tmp_path / "out")
    assert "cannot be unpacked" in error_of("zip", wrong_name)


def test_members_that_overlap_are_one_bomb(tmp_path: Path) -> None:
    # Every entry of the directory points at the same 10 kB, which unpack to 10 MB.
    one = zipped(("a.txt", bytes(10**7)))
    end = len(one) - 22
    (start,) = struct.unpack_from("<I", one, end + 16)
    entries = [one[start:end].replace(b"a.txt", b"%05d" % number) for number in range(1000)]
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1000, 1000, 1000 * (end - start), start, 0)
    (tmp_path / "b.zip").write_bytes(one[:start] + b"".join(entries) + tail)
    with pytest.raises(DataError, match=r"unpacks to too much.*\n.*10,000,000,000 bytes from"):
        unzip(tmp_path / "b.zip", tmp_path / "out")


def test_a_torch_file_is_a_zip_that_may_be_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = zipped(("archive/data.pkl", pickle.dumps(MEDRPG, 2)))
    assert check(TARGETS["torch_pickle"], whole) is None
    assert "is damaged" in error_of("torch_pickle", whole.replace(b"PK\x01\x02", b"PK\x01\x03"))
    monkeypatch.setattr(ms_cxr_medrpg, "PICKLE_LIMIT", 1000)
    assert "unpacks to more than 1,000 bytes" in error_of("torch_pickle", zipped(("data.pkl", bytes(1001))))


@pytest.mark.parametrize("delimiter", ["||", "", "ab"])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    if delimiter:
        with pytest.raises(DataError, match="separated by one character"):
            list(read_table(path, Format(delimiter=delimiter)))
    else:
        assert len(list(read_table(path, Format(delimiter=delimiter)))) == 1


@pytest.mark.parametrize(
    "column",
    [
        lambda arrow: arrow.array([10**12], arrow.timestamp("s")),
        lambda arrow: arrow.array([{"bytes": 1, "path": 2}]),
        lambda arrow: arrow.array([[[b"x"]]]),
    ],
)
def test_columns_that_are_no_images_and_no_dates(column: Callable[[Any], Any]) -> None:
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"image": ["a.png"], "question": ["q"], "answer": ["a"], "more": column(arrow)})
    buffer = io.BytesIO()
    arrow.parquet.write_table(table, buffer)
    error = check(TARGETS["parquet"], buffer.getvalue())
    assert error is None or "date value out of range" in str(error)


def workbook(change: Callable[[bytes], bytes]) -> bytes:
    """Return the spreadsheet of `fuzz.tables.session` with its first sheet changed."""
    with zipfile.ZipFile(io.BytesIO(workbooks()[0])) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    return zipped(*(parts | {sheet: change(parts[sheet])}).items())


BOMB = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 9999 + b'"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            lambda xml: xml.replace(b'r="3"', b'r="9000000"').replace(b'r="A3"', b'r="A9000000"'),
            "100,000 rows",
        ),
        (lambda xml: BOMB + xml.replace(b"<t>", b"<t>&c;"), "XML declarations"),
        (lambda xml: b'<!DOCTYPE a [<!ENTITY f SYSTEM "/etc/passwd">]>' + xml, "XML declarations"),
        (lambda xml: xml + b" " * 20_000_001, "more than 20 MB beside its images"),
        (lambda xml: xml[:-9], "not a readable .xlsx file"),
    ],
)
def test_spreadsheets_made_to_do_harm(tmp_path: Path, change: Callable[[bytes], bytes], found: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(change))
    with pytest.raises(DataError, match=found):
        import_workbooks(session(), path)
    path.write_bytes(workbook(lambda xml: xml))
    assert len(import_workbooks(session(), path)) == 1


def test_weights_that_are_few_bytes_and_stand_for_many(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from pefomed.errors import WeightsError
    from pefomed.models.legacy import import_legacy

    path = tmp_path / "a.pth"
    torch.save({"model": {"llama_proj.weight": torch.zeros(1, dtype=torch.half).expand(10**6, 10**6)}}, path)
    assert path.stat().st_size < 10_000
    with pytest.raises(WeightsError, match=r"holds more than tensors\n.*llama_proj\.weight"):
        import_legacy(path)


def test_a_tiff_whose_second_page_lies_behind_its_end(tmp_path: Path) -> None:
    packbits = images()[8]
    assert packbits[:2] == b"II"
    path = tmp_path / "a.tif"
    path.write_bytes(
        packbits[:-4] + struct.pack("<I", 10**6)
    )  # where Pillow writes it, the directory is last
    assert open_image(path).size == (12, 8)
    with pytest.raises(ImageError, match="Missing dimensions"):  # a TypeError of Pillow's
        open_image(f"{path}#frame=1")


def test_a_batch_that_does_not_fit_the_schema_of_its_stream(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"image": ["a.png"], "question": ["q"], "answer": ["a"]})
    other = arrow.record_batch({"image": ["a.png"]})
    path = tmp_path / "a.arrow"
    path.write_bytes(table.schema.serialize().to_pybytes() + other.serialize().to_pybytes())
    with pytest.raises(DataError, match="is damaged"):
        list(read_table(path))
