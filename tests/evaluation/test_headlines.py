"""Which figures stand first for a task."""

import typing
from pathlib import Path

import pytest

from pefomed.cli.output import print_scores
from pefomed.evaluation.headlines import heading, headlines_of, heads_of
from pefomed.files import jsonl
from pefomed.report.figures import is_share
from pefomed.schema import Prediction, Sample, Score
from pefomed.tasks import ALL
from pefomed.tasks.task import AnswerKind


def score(metric: str, group: str = "overall", system: str = "model") -> Score:
    return Score(
        metric=metric,
        system=system,
        dataset="d",
        split="test",
        group=group,
        value=0.5,
        n=1,
        implementation="",
    )


def test_every_task_has_a_headline_and_its_unit_is_that_of_the_report() -> None:
    assert all(headlines_of(kind) for kind in typing.get_args(AnswerKind))
    for head in heads_of(ALL):
        assert (head.unit == " %") == is_share(head.metric)


def test_figures_stand_in_the_order_of_the_task_whatever_the_scores_order() -> None:
    scores = [
        score("unparsable_rate"), score("judge_accuracy:gpt"), score("acc_0.5"), score("dice"), score("iou"),
        score("mask_dice"),
        score("iou", "category=lung"),
    ]  # fmt: skip
    assert [one.metric for one in heading(scores, ["refer"])] == [
        "iou", "acc_0.5", "dice", "mask_dice", "unparsable_rate", "judge_accuracy:gpt",
    ]  # fmt: skip
    assert heading(scores, ["vqa"]) == [scores[1]]


def test_closed_accuracy_is_of_closed_questions_as_it_has_no_other_figure() -> None:
    scores = [score("closed_accuracy", "answer_type=CLOSED"), score("closed_accuracy", "organ=Lung")]
    assert heading(scores) == scores[:1]


def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], scores: list[Score]) -> list[str]:
    (tmp_path / "scores.jsonl").write_text(jsonl.lines(scores), encoding="utf-8")
    print_scores(tmp_path)
    return capsys.readouterr().out.splitlines()


def test_the_terminal_shows_what_fits_the_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = [score(name) for name in ("empty_rate", "iou", "dice", "acc_0.5", "unparsable_rate")]
    floor = [score(name, system="floor:median-box") for name in ("iou", "acc_0.5")]
    lines = printed(tmp_path, capsys, boxes + floor)
    rows = [line.split()[2:5] for line in lines if line.strip().startswith("d test")]
    assert rows == [
        ["iou", "model", "0.500"], ["iou", "floor:median-box", "0.500"], ["acc_0.5", "model", "50.0"],
        ["dice", "model", "0.500"], ["unparsable_rate", "model", "50.0"],
    ]  # fmt: skip
    assert str(tmp_path / "scores.jsonl") in lines[-1]


def test_sentences_are_more_than_an_exact_match_of_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [score("exact_match"), score("token_recall"), score("closed_accuracy", "answer_type=CLOSED")]
    text = "\n".join(printed(tmp_path, capsys, words))
    assert "closed_accuracy, answer_type=CLOSED" in text
    assert "token_recall" in text


def answered(run: Path, task: str, answer: str) -> None:
    """Write one answered sample of data set `d`."""
    (run / "samples").mkdir()
    (run / "predictions").mkdir()
    question = "" if task == "report" else "Is there a mass?"
    sample = Sample(id="1", images=("1.png",), task=task, question=question, reference="no", meta={})
    (run / "samples" / "d-test.jsonl").write_text(jsonl.lines([sample]))
    prediction = Prediction(sample_id="1", text=answer, tokens=5, finish="stop", generation="greedy")
    (run / "predictions" / "d-test.jsonl").write_text(jsonl.lines([prediction]))


def test_the_terminal_heads_reports_as_their_page_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(tmp_path, "report", "The lungs are clear.")
    metrics = [score(name) for name in ("exact_match", "bleu_4", "rouge_l", "cider")]
    floors = [score(name, system="floor:constant-report") for name in ("exact_match", "cider")]
    lines = printed(tmp_path, capsys, metrics + floors)
    rows = [line.split()[2:4] for line in lines if line.strip().startswith("d test")]
    assert rows == [
        ["cider", "model"], ["cider", "floor:constant-report"], ["rouge_l", "model"], ["bleu_4", "model"],
        ["exact_match", "model"],
    ]  # fmt: skip


def test_the_terminal_says_no_exact_match_of_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(tmp_path, "vqa", "No, there is no mass to be seen.")
    words = [score("exact_match"), score("token_recall"), score("closed_accuracy", "answer_type=CLOSED")]
    floors = [score(name, system="floor:majority") for name in ("exact_match", "token_recall")]
    lines = printed(tmp_path, capsys, words + floors)
    rows = [line.split()[2:4] for line in lines if line.strip().startswith("d test")]
    assert rows == [["closed_accuracy,", "answer_type=CLOSED"], ["token_recall", "model"]]


def test_without_a_figure_the_terminal_says_where_the_rates_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(tmp_path, capsys, [score("empty_rate")]) == [
        f"1 scores in all: {tmp_path / 'scores.jsonl'}"
    ]
