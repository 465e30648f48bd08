from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.report import box_runs
from tests.report.box_runs import score, scores
from tests.report.parsed import Page, page_of

from pefomed.report import write_report, write_reports
from pefomed.report.box_answers import box_answers
from pefomed.report.groups import box_group_tables, group_tables
from pefomed.report.headline import headlines
from pefomed.report.run import read_run
from pefomed.report.tables import Footnotes, other_tables
from pefomed.report.wide_tables import box_table


def test_systems_stand_by_metrics_with_the_ceiling_below_the_floors() -> None:
    notes = Footnotes()
    table = box_table(scores(), "cxr", "test", notes)
    assert table is not None
    assert table.blocks == [("Mean over phrases", 3), ("Mean over categories", 1)]
    assert [head.title for head in table.heads] == ["IoU", "Dice", "Acc@0.5", "IoU"]
    shown = [(row.kind, [cell.text if cell else "" for cell in row.cells]) for row in table.rows]
    assert shown == [
        ("model", ["0.410", "0.520", "63.0", "0.440"]),
        ("blind", ["0.411", "0.521", "63.1", "0.441"]),
        ("floor", ["0.412", "0.522", "63.2", "0.442"]),
        ("floor", ["0.413", "0.523", "63.3", "0.443"]),
        ("ceiling", ["0.414", "0.524", "63.4", "0.444"]),
        ("published", ["0.594", "", "69.9", ""]),
    ]
    # What the metrics are is one footnote for all rows, not one for each metric and system.
    assert notes.texts[0].startswith("pefomed 1.0, iou: definition of iou; dice: definition of dice; acc_0.5")
    assert notes.texts[1:3] == ["by model", "Interval: 95 % by image, jackknife, Korn-Graubard limits"]
    assert table.rows[1].notes == [1, 3, 4]
    assert other_tables(scores(), "cxr", "test", notes) == []


def test_categories_have_their_floors_ceiling_and_published_rows_and_their_means() -> None:
    category, boxes = box_group_tables(scores(), "cxr", "test")
    assert (category.key, boxes.key) == ("category", "boxes")
    assert category.measures == [("iou", "IoU"), ("dice", "Dice"), ("acc_0.5", "Acc@0.5")]
    assert [kind for kind, _ in category.floors] == ["blind", "floor", "floor", "ceiling", "published"]
    assert category.shorts == ["blind", "whole image", "by category", "ceiling", "PFMVG"]
    rows = [
        (row.value, row.cell.n, row.cell.text, [cell.text if cell else None for cell in row.floors])
        for row in (*category.rows, *category.totals)
    ]
    assert rows == [
        ("Mass", 3, "0.210", ["0.211", "0.212", "0.213", "0.214", "0.777"]),
        ("Lung", 2, "0.710", ["0.711", "0.712", "0.713", "0.714", None]),
        ("Mean of categories", 6, "0.440", ["0.441", "0.442", "0.443", "0.444", None]),
        ("All phrases", 6, "0.410", ["0.411", "0.412", "0.413", "0.414", None]),
    ]
    assert [row.value for row in boxes.totals] == ["All phrases"]
    assert group_tables(scores(), "cxr", "test") == []


def test_a_run_that_mixes_words_and_boxes_has_a_headline_of_each() -> None:
    words, boxes = headlines(scores(), "cxr", "test")
    assert (words.metric, words.cell.text, words.unit) == ("Exact match", "50.0", " %")
    assert (boxes.metric, boxes.cell.text, boxes.unit, boxes.asked) == ("IoU", "0.410", "", "phrases")
    # Against the best of blind run and floors, 0.413; the ceiling is none of them.
    assert boxes.ahead == "−0.003"  # noqa: RUF001
    assert boxes.ceiling is not None
    assert boxes.ceiling.text == "0.414"
    assert boxes.strip is not None
    assert ">0.75</text>" in boxes.strip
    assert [(title, cell.text, unit) for title, cell, unit in boxes.beside] == [
        ("Acc@0.5", "63.0", " %"),
        ("Dice", "0.520", ""),
        ("IoU, mean of categories", "0.440", ""),
        ("Left and right mistaken", "25.0", " %"),
        ("Answers without a readable box", "20.0", " %"),
    ]


def test_boxes_alone_have_no_headline_of_their_rates() -> None:
    only = [score("model", "iou", 0.4), score("model", "empty_rate", 0.0), score("model", "cut_rate", 0.0)]
    assert [head.metric for head in headlines(only, "cxr", "test")] == ["IoU"]


def test_answers_are_read_phrase_by_phrase_as_evaluation_does(box_run: Path) -> None:
    run = read_run(box_run)
    found = box_answers(run.answered[0], run.recipe)
    ours = found["model"]
    assert set(ours) == {"exact", "swapped", "half", "words", "caption"}
    assert {name: (one.iou, one.right, one.reading.state) for name, one in ours.items()} == {
        "exact": (pytest.approx(1), True, "strict"),
        "swapped": (0, False, "strict"),
        "half": (pytest.approx(0.5), True, "repaired"),
        "words": (0, False, "unparsable"),
        "caption": (pytest.approx(0.75), True, "strict"),
    }
    assert [(p.text, p.iou) for p in ours["caption"].phrases] == [
        ("liver", pytest.approx(1)),
        ("spleen", pytest.approx(0.5)),
    ]
    assert [name for name, _ in ours["caption"].reading.boxes] == ["liver", "spleen"]
    # The blind answer is the whole image, whose area the box is 0.5 x 0.4 of.
    assert found["blind"]["exact"].iou == pytest.approx(0.2)


