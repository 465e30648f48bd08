from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.report import small_run
from tests.report.parsed import page_of

from pefomed import recipe
from pefomed.agreement import agreement_of
from pefomed.errors import DataError
from pefomed.report import write_report
from pefomed.report.tables import Footnotes, exact_match_table, other_tables
from pefomed.report.wide_tables import text_table

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def words(run: Path) -> str:
    return " ".join(page_of(run).text.split())


def test_judges_and_raters_stand_beside_exact_match(run: Path) -> None:
    small_run.write_raters(run)
    text = words(run)
    for shown in ("81.2", "71.2–91.2", "67.9", "84.4"):  # noqa: RUF001
        assert shown in text
    assert "Judge 81.2 %" in text  # beside the headline
    assert "Other measures: Exact match, VQA-style" not in text  # the small run has none


def test_the_second_exact_match_makes_room_for_judges() -> None:
    judged = [
        small_run.score("model", "overall", 0.7, 4, metric=m) for m in ("judge_accuracy", "human_accuracy")
    ]
    both = [*small_run.scores(), small_run.score("model", "overall", 0.75, 4, metric="exact_match_vqa")]
    without = exact_match_table(both, "rad", "test", Footnotes())
    table = exact_match_table([*both, *judged], "rad", "test", Footnotes())
    assert without is not None
    assert table is not None
    assert [title for title, _ in without.blocks] == ["Exact match", "Exact match, VQA-style"]
    assert [title for title, _ in table.blocks] == ["Exact match", "Judge", "Human raters"]
    others = other_tables([*both, *judged], "rad", "test", Footnotes())
    assert [other.title for other in others] == ["Exact match, VQA-style", "Token recall"]


def test_a_published_judge_is_not_put_into_the_column_of_one_that_is_none() -> None:
    rows = [
        small_run.score("model", "overall", 0.5, 4),
        small_run.score("model", "overall", 0.6, 4, metric="offline_judge_accuracy"),
        small_run.score("published:PeFoMed", "overall", 0.844, 451, metric="judge"),
    ]
    table = exact_match_table(rows, "rad", "test", Footnotes())
    assert table is not None
    assert [title for title, _ in table.blocks] == ["Exact match", "Judge", "Offline judge"]
    published = table.rows[-1]
    assert [cell.text if cell else "" for cell in published.cells] == ["", "84.4", ""]


def test_report_metrics_stand_side_by_side_in_both_presets() -> None:
    rows = [
        small_run.score(system, "overall", value, 4, metric=metric)
        for metric, value in (("cider", 0.4), ("rouge_l", 0.3), ("cider_r2gen", 0.5), ("rouge_l_r2gen", 0.35))
        for system in ("model", "floor:constant-report")
    ]
    rows.append(small_run.score("published:PeFoMed", "overall", 0.462, 0, metric="cider"))
    table = text_table(rows, "rad", "test", Footnotes())
    assert table is not None
    assert table.blocks == [("COCO, PTB tokens", 2), ("R2Gen cleaning", 2)]
    assert [head.title for head in table.heads] == ["ROUGE-L", "CIDEr"] * 2
    assert [row.kind for row in table.rows] == ["model", "floor", "published"]
    assert [cell.text if cell else "" for cell in table.rows[-1].cells] == ["", "0.462", "", ""]
    assert other_tables(rows, "rad", "test", Footnotes()) == []


def test_a_card_shows_counts_and_failed_calibration(run: Path) -> None:
    small_run.write_raters(run)
    text = words(run)
    # The judge's runs say 1 1 0 - and 1 1 1 1: (2/3 + 1) / 2, sd .2357; q3 flips, of three scored twice.
    assert "83.3 % ± 23.6" in text
    assert "1 of 8 verdicts" in text
    assert "33.3 % of 3" in text
    assert "Calibration: 1 of 2 pairs with a known label as expected" in text
    assert "Reference “left”, answer “yes”: expected 1, 0 of 2 runs said so." in text
    # People: 3/4, 2/4, 2/4.
    assert "58.3 % ± 14.4" in text


def test_agreement_is_on_the_page_and_in_the_run(run: Path) -> None:
    small_run.write_raters(run)
    text = words(run)
    assert "Judges against human raters" in text
    assert "On the 3 answers that all labelled, the means of the 3 human raters" in text
    assert "not that it is right" in text
    found = json.loads((run / "agreement.json").read_text())
    assert {row["rater"] for row in found["rated"]} == {"judge", "ann", "bob", "cid"}


