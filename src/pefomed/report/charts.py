"""Charts as inline SVG: curves that scale with their panel, and bars drawn in percent of their cell.

Colours come from the page's style sheet by class, so that one drawing serves light and dark.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

WIDTH, HEIGHT = 360, 200
"""Size of a curve panel in its own units; near a phone's width, so that its text stays readable there."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 24


Mark = tuple[str, float, str]
"""`(class, value in [0, 1], label)` of a tick: a floor, the blind run or a published figure."""


@dataclass(frozen=True)
class Series:
    """Points to draw as a line, a faint line (raw values) or dots."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: Literal["line", "faint", "dots"] = "line"
    colour: Literal["a", "b", "c"] = "a"


def curves(title: str, series: Sequence[Series], *, percent: bool = False, from_zero: bool = False) -> Markup:
    """Return a panel of curves over the training step; values that are not finite are left out.

    Args:
        percent: values are shares in [0, 1], shown as percentages on a fixed 0-100 axis.
    """
    drawn = [Series(s.label, _finite(s.points), s.kind, s.colour) for s in series]
    xs = [x for s in drawn for x, _ in s.points]
    ys = [y for s in drawn for _, y in s.points]
    if not xs:
        return Markup('<p class="missing">No values.</p>')
    y_ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if percent else ticks(0.0 if from_zero else min(ys), max(ys))
    x_low, x_high = min(xs), max(max(xs), min(xs) + 1)
    x_ticks = [t for t in ticks(x_low, x_high, 4) if x_low <= t <= x_high]
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low)
        up = (y - y_low) / ((y_high - y_low) or 1)
        return (
            round(_LEFT + across * (WIDTH - _LEFT - _RIGHT), 1),
            round(HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM), 1),
        )

    parts = [_grid(y, place(x_low, y)[1], percent) for y in y_ticks]
    parts += [_label(place(tick, y_low)[0], HEIGHT - 7, "middle", number(tick)) for tick in x_ticks]
    parts.append(_label(_LEFT - 6, HEIGHT - 7, "end", "step"))
    parts.extend(_draw(s, [place(x, y) for x, y in s.points]) for s in drawn)
    readout = [
        {"label": s.label, "points": [[*place(x, y), x, _shown(y, percent)] for x, y in s.points]}
        for s in drawn
        if s.kind != "faint"
    ]
    return Markup(
        '<svg class="curves" viewBox="0 0 {} {}" role="img" aria-label="{}" data-readout="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, title, json.dumps(readout), Markup("").join(parts))


def bar(
    value: float,
    low: float | None,
    high: float | None,
    marks: Sequence[Mark] = (),
    text: str = "",
) -> Markup:
    """Return a bar over [0, 1] with its interval as a whisker, as wide as the cell it stands in.

    Args:
        marks: ticks across the bar.
        text: what the bar says, for readers who do not see it.
    """
    parts = [
        Markup('<rect class="track" width="100%" height="10" y="6" rx="2"/>'),
        Markup('<rect class="fill" width="{}%" height="10" y="6" rx="2"/>').format(_percent(value)),
        _span("whisker", low, high, 11),
        *(_mark(mark, 1, 21) for mark in marks),
    ]
    return Markup('<svg class="bar" width="100%" height="22" role="img" aria-label="{}">{}</svg>').format(
        text, Markup("").join(parts)
    )


def strip(value: float, low: float | None, high: float | None, marks: Sequence[Mark], text: str) -> Markup:
    """Return the headline's scale from 0 to 100: our value with its interval, and a tick for every `mark`."""
    parts = [Markup('<rect class="track" x="0" y="26" width="100%" height="8" rx="4"/>')]
    for tenth in range(0, 101, 25):
        anchor = {0: "start", 100: "end"}.get(tenth, "middle")
        parts.append(
            Markup('<text class="tick" x="{0}%" y="54" text-anchor="{1}">{0}</text>').format(tenth, anchor)
        )
    parts += [_mark(mark, 18, 42) for mark in marks]
    parts.append(_span("range", low, high, 30))
    parts.append(Markup('<circle class="ours" cx="{}%" cy="30" r="8"/>').format(_percent(value)))
    return Markup('<svg class="strip" width="100%" height="60" role="img" aria-label="{}">{}</svg>').format(
        text, Markup("").join(parts)
    )


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return about `about` + 1 round numbers that enclose [low, high], 1, 2 or 5 times 10^k apart."""
    span = (high - low) or abs(high) or 1.0
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]


def number(value: float) -> str:
    """Return a short text of `value`: `1,250`, `0.35`, `1.2e-3`."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 0.01:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _grid(value: float, y: float, percent: bool) -> Markup:
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, WIDTH - _RIGHT, y=y)
    return line + _label(_LEFT - 6, y + 4, "end", _shown(value, percent))


def _label(x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _shown(value: float, percent: bool) -> str:
    return f"{100 * value:.4g} %" if percent else number(value)


def _draw(series: Series, placed: list[tuple[float, float]]) -> Markup:
    path = " ".join(f"{x},{y}" for x, y in placed)
    line = Markup('<polyline class="{} {}" points="{}"/>').format(
        "line" if series.kind == "dots" else series.kind, series.colour, path
    )
    if series.kind != "dots":
        return line
    dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.5"/>')
    return line + Markup("").join(dot.format(series.colour, x, y) for x, y in placed)


def _mark(mark: Mark, top: int, bottom: int) -> Markup:
    kind, at, label = mark
    return Markup(
        '<line class="mark {}" x1="{x}%" x2="{x}%" y1="{}" y2="{}"><title>{}</title></line>'
    ).format(kind, top, bottom, label, x=_percent(at))


def _span(kind: str, low: float | None, high: float | None, y: int) -> Markup:
    if low is None or high is None:
        return Markup("")
    return Markup('<line class="{}" x1="{}%" x2="{}%" y1="{y}" y2="{y}"/>').format(
        kind, _percent(low), _percent(high), y=y
    )


def _percent(value: float) -> float:
    return round(100 * min(max(value, 0.0), 1.0), 2)
