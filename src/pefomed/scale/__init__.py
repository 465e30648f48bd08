"""What training a recipe costs, computed before any data or GPU is there."""

from __future__ import annotations

from pefomed.scale.counts import Count, counts
from pefomed.scale.plan import plan
from pefomed.scale.rates import Rates

__all__ = ["Count", "Rates", "counts", "plan"]
