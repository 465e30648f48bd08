"""Parquet and Arrow files as the Hugging Face hub and `datasets` write them, made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

IMAGE = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def table_of(rows: Sequence[Mapping[str, Any]], features: Mapping[str, Any] | None = None) -> pyarrow.Table:
    """Return a table; a dict with `bytes` is an image. `features` is what `datasets` says of the columns."""
    names = list(rows[0])
    arrays = []
    for name in names:
        values = [row[name] for row in rows]
        first = next((value for value in values if value is not None), None)
        kind = None
        if isinstance(first, dict):
            kind = IMAGE
        elif isinstance(first, list) and first and isinstance(first[0], dict):
            kind = pyarrow.list_(IMAGE)
        arrays.append(pyarrow.array(values, type=kind))
    made = pyarrow.table(arrays, names=names)
    if features is not None:
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    return made


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table_of(rows, more.get("features")), path, row_group_size=2)
    return path


def write_arrow(path: Path, rows: Sequence[Mapping[str, Any]], **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = table_of(rows, more.get("features"))
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=2)
    return path
