"""What a user declares of a metric whose values were computed elsewhere: its range, direction and title.

`radgraph_f1: least=0, most=1, better=higher, title=RadGraph F1`, or a TOML file with a table for each metric.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, nearest
from pefomed.files.files import read_text
from pefomed.metrics.known import METRICS
from pefomed.metrics.metric import Metric

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_KEYS = ("least", "most", "better", "title", "unit", "definition")
GIVEN = "values by sample, computed elsewhere"
"""The implementation of such a metric: two runs with the same definition are compared."""
EXAMPLE = '`--declare "my_metric: least=0, most=1, better=higher, title=My metric"`'


def declared_metrics(texts: Sequence[str]) -> dict[str, Metric]:
    """Return name -> metric of what `--declare` says, each text a metric or the name of a TOML file.

    Raises:
        DataError: one cannot be read, has no range or direction, is declared twice, or has a name of ours.
    """
    found: dict[str, Metric] = {}
    for text in texts:
        for name, said in _tables(text).items():
            if name in found:
                raise DataError(f"the metric {name!r} is declared twice", remedy="declare it once")
            found[name] = _metric(name, said)
    return found


def check_name(name: str, where: str) -> None:
    """Check that values computed elsewhere may be of a metric of this name.

    Raises:
        DataError: it is one of ours, or scores cannot have it.
    """
    if name in METRICS:
        raise DataError(
            f"{where}: {name!r} is one of this program's own metrics",
            remedy="give the values another name: what this program computes is not replaced",
        )
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{where}: scores cannot have the metric {name!r}", remedy="use letters, digits, `_`, `.` and `-`"
        )


def _tables(text: str) -> dict[str, Mapping[str, Any]]:
    if text.strip().endswith(".toml"):
        path = Path(text.strip())
        try:
            tables = tomllib.loads(read_text(path))
        except tomllib.TOMLDecodeError as error:
            raise DataError(f"{path} is no TOML", found=str(error), remedy=_remedy()) from None
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise DataError(f"{path}: {name!r} is no table", remedy=f"write `[{name}]` above its keys")
        return tables
    name, colon, rest = text.partition(":")
    parts = [part.partition("=") for part in rest.split(",") if part.strip()]
    if not colon or not all(equals for _, equals, _ in parts):
        raise DataError("--declare cannot be read", found=text, remedy=_remedy())
    said = [(key.strip(), value.strip()) for key, _, value in parts]
    doubled = [key for at, (key, _) in enumerate(said) if key in dict(said[:at])]
    if doubled:
        raise DataError(f"--declare names {doubled[0]!r} twice", found=text, remedy="name it once")
    return {name.strip(): dict(said)}


def _metric(name: str, said: Mapping[str, Any]) -> Metric:
    where = f"the metric {name!r}"
    check_name(name, where)
    for key in said:
        if key not in _KEYS:
            raise DataError(f"{where} is declared with {key!r}", remedy=nearest(key, _KEYS))
    lacking = [key for key in ("least", "most", "better") if key not in said]
    if lacking:
        raise DataError(f"{where} is declared without {', '.join(lacking)}", remedy=f"e.g. {EXAMPLE}")
    least, most = (_number(said[key]) for key in ("least", "most"))
    if not (least < most and math.isfinite(least)):
        raise DataError(
            f"{where}: `least` and `most` are no range",
            found=f"{said['least']} and {said['most']}",
            remedy="use two numbers, the first less; `most` may be inf",
        )
    unit = str(said.get("unit", "%" if (least, most) == (0.0, 1.0) else ""))
    better = str(said["better"])
    for key, value, choices in (("better", better, ("higher", "lower")), ("unit", unit, ("%", ""))):
        if value not in choices:
            raise DataError(f"{where}: `{key}` is {value!r}", remedy=f"use {' or '.join(map(repr, choices))}")
    return Metric(
        name=name,
        title=str(said.get("title") or name.replace("_", " ").capitalize()),
        section="other",
        kinds=(),
        definition=str(said.get("definition") or f"of {least:g} to {most:g}, {better} is better"),
        unit="%" if unit else "",
        least=least,
        most=most,
        better="higher" if better == "higher" else "lower",
        beside_labels=True,
        implementation=GIVEN,
    )


def _number(value: Any) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return math.nan


def _remedy() -> str:
    return f"write e.g. {EXAMPLE}, or name a TOML file with a table for each metric"
