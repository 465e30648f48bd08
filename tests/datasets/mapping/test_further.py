"""Several right answers of a row, of which every row has its own number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.recipe import Dataset

LINES = "0|yes|a mass\n1|left\n2|a, or b|c|d\n"
ANSWERS = [("yes", "a mass"), ("left",), ("a, or b", "c", "d")]
HOW = {"columns": {"image": "{image}.png", "question": {"constant": "q?"}}}


def read(
    folder: Path, name: str, content: Any, loader: str = "table", **options: Any
) -> list[tuple[str, ...]]:
    """Return the right answers of every row of a file with this content."""
    text = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
    (folder / name).write_text(text, encoding="utf-8")
    dataset = Dataset(loader=loader, root=name, options=options)
    return [sample.references for sample in load_samples(dataset, "train", folder)]


def rows(*answers: Any, name: str = "answers", **more: Any) -> list[dict[str, Any]]:
    return [{"image": f"{n}.png", "question": "q?", name: each, **more} for n, each in enumerate(answers)]


@pytest.mark.parametrize("delimiter", [{}, {"delimiter": "|"}])
def test_the_last_name_of_a_header_holds_the_rest_of_each_row(
    tmp_path: Path, delimiter: dict[str, str]
) -> None:
    for last in ("answer...", "answer ...", "answer…"):
        header = ["image", last]
        assert read(tmp_path, "qa.txt", LINES, header=header, **delimiter, **HOW) == ANSWERS


def test_a_row_without_the_last_has_no_answer(tmp_path: Path) -> None:
    for text in ("0|yes\n1|\n", "0|yes\n1\n"):
        with pytest.raises(DataError, match="line 2: column 'answer' is empty"):
            read(tmp_path, "qa.txt", text, header=["image", "answer..."], delimiter="|", **HOW)


def test_a_first_line_that_is_the_header_is_no_row(tmp_path: Path) -> None:
    text = "image,question,answer\n0.png,q?,yes,a mass\n1.png,q?,left\n"
    with pytest.raises(DataError, match=r'`header = \["image", "question", "answer..."\]`'):
        read(tmp_path, "qa.csv", text)
    found = read(tmp_path, "qa.csv", text, header=["image", "question", "answer..."])
    assert found == [("yes", "a mass"), ("left",)]


def test_rows_that_end_before_a_further_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "image,question,answer,answer_2,answer_3\n0.png,q?,yes,a mass\n1.png,q?,left\n2.png,q?,a,,c\n"
    assert read(tmp_path, "qa.csv", text) == [("yes", "a mass"), ("left",), ("a", "c")]
    assert "2 rows end before the last of the columns answer_2, answer_3" in capsys.readouterr().err


def test_a_row_that_ends_before_any_other_column_is_an_error(tmp_path: Path) -> None:
    for header, row in (
        ("image,question,answer,organ", "0.png,q?,yes"),
        ("image,question,answer_1,answer_2", "0.png,q?"),
        ("image,question,answer,x1,y1,x2,y2", "0.png,q?,a,1,1,2"),
    ):
        with pytest.raises(DataError, match="line 2: expected"):
            read(tmp_path, "qa.csv", f"{header}\n{row}\n")


def test_lists_of_every_length(tmp_path: Path) -> None:
    content = rows(["yes", "a mass"], ["left"], "plain", [None, "z", "", "z"])
    right = [("yes", "a mass"), ("left",), ("plain",), ("z",)]
    assert read(tmp_path, "qa.jsonl", content, columns={"answer": "answers"}) == right


def test_answers_of_ten_people(tmp_path: Path) -> None:
    # As VQA v2 has them: the most frequent beside all of them, in the order of the people.
    people = [
        [{"answer": "no", "answer_id": 1}, {"answer": "yes"}, {"answer": "yes"}],
        [{"answer": "left"}],
        [],
    ]
    content = rows(*people)
    for row, usual in zip(content, ("yes", "left", "up"), strict=True):
        row["multiple_choice_answer"] = usual
    columns = {"answer": "multiple_choice_answer", "further": ["answers.answer"]}
    assert read(tmp_path, "qa.jsonl", content, columns=columns) == [("yes", "no"), ("left",), ("up",)]
    with pytest.raises(DataError, match=r'columns.answer = "answers.answer"'):
        read(tmp_path, "qa.jsonl", content, columns={"answer": "answers"})


def test_a_list_in_a_cell_of_text_may_hold_more_than_texts(tmp_path: Path) -> None:
    text = (
        'image,question,answer\n0.png,q?,"[""one"", null, 2]"\n1.png,q?,"[\'a\', None]"\n2.png,q?,"[1, 2]"\n'
    )
    right = [("one", "2"), ("a",), ("[1, 2]",)]
    assert read(tmp_path, "qa.csv", text, numbers_as_text=True) == right
    with pytest.raises(DataError, match="line 2: the answer in column 'answer' is a number"):
        read(tmp_path, "qa.csv", text)


def test_answers_joined_in_a_cell_are_named_or_parted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = rows("left", "yes|a mass| y ", "1|2", name="answer")
    assert read(tmp_path, "qa.jsonl", content)[1] == ("yes|a mass| y",)
    assert '`columns.separator = "|"`' in capsys.readouterr().err
    parted = read(tmp_path, "qa.jsonl", content, columns={"separator": "|"}, numbers_as_text=True)
    assert parted == [("left",), ("yes", "a mass", "y"), ("1", "2")]
    assert "separator" not in capsys.readouterr().err


def test_true_and_false_are_words_that_are_said(tmp_path: Path) -> None:
    content = rows(True, False, name="answer")
    with pytest.raises(DataError, match=r'words = \{ true = "yes", false = "no" \}'):
        read(tmp_path, "qa.jsonl", content)
    columns = {"answer": {"column": "answer", "words": {"true": "yes", "false": "no"}}}
    assert read(tmp_path, "qa.jsonl", content, columns=columns) == [("yes",), ("no",)]


def test_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    people = [[{"answer": "yes"}, {"answer": "a mass"}], [{"answer": "left"}]]
    pq.write_table(pa.Table.from_pylist(rows(*people)), tmp_path / "hub" / "train.parquet")
    dataset = Dataset(loader="hugging_face", root="hub", options={"columns": {"answer": "answers.answer"}})
    found = [sample.references for sample in load_samples(dataset, "train", tmp_path)]
    assert found == [("yes", "a mass"), ("left",)]


def talk(*texts: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    return {"image": "a.png", "messages": messages, **more}


def test_of_conversations(tmp_path: Path) -> None:
    def of(record: dict[str, Any], **columns: Any) -> list[tuple[str, ...]]:
        return read(tmp_path, "c.jsonl", [record], "conversations", columns=columns)

    two = ("q?", "yes", "where?", "left")
    assert of(talk(*two[:2], further_answers=["a mass", None, "yes"])) == [("yes", "a mass")]
    assert of(talk(*two, further_answers=[["a mass"], []])) == [("yes", "a mass"), ("left",)]
    people = talk(*two[:2], answers=[{"answer": "yes"}, {"answer": "a lump"}])
    assert of(people, further="answers.answer") == [("yes", "a lump")]
    assert of(talk("q?", "yes|a mass", more="a|b"), separator="|", further="more") == [
        ("yes", "a mass", "a", "b")
    ]
    with pytest.raises(DataError, match="answers to one question, and the conversation has 2"):
        of(talk(*two, further_answers=["a mass"]))
    with pytest.raises(DataError, match="a list for each of 2 questions"):
        of(talk(*two, further_answers=[["a mass"]]))
    with pytest.raises(DataError, match=r'columns.further = "answers.answer"'):
        of(people, further="answers")
