"""One metric: what it is called, what it says of which answers, in which range, and what computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pefomed.tasks.task import AnswerKind

TableSection = Literal[
    "exact", "words", "closed", "texts", "boxes", "categories", "sides", "rates", "judged", "levels", "sure",
    "confidence", "probes", "other",
]  # fmt: skip
"""Metrics that stand together in a table. `exact`: right or wrong word for word; `words`: how far the words
agree; `closed`: of closed questions alone; `texts`: of captions and reports; `boxes`: means over phrases;
`categories`: means over categories of boxes; `sides`: left and right mistaken; `rates`: how answers came out,
not how good they are; `judged`, `levels`: what judges and people said; `confidence`: how sure an answer is,
`sure`: what that is worth; `probes`: answers to samples asked otherwise; `other`: a plug-in's."""

ItemFunction = Callable[[str, str], float]
"""`(reference, answer)` -> value"""

OVERALL = "overall"


class Place(NamedTuple):
    """Where a figure stands among those that stand first."""

    kind: AnswerKind
    """What the answers are."""
    rank: int
    """0 is the headline."""
    group: str = OVERALL
    """The group it is of."""


@dataclass(frozen=True)
class Metric:
    """An entry of the table. Of several judges a score's metric has the judge's name behind a colon."""

    name: str
    """As it stands in `scores.jsonl`."""
    title: str
    """What people read."""
    section: TableSection
    kinds: tuple[AnswerKind, ...]
    """What the answers are that it is of."""
    definition: str
    """What a score says of itself."""
    unit: Literal["%", ""] = "%"
    """`%` for shares, which are shown times 100."""
    least: float = 0.0
    most: float = 1.0
    per: Literal["item", "corpus"] = "item"
    """`item`: the mean of a value of each item. `corpus`: a figure of all items together."""
    binary: bool = False
    """Whether an item is right or wrong, nothing between."""
    better: Literal["higher", "lower"] = "higher"
    first: tuple[Place, ...] = ()
    """Where it stands first: on the terminal, at the head of the page, in comparisons."""
    function: ItemFunction | None = None
    """Its value of one answer and one reference; None where other things are needed than two texts."""
    reading: Callable[[str, str], str] | None = None
    """`(reference, answer)` -> what it reads of the answer's text; None where that is the text."""
    of_sentences: bool = True
    """Whether it says anything of an answer in whole sentences."""
    correctness: bool = False
    """Whether it says which answers are called right: rating sessions draw by it, and verdicts are weighed by
    it. One metric of the table does."""
    beside_labels: bool = False
    """Whether agreement holds its value of each item against the labels of judges and people."""
    by_group: bool = False
    """Of boxes: whether it stands beside the headline in tables by group."""
    over_categories: bool = False
    """Of boxes: whether there is a mean over categories too."""
    fewest: int = 1
    """Items below which there is no interval that holds what it says."""
    preset: str = ""
    """Of texts: how they became words, as the title says it."""
    mean_of: str = ""
    """Of means over categories: the metric of a category."""
    column: str = ""
    """What stands above its column, where the table says the rest; by default the title."""
    rater: str = ""
    """Of verdicts: what kind of rater gave them; `human` for people."""
    implementation: str = ""
    """Of a plug-in: its function, the package's version and a hash of the source."""

    @property
    def heading(self) -> str:
        """What stands above its column."""
        return self.column or self.title
