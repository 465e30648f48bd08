"""A table with its pictures inside, as the Hugging Face hub has them: `{"bytes": ..., "path": ...}`.

A picture behind ten questions is stored once in each row group, by Parquet's own dictionaries.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pefomed.export.pictures import ExportedPictures
from pefomed.export.rows import ExportedTexts, Shape, texts_of
from pefomed.files.columnar import require_pyarrow
from pefomed.files.storage import storage_errors
from pefomed.progress import track
from pefomed.schema import Sample

_GROUP_BYTES = 64 * 2**20
_GROUP_ROWS = 2000
_KEPT = 8  # images, of questions that follow each other


def write_parquet(
    path: Path, samples: Sequence[Sample], texts: ExportedTexts, shape: Shape, shown: ExportedPictures
) -> None:
    """Write one row a sample.

    Raises:
        DataError: pyarrow is not installed.
        ImageError: a picture is damaged.
        StorageError: the disk is full.
    """
    pyarrow = require_pyarrow()
    schema = _schema(texts_of(samples[0], texts, shape), shape)
    content = functools.lru_cache(_KEPT)(shown.content)
    with storage_errors(path):
        file = pyarrow.parquet.ParquetWriter(path, schema, dictionary_pagesize_limit=2 * _GROUP_BYTES)
    with file:
        rows: list[dict[str, Any]] = []
        size = 0
        for number, sample in enumerate(track(samples, f"writing {path.name}", unit="samples"), 1):
            images = [{"bytes": content(one), "path": shown.name(one)} for one in sample.images]
            size += sum(len(image["bytes"]) for image in images)
            image = images[0] if shape.one_image else images
            rows.append({"id": sample.id, "image": image, **texts_of(sample, texts, shape)})
            if size >= _GROUP_BYTES or len(rows) == _GROUP_ROWS or number == len(samples):
                with storage_errors(path):
                    file.write_table(pyarrow.Table.from_pylist(rows, schema))
                rows, size = [], 0


def _schema(row: Iterable[str], shape: Shape) -> Any:
    pyarrow = require_pyarrow()
    image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    text = pyarrow.string()
    kinds = {
        "answer": pyarrow.list_(text) if shape.further else text,
        "boxes": pyarrow.list_(pyarrow.list_(pyarrow.float64())),
    }
    fields = [("id", text), ("image", image if shape.one_image else pyarrow.list_(image))]
    fields += [(name, kinds.get(name, text)) for name in row]
    feature: Any = {"_type": "Image"}
    feature = feature if shape.one_image else {"feature": feature, "_type": "List"}
    about = {"info": {"features": {"image": feature}}}
    return pyarrow.schema(fields, metadata={"huggingface": json.dumps(about)})
