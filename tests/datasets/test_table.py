from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pefomed.datasets import load_samples, table
from pefomed.errors import DataError
from pefomed.files import rows
from pefomed.recipe import Dataset
from pefomed.schema import Sample

CSV = """\
image,question,answer,fold,patient,kind
a.png,"Is it, indeed, broken?",yes,train,p1,vqa
a.png;b.png,Where?,left arm,test,p2,vqa
c.png,,The heart is large.,test,p3,report
"""


def read(path: Path, split: str = "train", **options: Any) -> list[Sample]:
    return load_samples(Dataset(loader="table", root=str(path), options=options), split, path.parent)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_a_column_map(tmp_path: Path) -> None:
    path = write(tmp_path / "q.csv", CSV)
    columns = {"split": "fold", "meta": ["patient"], "task": "kind"}
    (train,) = read(path, "train", columns=columns)
    assert train.id.startswith("q-train-")
    assert train == Sample(
        id=train.id, images=(str(tmp_path / "a.png"),), task="vqa", question="Is it, indeed, broken?",
        reference="yes", meta={"patient": "p1"},
    )  # fmt: skip
    two, report = read(path, "test", columns=columns, images="scans")
    assert two.images == (str(tmp_path / "scans/a.png"), str(tmp_path / "scans/b.png"))
    assert (report.task, report.question, report.reference) == ("report", "", "The heart is large.")


def test_tsv_jsonl_and_a_byte_order_mark(tmp_path: Path) -> None:
    tsv = write(tmp_path / "t.tsv", "\ufeffimage\tquestion\tanswer\na.png\tq?\tyes, both\n")
    assert read(tsv)[0].reference == "yes, both"
    lines = [{"image": ["a.png", "b.png"], "question": "q?", "answer": "no", "uid": 17}]
    jsonl = write(tmp_path / "t.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    (sample,) = read(jsonl, columns={"id": "uid"})
    assert (sample.id, len(sample.images)) == ("17", 2)


def test_a_folder_holds_one_file_per_split(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write(folder / "train.csv", "image,question,answer\na.png,q?,yes\n")
    write(folder / "test.jsonl", '{"image": "b.png", "question": "q?", "answer": "no"}\n')
    assert read(folder, "train")[0].id.startswith("train-")
    assert read(folder, "test")[0].images == (str(folder / "b.png"),)
    with pytest.raises(DataError, match=r"(?s)split 'validate'.*test\.jsonl, train\.csv"):
        read(folder, "validate")


def test_a_single_file_is_one_split(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "image,question,answer\na.png,q?,yes\n")
    with pytest.raises(DataError, match="no split 'test'"):
        read(path, "test")
    assert len(read(path, "test", only_split="test")) == 1


def test_answers_may_be_absent_for_prediction(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "image,question\na.png,q?\n")
    assert read(path, columns={"answer": ""})[0].reference == ""


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("image,question,anwser\na.png,q?,yes\n", {}, r"line 2: no column 'answer'.*did you mean 'anwser'"),
        ("image,question,answer\na.png,q?,\n", {}, r"line 2: column 'answer' is empty"),
        ("image,question,answer\na.png, ,yes\n", {}, r"line 2: column 'question' is empty"),
        ("image,question,answer\n,q?,yes\n", {}, r"line 2: no image"),
        ("image,question,answer\na.png,q?,3\n", {}, r"line 2: the answer.*a number.*numbers_as_text"),
        ("image,question,answer\na.png,q?\n", {}, r"line 2: expected 3 cells.*found: 2"),
        ("image,image\na,b\n", {}, r"two columns have the same name"),
        ('image,question,answer\na.png,"q?,yes\n', {}, r"malformed.*double quote"),
        ("image,question,answer\na.png,q?,yes\n", {"columns": {"task": "answer"}}, r"unknown task 'yes'"),
        ("image,question,answer\n", {}, r"'train'.*empty"),
        ("", {}, r"'train'.*empty"),
    ],
)
def test_bad_tables_name_the_file_the_line_and_the_remedy(
    tmp_path: Path, text: str, options: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "bad.csv", text)
    with pytest.raises(DataError, match=f"(?s){words}") as caught:
        read(path, **options)
    assert str(path) in str(caught.value)


def test_an_absent_split_names_those_that_exist(tmp_path: Path) -> None:
    path = write(tmp_path / "q.csv", CSV)
    with pytest.raises(DataError, match=r"(?s)'validate'.*'test' \(2\), 'train' \(1\)"):
        read(path, "validate", columns={"split": "fold"})


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "scans/../../a.png",
        "/etc/a.png",
        "..\\a.png",
        "C:\\a.png",
        "../a.dcm#frame=1",
        "b.png;../a",
    ],
)
def test_an_image_path_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "mine" / "t.csv", f"image,question,answer\n{name},q?,yes\n")
    with pytest.raises(DataError, match=r"(?s)t\.csv, line 2: a file name must stay inside.*option `images`"):
        read(path)


