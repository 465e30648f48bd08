"""The values of single answers as one table, CSV or Parquet: a row for each item, system and metric.

A column `meta.<key>` holds each key of the samples' meta. In CSV no text is a formula (`spreadsheet_text`);
Parquet has every text as it is.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, RunError, typed
from pefomed.evaluation.origin import read_item_scores
from pefomed.evaluation.predictions import answered_splits, read_samples
from pefomed.evaluation.seen_images import KEY
from pefomed.files.columnar import require_pyarrow
from pefomed.files.jsonl import read_object
from pefomed.files.spreadsheet_text import spreadsheet_text
from pefomed.files.storage import usable_paths, write
from pefomed.runs import RunFolder
from pefomed.schema import Sample

ENDINGS = (".csv", ".parquet")

COLUMNS = {
    "dataset": "string", "split": "string", "sample_id": "string", "phrase": "int64", "task": "string",
    "images": "string", "system": "string", "metric": "string", "value": "float64", "why": "string",
    "read": "string",
}  # fmt: skip
"""Name -> pyarrow's type of the columns before those of meta; `phrase` is empty where it is of the sample."""

_BETWEEN = ";"


@usable_paths()
def export_items(run: Path, file: Path) -> int:
    """Write the values of a run's answers to `file` and return the number of rows.

    Raises:
        DataError: the file ends in something else, or pyarrow is not installed.
        RunError: there is no run, or its answers as they are were not evaluated by this version.
        StorageError: the file cannot be written.
    """
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise DataError(
            f"a table of items is {' or '.join(ENDINGS)}",
            found=file.name,
            remedy=f"name a file such as {file.with_suffix('.csv')}",
        )
    rows = _rows(run)
    keys = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    columns = [*COLUMNS, *sorted(keys)]
    if ending == ".csv":
        write(file, _csv(rows, columns))
    else:
        _write_parquet(file, rows, columns)
    return len(rows)


def _rows(run: Path) -> list[dict[str, Any]]:
    files = RunFolder(run)
    if not files.holds_run():
        raise RunError(f"no run at {run}: it has no recipe.toml", remedy="give the folder of a run")
    seen = read_object(files.training_images_file) if files.training_images_file.is_file() else {}
    rows: list[dict[str, Any]] = []
    for split in answered_splits(run):
        values = read_item_scores(run, split)
        if values is None:
            raise RunError(
                f"{run} has no values of the answers about {split.dataset} {split.name} as they are now",
                found="not evaluated, or before the answers changed, or by another version of pefomed",
                remedy=f"run `pefomed evaluate {typed(run)}` first",
            )
        samples = {sample.id: sample for sample in read_samples(run, split)}
        kinds = seen.get(split.stem)
        about = {
            sample_id: _about(sample, kinds.get(sample_id) if isinstance(kinds, dict) else None)
            for sample_id, sample in samples.items()
        }
        rows += [
            {"dataset": split.dataset, "split": split.name, **about[value.sample_id], **dict(value)}
            for value in values
        ]
    return rows


def _about(sample: Sample, kind: Any) -> dict[str, Any]:
    meta = sample.meta | ({KEY: kind} if isinstance(kind, str) else {})
    return {
        "task": sample.task,
        "images": _BETWEEN.join(sample.images),
        **{f"meta.{key}": value for key, value in meta.items()},
    }


def _csv(rows: list[dict[str, Any]], columns: list[str]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(map(_cell, columns))
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    # Numbers in full: Python's shortest text that is the same number again.
    if isinstance(value, str):
        return spreadsheet_text(value)
    return "" if value is None else repr(value)


def _write_parquet(file: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    pyarrow = require_pyarrow()
    schema = pyarrow.schema([(name, COLUMNS.get(name, "string")) for name in columns])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema), buffer)
    write(file, buffer.getvalue())
