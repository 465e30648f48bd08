from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.report import box_runs
from tests.report.parsed import page_of

from pefomed.recipe import Evaluate
from pefomed.report import write_reports
from pefomed.report.box_answers import box_answers
from pefomed.report.box_figures import box_figures
from pefomed.report.item_boxes import SIDE
from pefomed.report.run import read_run
from pefomed.report.scatter import PARTS, ScatterPoint, means, scatter, standalone


def test_sides_are_counted_phrase_by_phrase(box_run: Path) -> None:
    run = read_run(box_run)
    figures = box_figures("cxr-test", "CXR", box_answers(run.answered[0], run.recipe), run.scores, Evaluate())
    assert figures is not None
    counts = {
        (line.labels[0], column.title): cell.value
        for line in figures.confusion.lines
        for column, cell in zip(figures.confusion.columns, line.entries, strict=True)
        if cell is not None and not isinstance(cell, str) and cell.value
    }
    # The liver is left, the spleen and the left lung right of the image; the right lung was mirrored.
    assert counts == {
        ("left", "left"): 1,
        ("left", "right"): 1,
        ("right", "right"): 2,
        ("both", "left"): 1,
        ("middle", "no box"): 1,
    }
    assert figures.mistakes is not None
    told = [
        (line.labels[0], [(cell.text, cell.n) for cell in line.entries if cell and not isinstance(cell, str)])
        for line in figures.mistakes.lines
    ]
    # As scores.jsonl has them; the ceiling, which mistakes nothing, is not shown.
    assert told == [
        ("This model", [("25.0", 4), ("50.0", 2)]),
        ("This model, blind", [("25.1", 4), ("50.1", 2)]),
        ("Whole image", [("25.2", 4), ("50.2", 2)]),
        ("Median training box of the category", [("25.3", 4), ("50.3", 2)]),
    ]


def test_size_and_shape_are_those_of_the_reference_in_pixels(box_run: Path) -> None:
    run = read_run(box_run)
    figures = box_figures("cxr-test", "CXR", box_answers(run.answered[0], run.recipe), run.scores, Evaluate())
    assert figures is not None
    size, aspect = (str(plot.drawing) for plot in figures.plots)
    assert figures.phrases == size.count('class="point"') + size.count('class="cross"') == 6
    assert size.count('class="cross"') == 1
    # The left lung: 0.5 x 0.4 of the image, 100 x 40 of its 200 x 100 pixels.
    assert "left lung: IoU 1.00, 20 % of the image" in size
    assert "left lung: IoU 1.00, width / height 2.50" in aspect
    # Both masses together: 0.8 x 0.8 of the image.
    assert "mass: IoU 0.50, width / height 2.00" in aspect
    assert "mass: IoU 0.50, 8 % of the image" in size


def test_the_interval_of_a_plot_has_the_recipes_draws_and_seed(box_run: Path) -> None:
    run = read_run(box_run)
    answers = box_answers(run.answered[0], run.recipe)

    def said(evaluate: Evaluate) -> str:
        figures = box_figures("cxr-test", "CXR", answers, run.scores, evaluate)
        assert figures is not None
        return figures.plots[0].said

    assert said(Evaluate(bootstrap=0)).count(",") == 0
    assert "rho" in said(Evaluate(bootstrap=0))


def test_the_means_are_of_parts_of_equal_number() -> None:
    points = [ScatterPoint(x, x / 100, "", "") for x in range(100, 0, -1)]
    found = means(points)
    assert len(found) == PARTS
    assert found[0] == (1, 20, pytest.approx(0.105))  # (1 + .. + 20) / 20 / 100
    assert found[-1] == (81, 100, pytest.approx(0.905))
    assert means(points[:9]) == []


def test_a_scatter_escapes_and_survives_a_single_point() -> None:
    svg = scatter("t <b>", "x <i>", [ScatterPoint(0.5, 1.0, "\x00<script>", 'a"b')])
    assert "<b>" not in svg
    assert "<script>" not in svg
    assert "&lt;script&gt;" in standalone(svg)
    assert "No phrase" in scatter("t", "x", [])


def test_items_can_be_filtered_by_side_and_by_how_they_were_read(box_run: Path) -> None:
    page = page_of(box_run)
    assert page.data["filters"][SIDE] == [
        "both / left",
        "left / left",
        "left / right",
        "middle / no box",
        "right / right",
    ]
    assert page.data["filters"]["answer"] == ["as asked for", "no readable box", "repaired"]
    marks = {item["id"]: item["marks"] for item in page.data["items"]}
    assert marks["caption"][SIDE] == ["left / left", "right / right"]
    links = {tag["data-value"] for tag in page.attributes("a") if tag.get("data-key") == SIDE}
    assert links == set(page.data["filters"][SIDE])


def test_a_comparison_has_the_rates_of_both_runs(tmp_path: Path) -> None:
    runs = [box_runs.write_run(tmp_path, None, name) for name in ("one", "two")]
    write_reports(runs)
    table = (runs[0] / "report" / "compare-tables" / "cxr-test-runs-sides.csv").read_text()
    head, *rows = csv.reader(io.StringIO(table))
    assert head[:2] == ["system", "side_mistake_rate overall"]
    values = {row[0]: row[head.index("side_mistake_rate overall")] for row in rows}
    assert (values["one"], values["two"], values["Whole image (floor)"]) == ("0.25", "0.25", "0.252")
