"""How the answers of a recipe are decoded: token after token, as medians of boxes, or from a vocabulary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from numbers import Integral, Real
from typing import Any

from pefomed.answers.writing import writing_of
from pefomed.boxes.spelling import DIGITS, TOKENS, Spelling
from pefomed.errors import DataError, RecipeError
from pefomed.inference.box_grammar import BoxVocabulary
from pefomed.inference.box_medians import median_boxes
from pefomed.inference.choice import TokenChoice, TokenSampler, likeliest
from pefomed.inference.closed_vocabulary import Vocabulary, likeliest_answers
from pefomed.inference.generate import Generated, empty_answers, generate
from pefomed.models.protocol import ImageFeatures
from pefomed.packing.batch import PackedRow, Tokens
from pefomed.progress import note
from pefomed.recipe import Recipe
from pefomed.tasks import BOXES


@dataclass(frozen=True)
class Sampling:
    """How the answers of one call are decoded.

    Raises:
        DataError: a value that cannot be.
    """

    max_new_tokens: int
    temperature: float = 0.0
    """0: the likeliest token each time; above, tokens are drawn (`choice`), and so are boxes, of which no
    median is taken then."""
    seed: int = 0
    """Of what is drawn: the same numbers again for the answer at the same place of the same call."""
    logprobs: bool = False
    names: tuple[str, ...] = ()
    """What each answer's random numbers hang on, in the place of its place in the call."""
    vocabularies: Mapping[str, Vocabulary] = field(default_factory=dict)
    """Task -> the answers that its questions may have; those of other tasks are decoded freely."""

    def __post_init__(self) -> None:
        most, heat = self.max_new_tokens, self.temperature
        if not _is_whole(most) or most < 1:
            raise DataError("max_new_tokens is a whole number of 1 or more", found=repr(most))
        if isinstance(heat, bool) or not isinstance(heat, Real) or not 0 <= heat < math.inf:
            raise DataError(
                "temperature is a number of 0 or more",
                found=repr(heat),
                remedy="0 takes the likeliest token each time, 1 draws from the model's own distribution",
            )
        if not _is_whole(self.seed):
            raise DataError("seed is a whole number", found=repr(self.seed))

    def seed_of(self, place: int) -> str:
        """Return the seed of the answer at a place of the call."""
        return f"{self.seed}/{self.names[place] if self.names else place}"


class Decoding:
    """The decoding that a recipe asks for."""

    def __init__(self, recipe: Recipe, tokenizer: Any):
        self.how, self.tokenizer = recipe.predict, tokenizer
        self.form = writing_of(recipe).format
        self.spelling = TOKENS if recipe.model.location_tokens else spelling_of(recipe)
        self.bins = (self.spelling and self.spelling.bins) or recipe.prompt.box_bins
        self.bound = self.spelling is not None
        """Whether boxes can be decoded as such: else they are as any text."""
        if not self.bound and (self.how.constrain_boxes or self.how.box_choice == "median"):
            _say_once(
                f"the family {recipe.model.family!r} gives no spelling of boxes: they are decoded greedily"
            )

    @cached_property
    def boxes(self) -> BoxVocabulary:
        """The tokens of boxes; looked up once, as every token is read for it."""
        return BoxVocabulary(self.tokenizer, self.bins, self.how.box_none, self.form)

    def groups(self, sequences: Sequence[Tokens], sampling: Sampling) -> tuple[list[Tokens], ...]:
        """Return the sequences decoded token after token, those whose answers are medians, and those whose
        answers are of a vocabulary."""
        groups: tuple[list[Tokens], ...] = ([], [], [])
        for one in sequences:
            medians = self._has_medians(one, sampling)
            groups[1 if medians else 2 if one.sample.task in sampling.vocabularies else 0].append(one)
        return groups

    def answers(
        self,
        model: Any,
        rows: Sequence[PackedRow],
        features: ImageFeatures,
        sampling: Sampling,
        places: Sequence[int],
    ) -> Iterator[list[tuple[int, Generated]]]:
        """Yield, after each step, the answers that grew, with their number among the sequences of `rows`.

        Args:
            rows: all of one group.
            features: of the rows' images, (S, P, D).
            places: of each sequence in the call, what its random numbers hang on.
        """
        sequences = [one for row in rows for one in row.sequences]
        if self._has_medians(sequences[0], sampling):
            yield list(enumerate(self._medians(model, rows, features, sampling)))
            return
        if sequences[0].sample.task in sampling.vocabularies:
            yield list(enumerate(likeliest_answers(model, rows, features, sampling.vocabularies)))
            return
        constraints = None
        median = self.how.box_choice == "median"
        if self.bound and (self.how.constrain_boxes or (median and sampling.temperature)):
            constraints = [self.boxes.constraint(one.sample) for one in sequences]
        choice: TokenChoice = likeliest
        if sampling.temperature:
            choice = TokenSampler(sampling.temperature, [sampling.seed_of(place) for place in places])
        answers = empty_answers(rows)
        steps = generate(
            model,
            rows,
            features,
            answers,
            max_new_tokens=sampling.max_new_tokens,
            end_token=int(self.tokenizer.eos_token_id),
            constraints=constraints,
            choice=choice,
            logprobs=sampling.logprobs,
        )
        for grown in steps:
            yield [(number, answers[number]) for number in grown]

    def _medians(
        self, model: Any, rows: Sequence[PackedRow], features: ImageFeatures, sampling: Sampling
    ) -> list[Generated]:
        return median_boxes(
            model,
            rows,
            features,
            tokenizer=self.tokenizer,
            bins=self.bins,
            max_new_tokens=sampling.max_new_tokens,
            spelling=self.spelling or DIGITS,
            form=self.form,
            none=self.how.box_none,
            logprobs=sampling.logprobs,
        )

    def _has_medians(self, sequence: Tokens, sampling: Sampling) -> bool:
        wanted = self.bound and self.how.box_choice == "median" and not sampling.temperature
        return wanted and sequence.sample.task in BOXES


def generation(recipe: Recipe, vocabulary: int = 0) -> str:
    """Return what a prediction says about how it was generated.

    Args:
        vocabulary: how many answers it was chosen from, if it was.
    """
    how = recipe.predict
    if vocabulary:
        return f"the likeliest of {vocabulary:,} answers of a closed vocabulary"
    if (how.constrain_boxes or how.box_choice == "median") and spelling_of(recipe) is None:
        return f"greedy, at most {how.max_new_tokens} tokens"
    boxes = ", boxes constrained" if how.constrain_boxes else ""
    if how.box_choice == "median":  # which constrains them by itself
        boxes = ", boxes constrained, their coordinates medians"
    if boxes and how.box_none:
        boxes += ", or none"
    return f"greedy, at most {how.max_new_tokens} tokens{boxes}"


@lru_cache
def _say_once(text: str) -> None:
    note(text)


def spelling_of(recipe: Recipe) -> Spelling | None:
    """Return how a recipe's boxes are spelled digit by digit; None of a family that gives no spelling.

    Raises:
        RecipeError: the family's is none.
    """
    if recipe.model.family is None:
        return DIGITS
    found = getattr(writing_of(recipe).format, "spelling", None)
    try:
        return found and (found.separators and found)
    except (ValueError, AttributeError) as error:
        raise RecipeError(
            f"the family {recipe.model.family!r}: the `spelling` of its boxes cannot be used",
            found=str(error),
            remedy="give a pefomed.boxes.spelling.Spelling, or None",
        ) from None


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
