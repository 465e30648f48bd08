"""The work of every regular expression grows with a text's length, not with its square."""

from __future__ import annotations

import re

import pytest

from tests.growth.attacks import texts
from tests.growth.expressions import Expression, expressions
from tests.growth.steps import Counter, TooMany

SHORT, LONG = 48, 192

MOST = 8
"""How many times the steps four times the length may take: 4 in proportion, 16 with the square."""

ELSEWHERE = {
    "pefomed.boxes.reading._PIECE": "behind the last </p> another one takes over (test_reading counts)",
    "pefomed.judges.offline_conflicts.FORMS": "of one word, and from its beginning to its end alone",
    "pefomed.judges.offline_quantities._START": "blanks are one before it is asked (offline_words)",
    "pefomed.judges.parse._WRAPPED": "a label has at most 1,000 characters, a longer text is not looked at",
    "pefomed.probes.paraphrase._RULES": "a question of more than 300 characters has no rule",
}
"""Expressions whose use keeps the texts away on which they are slow."""


def test_every_expression_of_the_package_grows_with_the_length_alone() -> None:
    found = expressions()
    assert len(found) > 150
    slow = {each.place: why for each in found if (why := slowest(each)) and each.place not in ELSEWHERE}
    assert not slow


@pytest.mark.parametrize(
    "pattern",
    [
        r"\s*\bX{4,}\b", r"[\w.+-]+@[\w-]+\.[\w.]+", r"(?:dr\b\.?\s*)+[A-Z]", r"[-=]+>", r"\\+([*_])",
        r"\d+\.?\d*/", r"<p>(.*?)</p>", r"(a+)+b", r"(?:a|aa)+$", r"^\s+|\s+$", r".*x.*y",
    ],
)  # fmt: skip
def test_what_was_slow_is_found_out(pattern: str) -> None:
    """Expressions that this package had, and known examples of the kind."""
    assert slowest(Expression("here", re.compile(pattern), once=False))


@pytest.mark.parametrize(
    "pattern",
    [r"(?:(?<!\s)\s+)?\bX{4,}\b", r"(?<![-=])[-=]+>", r"\w+", r"<[^<>]*>", r"(?<!\s)\s*+a", "ab"],
)
def test_what_is_not_slow_is_left_in_peace(pattern: str) -> None:
    assert not slowest(Expression("here", re.compile(pattern), once=False))


def slowest(each: Expression) -> str:
    """Return a text that four times as long takes more than `MOST` times the steps, or nothing."""
    pairs = zip(texts(each.pattern, SHORT), texts(each.pattern, LONG), strict=True)
    for (name, short), (_, long) in pairs:
        few = steps(each, short)
        if few is None or steps(each, long, MOST * few + 200) is None:
            return name
    return ""


def steps(each: Expression, text: str, most: int = 100_000) -> int | None:
    """Return how many steps the expression takes on the text; None for more than `most`."""
    counter = Counter(each.pattern)
    counter.most = most
    try:
        if each.once:
            counter.match(text)
        else:
            for _ in counter.spans(text):
                pass
    except TooMany:
        return None
    return counter.steps
