"""Bars and the headline's scale as inline SVG, drawn in percent of the cell they stand in.

Colours come from the page's style sheet by class, so that one drawing serves light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

Tick = tuple[str, float, str]
"""`(class, value in [0, 1], label)` of a tick: a floor, the blind run or a published figure."""


def bar(
    value: float,
    low: float | None,
    high: float | None,
    marks: Sequence[Tick] = (),
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


def strip(
    value: float, low: float | None, high: float | None, marks: Sequence[Tick], text: str, top: int = 100
) -> Markup:
    """Return the headline's scale: our value with its interval, and a tick for every `mark`.

    Args:
        top: what stands at the scale's end: 100 for percent, 1 for the values themselves.
    """
    parts = [Markup('<rect class="track" x="0" y="26" width="100%" height="8" rx="4"/>')]
    for place in range(0, 101, 25):
        anchor = {0: "start", 100: "end"}.get(place, "middle")
        tick = Markup('<text class="tick" x="{}%" y="54" text-anchor="{}">{:g}</text>')
        parts.append(tick.format(place, anchor, place * top / 100))
    parts += [_mark(mark, 18, 42) for mark in marks]
    parts.append(_span("range", low, high, 30))
    parts.append(Markup('<circle class="ours" cx="{}%" cy="30" r="8"/>').format(_percent(value)))
    return Markup('<svg class="strip" width="100%" height="60" role="img" aria-label="{}">{}</svg>').format(
        text, Markup("").join(parts)
    )


def _mark(mark: Tick, top: int, bottom: int) -> Markup:
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
