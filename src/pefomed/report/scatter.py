"""IoU against a property of the boxes, one point per phrase, as inline SVG that scales with its panel.

Colours come from the page's style sheet by class, so that one drawing serves light and dark; a file of its
own brings a style of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from pefomed.report.curves import log_ticks, number

WIDTH, HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 14, 24, 40

MOST = 4000
"""Points drawn at most; of more every k-th is."""

PARTS = 5
"""Parts of equal number, each with its mean."""


@dataclass(frozen=True)
class ScatterPoint:
    """One phrase."""

    x: float
    """Above 0."""
    y: float
    """In [0, 1]."""
    label: str
    item: str
    """Id of the sample it opens."""
    marked: bool = False
    """Drawn as a cross: left and right are mistaken."""


def scatter(title: str, axis: str, points: Sequence[ScatterPoint], *, percent: bool = False) -> Markup:
    """Return the points over a log axis, with the mean of each fifth of them as a step.

    Args:
        axis: what stands below the axis.
        percent: whether x is a share, shown in percent.
    """
    if not points:
        return Markup('<p class="missing">No phrase with a box.</p>')
    ticks = log_ticks(min(point.x for point in points), max(point.x for point in points))
    low, span = math.log(ticks[0]), math.log(ticks[-1]) - math.log(ticks[0])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log(x) - low) / span
        return (
            round(_LEFT + across * (WIDTH - _LEFT - _RIGHT), 1),
            round(HEIGHT - _BOTTOM - y * (HEIGHT - _TOP - _BOTTOM), 1),
        )

    parts = [_across(y, place(ticks[0], y)[1]) for y in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for tick in ticks:
        shown = f"{100 * tick:g} %" if percent else number(tick)
        # Of many ticks only the powers of ten have room for their label.
        crowded = len(ticks) > 8 and not math.log10(tick).is_integer()
        parts.append(_down(place(tick, 0.0)[0], "" if crowded else shown))
    parts.append(_text((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT - 4, "middle", axis))
    parts.append(_text(_LEFT - 6, 10, "end", "IoU"))
    parts += [_point(point, *place(point.x, point.y)) for point in points[:: -(-len(points) // MOST)]]
    for start, end, mean in means(points):
        (x1, y), (x2, _) = place(start, mean), place(end, mean)
        step = Markup('<line class="mean" x1="{}" x2="{}" y1="{y}" y2="{y}"><title>{}</title></line>')
        parts.append(step.format(x1, x2, f"mean {mean:.3f}", y=y))
    return Markup('<svg class="scatter" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, f"{title}; {len(points):,} phrases", Markup("").join(parts)
    )


def means(points: Sequence[ScatterPoint]) -> list[tuple[float, float, float]]:
    """Return `(first x, last x, mean y)` of `PARTS` parts of about equal number, ascending in x."""
    if len(points) < 2 * PARTS:
        return []
    ordered = sorted(points, key=lambda point: point.x)
    edges = np.linspace(0, len(ordered), PARTS + 1).round().astype(int).tolist()
    parts = [ordered[start:end] for start, end in pairwise(edges)]
    return [(part[0].x, part[-1].x, sum(point.y for point in part) / len(part)) for part in parts]


def standalone(drawing: Markup) -> str:
    """Return a drawing as a file of its own, with colours for print."""
    style = (
        "text{font:12px Helvetica,Arial,sans-serif;fill:#222}.grid{stroke:#ddd}.half{stroke:#999}"
        ".point{fill:#0072B2;fill-opacity:.5}.cross{stroke:#D55E00;stroke-width:1.6;fill:none}"
        ".mean{stroke:#222;stroke-width:3}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
    return str(drawing).replace("<svg ", head, 1).replace(">", f"><style>{style}</style>", 1) + "\n"


def _point(point: ScatterPoint, x: float, y: float) -> Markup:
    title = Markup("<title>{}</title>").format(
        # XML holds no control characters; a phrase of a strange file may.
        "".join(character for character in point.label if character.isprintable())
    )
    if point.marked:
        cross = Markup('<path class="cross" data-item="{}" d="M{} {}l6 6m0 -6l-6 6">{}</path>')
        return cross.format(point.item, round(x - 3, 1), round(y - 3, 1), title)
    dot = Markup('<circle class="point" data-item="{}" cx="{}" cy="{}" r="3.2">{}</circle>')
    return dot.format(point.item, x, y, title)


def _across(value: float, y: float) -> Markup:
    kind = "grid half" if value == 0.5 else "grid"
    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
        kind, _LEFT, WIDTH - _RIGHT, y=y
    )
    return line + _text(_LEFT - 6, y + 4, "end", f"{value:g}")


def _down(x: float, text: str) -> Markup:
    line = Markup('<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(
        HEIGHT - _BOTTOM, HEIGHT - _BOTTOM + 4, x=x
    )
    return line + _text(x, HEIGHT - _BOTTOM + 16, "middle", text)


def _text(x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)
