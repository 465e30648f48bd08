"""What a model says about images: a text, the boxes in it, how sure it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pefomed.answers.writing import writing_of
from pefomed.recipe import Recipe
from pefomed.schema import Box, Prediction, Sample
from pefomed.tasks import BOXES, WITH_BOXES


@dataclass(frozen=True)
class Answer:
    """What a model says; printed, it is its text, or that the model is not sure and why."""

    text: str
    boxes: tuple[Box, ...] = ()
    """Of the tasks that ask for boxes, as fractions of the first image; in the order of the text."""
    finish: Literal["stop", "length", "unknown"] = "stop"
    """`length`: cut at the most tokens, the recipe's `predict.max_new_tokens` or the call's."""
    tokens: int = 0
    """Generated tokens, the end token included."""
    logprob: float | None = field(default=None, compare=False)
    """Natural logarithm of the answer's probability: the sum over its tokens, the end token included where it
    came. The distribution is the model's own, at temperature 1 however tokens were chosen; where a grammar
    constrains boxes, over what it allows at each token; where boxes are medians, over all tokens."""
    token_ids: tuple[int, ...] = ()
    token_logprobs: tuple[float, ...] = field(default=(), compare=False)
    """The terms of `logprob`. Last digits hang on what is computed together, so that no answers differ by
    them."""
    doubt: str = ""
    """Why the run says that it is not sure, by its threshold (`answers.sureness`); empty where it is, or
    where the run has none."""

    @property
    def sure(self) -> bool:
        """Whether the answer is as sure as the run's threshold asks; without threshold it is."""
        return not self.doubt

    def __str__(self) -> str:
        return f"not sure: {self.doubt}" if self.doubt else self.text


@dataclass(frozen=True)
class Piece:
    """What comes next of one answer's text; an answer's pieces joined are its text."""

    place: int
    """Of the sample, among those asked about."""
    text: str
    answer: Answer | None = None
    """With the last piece of each answer, which may have no text: the whole."""


def answer_of(prediction: Prediction, sample: Sample, recipe: Recipe) -> Answer:
    """Return the answer with its boxes in the frame of the first image, those of mere padding left out."""
    boxes: tuple[Box, ...] = ()
    if sample.task in WITH_BOXES:
        writing = writing_of(recipe)
        boxes = writing.placed(writing.read(prediction.text).boxes, sample.size).boxes
    return Answer(prediction.text, boxes, prediction.finish, prediction.tokens, prediction.logprob)


def says_none(answer: Answer, task: str, recipe: Recipe) -> bool:
    """Return whether the answer of a task that asks for boxes is that there is none."""
    return task in BOXES and not answer.boxes and writing_of(recipe).read(answer.text).says_none
