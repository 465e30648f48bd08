"""A verdict is of one answer to one question with one reference: of another it is never counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.endpoint.faulty_server import serving
from tests.judges.made_run import ROWS, honest, made_run

from pefomed.agreement import agreement_of
from pefomed.endpoint import Endpoint
from pefomed.errors import PefomedError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.predictions import all_samples
from pefomed.evaluation.verdicts import read_raters
from pefomed.files import jsonl
from pefomed.judges.endpoint_judge import JudgeSettings, carry_out, prepare
from pefomed.report import write_report
from pefomed.schema import Verdict

NEW = {
    "answer": ("q2", "vqa", "Which organ?", "liver", "the spleen"),
    "reference": ("q2", "vqa", "Which organ?", "spleen", "the liver"),
    "question": ("q2", "vqa", "Which organ is bright?", "liver", "the liver"),
}


@pytest.mark.parametrize("what", NEW)
def test_what_changed_after_judging_is_refused_until_it_is_judged_again(tmp_path: Path, what: str) -> None:
    run = made_run(tmp_path / "run")
    (run / "outside.json").write_text("{}")
    path = run / "verdicts" / "judge-1.jsonl"
    with serving(honest) as server:
        endpoint = Endpoint(server.url, "judge-1", "NO_KEY")
        carry_out(prepare(run, endpoint, JudgeSettings(), runs=1))
        assert all(verdict.judged for verdict in jsonl.read(path, Verdict))
        evaluate_run(run)
        write_report(run)
        made_run(run, [*ROWS[:1], NEW[what], *ROWS[2:]])
        for reader in (evaluate_run, agreement_of):
            with pytest.raises(
                RunError, match=r"(?s)1 verdicts are of what has changed.* 1: q2.*pefomed judge"
            ):
                reader(run)
        with pytest.raises(PefomedError, match=r"do not belong|has changed since"):
            write_report(run)
        asked = len(server.asked)
        carry_out(prepare(run, endpoint, JudgeSettings(), runs=1))
        assert len(server.asked) == asked + 1
    [rater] = read_raters(run, all_samples(run))
    assert len(rater.verdicts) == len(ROWS)
    scores = evaluate_run(run)
    write_report(run)
    [judged] = [s for s in scores if (s.metric, s.group) == ("judge_accuracy", "overall")]
    assert judged.n == 4


def test_verdicts_that_do_not_say_what_they_are_of_count_as_before(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    path = run / "verdicts" / "gpt.jsonl"
    jsonl.append(path, [Verdict(sample_id="q2", rater="gpt", label=1)])
    assert "judged" not in path.read_text()
    made_run(run, [*ROWS[:1], NEW["answer"], *ROWS[2:]])
    [rater] = read_raters(run, all_samples(run))
    assert len(rater.verdicts) == 1


def test_scores_before_anybody_judged_stay_and_former_verdicts_do_not(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    (run / "outside.json").write_text("{}")
    evaluate_run(run)
    path = run / "verdicts" / "gpt.jsonl"
    jsonl.append(path, [Verdict(sample_id="q2", rater="gpt", label=1)])
    write_report(run)  # which says that the verdicts have no score yet
    evaluate_run(run)
    jsonl.append(path, [Verdict(sample_id="q3", rater="gpt", label=1)])
    with pytest.raises(RunError, match=r"(?s)do not belong.*verdicts/gpt\.jsonl has changed"):
        write_report(run)
    path.unlink()
    with pytest.raises(RunError, match=r"(?s)do not belong.*verdicts/gpt\.jsonl is gone"):
        write_report(run)
