"""The reliability diagram and the curve of risk against coverage, as inline SVG that scales with its panel.

Colours come from the page's style sheet by class, so that one drawing serves light and dark; a file of its
own brings a style of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from pefomed.metrics.confidence import Bin

WIDTH, HEIGHT = 360, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 30, 40

_POINTS = 200
"""Of a curve that are drawn at most."""


class Curve(NamedTuple):
    """The share of wrong answers among the k surest, k = 1 .. N, of one confidence."""

    label: str
    colour: str
    """A class of the style sheet."""
    risks: NDArray[np.float64]


def reliability_diagram(title: str, bins: Sequence[Bin]) -> Markup:
    """Return the share of right answers against the mean confidence of each bin.

    The area of a dot is the number of answers; on the dashed line a confidence is what it says.
    """
    most = max(one.n for one in bins)
    parts = [*_frame("Confidence", "Right"), _polyline("half", [(0.0, 0.0), (1.0, 1.0)], 1.0)]
    parts.append(_polyline("faint a", [(one.confidence, one.right) for one in bins], 1.0))
    for one in bins:
        x, y = _place(one.confidence, one.right, 1.0)
        radius = round(2.5 + 7 * (one.n / most) ** 0.5, 1)
        told = f"{one.n:,} answers: confidence {100 * one.confidence:.0f} %, right {100 * one.right:.0f} %"
        dot = Markup('<circle class="dot" cx="{}" cy="{}" r="{}"><title>{}</title></circle>')
        parts.append(dot.format(x, y, radius, told))
    return _drawing(f"{title}: reliability; {sum(one.n for one in bins):,} answers", parts)


def risk_coverage(
    title: str, curves: Sequence[Curve], best: NDArray[np.float64], given: tuple[float, float] | None = None
) -> Markup:
    """Return the share of wrong answers against the share of questions that are answered, surest first.

    Args:
        best: the curve of all right answers first.
        given: coverage and risk of the answers that the run's threshold lets pass.
    """
    highest = max(float(curve.risks[len(curve.risks) // 20 :].max()) for curve in curves)
    top = next((step for step in (0.04, 0.1, 0.2, 0.4, 0.6, 0.8) if highest <= step), 1.0)
    parts = [*_frame("Answered", "Wrong", top), _polyline("best", _points(best, top), top)]
    parts += [_polyline(f"line {curve.colour}", _points(curve.risks, top), top) for curve in curves]
    if given is not None:
        x, y = _place(given[0], min(given[1], top), top)
        told = f"threshold: {100 * given[0]:.0f} % answered, {100 * given[1]:.1f} % of these wrong"
        mark = Markup('<circle class="given" cx="{}" cy="{}" r="6"><title>{}</title></circle>')
        parts.append(mark.format(x, y, told))
    return _drawing(f"{title}: risk against coverage; {len(best):,} answers", parts)


def standalone(drawing: Markup) -> str:
    """Return a drawing as a file of its own, with colours for print."""
    style = (
        "text{font:12px Helvetica,Arial,sans-serif;fill:#222}.grid{stroke:#ddd}"
        "polyline{fill:none;stroke:#0072B2;stroke-width:2}polyline.b{stroke:#E69F00}polyline.c{stroke:#009E73}"
        "polyline.d{stroke:#CC79A7}polyline.best{stroke:#999;stroke-width:1.5}"
        "polyline.half{stroke:#999;stroke-width:1;stroke-dasharray:3 4}.dot{fill:#0072B2;stroke:#fff}"
        ".given{fill:none;stroke:#D55E00;stroke-width:2.5}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
    return str(drawing).replace("<svg ", head, 1).replace(">", f"><style>{style}</style>", 1) + "\n"


def _points(risks: NDArray[np.float64], top: float) -> list[tuple[float, float]]:
    """Return `(coverage, risk)`; the first few answers, whose share jumps, are cut at the top."""
    count = len(risks)
    places = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(int))
    return [((at + 1) / count, min(float(risks[at]), top)) for at in places.tolist()]


def _frame(across: str, up: str, top: float = 1.0) -> list[Markup]:
    parts = []
    for step in range(5):
        value = top * step / 4
        _, y = _place(0.0, value, top)
        line = Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
        parts.append(line.format(_LEFT, WIDTH - _RIGHT, y=y))
        parts.append(_text(_LEFT - 6, y + 4, "end", f"{100 * value:.3g} %" if step else "0"))
        x, _ = _place(step / 4, 0.0, 1.0)
        parts.append(_text(x, HEIGHT - _BOTTOM + 16, "middle", f"{25 * step} %" if step else "0"))
    parts.append(_text(_LEFT - 6, 12, "end", up))
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, "middle", across))
    return parts


def _place(x: float, y: float, top: float) -> tuple[float, float]:
    return (
        round(_LEFT + x * (WIDTH - _LEFT - _RIGHT), 1),
        round(HEIGHT - _BOTTOM - y / top * (HEIGHT - _TOP - _BOTTOM), 1),
    )


def _polyline(kind: str, points: Sequence[tuple[float, float]], top: float) -> Markup:
    path = " ".join("{},{}".format(*_place(x, y, top)) for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, path)


def _text(x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _drawing(label: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="sure" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, Markup("").join(parts)
    )
