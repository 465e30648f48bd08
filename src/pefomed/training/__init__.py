"""Training: any number of stages through one loop, resumed wherever it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.training.trainer import Trainer, train

__all__ = ["Trainer", "train"]

__getattr__ = lazily(__name__, {"Trainer": ".trainer", "train": ".trainer"})
