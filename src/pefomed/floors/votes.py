"""Floors: what the training questions and answers give without looking at the image.

`majority`: the most frequent training answer, to every question; open and closed are not told apart.
`nearest_text`: the answer most voted for by the nearest training questions. Questions are TF-IDF vectors
of their `[a-z0-9]+` words, and of each Chinese character (scikit-learn's weights: smoothed idf, Euclidean
norm); of the `k` most similar training questions, the earlier first where similarities tie, each votes for
its answer with cosine^3. Answers are counted by their `plain` form and given as first written. The order
settles ties because SLAKE asks the same words hundreds of times: it decides up to 3 points there.

With `images`, the cosine of a training question about the image that is asked about counts double: what
is reached by recognising images that were trained on. That is no floor but a measure of leakage.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.normalise import plain
from pefomed.progress import track

NEIGHBOURS = 7
POWER = 3
SAME_IMAGE = 2
WORD = "[a-z0-9]+"
CHARACTER = "[\u3400-\u4dbf\u4e00-\u9fff]"
"""Chinese is written without spaces: each character is a word."""
_TOKEN = f"{WORD}|{CHARACTER}"

MAJORITY = "the most frequent training answer"
NEAREST_TEXT = f"TF-IDF of {WORD} words, {NEIGHBOURS} nearest training questions, votes by cosine^{POWER}"
NEAREST_TEXT_SAME_IMAGE = (
    f"{NEAREST_TEXT}; cosine times {SAME_IMAGE} where the training question is about the same image"
)
"""What the floors are, as their scores' `implementation` says it."""

_DIGITS = 9  # similarities equal to so many digits are ties on every machine
_BLOCK = 8_000_000  # similarities held at once: at most 100 MB


class ImageKeys(NamedTuple):
    """What tells images apart, of each training question and of each question asked."""

    training: Sequence[Hashable]
    asked: Sequence[Hashable]


def majority(answers: Sequence[str]) -> str:
    """Return the most frequent of at least one training answer, the earlier where counts tie."""
    counts = Counter(plain(answer) for answer in answers)
    winner = counts.most_common(1)[0][0]
    return next(answer for answer in answers if plain(answer) == winner)


def nearest_text(
    questions: Sequence[str], answers: Sequence[str], asked: Iterable[str], images: ImageKeys | None = None
) -> list[str]:
    """Return an answer to each question `asked` from at least one training question and its answer.

    A question that shares no word with any training question gets the majority answer.

    Args:
        images: if given, questions about the same image count for more.
    """
    wanted = list(asked)
    fallback = majority(answers)
    if not any(re.search(_TOKEN, question.lower()) for question in questions):
        return [fallback] * len(wanted)
    # Not at the top: scikit-learn takes a second to import, and scoring alone does not need it.
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(token_pattern=_TOKEN)
    known = vectoriser.fit_transform(questions).T.tocsr()  # (V, T)
    plain_answers = [plain(answer) for answer in answers]
    numbers: dict[Hashable, int] = {}
    of_training = np.array([numbers.setdefault(i, len(numbers)) for i in (images.training if images else ())])
    about = [numbers.get(image, -1) for image in images.asked] if images else [-1] * len(wanted)
    pairs = list(zip(wanted, about, strict=True))
    different = list(dict.fromkeys(pairs))
    rows = max(1, _BLOCK // len(questions))
    found: dict[tuple[str, int], str] = {}
    for start in track(range(0, len(different), rows), "nearest training questions", unit="blocks"):
        block = different[start : start + rows]
        cosines = vectoriser.transform([question for question, _ in block]) @ known  # (B, T), sparse
        ends = cosines.indptr.tolist()
        for pair, begin, end in zip(block, ends, ends[1:], strict=False):
            places, near = cosines.indices[begin:end], cosines.data[begin:end]
            if pair[1] >= 0:
                near = near * np.where(of_training[places] == pair[1], SAME_IMAGE, 1)
            place = _winner(places, near, plain_answers)
            found[pair] = fallback if place is None else answers[place]
    return [found[pair] for pair in pairs]


def _winner(places: NDArray[np.int32], cosines: NDArray[np.float64], answers: Sequence[str]) -> int | None:
    """Return the place of the nearest question with the winning answer; None if nothing is similar.

    Args:
        places: the training questions that share a word, in any order, shape (S,).
        cosines: their similarities, above 0, shape (S,).
        answers: the plain answers of all training questions.
    """
    if not len(places):
        return None
    k = min(NEIGHBOURS, len(places))
    least = np.partition(cosines, -k)[-k]
    near = np.flatnonzero(cosines >= least - 10.0**-_DIGITS)
    places, cosines = places[near], np.round(cosines[near], _DIGITS)
    votes: dict[str, float] = {}
    first: dict[str, int] = {}
    for index in np.lexsort((places, -cosines))[:k].tolist():
        answer = answers[places[index]]
        votes[answer] = votes.get(answer, 0.0) + float(cosines[index]) ** POWER
        first.setdefault(answer, int(places[index]))
    # `max` keeps the first of equals: the answer of the nearer question.
    return first[max(votes, key=lambda answer: round(votes[answer], _DIGITS))]
