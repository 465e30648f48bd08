"""Answers of somebody else's model, from a file to scores."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pefomed.cli import main
from pefomed.errors import DataError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.files import jsonl
from pefomed.outside.run import AnswerColumns, columns_of, outside_run
from pefomed.schema import Prediction, Sample

ROWS: list[dict[str, Any]] = [
    {"id": "q1", "question": "Is it big, or small?", "reference": "big", "answer": "Big",
     "image": "a.png", "organ": "lung"},
    {"id": "q2", "question": "Where?", "reference": "left lung", "answer": "", "image": "a.png",
     "organ": "heart"},
    {"id": "q3", "question": "How many?", "reference": "2", "answer": "3", "image": "b.png;c.png",
     "organ": "lung"},
]  # fmt: skip


def table(path: Path, rows: list[dict[str, Any]], encoding: str = "utf-8") -> Path:
    if path.suffix == ".json":
        text = json.dumps(rows)
    elif path.suffix == ".jsonl":
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        cells = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
        text = "".join(",".join(f'"{cell}"' for cell in line) + "\r\n" for line in cells)
    path.write_text(text, encoding=encoding, newline="")
    return path


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl"])
def test_every_kind_of_file_is_the_same_run(tmp_path: Path, ending: str) -> None:
    run = outside_run(table(tmp_path / f"theirs{ending}", ROWS), tmp_path / "run", "vqa-x")
    samples = list(jsonl.read(run / "samples" / "vqa-x-test.jsonl", Sample))
    assert [sample.id for sample in samples] == ["q1", "q2", "q3"]
    assert samples[0].meta == {"organ": "lung"}
    assert samples[2].images == (str(tmp_path / "b.png"), str(tmp_path / "c.png"))
    predictions = list(jsonl.read(run / "predictions" / "vqa-x-test.jsonl", Prediction))
    assert [prediction.text for prediction in predictions] == ["Big", "", "3"]
    assert {prediction.finish for prediction in predictions} == {"unknown"}
    scores = {(score.metric, score.group): score for score in evaluate_run(run)}
    assert scores["exact_match", "overall"].value == pytest.approx(1 / 3)  # the empty answer is wrong
    assert scores["exact_match", "organ=lung"].value == 0.5
    assert scores["empty_rate", "overall"].value == pytest.approx(1 / 3)
    assert {(score.system, score.dataset, score.split) for score in scores.values()} == {
        ("model", "vqa-x", "test")
    }
    assert json.loads((run / "outside.json").read_text())["n"] == 3


def test_references_of_their_own_and_other_names(tmp_path: Path) -> None:
    answers = [{"qid": row["id"], "text": row["answer"]} for row in reversed(ROWS)]
    truth = [{"qid": row["id"], "q": row["question"], "gt": row["reference"]} for row in ROWS]
    run = outside_run(
        table(tmp_path / "answers.jsonl", answers), tmp_path / "run", "d",
        references=table(tmp_path / "truth.csv", truth),
        columns=columns_of("id=qid, question=q, reference=gt, answer=text"),
    )  # fmt: skip
    samples = list(jsonl.read(run / "samples" / "d-test.jsonl", Sample))
    assert [(sample.id, sample.reference) for sample in samples] == [
        ("q1", "big"), ("q2", "left lung"), ("q3", "2"),
    ]  # fmt: skip
    # Without images every answer stands alone.
    assert len({sample.images for sample in samples}) == 3
    assert evaluate_run(run)


def test_reports(tmp_path: Path) -> None:
    rows = [{"id": str(i), "reference": f"Heart normal. {i}.", "answer": "Heart normal."} for i in range(3)]
    run = outside_run(table(tmp_path / "r.json", rows), tmp_path / "run", "iu", task="report")
    metrics = {score.metric for score in evaluate_run(run)}
    assert {"bleu_4", "cider", "rouge_l", "bleu_4_r2gen", "cider_r2gen", "rouge_l_r2gen"} <= metrics
    assert "exact_match" not in metrics
    log = (run / "log.jsonl").read_text()
    assert "no METEOR: switched off" in log


def changed(**fields: Any) -> list[dict[str, Any]]:
    return [*ROWS[:2], {**ROWS[2], **fields}]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(id="q1"), r"theirs\.json: ids occur more than once\n.*1 ids: q1"),
        (changed(id=""), r"record 3: no id in column 'id'"),
        (changed(answer=3), r"record 3: column 'answer' must hold text\n.*the number 3\n.*--numbers-as-text"),
        (changed(answer=None), r"record 3: column 'answer' must hold text\n.*null"),
        (changed(answer=["a"]), r'record 3: .*must hold text\n.*\["a"\]'),
        (changed(reference=" "), r"record 3: no reference in column 'reference'"),
        (changed(question=""), r"record 3: no question in column 'question'"),
        (changed(task="vqq"), r"record 3: unknown task 'vqq'\n.*did you mean 'vqa'"),
        ([{"id": "q", "anser": "a"}], r"record 1: no column 'reference'"),
        ([], "holds no row"),
        (
            [{**row, "answer": "1"} for row in ROWS],
            "are numbers, the references are not\n.*3 of 3 answers, 1",
        ),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        outside_run(table(tmp_path / "theirs.json", rows), tmp_path / "run", "d")
    assert not (tmp_path / "run").exists()


def test_numbers_that_are_meant(tmp_path: Path) -> None:
    file = table(tmp_path / "theirs.json", changed(answer=2))
    run = outside_run(file, tmp_path / "run", "d", numbers_as_text=True)
    assert {score.value for score in evaluate_run(run) if score.metric == "exact_match"} >= {2 / 3}


def test_ids_on_one_side_only(tmp_path: Path) -> None:
    answers = table(tmp_path / "a.csv", [*ROWS[:2], {**ROWS[2], "id": "q9"}])
    with pytest.raises(DataError, match=r"only in .*t\.csv: 1 ids: q3; only in .*a\.csv: 1 ids: q9"):
        outside_run(answers, tmp_path / "run", "d", references=table(tmp_path / "t.csv", ROWS))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,answer\nq1,caf\xe9\n".encode("latin-1"), "a.csv is not UTF-8\n.*0xe9.*line 2"),
        ("a.json", b'{"q1": "yes"}', "expected a list of objects\n.*an object with the keys q1"),
        ("a.json", b'[{"id": 1,]', "line 1: not JSON"),
        ("a.csv", b"id,answer\nq1,a,b\n", "line 2: expected 2 cells"),
        ("a.xls", b"PK", "no table that can be read\n.*'.xls'"),
        ("a.xlsx", b"PK", "no workbook that can be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        outside_run(tmp_path / name, tmp_path / "run", "d")
    with pytest.raises(DataError, match="no file at"):
        outside_run(tmp_path / "absent.csv", tmp_path / "run", "d")


def test_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    file = table(tmp_path / "a.json", ROWS)
    run = outside_run(file, tmp_path / "run", "d")
    assert outside_run(file, run, "d") == run  # the same again
    table(file, changed(answer="2"))
    with pytest.raises(RunError, match=r"holds other answers\n.*sha256"):
        outside_run(file, run, "d")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "recipe.toml").write_text("")
    with pytest.raises(RunError, match="not a folder of somebody else's answers"):
        outside_run(file, tmp_path / "else", "d")


@pytest.mark.parametrize(("dataset", "split"), [("a/b", "test"), ("", "test"), ("d", "dev-test")])
def test_names_that_make_no_file(tmp_path: Path, dataset: str, split: str) -> None:
    with pytest.raises(DataError, match="cannot be the name"):
        outside_run(table(tmp_path / "a.json", ROWS), tmp_path / "run", dataset, split)


def test_column_maps() -> None:
    assert columns_of("id=a,answer = b") == AnswerColumns(id="a", answer="b")
    assert columns_of('{ image = "i", meta = ["x", "y"] }') == AnswerColumns(image="i", meta=("x", "y"))
    for wrong in ("anser=b", "{ id = }", "{ id = 3 }", "id"):
        with pytest.raises(DataError, match="column map"):
            columns_of(wrong)
    # Said in several places, each once.
    assert columns_of("id=a", '{ answer = "b" }') == AnswerColumns(id="a", answer="b")
    for twice in (("id=a", "id=b"), ("id=a, id=b",), ("id=a", '{ id = "a" }')):
        with pytest.raises(DataError, match="names 'id' twice"):
            columns_of(*twice)


def test_the_command_scores_a_file_without_torch(tmp_path: Path) -> None:
    file = table(tmp_path / "theirs.csv", ROWS)
    words = ["evaluate", str(file), "--out", str(tmp_path / "run"), "--dataset", "d", "--json"]
    code = (
        "import sys\nfrom pefomed.cli import main\n"
        f"try: main({words!r})\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'transformers', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {score["dataset"] for score in json.loads(done.stdout)} == {"d"}


def scored(file: Path, run: Path, **options: Any) -> dict[str, float]:
    scores = evaluate_run(outside_run(file, run, "d", **options))
    return {score.metric: score.value for score in scores if score.group == "overall"}


@pytest.mark.parametrize(
    ("row", "columns", "references"),
    [
        ({"reference": ["left lung", "lung"]}, "", ("left lung", "lung")),
        ({"reference": "left lung", "reference_2": "lung", "reference_3": None}, "", ("left lung", "lung")),
        ({"reference": "left lung|lung"}, "separator=|", ("left lung", "lung")),
        ({"reference": "left lung; lung"}, "separator=;", ("left lung", "lung")),
        ({"reference_1": "left lung", "reference_2": "lung"}, "", ("left lung", "lung")),
        ({"references": ["left lung", "lung"]}, "", ("left lung", "lung")),
        ({"reference": "left lung", "other": "lung"}, "further=other", ("left lung", "lung")),
        ({"gt": "left lung", "gt 2": "lung"}, "reference=gt", ("left lung", "lung")),
        (
            {"gt": "left lung", "b": "lung", "c": "x"},
            "reference=gt, further=b + c",
            ("left lung", "lung", "x"),
        ),
        ({"reference": "['left lung', 'lung']"}, "", ("left lung", "lung")),
    ],
)
def test_any_of_several_references_is_right(
    tmp_path: Path, row: dict[str, Any], columns: str, references: tuple[str, ...]
) -> None:
    file = table(tmp_path / "a.jsonl", [{"id": "q1", "question": "Where?", "answer": "Lung", **row}])
    found = scored(file, tmp_path / "run", columns=columns_of(columns) if columns else AnswerColumns())
    assert found["exact_match"] == found["token_recall"] == found["token_precision"] == 1
    [sample] = jsonl.read(tmp_path / "run" / "samples" / "d-test.jsonl", Sample)
    assert sample.references == references
    assert sample.meta == {}


def test_an_empty_list_is_no_reference(tmp_path: Path) -> None:
    file = table(
        tmp_path / "a.jsonl", [{"id": "q1", "question": "Where?", "answer": "Lung", "reference": "[]"}]
    )
    with pytest.raises(DataError, match="no reference in column 'reference'"):
        outside_run(file, tmp_path / "run", "d")


def test_reports_with_several_references(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "reference": "a b c d", "reference_2": "the heart is big", "answer": "the heart is big"},
        {"id": "2", "reference": "the lungs are clear", "reference_2": "", "answer": "the lungs are clear"},
    ]  # fmt: skip
    found = scored(table(tmp_path / "r.csv", rows), tmp_path / "run", task="report")
    # Each answer is one of its references: every n-gram is matched, and the closest length is its own.
    assert found["bleu_4"] == pytest.approx(1)
    assert found["rouge_l"] == pytest.approx(1)


def test_a_column_like_a_reference_never_becomes_a_group_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {**row, "ref_b": f"x{place % 2}", "answer 2": "a", "gt": "b", "answer_type": "OPEN"}
        for place, row in enumerate(ROWS)
    ]
    scores = evaluate_run(outside_run(table(tmp_path / "a.csv", rows), tmp_path / "run", "d"))
    assert {score.group.partition("=")[0] for score in scores} == {"overall", "organ"}
    said = capsys.readouterr().err
    assert "the columns ref_b, answer 2, gt look like further references or answers and are not used" in said
    assert "further=ref_b + answer 2 + gt" in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reference": "yes|no"}, "1 reference with `|`, e.g. 'yes|no': each is scored as one text"),
        ({"reference": "yes; no"}, "1 reference with `;`"),
        ({"answer": "yes | no"}, "1 answer with `|`"),
        ({"answer": '["yes", "no"]'}, "1 answer written as a list"),
        ({"answer": "[0.1, 0.2, 0.5, 0.5]"}, "1 answer that may be a box"),
        ({"answer": "{<12><30><40><66>}"}, "1 answer that may be a box"),
    ],
)
def test_what_may_be_more_than_one_text_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, str], said: str
) -> None:
    scored(table(tmp_path / "a.json", changed(**fields)), tmp_path / "run")
    assert said in capsys.readouterr().err
    assert said in (tmp_path / "run" / "log.jsonl").read_text().replace('\\"', '"')


def test_nothing_is_said_of_usual_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = changed(reference="<5 mm", answer="&lt;5 mm")
    scored(table(tmp_path / "a.json", rows), tmp_path / "run")
    assert capsys.readouterr().err == ""


def test_questions_are_needed_only_where_somebody_sees_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{key: value for key, value in row.items() if key != "question"} for row in ROWS]
    file = table(tmp_path / "a.csv", rows)
    assert scored(file, tmp_path / "run")["exact_match"] == pytest.approx(1 / 3)
    assert "no column 'question'" in capsys.readouterr().err
    scored(file, tmp_path / "report", task="report")
    assert "no column 'question'" not in capsys.readouterr().err
    with pytest.raises(DataError, match="no column 'q'"):
        outside_run(file, tmp_path / "run", "d", columns=columns_of("question=q"))


def test_a_file_of_any_kind_is_read_as_the_table_loader_reads_it(tmp_path: Path) -> None:
    text = "id;question;reference;answer\r\nq1;Is it, really?;yes;Yes\r\n"
    for name, content in (
        ("semicolon.csv", text.encode()),
        ("utf16.csv", text.replace(";", "\t").replace("Is it, really", "Is it").encode("utf-16")),
        ("bar.csv", text.replace(";", "|").encode("utf-8-sig")),
        ("packed.csv.gz", gzip.compress(text.encode())),
    ):
        (tmp_path / name).write_bytes(content)
        assert scored(tmp_path / name, tmp_path / f"run-{name}")["exact_match"] == 1
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "id": ["1", "2"],
        "question": ["q", "q"],
        "reference": [["a", "b"], ["c"]],
        "answer": ["b", "c"],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    assert scored(tmp_path / "a.parquet", tmp_path / "parquet")["exact_match"] == 1


def test_the_command_says_that_nothing_was_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table(tmp_path / "a.json", [{**row, "task": "refer", "reference": ""} for row in ROWS])
    with pytest.raises(SystemExit) as end:
        main(["evaluate", str(file), "--out", str(tmp_path / "run"), "--json"])
    assert end.value.code == 1
    printed = capsys.readouterr()
    assert {score["metric"] for score in json.loads(printed.out)} == {"empty_rate", "cut_rate"}
    assert "the boxes of the task 'refer' are not scored" in printed.err
    assert "nothing of" in printed.err


def test_a_task_without_references_is_said_and_not_counted_as_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [*ROWS, {**ROWS[0], "id": "q4", "task": "report"}, {**ROWS[0], "id": "q5", "task": "report"}]
    rows = [{"task": "vqa", **row} for row in rows]
    run = outside_run(table(tmp_path / "a.json", rows), tmp_path / "run", "d")
    path = run / "samples" / "d-test.jsonl"
    samples = [
        sample.model_copy(update={"reference": ""}) if sample.task == "vqa" else sample
        for sample in jsonl.read(path, Sample)
    ]
    path.write_text(jsonl.lines(samples), encoding="utf-8")
    scores = evaluate_run(run)
    assert {score.n for score in scores if score.metric == "bleu_4" and score.group == "overall"} == {2}
    assert not [score for score in scores if score.metric == "exact_match"]
    assert {score.n for score in scores if score.metric == "empty_rate"} == {5}
    assert "none of the 3 samples of the task 'vqa' has a reference: not scored" in capsys.readouterr().err


def test_a_file_whose_name_holds_the_separator_is_one_image(tmp_path: Path) -> None:
    (tmp_path / "a;b.png").write_bytes(b"")
    table = tmp_path / "a.csv"
    table.write_text("id,image,question,reference,answer\n1,a;b.png,q?,yes,yes\n")
    run = outside_run(table, tmp_path / "run", "a")
    [sample] = jsonl.read(run / "samples" / "a-test.jsonl", Sample)
    assert sample.images == (str(tmp_path / "a;b.png"),)