def test_items_carry_what_was_said_of_them(run: Path) -> None:
    small_run.write_raters(run)
    data = page_of(run).data
    assert data["metrics"] == ["Exact match", "Exact match, VQA-style", "A judge", "3 human raters"]
    items = data["items"]
    # Plain match, VQA-style match, the judge (q3: a tie), people.
    assert [item["answers"]["model"]["verdicts"] for item in items] == [
        [1, 1, 1, 1], [0, 1, 1, 1], [0, 0, None, 0], [1, 1, 1, 1],
    ]  # fmt: skip
    assert items[0]["labels"][0] == {
        "title": "A judge", "text": "2 of 2 right", "verdict": 1, "level": None, "reason": "Means the same.",
    }  # fmt: skip
    assert items[3]["labels"][0]["text"] == "right"
    assert items[3]["labels"][1]["text"] == "2 of 3 right"
    assert items[3]["labels"][1]["reason"] == "Ann: says ann; Bob: says bob; Cid: says cid"
    assert items[1]["marks"]["exact match / A judge"] == ["wrong / right"]
    assert items[2]["marks"] == {
        "exact match / A judge": ["tie"],
        "runs of A judge": ["flip"],
        "exact match / 3 human raters": ["wrong / wrong"],
    }  # fmt: skip
    assert data["filters"]["runs of A judge"] == ["all the same", "flip"]


def test_strangers_cards_and_reasons_stay_text(run: Path) -> None:
    card = {**small_run.CARD, "title": HOSTILE, "about": HOSTILE, "settings": {HOSTILE: HOSTILE}}
    card["calibration"] = [
        {"question": HOSTILE, "reference": HOSTILE, "answer": HOSTILE, "expected": 1, "labels": [0]}
    ]
    small_run.write_rater(run, "judge", card, [{"q1": 1, "q2": 0}], HOSTILE)
    page = page_of(run)
    assert len(page.scripts) == 3
    assert not page.attributes("img")
    assert page.data["items"][0]["labels"][0]["reason"] == HOSTILE
    assert HOSTILE in page.text


@pytest.mark.parametrize("entry", ["x", {"labels": [1]}, {"labels": 1, "expected": 1}])
def test_a_damaged_card_is_an_error_that_names_it(run: Path, entry: object) -> None:
    small_run.write_rater(run, "judge", {**small_run.CARD, "calibration": [entry]}, [{"q1": 1}])
    with pytest.raises(DataError, match="card of judge"):
        write_report(run)


def test_verdicts_newer_than_the_scores_are_said(run: Path) -> None:
    small_run.write_rater(run, "judge", small_run.CARD, [{"q1": 1, "q2": 0}])
    assert "These verdicts came after the scores" in words(run)


def test_a_run_without_verdicts_has_no_such_sections(run: Path) -> None:
    page = page_of(run)
    assert not [tag for tag in page.attributes("section") if tag.get("id") in ("judgements", "agreement")]
    assert not (run / "agreement.json").exists()


def test_somebody_elses_answers_need_no_recipe(run: Path) -> None:
    small_run.write_raters(run)
    for name in ("recipe.toml", "describe.json", "log.jsonl", "audit.json"):
        (run / name).unlink()
    text = words(run)
    assert "Judges against human raters" in text
    assert "The run has no recipe.toml" in text


def test_draws_and_seed_of_the_recipe_reach_agreement(run: Path) -> None:
    rows = [(f"q{i}", f"{i}.png", "?", "yes", "yes", "no", "CLOSED") for i in range(40)]
    small_run.write_answers(run, rows)
    for name, period in (("ann", 3), ("bob", 4)):
        labels: dict[str, int | None] = {f"q{i}": int(i % period > 0) for i in range(40)}
        small_run.write_rater(run, name, {"kind": "human"}, [labels])
    values = recipe.load(run / "recipe.toml")
    found = {}
    for draws in (0, 20, 2000):
        settings = values.evaluate.model_copy(update={"bootstrap": draws, "seed": 7})
        (run / "recipe.toml").write_text(recipe.dumps(values.model_copy(update={"evaluate": settings})))
        [found[draws]] = [one for one in agreement_of(run).agreement if one.coefficient == "fleiss_kappa"]
    assert (found[0].low, found[0].interval) == (None, "")
    assert found[20].interval.startswith("95 % by image, 20 groups of 40 images, seed 7, jackknife")
    assert found[2000].interval == "95 % by image, jackknife, Korn-Graubard limits"
    assert found[20].value == found[2000].value
