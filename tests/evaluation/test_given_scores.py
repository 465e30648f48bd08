"""Values by sample computed elsewhere: scores, intervals, tests, agreement and page; and what is refused."""

import csv
import json
from pathlib import Path
from typing import Any

import pandas
import pytest
from tests.evaluation.golden import runs

from pefomed.agreement.run import agreement_of
from pefomed.cli import main
from pefomed.errors import DataError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.evaluation.item_export import export_items
from pefomed.evaluation.origin import read_item_scores, read_scores
from pefomed.files import jsonl
from pefomed.report import write_reports
from pefomed.runs import RunFolder
from pefomed.schema import Prediction, Sample

HERE = "elsewhere: least=-1, most=3, better=lower, title=Errors by radiologists"
SPLIT = ("questions", "test")


def asked(run: Path) -> list[Sample]:
    return list(jsonl.read(RunFolder(run).samples_file(SPLIT), Sample))


def rows_of(run: Path, shift: float = 0.0, **more: Any) -> list[dict[str, Any]]:
    """A row for each question: 0, 1, 2, 0, 1, 2 ... plus `shift`."""
    return [
        {"sample_id": sample.id, "metric": "elsewhere", "value": number % 3 + shift, **more}
        for number, sample in enumerate(asked(run))
    ]


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pandas.DataFrame(rows).to_parquet(path)
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_scores_are_their_means(tmp_path: Path, ending: str) -> None:
    run = runs.everything(tmp_path)
    rows = rows_of(run) + rows_of(run, 0.5, system="blind")
    table = write_table(tmp_path / f"values.{ending}", rows)
    scores = {
        score.system: score
        for score in evaluate_run(run, values=table, declared=[HERE])
        if score.metric == "elsewhere" and score.group == "overall"
    }
    n = len(asked(run))
    mean = sum(number % 3 for number in range(n)) / n
    assert (scores["model"].value, scores["model"].n) == (pytest.approx(mean), n)
    assert scores["blind"].value == pytest.approx(mean + 0.5)
    assert scores["model"].interval.startswith("95 % by image")
    assert scores["model"].low is not None
    assert -1 <= scores["model"].low < mean


def test_it_stands_wherever_ours_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = runs.everything(tmp_path / "a"), runs.everything(tmp_path / "b", turned=True)
    for run, shift in ((one, 0.0), (other, 1.0)):
        table = write_table(tmp_path / "values.csv", rows_of(run, shift))
        with pytest.raises(SystemExit, match="0"):
            main(["evaluate", str(run), "--scores", str(table), "--declare", HERE])
    assert "elsewhere" in capsys.readouterr().out
    [found] = [each for each in compare_runs(one, other) if each.metric == "elsewhere"]
    assert found.difference == pytest.approx(1.0 if found.b > found.a else -1.0)
    assert found.p is not None
    assert (len(found.worse), len(found.better)) == (len(asked(one)), 0)  # less is better
    assert "elsewhere" in {each.one for each in agreement_of(one).agreement if each.between == "metric-human"}
    assert export_items(one, tmp_path / "items.csv")
    assert "elsewhere" in set(pandas.read_csv(tmp_path / "items.csv")["metric"])
    for page in write_reports([one, other], images=False):
        assert "Errors by radiologists" in page.read_text()


def test_they_are_kept_until_the_answers_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.everything(tmp_path)
    evaluate_run(run, values=write_table(tmp_path / "a.csv", rows_of(run)), declared=[HERE])
    more = [{**row, "metric": "other"} for row in rows_of(run)]
    table = write_table(tmp_path / "b.csv", more)
    evaluate_run(run, values=table, declared=["other: least=0, most=2, better=higher"])
    evaluate_run(run)
    assert {"elsewhere", "other"} <= {score.metric for score in read_scores(run)}
    path = RunFolder(run).predictions_file(SPLIT)
    answers = list(jsonl.read(path, Prediction))
    answers[0] = answers[0].model_copy(update={"text": "something else"})
    path.write_text(jsonl.lines(answers))
    evaluate_run(run)
    assert not {"elsewhere", "other"} & {score.metric for score in read_scores(run)}
    assert "elsewhere, other) are of other answers" in " ".join(capsys.readouterr().err.split())


