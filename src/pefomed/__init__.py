"""Parameter-efficient fine-tuning of multimodal language models on medical images.

import pefomed

model = pefomed.load("runs/mini-slake")
print(model.ask("image.png", "Is the liver visible?"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pefomed.startup import foreign_imports
from pefomed.startup.guarded_imports import broken_in

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pefomed.answers.answer import Answer, Piece
    from pefomed.answers.asking import Request
    from pefomed.errors import PefomedError
    from pefomed.evaluation import evaluate_run, score_boxes, score_pairs
    from pefomed.inference.predictor import Predictor, load
    from pefomed.recipe import Recipe
    from pefomed.recipe import load as load_recipe
    from pefomed.report import write_report
    from pefomed.schema import Box, Prediction, Sample, Score, Verdict
    from pefomed.training import train
    from pefomed.workflow.pipeline import check, run

__all__ = [
    "Answer",
    "Box",
    "PefomedError",
    "Piece",
    "Prediction",
    "Predictor",
    "Recipe",
    "Request",
    "Sample",
    "Score",
    "Verdict",
    "__version__",
    "check",
    "evaluate_run",
    "load",
    "load_recipe",
    "run",
    "score_boxes",
    "score_pairs",
    "train",
    "write_report",
]

# Before anything imports transformers, here or in a user's program.
foreign_imports.prepare()

# Imported when first asked for: `import pefomed` alone takes no torch and no time.
_PLACES = {
    "Answer": "pefomed.answers.answer:Answer",
    "Box": "pefomed.schema:Box",
    "Piece": "pefomed.answers.answer:Piece",
    "PefomedError": "pefomed.errors:PefomedError",
    "Prediction": "pefomed.schema:Prediction",
    "Predictor": "pefomed.inference.predictor:Predictor",
    "Request": "pefomed.answers.asking:Request",
    "Recipe": "pefomed.recipe:Recipe",
    "Sample": "pefomed.schema:Sample",
    "Score": "pefomed.schema:Score",
    "Verdict": "pefomed.schema:Verdict",
    "check": "pefomed.workflow.pipeline:check",
    "evaluate_run": "pefomed.evaluation:evaluate_run",
    "load": "pefomed.inference.predictor:load",
    "load_recipe": "pefomed.recipe:load",
    "run": "pefomed.workflow.pipeline:run",
    "score_boxes": "pefomed.evaluation:score_boxes",
    "score_pairs": "pefomed.evaluation:score_pairs",
    "train": "pefomed.training:train",
    "write_report": "pefomed.report:write_report",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'pefomed' has no attribute {name!r}")
    import importlib

    module, _, attribute = _PLACES[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:  # the package at fault may be named deep in the causes
        if broken := broken_in(error):
            raise broken from None
        raise


def __dir__() -> list[str]:
    return sorted(__all__)
