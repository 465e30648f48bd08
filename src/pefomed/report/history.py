"""How training went, from the log: curves and facts of each stage.

After a resume the log holds the steps since the last checkpoint twice; the later row counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pefomed.recipe import Recipe, Stage
from pefomed.recipe.model import ALL_PARTS
from pefomed.report.curves import Axis, Colour, Series, curves, number
from pefomed.runs.log import rate_key

POINTS = 240
"""Most points of a drawn curve; a longer log is averaged in bins."""

LOG_FROM = 8.0
"""Largest over smallest loss from which the loss is drawn on a log scale."""

_COLOURS: tuple[Colour, ...] = ("a", "c", "b")
"""Of the parts' rates, in their order."""

SMOOTHING = 0.08
"""Share of the stage over which the bold loss curve is a running mean."""


@dataclass(frozen=True)
class HistoryPlot:
    title: str
    svg: Markup
    legend: list[tuple[str, str]]
    """`(colour, label)`."""


@dataclass(frozen=True)
class StageHistory:
    name: str
    facts: list[tuple[str, str]]
    panels: list[HistoryPlot]
    events: list[str]
    missing: str
    """A sentence instead of curves, or empty."""


def stages(log: Sequence[dict[str, Any]], recipe: Recipe | None) -> list[StageHistory]:
    """Return the stages of the recipe, in its order, and any further ones of the log."""
    planned = {stage.name: stage for stage in recipe.stages} if recipe else {}
    logged = [str(row["stage"]) for row in log if row.get("kind") == "step" and row.get("stage")]
    return [_stage(name, planned.get(name), log) for name in dict.fromkeys([*planned, *logged])]


