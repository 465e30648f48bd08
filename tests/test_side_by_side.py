"""Two processes at one run's folder: who writes the same files says who holds them, the rest goes on."""

from __future__ import annotations

import importlib
import json
import threading
from pathlib import Path

import pytest
from PIL import Image

from pefomed import recipe as recipes
from pefomed.answers.from_endpoint import carry_out, prepare
from pefomed.endpoint import Endpoint
from pefomed.errors import DataError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.files import jsonl
from pefomed.judges.endpoint_judge import JudgeSettings
from pefomed.judges.endpoint_judge import carry_out as judge
from pefomed.judges.endpoint_judge import prepare as prepare_judge
from pefomed.outside.run import outside_run
from pefomed.raters import SessionRequest, open_session
from pefomed.raters.export import export
from pefomed.raters.verdicts import Rating, save
from pefomed.report import write_report
from pefomed.report import writing as reports
from pefomed.schema import Prediction
from pefomed.workflow import ablation
from tests.endpoint import faulty_server
from tests.runs.test_lock import another, write_lock

ANSWERS = "id,question,reference,answer,image\n" + "".join(
    f"q{number},Is it?,yes,{'yes' if number % 3 else 'no'},a.png\n" for number in range(12)
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    Image.new("L", (20, 16)).save(tmp_path / "a.png")
    (tmp_path / "answers.csv").write_text(ANSWERS)
    return outside_run(tmp_path / "answers.csv", tmp_path / "run", "mine")


def test_what_is_trained_answered_or_scored_elsewhere_is_not_scored(run: Path) -> None:
    evaluate_run(run)
    before = (run / "scores.jsonl").read_bytes()
    process = another(run)
    with pytest.raises(RunError, match=rf"another process works in .*\n.*process {process.pid} on"):
        evaluate_run(run)
    with pytest.raises(RunError, match=rf"process {process.pid} on"):
        outside_run(run.parent / "answers.csv", run, "mine")
    process.kill()
    process.wait()
    evaluate_run(run)
    assert (run / "scores.jsonl").read_bytes() == before
    assert not list(run.rglob(".lock*"))


def test_reports_judges_and_raters_go_on_beside_whoever_scores(run: Path) -> None:
    evaluate_run(run)
    process = another(run)
    write_report(run)
    session = open_session(run, SessionRequest(raters=1))
    [rater] = session.raters()
    save(session, rater, session.items(rater)[0].id, Rating(1), change="a")
    export(session)
    session.database.close()
    with faulty_server.serving(lambda body: json.dumps({"label": 1})) as served:
        judge(prepare_judge(run, Endpoint(served.url, "judge-1"), JudgeSettings(), runs=1))
    process.kill()
    process.wait()
    assert {path.name for path in (run / "verdicts").glob("*.jsonl")} == {"judge-1.jsonl", "rater-01.jsonl"}
    evaluate_run(run)
    assert not [path for path in run.rglob(".*") if path.name != ".lock"]  # the killed one's


def test_a_report_waits_for_another_of_the_same_run(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_run(run)
    process = another(run / "report")
    monkeypatch.setattr(reports, "PATIENCE", 0.0)
    with pytest.raises(RunError, match=rf"process {process.pid} on"):
        write_report(run)
    monkeypatch.setattr(reports, "PATIENCE", 60.0)
    ended = threading.Timer(0.3, lambda: process.communicate("\n"))  # it releases the lock and ends
    ended.start()
    assert write_report(run).exists()
    ended.join()
    assert f"process {process.pid} on" in capsys.readouterr().err


def test_verdicts_are_exported_by_one_server_after_the_other(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session(run, SessionRequest(raters=1))
    (run / "verdicts" / "held").mkdir()
    write_lock(run / "verdicts" / "held", host="node7", machine="another")
    (run / "verdicts" / "held" / ".lock").rename(run / "verdicts" / ".rating.lock")
    monkeypatch.setattr(importlib.import_module("pefomed.raters.export"), "PATIENCE", 0.0)
    with pytest.raises(RunError, match="on node7"):
        export(session)
    session.database.close()


def test_a_judge_says_who_judges_under_its_name(run: Path) -> None:
    work = prepare_judge(run, Endpoint("http://127.0.0.1:9/v1", "m"), JudgeSettings(), runs=1)
    write_lock(run / "verdicts", host="node7", machine="another")
    (run / "verdicts" / ".lock").rename(run / "verdicts" / ".m.lock")
    with pytest.raises(RunError, match=r"is judging(?s:.*)on node7(?s:.*)--rater"):
        judge(work)


def test_what_an_endpoint_has_answered_meanwhile_is_not_asked_again(tmp_path: Path) -> None:
    Image.new("L", (20, 16)).save(tmp_path / "a.png")
    lines = [{"id": f"q{n}", "image": "a.png", "question": f"{n}?", "answer": "yes"} for n in range(4)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "r.toml").write_text(
        'name = "small"\n[model]\nvision_encoder = "v"\nlanguage_model = "l"\n'
        '[data.t]\nloader = "table"\nroot = "t.jsonl"\noptions = { columns = { id = "id" } }\n'
        '[predict]\ndata = { t = "train" }\n'
    )
    with faulty_server.serving(lambda body: "yes") as served:
        endpoint = Endpoint(served.url, "judge-1")
        first, second = (prepare(tmp_path / "r.toml", endpoint, tmp_path / "runs", tmp_path) for _ in "ab")
        process = another(first.folder)
        with pytest.raises(RunError, match=rf"process {process.pid} on"):
            carry_out(first)
        process.communicate("\n")
        [path] = carry_out(first)
        assert carry_out(second) == [path]
    assert sorted(one.sample_id for one in jsonl.read(path, Prediction)) == ["q0", "q1", "q2", "q3"]


def test_an_ablation_holds_its_folder(tmp_path: Path) -> None:
    process = another(tmp_path / "runs" / "demo-ablation")
    with pytest.raises(RunError, match=rf"process {process.pid} on"):
        ablation.ablate(recipes.shipped("mini/demo.toml"), tmp_path / "runs")
    process.communicate("\n")


def test_a_damaged_marker_of_somebody_elses_answers_is_one_error(run: Path) -> None:
    for content in (b"", b"[1]", b"\xff", b"[" * 5000):
        (run / "outside.json").write_bytes(content)
        with pytest.raises(DataError, match=r"outside\.json is damaged"):
            evaluate_run(run)
        with pytest.raises(DataError, match=r"outside\.json is damaged"):
            outside_run(run.parent / "answers.csv", run, "mine")
