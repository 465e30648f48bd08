"""Which metrics of a user's own a run was scored with: RUN/metrics.json, which every later step reads.

Reports and the terminal need what is said of a metric, not its function; comparison and agreement import it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, typed
from pefomed.files.jsonl import read_object
from pefomed.files.storage import write
from pefomed.metrics.metric import Metric
from pefomed.metrics.plugins import load
from pefomed.runs import RunFolder

_SAID = ("name", "title", "kinds", "definition", "unit", "least", "most", "per", "binary", "better",
         "beside_labels", "implementation")  # fmt: skip


def write_own_metrics(
    run: Path, names: Sequence[str], metrics: Sequence[Metric], given: Sequence[Metric] = ()
) -> None:
    """Write which metrics the scores hold beside ours; without any a former file is removed.

    Args:
        names: of the functions that `metrics` are.
        given: metrics without a function, whose values were computed elsewhere.
    """
    path = RunFolder(run).metrics_file
    if not (metrics or given):
        path.unlink(missing_ok=True)
        return
    named = [*zip(dict.fromkeys(names), metrics, strict=True), *(("", metric) for metric in given)]
    said = [{"function": name, **{key: _plain(getattr(metric, key)) for key in _SAID}}
            for name, metric in named]  # fmt: skip
    write(path, json.dumps({"metrics": said}, indent=1, ensure_ascii=False) + "\n")


def own_metrics(run: Path) -> tuple[Metric, ...]:
    """Return what is known of a run's own metrics, without their functions; nothing of a user's is imported.

    Raises:
        DataError: the file is damaged.
    """
    return tuple(_metric(run, said) for said in _entries(run))


def loaded_metrics(run: Path) -> tuple[Metric, ...]:
    """Return a run's own metrics with their functions; those that have one.

    Raises:
        RecipeError: one can no longer be imported.
        DataError: the file is damaged.
    """
    return load([str(said["function"]) for said in _entries(run) if said.get("function")])


def given_metrics(run: Path) -> tuple[Metric, ...]:
    """Return the metrics whose values were computed elsewhere.

    Raises:
        DataError: the file is damaged.
    """
    return tuple(_metric(run, said) for said in _entries(run) if not said.get("function"))


def _entries(run: Path) -> list[dict[str, Any]]:
    path = RunFolder(run).metrics_file
    if not path.exists():
        return []
    entries = read_object(path, _remedy(run)).get("metrics")
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise DataError(f"{path} is damaged", found="`metrics` is no list", remedy=_remedy(run))
    return entries


def _metric(run: Path, said: dict[str, Any]) -> Metric:
    try:
        fields = {key: said[key] for key in _SAID}
        fields |= {key: float(said[key]) for key in ("least", "most")}
        return Metric(section="other", **{**fields, "kinds": tuple(said["kinds"])})
    except (KeyError, TypeError, ValueError) as error:
        path = RunFolder(run).metrics_file
        raise DataError(f"{path} is damaged", found=str(error)[:200], remedy=_remedy(run)) from None


def _plain(value: Any) -> Any:
    # JSON knows no infinity.
    return str(value) if value == float("inf") else value


def _remedy(run: Path) -> str:
    return f"run `pefomed evaluate {typed(run)}` again"
