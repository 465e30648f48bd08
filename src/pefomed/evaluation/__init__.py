"""Evaluation: scores with intervals, floors and published rows beside them; never loads a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.evaluation.grounding import score_boxes
    from pefomed.evaluation.pairs import score_pairs
    from pefomed.evaluation.run import evaluate_run
    from pefomed.metrics.exact_match import exact_match, exact_match_vqa

__all__ = ["evaluate_run", "exact_match", "exact_match_vqa", "score_boxes", "score_pairs"]

__getattr__ = lazily(
    __name__,
    {
        "evaluate_run": ".run",
        "exact_match": "pefomed.metrics.exact_match",
        "exact_match_vqa": "pefomed.metrics.exact_match",
        "score_boxes": ".grounding",
        "score_pairs": ".pairs",
    },
)
