"""What training a recipe costs, computed before any data or GPU is there."""

from __future__ import annotations

from pefomed.cost.counts import Count, counts
from pefomed.cost.plan import plan
from pefomed.cost.rates import Rates

__all__ = ["Count", "Rates", "counts", "plan"]
