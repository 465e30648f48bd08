"""The page of a run, of an ablation, and of several runs compared: written while nobody else writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pefomed.evaluation.own_metrics import own_metrics
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.files.storage import usable_paths
from pefomed.metrics.lookup import with_plugins
from pefomed.report.compare_page import Gates, write_ablation_report, write_comparison
from pefomed.report.page import write_run_report
from pefomed.report.runs import is_ablation
from pefomed.runs import RunFolder
from pefomed.runs.lock import hold

PATIENCE = 60.0
"""Seconds to wait for another report of the same run, which is a matter of seconds."""


@usable_paths()
def write_report(folder: Path, images: bool = True, data_folder: Path | None = None) -> Path:
    """Write the page of a run, or of the arms of an ablation, into its `report/`; return its path.

    Args:
        images: embed the pictures; without, the page holds texts and numbers alone. Those that are not what
            was answered are left out, as whoever wrote the run's files could name any; see `PictureGate`.
        data_folder: holds the pictures of which an older run does not say what they held.

    Raises:
        RunError: there is no such folder, it holds nothing of a run, or another process goes on writing its
            report for `PATIENCE` seconds.
        DataError: one of its files is damaged.
        StorageError: the page cannot be written.
    """
    if not folder.is_dir():
        return write_run_report(folder)  # which says so
    gates = _gates(images, data_folder)
    with hold(RunFolder(folder).report, patience=PATIENCE), with_plugins(own_metrics(folder)):
        if is_ablation(folder):
            return write_ablation_report(folder, gates)
        return write_run_report(folder, gates(folder) if gates else None)


@usable_paths()
def write_reports(
    folders: Sequence[Path], out: Path | None = None, images: bool = True, data_folder: Path | None = None
) -> list[Path]:
    """Write the page of each folder and, of two or more, a page that compares them; return all paths.

    Args:
        out: the comparison's file; by default `compare.html` in the first folder's `report/`.
        images, data_folder: as for `write_report`, in each of them.

    Raises:
        RunError: a folder holds nothing of a run, or two runs have no samples in common.
        DataError: one of their files is damaged.
        StorageError: a page cannot be written.
    """
    pages = [write_report(folder, images, data_folder) for folder in folders]
    if len(folders) > 1:
        page = out or RunFolder(folders[0]).comparison_page
        own = [metric for folder in folders for metric in own_metrics(folder)]
        with hold(RunFolder(folders[0]).report, patience=PATIENCE), with_plugins(own):
            pages.append(write_comparison(folders, page, _gates(images, data_folder)))
    return pages


def _gates(images: bool, data_folder: Path | None) -> Gates:
    return (lambda run: PictureGate(run, data_folder)) if images else None
