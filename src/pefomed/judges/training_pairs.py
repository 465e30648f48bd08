"""Pairs made of training data, on which the offline judge's thresholds are chosen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from pefomed.judges.offline_rules import decide
from pefomed.judges.prompts import JudgedPair
from pefomed.schema import Sample

DIFFERENT, REWORDED = 4000, 400
"""At most so many pairs of different and of reworded answers."""

REPORTS = 100
"""At most so many reports; five pairs are made of each."""

REWORDINGS = (
    "findings of {}",
    "a typical {}",
    "{} in this patient",
    "the diagnosis is {}",
    "{}, I would say",
)


def different_pairs(samples: Sequence[Sample], seed: int = 0) -> list[JudgedPair]:
    """Return pairs of different answers to one question that the rules leave to similarity."""
    answers: dict[str, dict[str, None]] = {}
    for sample in samples:
        if sample.question and sample.reference:
            answers.setdefault(sample.question, {}).setdefault(sample.reference.lower())
    pairs = [
        JudgedPair("binary", question, one, other)
        for question, given in answers.items()
        for one, other in combinations(sorted(given), 2)
        if decide(question, one, other) is None
    ]
    random.Random(seed).shuffle(pairs)
    return pairs[:DIFFERENT]


def reworded_pairs(samples: Sequence[Sample], seed: int = 0) -> list[JudgedPair]:
    """Return pairs of an answer and the same answer in other words that the rules leave to similarity."""
    drawn = random.Random(seed)
    different = dict.fromkeys((s.question, s.reference.lower()) for s in samples if s.reference)
    pairs = [
        JudgedPair("binary", question, answer, wording.format(answer))
        for question, answer in different
        for wording in drawn.sample(REWORDINGS, 2)
    ]
    pairs += [
        JudgedPair("binary", question, answer, misspelt)
        for question, answer in different
        if (misspelt := _misspelt(answer, drawn)) != answer
    ]
    pairs = [pair for pair in pairs if decide(pair.question, pair.reference, pair.answer) is None]
    drawn.shuffle(pairs)
    return pairs[:REWORDED]


def made_reports(texts: Sequence[Sequence[str]], seed: int = 0) -> list[tuple[str, str, int]]:
    """Return (reference, answer, level) made from the sentences of training texts of four or more."""
    drawn = random.Random(seed)
    long = [list(text) for text in texts if len(text) >= 4]
    pool = sorted({sentence for text in long for sentence in text})
    made = []
    for text in drawn.sample(long, min(len(long), REPORTS)):
        strange = [sentence for sentence in pool if sentence not in text]
        if len(strange) < len(text):
            continue
        for level in range(5):
            kept = round(len(text) * level / 4)
            places = set(drawn.sample(range(len(text)), kept))
            new = drawn.sample(strange, len(text) - kept)
            answer = [text[place] for place in sorted(places)] + new
            drawn.shuffle(answer)
            made.append((". ".join(text) + ".", ". ".join(answer) + ".", level))
    return made


def _misspelt(text: str, drawn: random.Random) -> str:
    """Return `text` without one letter of its longest word, if that has seven or more."""
    word = max(text.split(), key=len, default="")
    if len(word) < 7:
        return text
    place = drawn.randrange(1, len(word) - 1)
    return text.replace(word, word[:place] + word[place + 1 :], 1)
