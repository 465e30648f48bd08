"""Metrics of a user's own: `package.module:function`, named in a recipe or on the command line.

A function `(reference, answer) -> float` in [0, 1] is enough. What else is to be known of it stands in
attributes of the same names as those of `Metric`, on the function or on an object in its place: `name`,
`title`, `unit`, `least`, `most`, `better`, `binary`, `definition`, `tasks`, and `per`; with `per = "corpus"`
the function gets all references (a tuple of texts each) and all answers, and returns one number.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Sequence
from typing import Any

from pefomed.errors import DataError, RecipeError, nearest, with_article
from pefomed.metrics.known import METRICS
from pefomed.metrics.metric import Metric
from pefomed.plugins import computed_by, named_object
from pefomed.tasks import MARKED, TASKS, TEXTS, WORDS

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_CHOICES = {"unit": ("%", ""), "better": ("higher", "lower"), "per": ("item", "corpus")}


def load(names: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics that `package.module:function` name, in order.

    Raises:
        RecipeError: one cannot be imported or called, says something of itself that cannot be, or has a
            name that is taken.
    """
    metrics: dict[str, Metric] = {}
    for name in dict.fromkeys(names):
        metric = _loaded(name)
        if metric.name in METRICS or metric.name in metrics:
            whose = metrics[metric.name].implementation if metric.name in metrics else "one of this program's"
            raise RecipeError(
                f"the metric {name!r} is called {metric.name!r}, as another is",
                found=whose,
                remedy='give it another name: `my_function.name = "my_name"`',
            )
        metrics[metric.name] = metric
    return tuple(metrics.values())


def checked(metric: Metric, value: Any, of: str) -> float:
    """Return what a plug-in said of something, as a number in its range.

    Args:
        of: what it was asked about.

    Raises:
        DataError: it is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(
            metric, of, f"{value!r:.60}", "return a number, or `(None, why)` where there is none"
        ) from None
    if not math.isfinite(number):
        raise _wrong(metric, of, str(number), "return a number, or `(None, why)` where there is none")
    if not metric.least <= number <= metric.most:
        raise _wrong(
            metric, of, f"{number:g}, and its range is {metric.least:g} to {metric.most:g}",
            "say its range: `my_function.least = 0.0`, `my_function.most = 100.0`"
            ' (or float("inf")), and `my_function.unit = ""` if it is no share',
        )  # fmt: skip
    return number


def raised(metric: Metric, error: Exception, of: str) -> DataError:
    """Return the error that a plug-in's own error becomes."""
    return _wrong(metric, of, f"{type(error).__name__}: {error}"[:200], "mend the function")


def _wrong(metric: Metric, of: str, found: str, remedy: str) -> DataError:
    return DataError(f"the metric {metric.name!r} failed on {of}", found=found, remedy=remedy)


def _loaded(name: str) -> Metric:
    if ":" not in name:
        raise RecipeError(
            f"the metric {name!r} is no `package.module:function`",
            remedy=nearest(name, METRICS)
            if name not in METRICS
            else "leave it out: this program's own metrics are always computed",
        )
    return _metric(name, named_object(name, "metric"))


def _metric(named: str, thing: Any) -> Metric:
    function = thing if callable(thing) else getattr(thing, "function", None)
    if not callable(function):
        raise RecipeError(
            f"the metric {named!r} cannot be called",
            found=with_article(type(thing).__name__),
            remedy="name a function `(reference, answer) -> float`",
        )
    name = str(getattr(thing, "name", "") or getattr(thing, "__name__", type(thing).__name__))
    if not _NAME.fullmatch(name):
        raise RecipeError(
            f"the metric {named!r} has a name that scores cannot have",
            found=repr(name),
            remedy='give it one of letters, digits and _: `my_function.name = "my_name"`',
        )
    said = {key: getattr(thing, key) for key in ("least", "most", "binary", "unit", "better", "per")
            if hasattr(thing, key)}  # fmt: skip
    for key, choices in _CHOICES.items():
        if key in said and said[key] not in choices:
            remedy = " or ".join(map(repr, choices))
            raise RecipeError(f"the metric {named!r}: `{key}` is {said[key]!r}", remedy=f"use {remedy}")
    doc = (inspect.getdoc(thing) or "").strip().partition("\n")[0].rstrip(".")
    try:
        least, most = float(said.pop("least", 0.0)), float(said.pop("most", 1.0))
    except (TypeError, ValueError):
        least = most = math.nan
    if not least < most or math.isinf(least):
        raise RecipeError(f"the metric {named!r}: `least` and `most` are no range", remedy="use 0.0 and 1.0")
    said.setdefault("unit", "%" if (least, most) == (0.0, 1.0) else "")
    return Metric(
        name=name,
        title=str(getattr(thing, "title", name.replace("_", " ").capitalize())),
        section="other",
        kinds=tuple(dict.fromkeys(TASKS[task].answer for task in _tasks(named, thing))),
        definition=str(getattr(thing, "definition", "") or doc or "a function of reference and answer"),
        least=least,
        most=most,
        function=function,
        beside_labels=said.get("per", "item") == "item",
        implementation=computed_by(named, function),
        **said,
    )


def _tasks(named: str, thing: Any) -> list[str]:
    fit = [*WORDS, *TEXTS, *MARKED]
    asked = getattr(thing, "tasks", None)
    if asked is None:
        return fit
    tasks = [asked] if isinstance(asked, str) else [str(task) for task in asked]
    for task in tasks:
        if task not in fit:
            raise RecipeError(
                f"the metric {named!r} is for the task {task!r}",
                remedy=f"use tasks that are answered in words or texts: {', '.join(fit)}",
            )
    return tasks or fit
