"""What agreement.json holds: who labelled what, how levels are spread, and how far raters agree."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from pefomed.agreement.coefficient import Coefficient
from pefomed.schema import Record
from pefomed.tasks import Scale

Between = Literal[
    "judge-human", "metric-human", "metric-judge", "human-human", "run-run", "spread", "spread-difference"
]


class Agreement(Record):
    """One coefficient between two raters, or over all raters of a kind."""

    dataset: str
    split: str
    scale: Scale
    between: Between
    one: str
    """The first of the two, or the raters (runs) that are compared with one another."""
    other: str = ""
    coefficient: str
    """e.g. `cohen_kappa`, `krippendorff_ordinal`, `bias` (one - other)."""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    """Items."""
    raters: int
    """Raters, or runs of one judge, that it was computed from."""
    note: str = ""
    """Why there is no value or no interval, and what was left out."""
    interval: str = ""
    """How the interval was made."""

    @model_validator(mode="after")
    def _value_or_reason(self) -> Agreement:
        if self.value is None and not self.note:
            raise ValueError("a coefficient without a value needs a reason")
        return self


class Rated(Record):
    """What one rater, or one judge in all its runs, labelled of one data set."""

    dataset: str
    split: str
    scale: Scale
    rater: str
    title: str
    kind: str
    """A kind of `verdicts.RATER_KINDS`."""
    runs: int
    items: int
    """Items with at least one verdict, scored or not."""
    scored: int
    """Verdicts with a label."""
    unscored: int
    """Verdicts without one: unparsable, refused, skipped."""
    means: tuple[float, ...]
    """Mean label of each run that has one, over the items it labelled."""


class Levels(Record):
    """How often each label was given, as the mean over raters or runs, and the mean label.

    `wasm` = sum(i N_i) / sum(N_i), the weighted average similarity of PeFoMed.
    """

    dataset: str
    split: str
    rater: str
    """A judge's name, empty for the human raters."""
    title: str
    """A judge, or all human raters together."""
    kind: str
    raters: int
    counts: tuple[float, ...]
    """Mean number of items at level 0, 1, .. 4 per rater or run."""
    wasm: float
    n: int
    """Items with at least one label."""


class Agreements(Record):
    """The file agreement.json."""

    rated: tuple[Rated, ...] = ()
    levels: tuple[Levels, ...] = ()
    agreement: tuple[Agreement, ...] = ()


def agreement(
    found: Coefficient,
    *,
    dataset: str,
    split: str,
    scale: Scale,
    between: Between,
    one: str,
    other: str = "",
    coefficient: str,
    raters: int,
    left_out: str = "",
) -> Agreement:
    """Return a coefficient as a record; `left_out` says which items or raters it was computed without."""
    return Agreement(
        dataset=dataset,
        split=split,
        scale=scale,
        between=between,
        one=one,
        other=other,
        coefficient=coefficient,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        raters=raters,
        note="; ".join(filter(None, (found.note, left_out))),
        interval=found.interval,
    )
