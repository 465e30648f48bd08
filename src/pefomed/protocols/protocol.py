"""One protocol: which questions count, what is right, how figures are added up, and who says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pefomed.protocols.question import Question

Language = Literal["en", "zh", "both"]
Split = Literal["field", "yes/no"]
"""What is closed: what the data set's own field calls so, or what has a yes or no as its reference."""
Judged = Literal["", "all", "open"]
"""Which answers a judge decides; the others a rule."""
Group = Literal["overall", "open", "closed"]
Rule = Callable[[str, str], float]
"""`(reference, answer)` -> a value in [0, 1]."""


class Source(NamedTuple):
    """Where a protocol is from."""

    paper: str
    repository: str = ""
    """`owner/name` on GitHub; empty where no code was published."""
    commit: str = ""
    path: str = ""

    @property
    def link(self) -> str:
        if not self.repository:
            return ""
        return f"https://github.com/{self.repository}/blob/{self.commit}/{self.path}"


class Fault(NamedTuple):
    """Where a protocol's code does something other than it says."""

    what: str
    since: str


class QuestionSet(NamedTuple):
    """The questions that a protocol's published figures are of."""

    language: Language
    open: int
    closed: int

    @property
    def n(self) -> int:
        return self.open + self.closed


Printed = Callable[[Sequence[Question]], Mapping[Group, float]]
"""Answered questions -> what the protocol's code prints, where it has a fault."""


@dataclass(frozen=True)
class Protocol:
    """An entry of the table."""

    name: str
    title: str
    definition: str
    source: Source
    open: Rule
    """What an open answer is worth; of one that a judge decides, the rule of the code beside it."""
    closed: Rule
    overall: Rule | None = None
    """What any answer is worth in the figure of all questions; None: what it is worth as open or closed."""
    split: Split = "field"
    shown: tuple[Group, ...] = ("overall", "open", "closed")
    """Figures that it has."""
    languages: tuple[str, ...] = ("en",)
    """Languages whose questions count; the others are left out, and this is said."""
    needs: tuple[str, ...] = ()
    """Languages that must all be there."""
    judged: Judged = ""
    sets: Mapping[str, QuestionSet] | None = None
    """Loader -> its test split. None: no published figures of its own; then it is for any data set."""
    only_sets: bool = False
    """Whether it is defined for these data sets alone."""
    fault: Fault | None = None
    prints: Printed | None = None

    @property
    def same_rule(self) -> bool:
        """Whether open and closed answers are worth the same, so that nobody needs to tell them apart."""
        return self.judged == "all" or (self.open is self.closed and not self.judged)
