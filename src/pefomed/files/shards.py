"""The files of one split in a Hugging Face data set: the hub's Parquet shards, or a `datasets` folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError
from pefomed.files.rows import read_published
from pefomed.files.split_names import meant, seems_split
from pefomed.files.tables import files_of, is_saved, said_split

# As the hub names them, its converted branch (`default/train/0000.parquet`), and `save_to_disk`.
_PATTERNS = (
    "data/*.parquet", "*.parquet", "data/*/*.parquet", "*/*.parquet", "default/*/*.parquet", "*/*.arrow"
)  # fmt: skip
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.(?:parquet|arrow)$")


def shards_of(root: Path, split: str) -> list[Path]:
    """Return the Parquet or Arrow files of `split` in order; none if there are none.

    `validate` also finds `validation`, `valid`, `val` and `dev`.

    Raises:
        DataError: some of the split's numbered files are missing, or several splits may be meant.
    """
    if not root.is_dir():
        return []
    names = meant(split, splits_of(root))
    if is_saved(root):
        return files_of(root) if names else []
    return [file for name in names for file in _named(root, name)]


def read_shards(files: Iterable[Path], fields: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a published copy's files; every row has `fields`, and its `image` is a path.

    Raises:
        DataError: a file is damaged, or a field or an image is absent.
    """
    for file in files:
        for place, row in read_published(file, fields):
            if not isinstance(row["image"], str):
                raise DataError(f"{place}: no image", remedy="download the file again")
            yield place, row


def splits_of(root: Path) -> list[str]:
    """Return the splits that `root` has files of, as they are called; one `Dataset` alone is `train`."""
    if is_saved(root):
        return [said_split(root) or "train"]
    found = {name for path in _all(root) if (name := _split_of(path, root))}
    return sorted(found)


def has_shards(root: Path) -> bool:
    """Return whether `root` holds Parquet or Arrow files as a Hugging Face data set does."""
    return any(True for _ in _all(root))


def _all(root: Path) -> Iterator[Path]:
    for pattern in _PATTERNS:
        yield from _globbed(root, pattern)


def _named(root: Path, name: str) -> list[Path]:
    """Return the files of the split that is called `name`, by the first pattern that there are any of."""
    for pattern in _PATTERNS:
        if files := sorted(path for path in _globbed(root, pattern) if _split_of(path, root) == name):
            own = {_own_name(path) for path in files}
            if len(own) > 1 and name not in own and all(map(seems_split, own)):
                raise DataError(
                    f"{files[0].parent} holds several splits",
                    found=", ".join(sorted(own)),
                    remedy="give this folder as the root",
                )
            _check_whole(files)
            return files
    return []


def _globbed(root: Path, pattern: str) -> Iterator[Path]:
    # `datasets` leaves the results of `map` beside its files.
    return (path for path in root.glob(pattern) if not path.name.startswith(("cache-", "tmp")))


def _split_of(path: Path, root: Path) -> str:
    folder = path.relative_to(root).parent.name
    return folder if folder not in ("", "data") else _own_name(path)


def _own_name(path: Path) -> str:
    """Return what a file is called before its number and the hub's hash."""
    return re.sub(r"(?:-\d{5}-of-\d{5}(?:-[0-9a-f]+)?|-\d{4,})$", "", path.stem)


def _check_whole(files: list[Path]) -> None:
    parts = [match for path in files if (match := _PART.search(path.name))]
    if not parts:
        return
    wanted, there = int(parts[0][2]), {int(part[1]) for part in parts}
    missing = sorted(set(range(wanted)) - there)
    if missing:
        raise DataError(
            f"{files[0].parent}: {len(missing)} of the split's {wanted} files are missing",
            found=f"no {files[0].name[: parts[0].start()]}-{missing[0]:05d}-of-{wanted:05d}{files[0].suffix}",
            remedy="download the data set again",
        )
