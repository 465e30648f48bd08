"""Who rates what, in which order and on which side: blinded, balanced, random, and fixed by the seed.

VQA answers are drawn from two strata, those that exact match called wrong and those it called right, so
that a human figure can fall as well as rise. Within a stratum every answer is equally likely, and the
draw is spread over data sets, meta values and images (see `spread`): the shares of organs or question
types come out as they are among all answers. All raters get the same answers, or share a part of them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from pefomed.errors import RunError
from pefomed.raters.pool import STRATA, RatableAnswer, Stratum, features
from pefomed.raters.scale import SCALES, RatedTask
from pefomed.raters.spread import spread
from pefomed.schema import Record


class SessionSize(Record):
    """How large a session was before it grew."""

    raters: int
    sample: int


class SessionSettings(Record):
    """The numbers of a rating session. Once it has begun, raters and answers only become more (`growth`)."""

    task: RatedTask
    names: tuple[str, ...] = Field(min_length=1)
    sample: int = Field(ge=1)
    """Answers each rater gets."""
    seed: int
    wrong_share: float | None = Field(default=None, ge=0, le=1)
    """Share of answers that exact match called wrong; None for reports."""
    overlap: float = Field(default=1.0, ge=0, le=1)
    """Share of each rater's answers that all raters get."""
    models: tuple[str, ...] = ()
    """Those of `names` who are language models: no figure of theirs is called human."""
    grown: tuple[SessionSize, ...] = ()
    """The sizes it had before, the first one first."""

    @property
    def common(self) -> int:
        """How many of a rater's answers all raters get."""
        return round(self.overlap * self.sample)

    @property
    def own(self) -> int:
        """How many of a rater's answers they alone get."""
        return self.sample - self.common


@dataclass(frozen=True)
class ShownItem:
    """One answer as one rater meets it."""

    item: int
    """Position in `Assignment.items`."""
    swapped: bool
    """True if the generated text stands on the left."""


@dataclass(frozen=True)
class Assignment:
    items: list[RatableAnswer]
    """Every answer that somebody rates, in the run's order."""
    lists: list[list[ShownItem]]
    """For each rater their answers in their order."""
    drawn: dict[Stratum, tuple[int, int]]
    """For each stratum how many answers the run has, and how many of them are rated."""
    notes: list[str]
    """What could not be had as asked for."""


def assign(answers: Sequence[RatableAnswer], settings: SessionSettings) -> Assignment:
    """Return the assignment that `settings` and its seed give.

    Raises:
        RunError: the run has fewer answers than are wanted.
    """
    names, common, own = settings.names, settings.common, settings.own
    total = common + own * len(names)
    if total > len(answers):
        raise RunError(
            f"{total} different answers are wanted, the run has {len(answers)}",
            found=f"{len(names)} raters, {settings.sample} each, {common} of them the same for all",
            remedy="lower --sample, or raise --overlap",
        )
    places = by_stratum(answers, range(len(answers)))
    quotas, notes = quotas_of(settings, places, [(0, common), *[(0, own)] * len(names)])
    parts = draw_parts(answers, places, quotas, random.Random(f"{settings.seed}/{settings.task}/items"))
    used = sorted(place for part in parts for place in part)
    item_of = {place: item for item, place in enumerate(used)}
    lists = [
        in_order([item_of[place] for place in parts[0] + part], settings, f"{rater}")
        for rater, part in enumerate(parts[1:])
    ]
    return Assignment([answers[place] for place in used], lists, drawn_of(answers, used), notes)


def by_stratum(answers: Sequence[RatableAnswer], chosen: Iterable[int]) -> dict[Stratum, list[int]]:
    """Return the places of the `chosen` ones of `answers` by stratum."""
    places: dict[Stratum, list[int]] = {}
    for place in chosen:
        places.setdefault(answers[place].stratum, []).append(place)
    return places


def quotas_of(
    settings: SessionSettings, places: Mapping[Stratum, Sequence[int]], sizes: Sequence[tuple[int, int]]
) -> tuple[list[dict[Stratum, int]], list[str]]:
    """Return for each part how many to draw from each stratum, and what could not be had.

    Args:
        places: the answers that may be drawn, by stratum.
        sizes: of the common part, then of each rater's own: how many it has, and how many it is to have.
    """
    if settings.wrong_share is None:
        return [{"": size - has} for has, size in sizes], []
    there = {name: len(places.get(name, [])) for name in STRATA}
    left = dict(there)
    quotas: list[dict[Stratum, int]] = []
    asked = 0
    for has, size in sizes:
        more = size - has
        asked += (wanted := int(settings.wrong_share * size + 0.5) - int(settings.wrong_share * has + 0.5))
        # Where one stratum runs out the other fills up.
        wrong = max(min(wanted, left["wrong"]), more - left["right"])
        quotas.append({"wrong": wrong, "right": more - wrong})
        left["wrong"] -= wrong
        left["right"] -= more - wrong
    got = sum(quota["wrong"] for quota in quotas)
    notes = []
    if got != asked:
        further, rest = ("further ", " left") if any(has for has, _ in sizes) else ("", "")
        notes.append(
            f"{asked} of {sum(size - has for has, size in sizes)} {further}answers were to be ones that exact"
            f" match called wrong; the run has {there['wrong']} wrong and {there['right']} right ones{rest},"
            f" so it is {got}"
        )
    return quotas, notes


def draw_parts(
    answers: Sequence[RatableAnswer],
    places: Mapping[Stratum, Sequence[int]],
    quotas: Sequence[Mapping[Stratum, int]],
    draw: random.Random,
) -> list[list[int]]:
    """Return the places of each part, drawn as its quotas say; no place is in two parts."""
    parts: list[list[int]] = [[] for _ in quotas]
    for stratum in sorted(places):
        rest = list(places[stratum])
        for part, quota in zip(parts, quotas, strict=True):
            chosen = spread(features([answers[place] for place in rest]), quota.get(stratum, 0), draw)
            part += [rest[row] for row in chosen]
            taken = set(chosen)
            rest = [place for row, place in enumerate(rest) if row not in taken]
    return parts


def in_order(items: Sequence[int], settings: SessionSettings, who: str) -> list[ShownItem]:
    """Return the items in a random order, and half of a report's texts on each side.

    Args:
        who: decides both with the seed: the rater's number, and what else tells lists of theirs apart.
    """
    shuffled = list(items)
    random.Random(f"{settings.seed}/{settings.task}/order/{who}").shuffle(shuffled)
    swapped = [False] * len(shuffled)
    if SCALES[settings.task].sides:
        swapped = [place % 2 == 0 for place in range(len(shuffled))]
        random.Random(f"{settings.seed}/{settings.task}/sides/{who}").shuffle(swapped)
    return [ShownItem(item, side) for item, side in zip(shuffled, swapped, strict=True)]


def drawn_of(answers: Sequence[RatableAnswer], used: Collection[int]) -> dict[Stratum, tuple[int, int]]:
    """Return for each stratum how many answers there are, and how many of them are at the `used` places."""
    rated = by_stratum(answers, used)
    everything = by_stratum(answers, range(len(answers)))
    return {
        stratum: (len(places), len(rated.get(stratum, ()))) for stratum, places in sorted(everything.items())
    }
