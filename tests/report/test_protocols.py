"""The page's part on protocols: what compares stands side by side, and the rest says why it does not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.evaluation.test_evaluate_run import TEST, answer, make_run
from tests.report.parsed import page_of

from pefomed.evaluation import evaluate_run
from pefomed.evaluation.protocol_records import ProtocolRow, ProtocolSplit, Unfit
from pefomed.report.published_compared import compared
from pefomed.report.sides_changed import sides_changed
from pefomed.schema import Score


@pytest.fixture
def judged_otherwise(tmp_path: Path) -> Path:
    """Answers on which protocols part."""
    run = make_run(tmp_path)
    texts = ["Yes it is", "lung", "axial plane", "left."]
    answer(run, "mini-test", [(f"slake-test-{i}", texts[i]) for i, _ in enumerate(TEST)])
    evaluate_run(run, tmp_path / "data", protocols=True)
    return run


def test_the_page_shows_what_each_would_call_it(judged_otherwise: Path) -> None:
    page = page_of(judged_otherwise)
    assert "What other papers would call it" in page.text
    assert "microsoft/LLaVA-Med" in page.text
    assert "ad758b68" in page.text
    links = [tag.get("href", "") for tag in page.attributes("a")]
    assert any(link.startswith("https://github.com/jinlHe/PeFoMed/blob/4b84378f") for link in links)
    # Four questions are not the published 1,061: nothing stands side by side.
    assert "4 questions, published are 1,061" in page.text
    assert "published figures that do not compare, and why" in page.text


def test_the_answers_that_change_sides_are_listed_and_handed_on(judged_otherwise: Path) -> None:
    """`Yes it is` and `axial plane` hold the reference: right for LLaVA-Med (letters, recall) alone."""
    page_of(judged_otherwise)
    with (judged_otherwise / "report/tables/mini-test-protocols-sides.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    listed = {row[1]: row for row in rows if row and row[0].startswith("slake-test")}
    assert {"Is the liver normal?", "Which plane is it?"} <= set(listed)
    assert listed["Is the liver normal?"][3] == "Yes it is"
    # What each makes of it, in numbers: LaTeX has no tick without a package. 2 / (1 + 3) * 1 by token F1.
    assert set(listed["Is the liver normal?"][4:]) == {"0", "1", "0.50"}


def split_of(columns: dict[str, list[float | None]]) -> ProtocolSplit:
    rows = tuple(ProtocolRow(name=n, scores=(), printed={}, left_out=(), differs="") for n in columns)
    values = {str(place): tuple(column[place] for column in columns.values()) for place in range(4)}
    return ProtocolSplit(dataset="d", split="test", loader="slake", rows=rows, unfit=(), values=values)


def test_how_many_change_sides_between_two() -> None:
    found = sides_changed(
        split_of({
            "pefomed": [1.0, 0.0, 0.0, 1.0],
            "vqa-challenge": [1.0, 0.0, 0.0, 1.0],  # says the same
            "llava-med": [1.0, 1.0, 0.5, 0.0],
            "chinese": [None, None, 1.0, None],
        }),
        None, "sides", "Sides",
    )  # fmt: skip
    assert [(one.title, one.others) for one in found.voices] == [
        ("Exact match (PeFoMed)", ("The VQA challenge's normalisation",)),
        ("LLaVA-Med", ()),
        ("Exact match, Chinese", ()),
    ]
    # Row right and column not: the last answer; the second; half a word is not right, of the third.
    assert found.counts == [[None, 1, 0], [1, None, 0], [1, 1, None]]
    assert found.n == 4


def score(name: str, value: float, n: int) -> Score:
    return Score(
        metric=f"protocol:{name}", system="model", dataset="d", split="test", value=value, n=n,
        implementation="here",
    )  # fmt: skip


def test_only_what_compares_stands_side_by_side() -> None:
    def row(name: str, differs: str = "", judge: str = "") -> ProtocolRow:
        return ProtocolRow(
            name=name, judge=judge, scores=(score(name, 0.5, 1061),), printed={}, left_out=(), differs=differs
        )

    found = ProtocolSplit(
        dataset="d", split="test", loader="slake",
        rows=(row("pefomed"), row("medgemma"), row("judge-all", judge="mine"),
              row("medevalkit-slake-judge", "published is English and Chinese", "mine")),
        unfit=(Unfit(name="llava-med", why="no `answer_type`"),), values={},
    )  # fmt: skip
    beside, others = compared(found)
    assert {one.system for one in beside["pefomed"]} >= {"PeFoMed", "MUMC", "ARL"}
    assert [one.system for one in beside["medgemma"]] == [
        "Gemma 3 4B", "MedGemma 1 4B", "MedGemma 1 27B", "MedGemma 1.5 4B",
    ]  # fmt: skip
    why = {(one.system, one.protocol): one.why for one in others}
    assert why["PeFoMed", "Judge of all answers (PeFoMed)"] == "another judge than this run's"
    assert why["Lingshu-7B", "MedEvalKit, SLAKE, with its judge"] == "published is English and Chinese"
    assert why["LLaVA-Med", "LLaVA-Med"] == "no figure of ours under this protocol: no `answer_type`"
    assert why["Qwen3.5-27B", "not stated"] == "its source does not say what counts as right"
    assert all(one.source and one.seen and one.n and one.language for one in (*others, *beside["pefomed"]))


def test_models_that_know_the_test_images_stand_apart_from_those_that_do_not() -> None:
    found = ProtocolSplit(
        dataset="d", split="test", loader="vqa_rad", unfit=(), values={},
        rows=(ProtocolRow(name="pefomed", scores=(), printed={}, left_out=(), differs=""),),
    )  # fmt: skip

    def systems(seen: bool | None) -> set[str]:
        return {one.system for one in compared(found, seen)[0]["pefomed"]}

    # All test images of VQA-RAD are training images: who was trained on it has seen them.
    untrained = {"PeFoMed (not trained)", "PeFoMed (stage 1 only)", "GPT-4V"}
    assert systems(False) == untrained
    assert {"PeFoMed", "MUMC", "GPT-4V"} <= systems(True)
    assert "PeFoMed (not trained)" not in systems(True)
    assert systems(None) == systems(True) | systems(False)
    why = {one.system: one.why for one in compared(found, True)[1]}
    assert why["PeFoMed (not trained)"] == "this run's model was trained on test images, that one was not"


def test_another_split_of_vqa_rad_never_compares() -> None:
    found = ProtocolSplit(
        dataset="d", split="test", loader="vqa_rad", unfit=(), values={},
        rows=(ProtocolRow(name="medgemma", scores=(), printed={}, left_out=(), differs=""),),
    )  # fmt: skip
    _, others = compared(found)
    [gemma] = [one for one in others if one.system == "MedGemma 1 4B"]
    assert gemma.why.startswith("it is of another split")
    assert gemma.figures == ("49.9", "", "69.1")
