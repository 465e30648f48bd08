"""Which figures stand first for a task."""

import typing

from pefomed.evaluate.headlines import HEADLINES, heading, heads_of
from pefomed.report.figures import is_share
from pefomed.schema import Score, Task


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
    assert set(HEADLINES) == set(typing.get_args(Task))
    for head in heads_of(HEADLINES):
        assert (head.unit == " %") == is_share(head.metric)


def test_figures_stand_in_the_order_of_the_task_whatever_the_scores_order() -> None:
    scores = [
        score("unparsable_rate"), score("judge_accuracy:gpt"), score("acc_0.5"), score("dice"), score("iou"),
        score("iou", "category=lung"),
    ]  # fmt: skip
    assert [one.metric for one in heading(scores, ["refer"])] == [
        "iou", "acc_0.5", "unparsable_rate", "judge_accuracy:gpt",
    ]  # fmt: skip
    assert heading(scores, ["vqa"]) == [scores[1]]


def test_closed_accuracy_is_of_closed_questions_as_it_has_no_other_figure() -> None:
    scores = [score("closed_accuracy", "answer_type=CLOSED"), score("closed_accuracy", "organ=Lung")]
    assert heading(scores) == scores[:1]
