"""The figures as SVG files of their own: by group, measures side by side, and those of boxes.

Complete drawings with their own colours and text, for papers and slides; the page draws its bars itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from pefomed.report.figures import IOU
from pefomed.report.groups import GroupTable
from pefomed.report.scatter import standalone
from pefomed.report.sheet import sheet_name

if TYPE_CHECKING:
    from pefomed.report.results import Result

WIDTH, LEFT, RIGHT = 640, 170, 60
BAR, GAP, TOP, BOTTOM = 14, 10, 54, 30

# Okabe and Ito's colours, told apart by readers who see no red or green.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")

_STYLE = "font-family:Helvetica,Arial,sans-serif;font-size:12px;fill:#222"


def of_results(results: Sequence[Result]) -> dict[str, str]:
    """Return a drawing for every table by group, by the name of its sheet, and for every figure of boxes."""
    drawn = {
        group.sheet.name: grouped_bars(group.sheet.title, group.table)
        for result in results
        for group in (*result.groups, *result.box_groups)
    }
    for result in results:
        for plot in result.box_figures.plots if result.box_figures else ():
            drawn[sheet_name(result.dataset, result.split, "boxes", plot.key)] = standalone(plot.drawing)
    return drawn


def grouped_bars(title: str, table: GroupTable) -> str:
    """Return horizontal bars over [0, 1], a group of bars per value and a colour per measure."""
    measures = [label for _, label in table.measures]
    step = GAP + BAR * len(measures)
    height = TOP + step * len(table.rows) + BOTTOM
    parts = [
        Markup('<rect width="{}" height="{}" fill="#fff"/>').format(WIDTH, height),
        _text(WIDTH / 2, 18, title, "middle", "font-weight:bold"),
        *_legend(measures),
        *_axis(height, percent=table.metric != IOU),
    ]
    for place, row in enumerate(table.rows):
        top = TOP + place * step
        parts.append(
            _text(LEFT - 8, top + BAR * len(measures) / 2 + 4, f"{row.value} ({row.cell.n:,})", "end")
        )
        for number, cell in enumerate(row.cells):
            if cell:
                parts += _bar(
                    cell.value, cell.low, cell.high, top + number * BAR, COLOURS[number % 6], cell.text
                )
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}">{2}</svg>'
    )
    return str(frame.format(WIDTH, height, Markup("\n").join(parts))) + "\n"


def _legend(measures: Sequence[str]) -> list[Markup]:
    parts, x = [], float(LEFT)
    for number, label in enumerate(measures):
        parts.append(
            Markup('<rect x="{}" y="30" width="10" height="10" fill="{}"/>').format(x, COLOURS[number % 6])
        )
        parts.append(_text(x + 14, 39, label))
        x += 34 + 6.6 * len(label)
    return parts


def _axis(height: float, *, percent: bool) -> list[Markup]:
    parts = []
    for place in range(0, 101, 25):
        x = _x(place / 100)
        parts.append(
            Markup('<line x1="{0}" x2="{0}" y1="{1}" y2="{2}" stroke="#ddd"/>').format(
                x, TOP - 4, height - BOTTOM
            )
        )
        parts.append(
            _text(x, height - BOTTOM + 16, f"{place} %" if percent else f"{place / 100:g}", "middle")
        )
    return parts


def _bar(
    value: float, low: float | None, high: float | None, top: float, colour: str, text: str
) -> list[Markup]:
    middle = top + BAR / 2
    parts = [
        Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
            LEFT, top + 0.5, round(_x(value) - LEFT, 1), BAR - 1, colour
        )
    ]
    end = value
    if low is not None and high is not None:
        end = high
        parts.append(
            Markup('<line x1="{}" x2="{}" y1="{y}" y2="{y}" stroke="#222"/>').format(
                _x(low), _x(high), y=middle
            )
        )
    return [*parts, _text(_x(end) + 4, middle + 4, text)]


def _x(share: float) -> float:
    return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)


def _text(x: float, y: float, text: str, anchor: str = "start", style: str = "") -> Markup:
    # XML holds no control characters; a value of a strange file may.
    printable = "".join(character for character in text if character.isprintable())
    return Markup('<text x="{}" y="{}" text-anchor="{}" style="{}">{}</text>').format(
        x, y, anchor, f"{_STYLE};{style}" if style else _STYLE, printable
    )
