"""The report of a run: one HTML file that opens from disk and shows every number with its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.report.writing import write_report, write_reports

__all__ = ["write_report", "write_reports"]

__getattr__ = lazily(
    __name__,
    {
        "write_report": ".writing",
        "write_reports": ".writing",
    },
)
