"""How sure the answers are, as a page shows it."""

from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.sure_run import drawn, samples_of, write_run, write_split
from tests.report.parsed import page_of

from pefomed.cli.output import print_scores
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.threshold import choose_threshold
from pefomed.metrics.confidence import reliability, risks
from pefomed.report.sureness_plots import Curve, reliability_diagram, risk_coverage
from pefomed.runs import RunFolder


def test_a_run_with_a_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", threshold={"data": {"rad": "validate"}, "most_wrong": 0.2})
    write_split(RunFolder(run.calibration), "validate", seed=1)
    rule = choose_threshold(run.path)
    # By hand: the least confidence of the validation answers with (wrong + 3) / (answered + 3) <= 0.2.
    confidence, right = map(np.array, drawn(samples_of("validate"), seed=1))
    kept = [
        c for c in confidence if (3 + (~right[confidence >= c]).sum()) / (3 + (confidence >= c).sum()) <= 0.2
    ]
    assert rule.threshold == pytest.approx(min(kept))
    assert (rule.pictures, rule.questions, rule.most_questions) == (40, 120, 3)
    scores = {(s.metric, s.group): s for s in evaluate_run(run.path) if s.system == "model"}
    probabilities, good = map(np.array, drawn(samples_of("test")))
    passed = probabilities >= rule.threshold
    assert scores["answered_share", "overall"].value == pytest.approx(passed.mean())
    assert scores["wrong_answered", "overall"].value == pytest.approx(1 - good[passed].mean())
    page = page_of(run.path)
    assert "sure" in [tag.get("id") for tag in page.attributes("section")]
    assert "An answer of this run is given if its probability is" in page.text
    assert "at most 20 % are answered wrongly" in page.text
    assert (run.report / "figures" / "rad-test-sure-risk-coverage.svg").is_file()
    assert (run.report / "tables" / "rad-test-sure.csv").is_file()
    capsys.readouterr()
    print_scores(run.path)
    said = capsys.readouterr().out
    assert "rad test: how sure, by probability: calibration error " in said
    assert "% are answered" in said


def test_without_probabilities_there_is_no_section(run: Path) -> None:
    assert "sure" not in [tag.get("id") for tag in page_of(run).attributes("section")]


def test_the_drawings_hold_what_they_draw() -> None:
    confidence, right = np.array([0.9, 0.9, 0.2]), np.array([1.0, 0.0, 0.0])
    diagram = str(reliability_diagram("P", reliability(confidence, right)))
    assert "2 answers: confidence 90 %, right 50 %" in diagram
    assert "1 answers: confidence 20 %, right 0 %" in diagram
    curve = Curve("P", "a", risks(confidence, right))
    drawing = str(risk_coverage("of", [curve], risks(right, right), (0.5, 0.25)))
    assert "threshold: 50 % answered, 25.0 % of these wrong" in drawing
