"""What heads the page fits the task."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from tests.report.parsed import Page, page_of
from tests.report.small_run import score

from pefomed.evaluation.run import evaluate_run
from pefomed.outside.run import outside_run
from pefomed.report import write_reports
from pefomed.report.headline import headlines
from pefomed.schema import Score


def metrics(scores: list[Score], *tasks: str, sentences: bool = False) -> list[tuple[str, str, list[str]]]:
    return [
        (head.metric, head.asked, [title for title, _, _ in head.beside])
        for head in headlines(scores, "rad", "test", tasks, sentences=sentences)
    ]


WORDS = [
    score("model", "overall", 0.5, 4),
    score("model", "answer_type=OPEN", 0.4, 2),
    score("model", "answer_type=CLOSED", 0.6, 2),
    score("model", "answer_type=CLOSED", 0.7, 2, metric="closed_accuracy"),
    score("blind", "answer_type=CLOSED", 0.6, 2, metric="closed_accuracy"),
    score("model", "overall", 0.55, 4, metric="token_recall"),
    score("model", "overall", 0.8, 4, metric="human_accuracy"),
]
TEXTS = [
    score("model", "overall", value, 3, metric=metric)
    for metric, value in (("bleu_4", 0.2), ("rouge_l", 0.4), ("cider", 1.2), ("meteor", 0.3))
]


def test_questions_are_headed_by_exact_match_with_open_and_closed_beside() -> None:
    assert metrics(WORDS, "vqa") == [
        ("Exact match", "questions", ["Open", "Closed", "Closed accuracy", "Token recall", "Human raters"])
    ]


def test_answers_in_sentences_are_headed_by_what_looks_into_them() -> None:
    (found,) = headlines(WORDS, "rad", "test", ["vqa"], sentences=True)
    assert (found.metric, found.asked, found.cell.text) == ("Closed accuracy", "closed questions", "70.0")
    # Exact match is not beside it; the blind run is one of closed accuracy, too.
    assert [title for title, _, _ in found.beside] == ["Token recall", "Human raters"]
    assert [cell.text for _, _, cell in found.floors] == ["60.0"]
    assert "whole sentences" in found.remark
    no_closed = [one for one in WORDS if one.group == "overall"]
    assert metrics(no_closed, "vqa", sentences=True)[0][0] == "Token recall"


def test_each_kind_of_answer_in_a_split_has_a_headline_of_its_own() -> None:
    boxes = [score("model", "overall", 0.3, 5, metric=name) for name in ("iou", "acc_0.5", "dice")]
    found = metrics([*WORDS, *TEXTS, *boxes], "vqa", "report", "refer")
    assert [(metric, asked) for metric, asked, _ in found] == [
        ("Exact match", "questions"), ("CIDEr", "texts"), ("IoU", "phrases"),
    ]  # fmt: skip
    assert found[1][2] == ["ROUGE-L", "BLEU-4", "METEOR", "Exact match"]
    assert found[2][2] == ["Acc@0.5", "Dice"]
    # What a judge said of answers stands beside no boxes.
    assert metrics(boxes + WORDS[-1:], "refer") == [("IoU", "phrases", ["Acc@0.5", "Dice"])]


def test_a_task_has_no_headline_of_figures_it_lacks() -> None:
    assert metrics(WORDS, "refer") == []
    assert metrics(TEXTS, "vqa", "caption")[0][0] == "CIDEr"


ANSWERS = [
    ("1", "Is there a mass?", "yes", "Yes, there is a mass in the liver.", "CLOSED"),
    ("2", "Is the heart large?", "no", "Yes, the heart looks much too large.", "CLOSED"),
    ("3", "Which organ is it?", "liver", "The organ on this image is the liver.", "OPEN"),
]


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    with (tmp_path / "spoken.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "question", "reference", "answer", "answer_type"])
        rows.writerows(ANSWERS)
    outside_run(tmp_path / "spoken.csv", tmp_path / "run", "spoken")
    evaluate_run(tmp_path / "run")
    return tmp_path / "run"


def test_sentences_are_right_or_wrong_by_their_yes_or_no_alone(spoken: Path) -> None:
    page = page_of(spoken)
    assert page.data["metrics"] == ["Closed accuracy"]
    verdicts = [item["answers"]["model"]["verdicts"] for item in page.data["items"]]
    assert verdicts == [[1], [0], None]
    text = " ".join(page.text.split())
    assert "Closed accuracy on spoken, test 50.0" in text
    assert "which exact match says nothing" in text
    # Charts by group are of token recall, and exact match stands last in the table.
    assert "token recall" in text[text.index("Results by group") :].lower()
    assert [tag["class"] for tag in page.attributes("table") if "groups" in tag.get("class", "")]


def test_a_report_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text(
        "id,task,reference,answer\n"
        "1,report,The heart is large.,The heart is large.\n"
        "2,report,No mass.,None.\n"
    )
    outside_run(tmp_path / "texts.csv", tmp_path / "run", "texts")
    evaluate_run(tmp_path / "run")
    page = page_of(tmp_path / "run")
    assert all(item["answers"]["model"]["verdicts"] is None for item in page.data["items"])
    assert "CIDEr on texts, test" in " ".join(page.text.split())


def test_a_comparison_of_answers_in_sentences_shows_what_looks_into_them(
    spoken: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(spoken, other)
    *_, page = write_reports([spoken, other])
    text = " ".join(Page(page.read_text(encoding="utf-8")).text.split())
    results = text[text.index("Shares in percent") :]
    assert results.index("Closed accuracy") < results.index("Token recall") < results.index("Exact match")


def test_the_images_counted_are_those_of_the_tasks_that_the_figure_is_of() -> None:
    scores = [score("model", "overall", 0.5, 4), score("model", "overall", 1.2, 2, metric="cider")]
    images = {"vqa": {"a", "b", "c"}, "report": {"a"}, "caption": {"d"}}
    tasks: tuple[str, ...] = ("vqa", "report", "caption")
    found = headlines(scores, "rad", "test", tasks, images=images)  # type: ignore[arg-type]
    assert [(head.metric, head.images) for head in found] == [("Exact match", 3), ("CIDEr", 2)]
    assert [head.images for head in headlines(scores, "rad", "test", tasks)] == [0, 0]
