"""A run scored by protocol: what is written beside its scores, and when it is not shown."""

import json
from pathlib import Path

import pytest
from tests.evaluation.test_evaluate_run import TEST, answer, make_run
from typer.testing import CliRunner

from pefomed.cli.app import app
from pefomed.errors import DataError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.origin import read_scores
from pefomed.evaluation.protocol_records import ProtocolRow, read_protocols
from pefomed.files import jsonl
from pefomed.schema import Verdict


def rows_of(run: Path) -> dict[str, ProtocolRow]:
    [split] = read_protocols(run)[0]
    return {row.name: row for row in split.rows}


def figure(row: ProtocolRow, system: str = "model", group: str = "overall") -> float:
    [found] = [score.value for score in row.scores if (score.system, score.group) == (system, group)]
    return found


def test_every_protocol_that_fits_has_figures_intervals_and_floors(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    rows = rows_of(run)
    assert list(rows) == [
        "pefomed", "pefomed-yes-no", "vqa-challenge", "vlmevalkit", "llava-med", "medgemma",
        "lmms-eval-slake-en", "medevalkit-slake",
    ]  # fmt: skip
    # `Yes` to yes, lung, axial and left.
    assert [figure(row) for row in rows.values()] == [0.25] * 8
    assert figure(rows["pefomed"], group="closed") == 0.5
    assert figure(rows["pefomed-yes-no"], group="closed") == 1.0
    assert figure(rows["pefomed"], "blind") == 0.0
    assert figure(rows["pefomed"], "floor:nearest-text") == 0.5
    [ours] = [s for s in rows["pefomed"].scores if (s.system, s.group) == ("model", "overall")]
    assert ours.n == 4
    assert ours.interval
    assert rows["pefomed"].differs == "4 questions, published are 1,061"
    # `Yes` stands in no wrong answer's reference: run_eval.py counts the right one and leaves `left` out.
    assert rows["llava-med"].printed == {"closed": 1.0}


def test_what_does_not_fit_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    said = capsys.readouterr().err
    assert "no protocol lmms-eval-slake-zh, chinese: it is for Chinese; 4 questions" in said
    assert "no protocol both-languages: no question is in Chinese" in said
    assert "no protocol judge-all, judge-open, medevalkit-slake-judge, medevalkit-judge: no judge" in said
    assert "medevalkit: it is defined for VQA-RAD, PathVQA alone" in said


def test_a_judges_labels_are_a_protocol_of_their_own(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    labels = [1, 1, 0, 1]
    verdicts = [
        Verdict(sample_id=f"slake-test-{place}", rater="gpt", run=1, label=label, reason="")
        for place, label in enumerate(labels)
    ]
    jsonl.append(run / "verdicts" / "gpt.jsonl", verdicts)
    (run / "verdicts" / "gpt.card.json").write_text(json.dumps({"kind": "llm-judge", "rater": "gpt"}))
    evaluate_run(run, tmp_path / "data", protocols=True)
    rows = rows_of(run)
    assert rows["judge-all"].judge == "gpt"
    assert figure(rows["judge-all"]) == 0.75
    # Open: 1 of 2 by the judge; closed, by exact match: 1 of 2.
    assert figure(rows["judge-open"]) == 0.5
    # Closed by its rule 1, by its judge 2, open 1: 4 of 4.
    assert rows["medevalkit-slake-judge"].printed["overall"] == 1.0
    assert {score.system for score in rows["judge-all"].scores} == {"model"}


def test_without_the_flag_a_former_file_goes(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    evaluate_run(run, tmp_path / "data")
    assert not (run / "protocols.jsonl").exists()


def test_the_recipe_can_ask_for_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"evaluate": {"protocols": True}})
    evaluate_run(run, tmp_path / "data")
    assert rows_of(run)


def test_a_file_of_other_scores_is_not_shown(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    kept = (run / "protocols.jsonl").read_bytes()
    answer(run, "mini-test", [(f"slake-test-{i}", row[1]) for i, row in enumerate(TEST)])
    evaluate_run(run, tmp_path / "data")
    (run / "protocols.jsonl").write_bytes(kept)
    assert read_protocols(run) == ([], True)


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    (run / "protocols.jsonl").write_text('{"dataset": 1}\n')
    with pytest.raises(DataError, match=r"protocols\.jsonl, line 1"):
        read_protocols(run)


def test_values_that_are_not_one_for_each_protocol_are_an_error(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    kept = json.loads((run / "protocols.jsonl").read_text())
    kept["values"]["slake-test-0"].pop()
    (run / "protocols.jsonl").write_text(json.dumps(kept) + "\n")
    with pytest.raises(DataError, match="one value for each protocol"):
        read_protocols(run)


def test_a_protocol_of_a_later_version_is_shown_as_it_is_called(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data", protocols=True)
    text = (run / "protocols.jsonl").read_text()
    (run / "protocols.jsonl").write_text(text.replace('"name":"llava-med"', '"name":"of-tomorrow"'))
    assert CliRunner().invoke(app, ["report", str(run), "--no-images"]).exit_code == 0


def test_json_holds_them_as_scores(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    done = CliRunner().invoke(
        app, ["evaluate", str(run), "--data", str(tmp_path / "data"), "--protocols", "--json"]
    )
    found = {score["metric"] for score in json.loads(done.stdout)}
    assert {"exact_match", "protocol:llava-med"} <= found


def test_scores_from_before_the_setting_still_belong(tmp_path: Path) -> None:
    """A table of `[evaluate]` without `protocols` has the hash it had before there was such a key."""
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data")
    recipe = (run / "recipe.toml").read_text()
    assert "protocols = false" in recipe
    (run / "recipe.toml").write_text(recipe.replace("protocols = false\n", ""))
    assert read_scores(run)


def test_the_command_prints_them(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    done = CliRunner().invoke(app, ["evaluate", str(run), "--data", str(tmp_path / "data"), "--protocols"])
    assert done.exit_code == 0, done.output
    assert "mini, test: by protocol" in done.output
    assert "LLaVA-Med" in done.output


def test_nothing_in_words_has_no_protocols(tmp_path: Path) -> None:
    outside = tmp_path / "reports.csv"
    outside.write_text("id,reference,answer,task\n1,No mass.,No mass.,report\n")
    done = CliRunner().invoke(
        app,
        ["evaluate", str(outside), "--out", str(tmp_path / "run"), "--protocols", "--data", str(tmp_path)],
    )
    assert "no protocols, as nothing of it is answered in words" in done.output
    assert not (tmp_path / "run" / "protocols.jsonl").exists()


def test_somebody_elses_answers_without_answer_type(tmp_path: Path) -> None:
    outside = tmp_path / "theirs.csv"
    outside.write_text("id,question,reference,answer\n1,Is it?,yes,yes\n2,Where?,left lung,lung\n")
    done = CliRunner().invoke(app, ["evaluate", str(outside), "--out", str(tmp_path / "run"), "--protocols"])
    assert done.exit_code == 0, done.output
    rows = rows_of(tmp_path / "run")
    assert "llava-med" not in rows
    assert "2 of 2 questions have no `answer_type`" in " ".join(done.output.split())
    assert {score.group for score in rows["pefomed"].scores} == {"overall"}
    # Yes or no tells them apart without such a field.
    assert figure(rows["pefomed-yes-no"], group="closed") == 1.0
    assert rows["pefomed"].differs
