"""Training: any number of stages through one loop, resumed wherever it stopped."""

from __future__ import annotations

from pefomed.training.trainer import Trainer, train

__all__ = ["Trainer", "train"]
