"""The matcher that counts finds what Python's own finds."""

from __future__ import annotations

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.growth.attacks import texts
from tests.growth.expressions import expressions
from tests.growth.steps import Counter

PATTERNS = [
    r"a*?b", r"(a|ab)(c|bcd)(d*)", r"(?i)AbC", r"^a|b$", r"\bab\b", r"(?<=a)b|(?<!a)c", r"(a)\1",
    r"(?:a|b)*+c", r"(?>a+)b", r"a{2,3}?", r"(?=ab)a", r"(?!ab)a", r"[^a]+", r"(a)?(?(1)b|c)",
    r"(?m)^b", r"(?s).+", r"()",
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.text("abcdABC \n", max_size=12))
def test_it_finds_what_re_finds(text: str) -> None:
    for pattern in map(re.compile, PATTERNS):
        expected = [found.span() for found in pattern.finditer(text)]
        assert list(Counter(pattern).spans(text)) == expected, pattern.pattern


def test_it_finds_what_re_finds_with_the_package_s_own() -> None:
    for each in expressions():
        large = re.search(r"\{\d*,?(6[4-9]|[7-9]\d|\d{3,})\}", each.pattern.pattern)
        if large:  # those bounds are made small for the counting
            continue
        for _, text in itertools.islice(texts(each.pattern, 12), 6):
            expected = [found.span() for found in each.pattern.finditer(text)]
            assert list(Counter(each.pattern).spans(text)) == expected, (each.place, text)


def test_the_count() -> None:
    # At each of three places: the repeat is one step, its run of 3, 2 and 1 signs as many, and behind every
    # length of the run the `b` that is not there is one; at the end of the text the repeat alone is tried.
    counter = Counter(re.compile("a+b"))
    assert list(counter.spans("aaa")) == []
    assert counter.steps == (1 + 3 + 3) + (1 + 2 + 2) + (1 + 1 + 1) + 1
