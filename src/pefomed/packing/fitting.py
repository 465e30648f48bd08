"""Whether a sample's text fits into what the recipe and the language model take, and what is cut if not.

Images do not count as text. A limit is the recipe's `max_text_tokens`, or the number of positions of a
language model that has a table of them. What is too long is an error, or, as the data set's `too_long` says,
left out of training or cut: a prompt that is longer than half the limit and than what the answer leaves loses
the end of its question, then an answer loses its own, the end token with it, so that no model learns to stop
there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

from pefomed import tasks
from pefomed.boxes import Resizing
from pefomed.boxes.notation import BoxNotation
from pefomed.errors import DataError
from pefomed.models.protocol import Processor
from pefomed.progress import note
from pefomed.prompts import render, target
from pefomed.recipe import Prompt
from pefomed.schema import Sample

_SLACK = 16
"""Tokens that a tokenizer may add to a text's bytes: spaces in front of pieces, the end."""


class Encoded(NamedTuple):
    """A sample's tokens: prompt, then answer (closed by the end token unless it was cut)."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Fitting:
    """The limits of a recipe's texts.

    Args:
        answers: the texts hold their answers, as in training; else they are asked only.
        room: tokens that will be generated behind each.
        image_tokens: of an image by its path or name; by default as the processor says.
    """

    prompt: Prompt
    processor: Processor
    answers: bool = True
    room: int = 0
    image_tokens: Callable[[str], int] | None = None

    def encoded(self, sample: Sample, *, cut: bool = False) -> Encoded:
        """Return the sample's tokens.

        Args:
            cut: cut what is too long.

        Raises:
            DataError: it is too long and may not be cut, or cannot.
        """
        found = self._whole(sample)
        wrong = self._wrong(sample, found)
        if wrong is None:
            return found
        if not cut:
            raise wrong
        return self._cut(sample, found, wrong)

    def too_long(self, sample: Sample) -> DataError | None:
        """Return what is wrong with a sample that is too long; most are seen to fit without tokenising."""
        return None if self._surely_fits(sample) else self._wrong(sample, self._whole(sample))

    def _whole(self, sample: Sample) -> Encoded:
        answer = self.processor.encode_answer(self._target(sample)) if self.answers else ()
        return Encoded(self._front(sample), tuple(answer))

    def _front(self, sample: Sample) -> tuple[int, ...]:
        write = partial(
            render, sample, self.prompt, self.processor.tokenizer, self._resizing, form=self._form
        )
        return tuple(self.processor.encode_prompt(write, self._counts(sample)))

    def _target(self, sample: Sample) -> str:
        return target(sample, self.prompt, self._resizing, self._form)

    @cached_property
    def _resizing(self) -> Resizing:
        return self.processor.resizing

    @cached_property
    def _form(self) -> BoxNotation | None:
        return getattr(self.processor, "boxes", None)  # a family's own

    def _wrong(self, sample: Sample, found: Encoded) -> DataError | None:
        most = self.prompt.max_text_tokens
        text = len(found.prompt) + len(found.answer) - self._image_tokens(sample)
        if text > most:
            rules = "'leave_out' or 'cut'" if self.answers else "'cut'"
            return DataError(
                f"sample {sample.id} is longer than prompt.max_text_tokens = {most}",
                found=f"{text} tokens of text",
                remedy=f"raise max_text_tokens, shorten the text, or set the data set's too_long to {rules}",
            )
        positions = self.processor.positions
        # The last token, given or generated, is only ever predicted.
        used = len(found.prompt) + max(len(found.answer), self.room, 1) - 1
        if positions is None or used <= positions[0]:
            return None
        if positions[1]:
            return DataError(
                f"sample {sample.id} is longer than the {positions[0]:,} positions that the language model"
                " has",
                found=f"{used:,} positions: image, text and answer",
                remedy="shorten the text, lower predict.max_new_tokens, use fewer image tokens"
                " (model.image_size, model.group), or another language model",
            )
        _note_long(positions[0])
        return None

    def _limit(self, sample: Sample) -> int:
        """Return the most tokens of text, answer included, that the sample may have."""
        most = self.prompt.max_text_tokens
        if self.processor.positions is not None and self.processor.positions[1]:
            behind = 0 if self.answers else max(self.room, 1)
            most = min(most, self.processor.positions[0] + 1 - behind - self._image_tokens(sample))
        return most

    def _image_tokens(self, sample: Sample) -> int:
        return sum(self._counts(sample))

    def _counts(self, sample: Sample) -> list[int]:
        count = self.image_tokens or self.processor.image_tokens
        return [count(image) for image in sample.images]

    def _surely_fits(self, sample: Sample) -> bool:
        """Return whether the text has too few bytes to be too long: no token is less than a byte."""
        positions = self.processor.positions
        if not getattr(self.processor.tokenizer, "is_fast", False):  # one in Python may do anything
            return False
        text = render(sample, self.prompt, self.processor.tokenizer, self._resizing, form=self._form)
        if self.answers:
            text += self._target(sample)
        size = _most_bytes(text) + _SLACK
        if positions is not None and size + self._image_tokens(sample) + self.room > positions[0]:
            return False
        return size <= self.prompt.max_text_tokens

    def _cut(self, sample: Sample, whole: Encoded, wrong: DataError) -> Encoded:
        limit, images = self._limit(sample), self._image_tokens(sample)
        front, asked = whole.prompt, len(whole.prompt) - images
        most = max(limit - len(whole.answer), limit // 2) if self.answers else limit
        if asked > most:
            front = self._shorter(sample, most + images, wrong)
        answer = whole.answer[: limit + images - len(front)]
        if (self.answers and not answer) or (answer != whole.answer and sample.task in tasks.WITH_BOXES):
            raise DataError(
                f"{wrong.problem}, and cannot be cut",
                found=f"{wrong.found}; an answer of the task {sample.task} is boxes",
                remedy='raise max_text_tokens, or say too_long = "leave_out"',
            )
        return Encoded(front, answer, True)

    def _shorter(self, sample: Sample, most: int, wrong: DataError) -> tuple[int, ...]:
        """Return the prompt with as much of the question's beginning as fits into `most` tokens."""

        def front(length: int) -> tuple[int, ...]:
            return self._front(sample.model_copy(update={"question": sample.question[:length].rstrip()}))

        fits, too_many = 0, len(sample.question)
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            fits, too_many = (middle, too_many) if len(front(middle)) <= most else (fits, middle)
        # Tokens need not grow with every character.
        while fits and len(front(fits)) > most:
            fits -= 1
        if not sample.question[:fits].strip() or sample.task in tasks.ABOUT_BOXES:
            raise DataError(
                f"{wrong.problem}, and cannot be cut",
                found=f"{wrong.found}, of which the question is not the longest part",
                remedy="raise max_text_tokens, or shorten the instructions",
            )
        return front(fits)


def _most_bytes(text: str) -> int:
    """Return the most bytes that a text has in any of Unicode's normal forms; a tokenizer may use any.

    Each character counts as it is or taken apart, whichever is longer: a mathematical `A` shrinks from four
    bytes to one, a ligature grows.
    """
    return len(text) if text.isascii() else sum(map(_bytes, text))


@lru_cache(maxsize=4096)
def _bytes(character: str) -> int:
    forms = (character, unicodedata.normalize("NFKD", character))
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms)


@lru_cache
def _note_long(most: int) -> None:
    note(f"some texts are longer than the {most:,} positions that the language model was made for")
