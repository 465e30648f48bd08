"""How a file is read that does not say so itself, and what is found without being said."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import shutil
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.feather
import pytest

from datasets import Dataset as HubDataset
from datasets import DatasetDict
from pefomed.cli.app import app
from pefomed.datasets import load_samples
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import DataError, RecordError
from pefomed.files import json_rows, json_stream, jsonl, lines, packed
from pefomed.files.format import Format
from pefomed.files.rows import read_table
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


FRAME = pandas.DataFrame({"id": ["q1", "q2"], "answer": ["yes", "nö"], "n": [1, 2]})
SHAPES = {
    "records": FRAME.to_json(orient="records"),
    "records in lines": FRAME.to_json(orient="records", indent=2),
    "lines": FRAME.to_json(orient="records", lines=True),
    "columns": FRAME.to_json(orient="columns"),
    "split": FRAME.to_json(orient="split"),
    "lists": json.dumps(FRAME.to_dict("list")),
    "by id": json.dumps(
        {row["id"]: {"answer": row["answer"], "n": row["n"]} for row in FRAME.to_dict("records")}
    ),
    "utf-16": FRAME.to_json(orient="records", force_ascii=False),
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_shapes_of_json_that_pandas_writes(tmp_path: Path, name: str, shape: str) -> None:
    if name == "a.jsonl" and shape not in ("records", "records in lines", "lines"):
        pytest.skip("a line of JSON Lines is a row, whatever it is")
    (tmp_path / name).write_text(SHAPES[shape], encoding="utf-16" if shape == "utf-16" else "utf-8")
    assert rows(tmp_path / name) == FRAME.to_dict("records")


def test_a_list_for_each_split_and_ids_that_records_have_too(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"  # as R2Gen's
    path.write_text(json.dumps({"train": [{"id": 1}], "val": [], "test": [{"id": 2, "split": "own"}]}))
    assert rows(path) == [{"split": "train", "id": 1}, {"split": "own", "id": 2}]
    path.write_text(json.dumps({"a": {"id": 1, "x": "u"}, "b": {"id": 2, "x": "v"}}))
    assert rows(path) == [{"key": "a", "id": 1, "x": "u"}, {"key": "b", "id": 2, "x": "v"}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"version": 1, "data": [{"a": 1}]}, r'1 at \'data\'.*`records = "data"`'),
        ({"data": {"items": [{"a": 1}]}}, r'`records = "data.items"`'),
        (
            {"images": [{"id": 1}], "annotations": [{"id": 1}, {"id": 2}]},
            "1 at 'images', 2 at 'annotations'",
        ),
        ({"id": ["1"], "answer": ["a", "b"]}, "columns of the same length.*'id' 1, 'answer' 2"),
        ({"columns": ["a"], "data": [[1], [1, 2]]}, "record 2: expected 1 cells"),
        ({"q1": "yes"}, "an object with the keys q1"),
        ([{"a": 1}, [2]], "record 2 is a list"),
        ([["a"], ["b"]], "record 1 is a list"),
        ("text", "expected a list of objects"),
    ],
)
def test_json_that_is_no_rows_says_what_it_is(tmp_path: Path, value: Any, message: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(DataError, match=rf"(?s)a\.json.*{message}"):
        rows(tmp_path / "a.json")


@pytest.mark.parametrize("cut", [1, 5, 40, -1, -2, -20])
def test_json_that_is_cut_or_goes_on_names_the_line(tmp_path: Path, cut: int) -> None:
    whole = json.dumps([{"a": "x\\u1234", "b": [1.5e3, True, None]}] * 3, indent=1)
    (tmp_path / "a.json").write_text(whole[:cut], encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.json, line \d+: not JSON"):
        rows(tmp_path / "a.json")
    (tmp_path / "a.json").write_text(whole + "\n[]", encoding="utf-8")
    with pytest.raises(DataError, match=rf"line {whole.count(chr(10)) + 2}: not JSON"):
        rows(tmp_path / "a.json")


def test_a_list_of_any_length_in_one_line_takes_the_memory_of_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_PIECE", 2**14)
    text = "[" + ", ".join(json.dumps({"n": n, "a": "x" * 1000, "b": "\\ué"}) for n in range(3_000)) + "]"
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    tracemalloc.start()
    found = [row["n"] for row in (row for _, row in read_table(tmp_path / "a.json"))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == list(range(3_000))
    assert peak < 2_500_000  # 3 MB in the file


def test_json_of_one_endless_value_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream.JsonText.value, "__defaults__", (1000,))
    (tmp_path / "a.json").write_text('[{"a": "' + "x" * 10_000, encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        rows(tmp_path / "a.json")
    monkeypatch.setattr(json_rows, "WHOLE_LIMIT", 1000)
    (tmp_path / "a.json").write_text('{"a": "' + "x" * 10_000 + '"}', encoding="utf-8")
    with pytest.raises(DataError, match=r"line 1 begins too long a value: at most 1,000"):
        rows(tmp_path / "a.json")


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", [*PACKERS, "zip"])
@pytest.mark.parametrize(("name", "text"), [("a.csv", "a;b\nü;2\n"), ("a.json", '[{"a": "ü", "b": "2"}]')])
def test_packed_tables(tmp_path: Path, kind: str, name: str, text: str) -> None:
    path = tmp_path / f"{name}.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"folder/{name}", text)
        shutil.copy(path, tmp_path / "other.zip")
        assert rows(tmp_path / "other.zip") == [{"a": "ü", "b": "2"}]
    else:
        path.write_bytes(PACKERS[kind](text.encode()))
    assert rows(path) == [{"a": "ü", "b": "2"}]
    whole = path.read_bytes()
    for damaged in (whole[:-6], b"no such thing", whole[:3]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="is not a whole"):
            rows(path)


def test_packed_files_behind_each_other_and_several_in_one(tmp_path: Path) -> None:
    for kind in PACKERS:
        (tmp_path / f"a.csv.{kind}").write_bytes(PACKERS[kind](b"a,b\n1,") + PACKERS[kind](b"2\n"))
        assert rows(tmp_path / f"a.csv.{kind}") == [{"a": "1", "b": "2"}]
    for names in ([], ["a.csv", "b.csv"]):
        with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "a,b\n1,2\n")
        with pytest.raises(DataError, match="as the one file of a zip archive"):
            rows(tmp_path / "a.csv.zip")


def test_xz_that_asks_for_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MEMORY_LIMIT", 2**20)
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(b"a,b\n1,2\n", preset=9))
    with pytest.raises(DataError, match=r"(?s)is not a whole xz file.*[Mm]emory"):
        rows(tmp_path / "a.csv.xz")


def test_texts_of_any_ending(tmp_path: Path) -> None:
    forms = {"a.txt": "a|b\n1|2\n", "a.dat": "a\tb\n1\t2\n", "a.psv": "a|b\n1|2\n", "A.TXT": "a;b\n1;2\n",
             "lines.txt": '{"a": "1", "b": "2"}\n', "list.txt": '\n[{"a": "1", "b": "2"}]'}  # fmt: skip
    for name, text in forms.items():
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            (tmp_path / name).write_text(text, encoding=encoding)
            assert rows(tmp_path / name) == [{"a": "1", "b": "2"}]
    (tmp_path / "imageclef.txt").write_text("synpic1|what, if anything, is it?|a mass\n", encoding="utf-8")
    names = ("image", "question", "answer")
    assert [*rows(tmp_path / "imageclef.txt", header=names)[0].values()][2] == "a mass"


def test_a_text_of_any_kind_is_no_split_beside_tables(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("image,question,answer\n0.png,q,a\n", encoding="utf-8")
    for name in ("train.txt", ".train.csv", "~$train.csv", "._train.csv"):
        (tmp_path / name).write_text("0.png\n1.png\n", encoding="utf-8")
    loaded = load_samples(Dataset(loader="table", root="."), "train", tmp_path)
    assert [sample.question for sample in loaded] == ["q"]


def hub_rows(count: int, name: str) -> HubDataset:
    return HubDataset.from_dict(
        {
            "id": [f"{name}{n}" for n in range(count)],
            "image": ["0.png"] * count,
            "question": [f"q{n}?" for n in range(count)],
            "reference": ["a"] * count,
            "answer": ["a"] * count,
        }
    )


@pytest.mark.parametrize("loader", ["table", "hugging_face"])
def test_what_save_to_disk_writes(tmp_path: Path, loader: str) -> None:
    # Shards, a file of `map`'s beside them, and a split that was chosen from.
    whole = hub_rows(5, "x").filter(lambda row: row["id"] != "x1", load_from_cache_file=False)
    whole.save_to_disk(str(tmp_path / "one"), num_shards=3)
    (tmp_path / "one" / "cache-0.arrow").write_bytes(b"no table")
    loaded = load_samples(Dataset(loader=loader, root="one"), "train", tmp_path)
    assert [sample.id for sample in loaded] == ["x0", "x2", "x3", "x4"]
    assert evaluated("one", tmp_path) == 1
    both = DatasetDict(train=hub_rows(2, "t"), validation=hub_rows(1, "v"), test=hub_rows(3, "e"))
    both.save_to_disk(str(tmp_path / "both"))
    for split, count in (("train", 2), ("validate", 1), ("test", 3)):
        loaded = load_samples(Dataset(loader=loader, root="both"), split, tmp_path)
        assert len(loaded) == count
    assert found_splits(Dataset(loader="table", root="both"), tmp_path) == {
        "train": 2,
        "validation": 1,
        "test": 3,
    }
    assert evaluated("both", tmp_path) == 1
    assert evaluated("both/train", tmp_path) == 1
    with pytest.raises(DataError, match=r"(?s)has no split 'fold1'.*test, train, validation"):
        evaluated("both", tmp_path, "--split", "fold1")
    with pytest.raises(DataError, match=r"(?s)both is a folder, not a table.*test, train, validation"):
        rows(tmp_path / "both")


@pytest.mark.parametrize("loader", ["table", "hugging_face"])
def test_a_saved_dataset_says_which_split_it_is(tmp_path: Path, loader: str) -> None:
    hub_rows(2, "x").to_parquet(str(tmp_path / "a.parquet"))
    named = HubDataset.from_parquet(str(tmp_path / "a.parquet"), split="test", cache_dir=str(tmp_path / "c"))
    named.save_to_disk(str(tmp_path / "one"))
    assert len(load_samples(Dataset(loader=loader, root="one"), "test", tmp_path)) == 2
    with pytest.raises(DataError, match="split 'train'"):
        load_samples(Dataset(loader=loader, root="one"), "train", tmp_path)
    assert list(found_splits(Dataset(loader=loader, root="one"), tmp_path)) == ["test"]


def test_a_saved_dataset_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    hub_rows(2, "x").save_to_disk(str(tmp_path / "one"))
    state = json.loads((tmp_path / "one" / "state.json").read_text())
    for name, message in (
        ("../x.arrow", "must stay inside"),
        (3, "a file without a name"),
        ("none.arrow", "no file at"),
    ):
        state["_data_files"] = [{"filename": name}]
        (tmp_path / "one" / "state.json").write_text(json.dumps(state))
        with pytest.raises(DataError, match=message):
            rows(tmp_path / "one")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_columnar_files_of_every_writer(tmp_path: Path, count: int) -> None:
    made = hub_rows(count, "x")
    frame = made.to_pandas()
    made.to_parquet(str(tmp_path / "a.pq"))
    frame.to_parquet(tmp_path / "b.parquet", compression="zstd")
    frame.to_feather(tmp_path / "c.feather")
    pyarrow.feather.write_feather(frame, tmp_path / "d.arrow", compression="zstd")
    frame.to_json(tmp_path / "e.jsonl", orient="records", lines=True)
    frame.to_csv(tmp_path / "f.csv.xz", index=False)
    for path in sorted(tmp_path.glob("?.*")):
        assert rows(path) == made.to_list()