def duration(seconds: float) -> str:
    """Return `42 s`, `19 min` or `3 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _stage(name: str, plan: Stage | None, log: Sequence[dict[str, Any]]) -> StageHistory:
    rows = [row for row in log if row.get("stage") == name]
    steps = _latest(rows, "step")
    validations = _latest(rows, "validation")
    missing = "" if steps else "No step of this stage is in the log yet."
    return StageHistory(
        name=name,
        facts=[*_plan_facts(plan, steps), *_warmup_facts(plan, steps), *_log_facts(steps, validations)],
        panels=_panels(steps, validations, _trained(plan, steps)) if steps else [],
        events=[str(row.get("text", "")) for row in rows if row.get("kind") == "event"],
        missing=missing,
    )


def _latest(rows: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    by_step = {row["step"]: row for row in rows if row.get("kind") == kind and _is_number(row.get("step"))}
    return [by_step[step] for step in sorted(by_step)]


def _trained(plan: Stage | None, steps: Sequence[dict[str, Any]]) -> list[str]:
    """Return the parts that are trained, LoRA's first: of a family's stage on all its parts by the log."""
    if plan is not None and ALL_PARTS not in plan.train:
        return sorted(plan.train, key=lambda part: part != "lora")
    keys = [key for key in (steps[0] if steps else ()) if key == "lr" or key.endswith("_lr")]
    return ["lora" if key == "lr" else key.removesuffix("_lr") for key in keys]


def _plan_facts(plan: Stage | None, steps: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    if plan is None:
        return []
    splits = " + ".join((plan.split, *plan.also_train))
    shares = sum(plan.data.values())
    names = [f"{key} ({100 * ratio / shares:.0f} %)" for key, ratio in plan.data.items()]
    data = ", ".join(names) if len(names) > 1 else next(iter(plan.data))
    length = f"{plan.epochs:g} epochs" if plan.epochs else f"{plan.steps:,} steps"
    peaks = {"projector": plan.projector_lr or plan.lr} | plan.part_lr
    trained = _trained(plan, steps)
    rates = [f"{_label(part)} {number(peaks.get(part, plan.lr))}" for part in trained]
    named = trained if ALL_PARTS in plan.train else plan.train
    return [
        ("Data", f"{data}, {splits}"),
        ("Trained", " and ".join(map(_label, named)) or "all parts"),
        ("Planned", length),
        ("Peak rates" if len(rates) > 1 else "Peak rate", ", ".join(rates)),
    ]


def _warmup_facts(plan: Stage | None, logged: list[dict[str, Any]]) -> list[tuple[str, str]]:
    of = plan.steps if plan else None
    if of is None and logged and isinstance(logged[-1].get("steps"), int):
        of = logged[-1]["steps"]  # the length of `epochs` is known once training has begun
    if plan is None or of is None or not plan.warmup(of):
        return []
    return [("Warm-up", f"{plan.warmup(of):,} steps, {100 * plan.warmup(of) / of:.0f} % of all")]


def _log_facts(steps: list[dict[str, Any]], validations: list[dict[str, Any]]) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if not steps:
        return facts
    last = steps[-1]
    of = f" of {last['steps']:,}" if _is_number(last.get("steps")) else ""
    facts.append(("Done", f"{last['step']:,}{of} steps"))
    if _is_number(last.get("epoch")):
        facts[-1] = ("Done", f"{facts[-1][1]}, {last['epoch']:.2f} epochs")
    if samples := _sum(steps, "samples"):
        facts.append(("Samples seen", f"{samples:,.0f}"))
    if _is_number(last.get("seconds")):
        facts.append(("Time", duration(last["seconds"])))
    if samples and (busy := _sum(steps, "step_seconds")):
        facts.append(("Speed", f"{samples / busy:.1f} samples/s"))
    tail = [loss for _, loss in _points(steps, "loss")[-max(1, len(steps) // 20) :]]
    if tail:
        facts.append(("Loss at the end", f"{sum(tail) / len(tail):.3f}"))
    scored = [row for row in validations if _is_number(_score(row))]
    if scored:
        best = max(
            scored, key=lambda row: (_score(row), -row["loss"] if _is_number(row.get("loss")) else 0.0)
        )
        n = f", n = {best['n']:,}" if _is_number(best.get("n")) else ""
        parts = (
            [f"{100 * best['exact_match']:.1f} % exact match"] if _is_number(best.get("exact_match")) else []
        )
        parts += [f"IoU {best['iou']:.3f}"] if _is_number(best.get("iou")) else []
        parts += [f"CIDEr {best['cider']:.3f}"] if _is_number(best.get("cider")) else []
        parts += [f"BLEU-4 {best['bleu_4']:.3f}"] if _is_number(best.get("bleu_4")) else []
        facts.append(("Best validation", f"{', '.join(parts)} at step {best['step']:,}{n}"))
    return facts


def _score(row: dict[str, Any]) -> Any:
    """Return what checkpoints are compared by; older logs have exact match alone."""
    return row.get("score", row.get("exact_match"))


def _panels(
    steps: list[dict[str, Any]], validations: list[dict[str, Any]], trained: Sequence[str]
) -> list[HistoryPlot]:
    raw = thin(_points(steps, "loss"))
    loss = [Series("each step", raw, "faint", "a"), Series("training", smooth(raw), "line", "a")]
    if validation_loss := _points(validations, "loss"):
        loss.append(Series("validation", validation_loss, "dots", "b"))
    rates = [
        Series(_label(part), thin(_points(steps, rate_key(part))), "line", _COLOURS[place % len(_COLOURS)])
        for place, part in enumerate(trained)
    ]
    planned: list[tuple[str, list[Series], Axis]] = [
        ("Loss, log scale", loss, "log") if _is_wide(loss) else ("Loss", loss, "linear"),
        (
            "Validation exact match",
            [Series("exact match", _points(validations, "exact_match"), "dots", "b")],
            "percent",
        ),
        (
            "Validation IoU, from the true tokens",
            [Series("IoU", _points(validations, "iou"), "dots", "b")],
            "zero",
        ),
        (
            "Validation CIDEr + BLEU-4",
            [Series("CIDEr + BLEU-4", _text_points(validations), "dots", "b")],
            "zero",
        ),
        ("Learning rate", rates, "zero"),
    ]
    until = float(steps[-1]["step"])
    return [
        HistoryPlot(
            title,
            curves(f"{title} over training steps", series, axis, until),
            [(line.colour, line.label) for line in series if line.kind != "faint"],
        )
        for title, series, axis in planned
        if any(line.points for line in series)
    ]


def _label(part: str) -> str:
    return "LoRA" if part == "lora" else part


def _is_wide(series: Sequence[Series]) -> bool:
    # A loss may fall by a factor of 100: on a linear axis its first steps hide all the others.
    values = [y for line in series for _, y in line.points if math.isfinite(y)]
    return bool(values) and min(values) > 0 and max(values) / min(values) > LOG_FROM


def smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the running mean, centred, over `SMOOTHING` of all points."""
    half = round(SMOOTHING * len(points) / 2)
    done: list[tuple[float, float]] = []
    for index, (x, _) in enumerate(points):
        # Narrower towards either end, so that it is centred everywhere and never lags.
        reach = min(half, index, len(points) - 1 - index)
        window = points[index - reach : index + reach + 1]
        done.append((x, sum(y for _, y in window) / len(window)))
    return done


def thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most about `POINTS` points, each the mean of consecutive ones."""
    size = -(-len(points) // POINTS)
    bins = [points[start : start + size] for start in range(0, len(points), size)] if size > 1 else []
    return [
        (sum(x for x, _ in some) / len(some), sum(y for _, y in some) / len(some)) for some in bins
    ] or list(points)


def _points(rows: Sequence[dict[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(float(row["step"]), float(row[key])) for row in rows if _is_number(row.get(key))]


def _text_points(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    both = zip(_points(rows, "cider"), _points(rows, "bleu_4"), strict=True)
    return [(step, cider + bleu) for (step, cider), (_, bleu) in both]


def _sum(rows: Sequence[dict[str, Any]], key: str) -> float:
    return float(sum(row[key] for row in rows if _is_number(row.get(key))))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