def test_the_recipe_may_name_another_folder_and_the_owner_may_link_to_one(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    path = write(tmp_path / "mine" / "t.csv", "image,question,answer\nct.nii#window=40:400,q?,yes\n")
    for images in (str(archive), "../archive"):
        (sample,) = read(path, images=images)
        assert Path(sample.images[0]).parent.resolve() == archive
    (tmp_path / "mine" / "link").symlink_to(archive)
    (sample,) = read(path, images="link")
    assert sample.images == (str(tmp_path / "mine/link/ct.nii#window=40:400"),)


@pytest.mark.parametrize("answer", [3, 2.5, "7", "1e3"])
def test_a_number_is_an_answer_only_if_asked_for(tmp_path: Path, answer: object) -> None:
    line = json.dumps({"image": "a.png", "question": "q?", "answer": answer})
    path = write(tmp_path / "n.jsonl", line + "\n")
    with pytest.raises(DataError, match="is a number"):
        read(path)
    assert read(path, numbers_as_text=True)[0].reference == str(answer)


@pytest.mark.parametrize("answer", [True, [True], [], {"a": 1}, None])
def test_other_answers_are_refused(tmp_path: Path, answer: object) -> None:
    path = write(tmp_path / "n.jsonl", json.dumps({"image": "a", "question": "q?", "answer": answer}) + "\n")
    with pytest.raises(DataError, match=r"n\.jsonl, line 1"):
        read(path, numbers_as_text=True)


@pytest.mark.parametrize(
    ("row", "columns", "references"),
    [
        ({"answer": ["a", "b", "a"]}, {}, ("a", "b")),
        ({"answer": '["a", "b"]'}, {}, ("a", "b")),
        ({"answer": "a", "answer_2": "b", "answer_10": "d", "answer_3": ""}, {}, ("a", "b", "d")),
        ({"answer": "", "answer_2": "b"}, {}, ("b",)),
        ({"answer": "a", "answer_2": "b"}, {"further": []}, ("a",)),
        ({"answer": "a", "answer_2": "b"}, {"meta": ["answer_2"]}, ("a",)),
        ({"answer": "a", "answer_1": "a", "answer_2": "b"}, {}, ("a",)),  # the choices of a question
        ({"answer": "a", "alt": "c"}, {"further": ["alt"]}, ("a", "c")),
        ({"answer": "a | b|"}, {"separator": "|"}, ("a", "b")),
        ({"answer": "a | b|"}, {}, ("a | b|",)),
    ],
)
def test_several_answers(
    tmp_path: Path, row: dict[str, object], columns: dict[str, object], references: tuple[str, ...]
) -> None:
    path = write(tmp_path / "n.jsonl", json.dumps({"image": "a.png", "question": "q?", **row}) + "\n")
    [sample] = read(path, columns=table.Columns(**columns))
    assert (sample.references, sample.reference) == (references, references[0])


def test_what_looks_like_another_answer_and_is_not_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read(write(tmp_path / "n.csv", "image,question,answer,reference_2,answer_type\na.png,q?,a,b,OPEN\n"))
    assert (
        "the column reference_2 looks like further references or answers and is not used"
        in capsys.readouterr().err
    )


def test_not_utf8_names_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"image,question,answer\na.png,caf\xe9?,yes\n")
    # 22 bytes of header and 9 of "a.png,caf" come before it.
    with pytest.raises(DataError, match=r"(?s)latin\.csv is not UTF-8.*0xe9 at offset 31, line 2.*iconv"):
        read(path)


def test_broken_json_missing_file_and_unknown_ending(tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", '{"image": "a"}\n{"image": \n')
    with pytest.raises(DataError, match=r"b\.jsonl, line 2: not JSON"):
        list(rows.read_table(path))
    with pytest.raises(DataError, match="no file at"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"(?s)ending '\.xls'"):
        read(write(tmp_path / "t.xls", ""))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"), st.text(st.characters(codec="utf-8"), max_size=8), min_size=3
        ),
        max_size=4,
    )
)
def test_jsonl_rows_come_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[dict[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "r.jsonl"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in written)
    path.write_text(text, encoding="utf-8", newline="")
    assert [row for _, row in rows.read_table(path)] == written


def test_the_card_is_the_owners() -> None:
    assert table.CARD.splits == {}


def test_a_file_whose_name_holds_the_separator_is_one_image(tmp_path: Path) -> None:
    (tmp_path / "a;b.png").write_bytes(b"")
    path = write(tmp_path / "q.csv", "image,question,answer\na;b.png,q?,yes\na.png;b.png,q?,no\n")
    one, two = read(path)
    assert one.images == (str(tmp_path / "a;b.png"),)
    assert two.images == (str(tmp_path / "a.png"), str(tmp_path / "b.png"))
