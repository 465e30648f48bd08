"""The splits of a table of one's own: in a column, in a file each, or the whole file.

A column that is called `split` is the split without being named, unless `only_split` says what the file is.
Other columns that hold the names of splits are named and not used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, listed
from pefomed.files.format import Format
from pefomed.files.rows import read_table
from pefomed.files.split_names import NONE, equal_names, meant, seems_none, seems_split
from pefomed.files.tables import is_saved, said_split, stem_of, tables_in
from pefomed.mapping import cells
from pefomed.progress import note

Placed = tuple[str, dict[str, Any]]
"""Place and cells of a row."""

WHOLE = "train"
"""What a file is that says nothing of splits."""


def rows_of(
    root: Path, split: str, column: str | None, only_split: str | None, how: Format
) -> Iterator[tuple[Path, str, Iterator[Placed]]]:
    """Yield each file that has rows of `split`, the column that says so (empty for none), and these rows.

    Args:
        column: the column that says the split; None finds one called `split`, an empty text takes none.
        only_split: the split that a file without such a column is.
        how: what the files do not say themselves.

    Raises:
        DataError: there are no such rows, or no such file.
    """
    if _is_folder(root) and not column:
        path = _file_of(root, split)
        yield path, "", read_table(path, how)
        return
    named = column
    if not _is_folder(root):
        column = _column(root, column, only_split, how)
    if not column:
        whole = only_split or said_split(root) or WHOLE
        if not meant(split, [whole]):
            raise DataError(
                f"{root} has no split {split!r}: without a split column the whole file is {whole!r}",
                remedy="name its split column in `columns.split`, set `only_split`,"
                " or give a folder with one file per split",
            )
        if named is None:
            _name_alike(root, how)
        yield root, "", read_table(root, how)
        return
    files = _tables(root, column, how) if _is_folder(root) else [root]
    found = Counter[str]()
    for path in files:
        yield path, column, _of_split(path, column, split, how, found)
    # A second reading only where the column calls the split otherwise: the table may be large.
    if not any(equal_names(split, name) for name in found):
        names = meant(split, found)
        if found and not names:
            raise DataError(
                f"{root}: no row of the split {split!r}",
                found=f"column {column!r} holds "
                + listed([f"{name!r} ({count})" for name, count in sorted(found.items())], most=12),
                remedy='use one of these splits, or correct the column; `columns.split = ""` takes none',
            )
        for path in files if names else ():
            yield path, column, _of_split(path, column, names[0], how, Counter())


def splits_of(
    root: Path,
    column: str | None,
    only_split: str | None,
    how: Format,
    fits: Callable[[Mapping[str, Any]], bool],
) -> dict[str, int]:
    """Return the splits as the table calls them, each with its rows; arguments and errors as of `rows_of`.

    Args:
        fits: whether a file of a folder with these columns is a split, if its name does not say so.
    """
    if _is_folder(root) and not column:
        found = Counter[str]()
        for path in tables_in(root):
            stem = stem_of(path)
            if seems_split(stem) or (not seems_none(stem) and fits(_header(path, how))):
                found[stem] += sum(1 for _ in read_table(path, how))
        return dict(found)
    if not _is_folder(root):
        column = _column(root, column, only_split, how)
    if not column:
        return {only_split or said_split(root) or WHOLE: sum(1 for _ in read_table(root, how))}
    files = _tables(root, column, how) if _is_folder(root) else [root]
    return dict(sum((_counted(path, column, how) for path in files), Counter[str]()))


def own_column(path: Path, how: Format = Format()) -> str:  # noqa: B008 - frozen
    """Return the column of a table that is called `split` and holds such a name; empty if none or several."""
    first = _header(path, how)
    own = [name for name in first if _CALLED.fullmatch(name)]
    return own[0] if len(own) == 1 and _may_be_split(first[own[0]]) else ""


_CALLED = re.compile(r"(?:data|dataset)?[ _-]?split", re.IGNORECASE)
_ALIKE = re.compile(r"(?:.*[ _-])?(?:split|set|subset|fold|partition|phase)(?:[ _-]?name)?", re.IGNORECASE)


def _is_folder(root: Path) -> bool:
    """Return whether a root holds tables, rather than being one."""
    return root.is_dir() and not is_saved(root)


def _column(path: Path, named: str | None, only_split: str | None, how: Format) -> str:
    """Return the column that says the split; empty for none."""
    if named is not None:
        return named
    return own_column(path, how) if only_split is None else ""


def _may_be_split(value: Any) -> bool:
    text = "" if value is None else str(value).strip()
    return not text or seems_split(text)


def _name_alike(path: Path, how: Format) -> None:
    """Say which columns may be the split of a table that is read whole."""
    alike = [
        name
        for name, value in _header(path, how).items()
        if _CALLED.fullmatch(name) or (_ALIKE.fullmatch(name) and value and _may_be_split(value))
    ]
    if alike:
        note(
            f"{path.name}: the column{'s' if len(alike) > 1 else ''} {listed(alike)} may say the split and"
            f" {'are' if len(alike) > 1 else 'is'} not used; `columns.split = {alike[0]!r}` uses it"
        )


def _header(path: Path, how: Format) -> Mapping[str, Any]:
    """Return the first row; nothing if there is none, or the file cannot be read."""
    try:
        return next((row for _, row in read_table(path, how)), {})
    except DataError:  # whoever reads its rows says so
        return {}


def _tables(root: Path, column: str, how: Format) -> list[Path]:
    files = tables_in(root)
    found = [path for path in files if cells.has(_header(path, how), column)]
    if not found:
        raise DataError(
            f"{root} has no table with the column {column!r}",
            found=listed([path.name for path in files]) or "no table",
            remedy="correct the option `columns`",
        )
    return found


def _counted(path: Path, column: str, how: Format) -> Counter[str]:
    return Counter(_said(row, column, place) for place, row in read_table(path, how))


def _said(row: Mapping[str, Any], column: str, place: str) -> str:
    return cells.text(row, column, place) or NONE


def _of_split(path: Path, column: str, split: str, how: Format, found: Counter[str]) -> Iterator[Placed]:
    """Yield the rows of `split`, and count the rows of every split into `found`."""
    for place, row in read_table(path, how):
        said = _said(row, column, place)
        found[said] += 1
        if equal_names(said, split):
            yield place, row


def _file_of(root: Path, split: str) -> Path:
    files = tables_in(root)
    names = meant(split, [stem_of(path) for path in files])
    matching = [path for path in files if stem_of(path) in names]
    if len(matching) == 1:
        return matching[0]
    raise DataError(
        f"{root} needs exactly one table for the split {split!r}",
        found=", ".join(path.name for path in matching or files) or "no table",
        remedy=f"name it {split}.csv, {split}.tsv or {split}.jsonl",
    )
