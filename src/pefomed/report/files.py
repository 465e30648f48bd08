"""The report's files beside the page: each table as CSV and LaTeX, each figure as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pefomed.files.storage import storage_errors, write
from pefomed.report.csv_text import csv_text
from pefomed.report.latex import latex
from pefomed.report.sheet import Sheet

REMEDY = "free space or make the folder writable; the run itself is untouched"


def write_tables(folder: Path, sheets: Iterable[Sheet]) -> list[Path]:
    """Write `folder/<name>.csv` and `.tex` of each table; those of a former report that are gone are removed.

    Raises:
        StorageError: a file cannot be written.
    """
    texts: dict[str, str] = {}
    for sheet in sheets:
        texts |= {f"{sheet.name}.csv": csv_text(sheet), f"{sheet.name}.tex": latex(sheet)}
    return _replace(folder, texts, (".csv", ".tex"))


def write_figures(folder: Path, drawings: Mapping[str, str]) -> list[Path]:
    """Write `folder/<name>.svg` of each figure; those of a former report that are gone are removed.

    Raises:
        StorageError: a file cannot be written.
    """
    return _replace(folder, {f"{name}.svg": text for name, text in drawings.items()}, (".svg",))


def _replace(folder: Path, texts: Mapping[str, str], endings: tuple[str, ...]) -> list[Path]:
    for name, text in texts.items():
        write(folder / name, text, REMEDY)
    with storage_errors(folder, REMEDY):
        for path in folder.glob("*") if folder.is_dir() else ():
            if path.suffix in endings and path.name not in texts:
                path.unlink()
    return [folder / name for name in texts]
