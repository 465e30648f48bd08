"""Boxes whose coordinates are the medians of the model's own distribution, not its most likely digits.

Where a model is not sure, digit by digit is a poor estimate: the first digit is that of the likeliest ten,
the second a peak within it, and what lies in other tens has no say. Here a coordinate is the median of all
numbers it may be, given those before it: 0 <= x0 < x1 <= bins, likewise y. The probability of a number is
the product of its tokens', as the tokenizer writes `{<12><30><`, those of the bracket behind it included,
over the sum of all numbers' products. Those that cannot move the median are not computed (`boxes.numbers`).
With location tokens a number is one token, brackets and all, and one forward pass gives every probability.

Where a phrase may be nowhere in the image, `{}` is weighed against all boxes together first, so that no
median is taken of a box that is more likely none: at each token where they part, `{}` has to be the likelier.

All questions of the rows write the same coordinate at the same time. The cache keeps the prompts alone:
the answer so far is run again for each coordinate, some ten tokens, so it may be tokenised in any way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pefomed.boxes import BoxFormat
from pefomed.boxes.notation import BoxNotation, mark_of
from pefomed.boxes.numbers import common_start
from pefomed.boxes.spelling import DIGITS, Spelling
from pefomed.inference.alone import Paths
from pefomed.inference.forest import Forest, grown
from pefomed.inference.generate import Generated
from pefomed.inference.number_walks import after, number_walks, token_logs
from pefomed.models.protocol import ImageFeatures
from pefomed.models.text_tokens import TextTokens
from pefomed.packing.batch import PackedRow
from pefomed.schema import Sample
from pefomed.tasks import TASKS


def median_boxes(
    model: Any,
    rows: Sequence[PackedRow],
    features: ImageFeatures,
    *,
    tokenizer: Any,
    bins: int,
    max_new_tokens: int,
    spelling: Spelling = DIGITS,
    form: BoxNotation | None = None,
    none: bool = False,
    logprobs: bool = False,
) -> list[Generated]:
    """Return the answers to all sequences of `rows`, in order; all of them ask for boxes.

    After each box the likelier of the end and a next box comes.

    Args:
        features: of the rows' images, (S, P, D).
        form: how phrases and boxes are written; by default as in the papers.
        none: whether an answer may be that there is no box.
        logprobs: note the natural logarithm of each token's probability in the model's own distribution over
            all tokens.
    """
    forest = grown(model, rows, features)
    samples = [one.sample for row in rows for one in row.sequences]
    drafts = Drafts(samples, tokenizer, spelling, form)
    alive = list(range(len(samples)))
    if none:
        alive = drafts.without_none(forest, alive, range(bins), max_new_tokens)
    while alive:
        corners: dict[int, list[int]] = {question: [] for question in alive}
        for place in range(4):
            lows = [corners[question][place - 2] + 1 if place > 1 else 0 for question in alive]
            high = bins if place > 1 else bins - 1
            forms = [
                drafts.forms(question, range(low, high + 1), place)
                for question, low in zip(alive, lows, strict=True)
            ]
            chosen = [walk.bounds()[0] for walk in number_walks(forest, alive, forms)]
            for question, low, number in zip(alive, lows, chosen, strict=True):
                corners[question].append(low + number)
                drafts.write(question, low + number, place)
        alive = drafts.going_on(forest, alive, max_new_tokens)
    if logprobs:
        for answer, logs in zip(
            drafts.answers, token_logs(forest, [one.tokens for one in drafts.answers]), strict=True
        ):
            answer.logprobs = logs
    for answer in drafts.answers:
        answer.done = True
    return drafts.answers


class Drafts:
    """The answers as far as they are written, one for each sample."""

    def __init__(
        self, samples: Sequence[Sample], tokenizer: Any, spelling: Spelling, form: BoxNotation | None = None
    ):
        self._form = form or BoxFormat()
        self.answers = [Generated(sample.id) for sample in samples]
        self._tokenizer, self._spelling = tokenizer, spelling
        self._tokens = TextTokens(tokenizer)
        self._samples = samples
        begun = spelling.beginning + spelling.opening
        self._texts = [self._mark(place) + begun for place in range(len(samples))]

    def without_none(
        self, forest: Forest | Paths, questions: Sequence[int], numbers: Sequence[int], most: int
    ) -> list[int]:
        """End the answers that there is no box, and return the other questions.

        Args:
            numbers: what a box's first coordinate may be.
        """
        end, none = int(self._tokenizer.eos_token_id), self._spelling.none
        nones = [[*tokens, end] for tokens in self._encoded([self._mark(one) + none for one in questions])]
        boxes = [self.forms(question, numbers, 0) for question in questions]
        partings = [_partings(*pair) for pair in zip(nones, boxes, strict=True)]
        chosen = [True] * len(questions)
        for step in range(max(map(len, partings))):
            rows = [row for row, found in enumerate(partings) if chosen[row] and step < len(found)]
            starts = [nones[row][: partings[row][step][0]] for row in rows]
            _, logits = after(forest, [questions[row] for row in rows], starts)
            forest.cut()
            for values, row in zip(logits.double(), rows, strict=True):
                place, others = partings[row][step]
                chosen[row] = bool(values[nones[row][place]] >= values[others].logsumexp(0))
        for row, question in enumerate(questions):
            if chosen[row]:
                tokens, answer = nones[row], self.answers[question]
                answer.tokens = tokens[:most]
                answer.finish = "stop" if len(tokens) <= most else "length"
        return [question for row, question in enumerate(questions) if not chosen[row]]

    def forms(self, question: int, numbers: Iterable[int], place: int) -> list[list[int]]:
        """Return the tokens of the answer with each of the numbers as the box's coordinate `place`."""
        return self._encoded(self._spelling.texts(self._texts[question], numbers, place))

    def write(self, question: int, number: int, place: int) -> None:
        """Add the box's coordinate `place`."""
        (self._texts[question],) = self._spelling.texts(self._texts[question], [number], place)

    def going_on(self, forest: Forest | Paths, alive: Sequence[int], most: int) -> list[int]:
        """End the answers that end here or exceed `most` tokens; return the others, another box begun."""
        end = int(self._tokenizer.eos_token_id)
        next_box, closing = self._spelling.delimiter + self._spelling.opening, self._spelling.closing
        next_texts = [self._texts[question] + next_box for question in alive]
        whole = [self._texts[question] + closing for question in alive]
        ended = [[*tokens, end] for tokens in self._encoded(whole)]
        longer = self._encoded(next_texts)
        starts = [common_start(pair) for pair in zip(ended, longer, strict=True)]
        _, logits = after(forest, alive, [one[:n] for one, n in zip(ended, starts, strict=True)])
        forest.cut()
        going = []
        for row, question in enumerate(alive):
            tokens, start, answer = ended[row], starts[row], self.answers[question]
            stops = bool(logits[row, tokens[start]] >= logits[row, longer[row][start]])
            if stops or len(tokens) > most:
                answer.tokens = tokens[:most] if stops else longer[row][:most]
                answer.finish = "stop" if stops and len(tokens) <= most else "length"
            else:
                self._texts[question] = next_texts[row]
                going.append(question)
        return going

    def _mark(self, question: int) -> str:
        sample = self._samples[question]
        return mark_of(self._form, sample.question) if TASKS[sample.task].names_phrase else ""

    def _encoded(self, texts: list[str]) -> list[list[int]]:
        """Return each text's tokens, as an answer's are made for training."""
        return self._tokens.each(texts)


def _partings(none: Sequence[int], boxes: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """Return each place at which boxes part from the tokens of `none`, with the tokens that go on to them."""
    found = []
    for place, token in enumerate(none):
        boxes = [box for box in boxes if len(box) > place]
        others = sorted({box[place] for box in boxes} - {token})
        if others:
            found.append((place, others))
        boxes = [box for box in boxes if box[place] == token]
    return found