def test_boxes_are_drawn_where_a_letterboxed_model_meant_them(box_run: Path) -> None:
    path = box_run / "recipe.toml"
    path.write_text(path.read_text().replace('resize = "squash"', 'resize = "letterbox"'))
    run = read_run(box_run)
    assert run.recipe is not None
    assert run.recipe.model.resize == "letterbox"
    # 200 x 100 in the middle of a square: y 20 to 60 of the square is -10 to 70 % of the image.
    ((_, box),) = box_answers(run.answered[0], run.recipe)["model"]["exact"].reading.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0.5, 0.0, 1.0, 0.7))


def test_the_page_shows_boxes_and_its_tables_lie_beside_it(box_run: Path) -> None:
    page = page_of(box_run)
    text = " ".join(page.text.split())
    for sentence in (
        "IoU by size",
        "IoU by shape",
        "Side of the boxes in the image",
        "more than 5 % of the image's width from the midline",
        "Median training box of the category",
        "Mean of categories",
    ):
        assert sentence in text, sentence
    tables, figures = box_run / "report" / "tables", box_run / "report" / "figures"
    linked = {tag["download"] for tag in page.attributes("a") if "download" in tag}
    assert linked == {path.name for path in tables.iterdir()}
    assert {"cxr-test-boxes.csv", "cxr-test-boxes-by-category.tex", "cxr-test-sides.csv"} <= linked
    assert {"cxr-test-boxes-size.svg", "cxr-test-boxes-aspect.svg"} <= {
        path.name for path in figures.iterdir()
    }
    for path in figures.iterdir():
        ElementTree.parse(path)


def test_csv_and_latex_hold_floors_and_means(box_run: Path) -> None:
    write_report(box_run)
    tables = box_run / "report" / "tables"
    rows = list(csv.DictReader(io.StringIO((tables / "cxr-test-boxes-by-category.csv").read_text())))
    assert [row["category"] for row in rows] == ["Mass", "Lung", "Mean of categories", "All phrases"]
    assert (rows[0]["iou"], rows[0]["iou n"], rows[0]["iou Whole image"]) == ("0.21", "3", "0.212")
    assert rows[0]["iou Whole image low"] == "0.112"
    assert rows[0]["iou PFMVG"] == "0.777"
    latex = (tables / "cxr-test-boxes-by-category.tex").read_text()
    assert latex.count(r"\midrule") == 2  # below the head, above the means
    assert "PFMVG (published)" in latex
    assert re.search(r"Mass & 0\.210 .*& 0\.777", latex)
    methods = list(csv.DictReader(io.StringIO((tables / "cxr-test-boxes.csv").read_text())))
    assert methods[4]["system"] == "Reference boxes, written and read back (ceiling)"
    assert (methods[0]["acc_0.5 overall"], methods[0]["iou_macro overall"]) == ("0.63", "0.44")


def test_a_run_without_scores_or_without_answers_still_makes_a_page(box_run: Path) -> None:
    (box_run / "scores.jsonl").unlink()
    assert page_of(box_run).data["items"][0]["answers"]["model"]["iou"] == 1
    shutil.rmtree(box_run / "predictions")
    items = page_of(box_run).data["items"]
    assert [item["answers"] for item in items[:2]] == [{"model": None}] * 2


def test_two_runs_are_compared_box_by_box(box_run: Path, tmp_path: Path) -> None:
    other = box_runs.write_run(tmp_path, {"swapped": "{<0><20><40><60>}", "exact": box_runs.WHOLE}, "later")
    page = Page(write_reports([box_run, other])[-1].read_text(encoding="utf-8"))
    (path,) = (box_run / "report" / "compare-tables").glob("difference-*.csv")
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(path.read_text()))}
    # IoU of the six phrases: 1, 0, .5, 0, 1, .5 and then .2, 1, .5, 0, 1, .5.
    assert float(rows["IoU"]["first"]) == pytest.approx(3 / 6)
    assert float(rows["IoU"]["second"]) == pytest.approx(3.2 / 6)
    assert (rows["IoU"]["better"], rows["IoU"]["worse"]) == ("1", "1")
    answers = {item["id"]: item["answers"] for item in page.data["items"]}
    assert [answers["exact"][name]["iou"] for name in ("first", "second")] == [1, 0.2]
    assert [answers["swapped"][name]["verdicts"] for name in ("first", "second")] == [[0, 0], [1, 1]]
    assert "Acc@0.5" in page.text
    assert (box_run / "report" / "compare-tables" / "cxr-test-runs-boxes.csv").exists()