def test_none_is_not_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.everything(tmp_path)
    rows = rows_of(run, 1.0)
    rows[0] |= {"value": None, "why": "no findings section"}
    scores = evaluate_run(run, values=write_table(tmp_path / "a.jsonl", rows), declared=[HERE])
    [score] = [each for each in scores if each.metric == "elsewhere" and each.group == "overall"]
    assert score.n == len(rows) - 1
    assert score.value == pytest.approx(sum(row["value"] for row in rows[1:]) / score.n)
    said = " ".join(capsys.readouterr().err.split())
    assert f"1 of {len(rows)} answers have no elsewhere, model: no findings section" in said
    written = read_item_scores(run, SPLIT)
    assert written is not None
    [none] = [each for each in written if each.metric == "elsewhere" and each.value is None]
    assert (none.sample_id, none.why) == (rows[0]["sample_id"], "no findings section")


def change(rows: list[dict[str, Any]], **changed: Any) -> list[dict[str, Any]]:
    return [{**rows[0], **changed}, *rows[1:]]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sample_id": "nobody"}, "line 1: the run has not answered the sample 'nobody'"),
        ({"value": 3.5}, "line 1: a value of 'elsewhere' is outside of its declared range.*3.5.*-1 to 3"),
        ({"value": "good"}, "line 1: a value of 'elsewhere' is no number"),
        ({"value": True}, "line 1: a value of 'elsewhere' is no number"),
        ({"value": "inf"}, "line 1: a value of 'elsewhere' is no number"),
        ({"value": None}, "line 1: the sample 'q0' has no value of 'elsewhere'.*why"),
        ({"metric": "exact_match"}, "line 1: 'exact_match' is one of this program's own metrics"),
        (
            {"metric": "elsewere"},
            "line 1: nothing is declared of the metric 'elsewere'.*did you mean 'elsewhere'",
        ),
        ({"metric": "a:b"}, "line 1: scores cannot have the metric 'a:b'"),
        ({"system": "modell"}, "line 1: unknown system 'modell'"),
        ({"system": "blind"}, "values of 'elsewhere', blind, are missing"),
        ({"dataset": "elsewhere"}, "line 1: the run has not answered the sample 'q0' of elsewhere"),
        ({"sample_id": ""}, "line 1: a value needs its sample, its metric and itself"),
    ],
)
def test_what_is_refused(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    run = runs.everything(tmp_path)
    before = evaluate_run(run)
    table = write_table(tmp_path / "values.jsonl", change(rows_of(run), **changed))
    with pytest.raises(DataError, match=f"(?s){says}"):
        evaluate_run(run, values=table, declared=[HERE])
    assert read_scores(run) == before  # nothing that was computed is lost


def test_missing_and_doubled_rows_are_refused(tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    rows = rows_of(run)
    for wrong, says in (
        (rows[1:], f"values of 'elsewhere', model, are missing.*1 of {len(rows)} samples.*q0"),
        (
            [*rows, {**rows[0], "value": 1}],
            "the sample 'q0' has two values of 'elsewhere', model.*0.0 and 1.0",
        ),
        ([], "no row"),
    ):
        table = write_table(tmp_path / "values.jsonl", wrong)
        with pytest.raises(DataError, match=f"(?s){says}"):
            evaluate_run(run, values=table, declared=[HERE])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("elsewhere", "--declare cannot be read"),
        ("elsewhere: least=0, better=higher", "declared without most"),
        ("elsewhere: least=0, most=1", "declared without better"),
        ("elsewhere: least=1, most=1, better=higher", "no range"),
        ("elsewhere: least=0, most=nan, better=higher", "no range"),
        ("elsewhere: least=-inf, most=0, better=higher", "no range"),
        ("elsewhere: least=0, most=1, better=more", "`better` is 'more'"),
        ("elsewhere: least=0, most=1, better=higher, unit=mm", "`unit` is 'mm'"),
        ("elsewhere: least=0, least=0, most=1, better=higher", "names 'least' twice"),
        ("elsewhere: last=0, most=1, better=higher", "did you mean 'least'"),
        ("cider: least=0, most=1, better=higher", "one of this program's own"),
        ("nowhere.toml", "nowhere.toml"),
    ],
)
def test_what_cannot_be_declared(tmp_path: Path, text: str, says: str) -> None:
    run = runs.everything(tmp_path)
    with pytest.raises(DataError, match=says):
        evaluate_run(run, values=write_table(tmp_path / "values.jsonl", rows_of(run)), declared=[text])


def test_a_file_declares_too(tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    (tmp_path / "metrics.toml").write_text(
        '[elsewhere]\nleast = -1\nmost = inf\nbetter = "lower"\ntitle = "Errors, all"\n'
    )
    table = write_table(tmp_path / "values.jsonl", rows_of(run, 40.0))
    scores = evaluate_run(run, values=table, declared=[str(tmp_path / "metrics.toml")])
    assert any(score.metric == "elsewhere" and score.value > 39 for score in scores)
    with pytest.raises(DataError, match="--scores FILE"):
        evaluate_run(run, declared=[HERE])
