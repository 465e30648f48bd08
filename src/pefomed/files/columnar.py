"""Rows of Parquet, Arrow and Feather files, as the Hugging Face hub and `datasets` write them.

Read in batches; images inside the file are unpacked once (see `unpacked`), and the row holds their paths.
Class numbers become their names where the file states them. Needs pyarrow (`pefomed[parquet]`).
"""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, PackageError
from pefomed.files.arrow_sizes import unpacked_sizes
from pefomed.files.files import missing_file
from pefomed.files.unpacked import image_files

GROUP_LIMIT = 2 * 2**30
"""Most bytes that one row group of a Parquet file may unpack to; it is held in memory whole."""

BATCH_LIMIT = 2**30
"""Most bytes that one compressed record batch of an Arrow or Feather file may unpack to, likewise."""

# Beside pyarrow's own, e.g. of names that occur twice, of times beyond the year 9999, of metadata.
_FAULTS = (
    ArithmeticError, LookupError, MemoryError, OSError, RecursionError, TypeError, ValueError, struct.error
)  # fmt: skip
_BATCH = 1000  # rows of text in memory
_IMAGE_BATCH = 16  # rows with images


def read_columnar(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) for each row of a Parquet, Arrow or Feather file, place as in `a.parquet, row 12`.

    A cell with an image becomes its path, with several a list of paths, with none None.

    Raises:
        DataError: the file is missing or damaged, one of its row groups is too large, or pyarrow is
            not installed.
        StorageError: the images cannot be written to the cache.
    """
    with _damage(path):
        schema, rows = _schema(path)
        images = [field.name for field in schema if _holds_images(field.type)]
        texts = [field.name for field in schema if field.name not in images]
        labels = _class_names(schema)
        cells = {name: image_files(path, name, rows, _column(path, name)) for name in images}
        if any(len(column) != rows for column in cells.values()):
            raise _unlike(path, rows)
        number = 0
        for batch in _batches(path, texts, _BATCH, rows):
            for row in batch:
                if number == rows:
                    raise _unlike(path, rows)
                for name, names in labels.items():
                    row[name] = _class_name(row[name], names, f"{path}, row {number + 1}: column {name!r}")
                row |= {name: cells[name][number] for name in images}
                number += 1
                yield f"{path}, row {number}", row
        if number != rows:
            raise _unlike(path, rows)


def require_pyarrow() -> Any:
    """Return the module pyarrow.

    Raises:
        DataError: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except PackageError:
        raise
    except ImportError:
        raise DataError(
            "Parquet and Arrow files need pyarrow, which is not installed",
            remedy="pip install 'pefomed[parquet]'",
        ) from None
    return pyarrow


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    pyarrow = require_pyarrow()
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise missing_file(path, error) from None
    except (pyarrow.ArrowException, *_FAULTS) as error:
        raise DataError(
            f"{path} is damaged, or not what its ending says",
            found=(str(error).splitlines() or [type(error).__name__])[0],
            remedy="download the file again",
        ) from None


def _unlike(path: Path, rows: int) -> DataError:
    return DataError(
        f"{path} is damaged: it does not hold the {rows:,} rows it states", remedy="download the file again"
    )


def _schema(path: Path) -> tuple[Any, int]:
    """Return the schema and the number of rows."""
    path.open("rb").close()  # for the common errors' own words
    if _is_parquet(path):
        with _parquet(path) as file:
            for index in range(file.num_row_groups):
                size = file.metadata.row_group(index).total_byte_size
                if size > GROUP_LIMIT:
                    raise DataError(
                        f"{path}: row group {index} is too large, at most {GROUP_LIMIT:,} bytes are read",
                        found=f"{size:,} bytes",
                        remedy="write the file anew with smaller row groups",
                    )
            return file.schema_arrow, file.metadata.num_rows
    for size in unpacked_sizes(path):
        if size > BATCH_LIMIT:
            raise DataError(
                f"{path}: a compressed record batch is too large, at most {BATCH_LIMIT:,} bytes are unpacked",
                found=f"{size:,} bytes",
                remedy="write the file anew in smaller batches, or without compression",
            )
    with _arrow(path) as (schema, batches):
        return schema, sum(batch.num_rows for batch in batches)


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _parquet(path: Path) -> Any:
    # Columns come through a buffer instead of a read of the whole row group.
    return require_pyarrow().parquet.ParquetFile(path, buffer_size=2**20, pre_buffer=False)


@contextlib.contextmanager
def _arrow(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    pyarrow = require_pyarrow()
    with pyarrow.memory_map(str(path)) as source:
        try:
            file = pyarrow.ipc.open_stream(source)
            batches = iter(file)
        except pyarrow.ArrowInvalid:
            # `datasets` writes streams; other programs write the format with an index at its end.
            source.seek(0)
            file = pyarrow.ipc.open_file(source)
            batches = (file.get_batch(index) for index in range(file.num_record_batches))
        yield file.schema, batches


def _batches(path: Path, columns: Sequence[str], size: int, rows: int) -> Iterator[list[dict[str, Any]]]:
    if not columns:  # Parquet gives no rows for no columns
        for start in range(0, rows, size):
            yield [{} for _ in range(min(size, rows - start))]
    elif _is_parquet(path):
        with _parquet(path) as file:
            for batch in file.iter_batches(batch_size=size, columns=list(columns)):
                yield _values(batch)
    else:
        with _arrow(path) as (_, batches):
            for batch in batches:
                for start in range(0, batch.num_rows, size):
                    yield _values(batch.select(list(columns)).slice(start, size))


def _values(batch: Any) -> list[dict[str, Any]]:
    # A damaged file's offsets may lead out of its buffers, and pyarrow follows them unless asked to check.
    batch.validate(full=True)
    values: list[dict[str, Any]] = batch.to_pylist()
    return values


def _column(path: Path, name: str) -> Iterator[Any]:
    for batch in _batches(path, [name], _IMAGE_BATCH, 0):
        yield from (row[name] for row in batch)


def _holds_images(kind: Any) -> bool:
    """Return whether a column's type is bytes, `datasets`' image struct, or a list of either."""
    types = require_pyarrow().types
    if types.is_list(kind) or types.is_large_list(kind):
        inner = kind.value_type
        return not (types.is_list(inner) or types.is_large_list(inner)) and _holds_images(inner)
    if types.is_struct(kind):
        fields = {field.name: field.type for field in (kind.field(index) for index in range(kind.num_fields))}
        if fields.keys() != {"bytes", "path"}:
            return False
        path, data = fields["path"], fields["bytes"]
        # A column that is empty may have no type of its own.
        is_path = types.is_string(path) or types.is_large_string(path) or types.is_null(path)
        return is_path and bool(types.is_binary(data) or types.is_large_binary(data) or types.is_null(data))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Return the classes' names for each column that holds their numbers, as `datasets` states them."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return {
            name: [str(each) for each in feature["names"]]
            for name, feature in (about["info"]["features"] if about else {}).items()
            if name in schema.names and isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):  # somebody else's metadata under the same key
        return {}


def _class_name(value: Any, names: Sequence[str], place: str) -> str | None:
    if value is None or value == -1:  # `datasets`' mark for an unknown class
        return None
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    raise DataError(f"{place}: class {value!r} has no name", found=f"{len(names)} names")
