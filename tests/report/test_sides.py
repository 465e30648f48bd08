from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.parsed import page_of

from pefomed.report.box_figures import box_figures
from pefomed.report.box_items import SIDE
from pefomed.report.located import Phrase, located
from pefomed.report.run import read_run
from pefomed.report.scatter import PARTS, Point, means, scatter, standalone
from pefomed.report.sides import is_mistaken, side_of
from pefomed.schema import Box


def box(x0: float, x1: float) -> Box:
    return Box(x0=x0, y0=0.1, x1=x1, y1=0.9)


@pytest.mark.parametrize(
    ("boxes", "side"),
    [
        ([], "no box"),
        ([box(0.0, 0.4)], "left"),
        ([box(0.6, 1.0)], "right"),
        ([box(0.0, 1.0)], "middle"),
        # Centres at .45 and .44: 5 % and 6 % of the width from the midline.
        ([box(0.4, 0.5)], "middle"),
        ([box(0.38, 0.5)], "left"),
        ([box(0.0, 0.2), box(0.8, 1.0)], "both"),
        ([box(0.0, 0.2), box(0.4, 0.6)], "left"),
    ],
)
def test_a_side_is_where_the_centre_lies(boxes: list[Box], side: str) -> None:
    assert side_of(boxes) == side


corners = st.tuples(st.integers(0, 999), st.integers(1, 1000)).filter(lambda pair: pair[0] < pair[1])


@given(st.lists(corners, max_size=4))
def test_a_mirrored_answer_mistakes_what_has_one_side(one: list[tuple[int, int]]) -> None:
    boxes = [box(x0 / 1000, x1 / 1000) for x0, x1 in one]
    mirrored = [box(1 - b.x1, 1 - b.x0) for b in boxes]
    same = Phrase("", tuple(boxes), tuple(boxes), 1.0)
    assert not is_mistaken(same)
    swapped = {"left": "right", "right": "left"}
    assert side_of(mirrored) == swapped.get(side_of(boxes), side_of(boxes))
    assert is_mistaken(Phrase("", tuple(boxes), tuple(mirrored), 0.0)) == (side_of(boxes) in swapped)


def test_sides_are_counted_phrase_by_phrase(box_run: Path) -> None:
    run = read_run(box_run)
    figures = box_figures("cxr-test", "CXR", located(run.answered[0], run.recipe))
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
    # 1 of 4 phrases with boxes on one side, 1 of the 2 whose words say it; a whole image is in the middle.
    assert told == [
        ("This model", [("25.0", 4), ("50.0", 2)]),
        ("This model, blind", [("0.0", 4), ("0.0", 2)]),
    ]


def test_size_and_shape_are_those_of_the_reference_in_pixels(box_run: Path) -> None:
    run = read_run(box_run)
    figures = box_figures("cxr-test", "CXR", located(run.answered[0], run.recipe))
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


def test_the_means_are_of_parts_of_equal_number() -> None:
    points = [Point(x, x / 100, "", "") for x in range(100, 0, -1)]
    found = means(points)
    assert len(found) == PARTS
    assert found[0] == (1, 20, pytest.approx(0.105))  # (1 + .. + 20) / 20 / 100
    assert found[-1] == (81, 100, pytest.approx(0.905))
    assert means(points[:9]) == []


def test_a_scatter_escapes_and_survives_a_single_point() -> None:
    svg = scatter("t <b>", "x <i>", [Point(0.5, 1.0, "\x00<script>", 'a"b')])
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
