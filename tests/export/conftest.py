"""The real data, where it is at hand."""

from __future__ import annotations

from tests.datasets.conftest import real_data

__all__ = ["real_data"]
