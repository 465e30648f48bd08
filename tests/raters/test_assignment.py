"""Assignments: balanced, random in order, equal for all raters, and fixed by the seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.raters.conftest import report_pairs, vqa_pairs, write

from pefomed.errors import RunError
from pefomed.raters.assignment import Assignment, SessionSettings, assign
from pefomed.raters.pool import read_answers


def made(run: Path, raters: int = 3, sample: int = 30, seed: int = 7, **more: Any) -> Assignment:
    task, answers = read_answers(run, more.pop("task", None))
    given = {"wrong_share": 0.5 if task == "vqa" else None, **more}
    names = tuple(f"rater-{n}" for n in range(raters))
    return assign(answers, SessionSettings(task=task, names=names, sample=sample, seed=seed, **given))


def ids(assignment: Assignment, rater: int) -> list[str]:
    return [assignment.items[shown.item].sample.id for shown in assignment.lists[rater]]


def test_half_of_the_answers_are_ones_that_exact_match_called_wrong(vqa_run: Path) -> None:
    # 90 answers, every third is right but for case and spaces.
    assignment = made(vqa_run)
    assert Counter(item.stratum for item in assignment.items) == {"wrong": 15, "right": 15}
    assert assignment.drawn == {"right": (30, 15), "wrong": (60, 15)}
    assert assignment.notes == []


def test_groups_have_the_shares_they_have_among_all_answers(vqa_run: Path) -> None:
    # Among right and wrong alike each organ has a third, open and closed a half: 30 / 3 and 30 / 2.
    items = made(vqa_run).items
    for key, expected in (("organ", 10), ("answer_type", 15)):
        counts = Counter(item.sample.meta[key] for item in items)
        assert all(abs(count - expected) <= 2 for count in counts.values()), counts


def test_all_raters_get_the_same_answers_each_in_an_order_of_his_own(vqa_run: Path) -> None:
    assignment = made(vqa_run)
    orders = [ids(assignment, rater) for rater in range(3)]
    assert len(set(orders[0])) == 30
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[0] != sorted(orders[0])


def test_the_seed_fixes_everything(vqa_run: Path) -> None:
    assert made(vqa_run).lists == made(vqa_run).lists
    assert ids(made(vqa_run), 0) == ids(made(vqa_run), 0)
    assert ids(made(vqa_run), 0) != ids(made(vqa_run, seed=8), 0)


def test_another_rater_changes_nothing_for_the_others(vqa_run: Path) -> None:
    assert ids(made(vqa_run, raters=3), 1) == ids(made(vqa_run, raters=4), 1)


def test_where_one_kind_runs_out_the_other_fills_up_and_it_is_said(vqa_run: Path) -> None:
    assignment = made(vqa_run, sample=80)
    assert assignment.drawn == {"right": (30, 30), "wrong": (60, 50)}
    assert "40 of 80 answers were to be ones that exact match called wrong" in assignment.notes[0]


@pytest.mark.parametrize(("share", "wrong"), [(0.0, 0), (0.25, 8), (1.0, 30)])
def test_the_share_can_be_chosen(vqa_run: Path, share: float, wrong: int) -> None:
    items = made(vqa_run, wrong_share=share).items
    assert sum(item.stratum == "wrong" for item in items) == wrong  # 7.5 of 30 is rounded up


def test_an_overlap_gives_some_answers_to_all_and_the_others_to_one(vqa_run: Path) -> None:
    # 0.4 of 20 are common: 8; each of 3 raters gets 12 of their own: 8 + 36 answers in all.
    assignment = made(vqa_run, sample=20, overlap=0.4)
    lists = [set(ids(assignment, rater)) for rater in range(3)]
    assert [len(one) for one in lists] == [20, 20, 20]
    common = lists[0] & lists[1] & lists[2]
    assert len(common) == 8
    assert lists[0] & lists[1] == common
    assert len(assignment.items) == 44
    for rater in range(3):
        mine = [assignment.items[shown.item].stratum for shown in assignment.lists[rater]]
        assert Counter(mine) == {"wrong": 10, "right": 10}


def test_more_than_there_is_is_refused(vqa_run: Path) -> None:
    with pytest.raises(RunError, match="91 different answers are wanted, the run has 90"):
        made(vqa_run, sample=91)
    with pytest.raises(RunError, match="120 different answers"):
        made(vqa_run, sample=40, overlap=0)


def test_reports_have_sides_half_of_them_swapped(report_run: Path) -> None:
    assignment = made(report_run, sample=12)
    for rater in range(3):
        assert sum(shown.swapped for shown in assignment.lists[rater]) == 6
    swapped = [{shown.item for shown in assignment.lists[rater] if shown.swapped} for rater in range(3)]
    assert swapped[0] != swapped[1]


def test_answers_have_no_sides(vqa_run: Path) -> None:
    assert not any(shown.swapped for one in made(vqa_run).lists for shown in one)


def test_a_run_of_both_kinds_wants_a_choice(vqa_run: Path, images: list[str]) -> None:
    write(vqa_run, "xray-test", report_pairs(images))
    with pytest.raises(RunError, match="--task vqa or --task report"):
        read_answers(vqa_run)
    assert len(read_answers(vqa_run, "report")[1]) == 12
    assert len(read_answers(vqa_run, "vqa")[1]) == 90


def test_a_run_without_the_task_is_refused(vqa_run: Path) -> None:
    with pytest.raises(RunError, match="no answers of the task 'report'"):
        read_answers(vqa_run, "report")


def test_an_id_in_two_data_sets_is_refused(vqa_run: Path, images: list[str]) -> None:
    write(vqa_run, "slake-test", vqa_pairs(images, 2))
    with pytest.raises(RunError, match="ids must differ between data sets"):
        read_answers(vqa_run)


def test_blind_answers_are_not_rated(vqa_run: Path) -> None:
    path = vqa_run / "predictions" / "rad-test.jsonl"
    path.with_name("rad-test.blind.jsonl").write_text(path.read_text())
    assert len(read_answers(vqa_run)[1]) == 90


def test_a_folder_without_predictions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no predictions"):
        read_answers(tmp_path)
    with pytest.raises(RunError, match="no run at"):
        read_answers(tmp_path / "absent")
