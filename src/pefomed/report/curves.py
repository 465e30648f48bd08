"""Curves over the training step as inline SVG that scales with its panel.

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


Colour = Literal["a", "b", "c"]
"""A colour of the style sheet: `a` is the accent."""


@dataclass(frozen=True)
class Series:
    """Points to draw as a line, a faint line (raw values) or dots."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: Literal["line", "faint", "dots"] = "line"
    colour: Colour = "a"


Axis = Literal["linear", "log", "zero", "percent"]
"""`zero`: linear and begins at 0; `percent`: shares in [0, 1], shown as percentages on a fixed axis."""


def curves(title: str, series: Sequence[Series], axis: Axis = "linear", until: float = 1.0) -> Markup:
    """Return a panel of curves over the training step; values that are not finite are left out.

    Args:
        axis: with `log` all values must be above 0.
        until: the step up to which the panel reaches at least, so that panels side by side line up.
    """
    drawn = [Series(s.label, _finite(s.points), s.kind, s.colour) for s in series]
    xs = [x for s in drawn for x, _ in s.points]
    ys = [y for s in drawn for _, y in s.points]
    if not xs:
        return Markup('<p class="missing">No values.</p>')
    y_ticks = _y_ticks(axis, min(ys), max(ys))
    x_high = max(*xs, until)
    x_ticks = [tick for tick in ticks(0.0, x_high, 5) if 0 < tick <= x_high]
    scale = math.log if axis == "log" else float
    y_low, y_span = scale(y_ticks[0]), scale(y_ticks[-1]) - scale(y_ticks[0])

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = x / x_high, (scale(y) - y_low) / y_span
        return (
            round(_LEFT + across * (WIDTH - _LEFT - _RIGHT), 1),
            round(HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM), 1),
        )

    percent = axis == "percent"
    parts = [_grid(tick, place(0.0, tick)[1], percent) for tick in y_ticks]
    parts += [_label(place(tick, y_ticks[0])[0], HEIGHT - 7, "middle", number(tick)) for tick in x_ticks]
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


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return about `about` + 1 round numbers that enclose [low, high], 1, 2 or 5 times 10^k apart."""
    span = (high - low) or abs(high) or 1.0
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten that enclose [low, high], the powers alone over three decades."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    factors = (1, 2, 5) if high / low < 1000 else (1,)
    levels = [factor * 10.0**decade for decade in decades for factor in factors]
    first = max(index for index, level in enumerate(levels) if level <= low * (1 + 1e-9))
    last = min(index for index, level in enumerate(levels) if level >= high * (1 - 1e-9))
    return levels[first : max(last, first + 1) + 1]


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


def _y_ticks(axis: Axis, low: float, high: float) -> list[float]:
    if axis == "percent":
        return [0.0, 0.25, 0.5, 0.75, 1.0]
    if axis == "log":
        return log_ticks(low, high)
    return ticks(0.0 if axis == "zero" else low, high)


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
