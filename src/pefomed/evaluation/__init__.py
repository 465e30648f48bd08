"""Evaluation: scores with intervals, floors and published rows beside them; never loads a model."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pefomed.evaluation.grounding import score_boxes
    from pefomed.evaluation.pairs import score_pairs
    from pefomed.evaluation.run import evaluate_run
    from pefomed.metrics.exact_match import exact_match, exact_match_vqa

__all__ = ["evaluate_run", "exact_match", "exact_match_vqa", "score_boxes", "score_pairs"]

# Imported when first asked for: one file of the folder takes no other.
_PLACES = {
    "evaluate_run": "pefomed.evaluation.run",
    "exact_match": "pefomed.metrics.exact_match",
    "exact_match_vqa": "pefomed.metrics.exact_match",
    "score_boxes": "pefomed.evaluation.grounding",
    "score_pairs": "pefomed.evaluation.pairs",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'pefomed.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)
