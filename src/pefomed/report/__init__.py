"""The report of a run: one HTML file that opens from disk and shows every number with its proof."""

from __future__ import annotations

from pefomed.report.page import write_report

__all__ = ["write_report"]
