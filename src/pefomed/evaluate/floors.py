"""Floors: what the training questions and answers give without looking at the image.

`majority`: the most frequent training answer, to every question; open and closed are not told apart.
`nearest_text`: the answer most voted for by the nearest training questions. Questions are TF-IDF vectors
of their `[a-z0-9]+` words (scikit-learn's weights: smoothed idf, Euclidean norm); of the `k` most
similar training questions, the earlier first where similarities tie, each votes for its answer with
cosine^3. Answers are counted by their `plain` form and given as first written. The order settles
ties because SLAKE asks the same words hundreds of times: it decides up to 3 points there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.evaluate.normalise import plain
from pefomed.progress import track

NEIGHBOURS = 7
POWER = 3
WORD = "[a-z0-9]+"

MAJORITY = "the most frequent training answer"
NEAREST_TEXT = f"TF-IDF of {WORD} words, {NEIGHBOURS} nearest training questions, votes by cosine^{POWER}"
"""What the floors are, as their scores' `implementation` says it."""

_DIGITS = 9  # similarities equal to so many digits are ties on every machine
_BLOCK = 8_000_000  # similarities held at once: at most 100 MB


def majority(answers: Sequence[str]) -> str:
    """Return the most frequent of at least one training answer, the earlier where counts tie."""
    counts = Counter(plain(answer) for answer in answers)
    winner = counts.most_common(1)[0][0]
    return next(answer for answer in answers if plain(answer) == winner)


def nearest_text(questions: Sequence[str], answers: Sequence[str], asked: Iterable[str]) -> list[str]:
    """Return an answer to each question `asked` from at least one training question and its answer.

    A question that shares no word with any training question gets the majority answer.
    """
    wanted = list(asked)
    fallback = majority(answers)
    if not any(re.search(WORD, question.lower()) for question in questions):
        return [fallback] * len(wanted)
    # Not at the top: scikit-learn takes a second to import, and scoring alone does not need it.
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(token_pattern=WORD)
    known = vectoriser.fit_transform(questions).T.tocsr()  # (V, T)
    plain_answers = [plain(answer) for answer in answers]
    different = list(dict.fromkeys(wanted))
    rows = max(1, _BLOCK // len(questions))
    found: dict[str, str] = {}
    for start in track(range(0, len(different), rows), "nearest training questions", unit="blocks"):
        block = different[start : start + rows]
        cosines = vectoriser.transform(block) @ known  # (B, T), sparse
        ends = cosines.indptr.tolist()
        for question, begin, end in zip(block, ends, ends[1:], strict=False):
            place = _winner(cosines.indices[begin:end], cosines.data[begin:end], plain_answers)
            found[question] = fallback if place is None else answers[place]
    return [found[question] for question in wanted]


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
