"""Evaluation: scores with intervals, floors and published rows beside them; never loads a model."""

from pefomed.evaluate.exact_match import exact_match, exact_match_vqa
from pefomed.evaluate.grounding import score_boxes
from pefomed.evaluate.pairs import score_pairs
from pefomed.evaluate.run import evaluate_run

__all__ = ["evaluate_run", "exact_match", "exact_match_vqa", "score_boxes", "score_pairs"]
