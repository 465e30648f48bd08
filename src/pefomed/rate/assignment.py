"""Who rates what, in which order and on which side: blinded, balanced, random, and fixed by the seed.

VQA answers are drawn from two strata, those that exact match called wrong and those it called right, so
that a human figure can fall as well as rise. Within a stratum every answer is equally likely, and the
draw is spread over data sets, meta values and images (see `spread`): the shares of organs or question
types come out as they are among all answers. All raters get the same answers, or share a part of them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from pefomed.errors import RunError
from pefomed.rate.pool import Answer, Stratum, features
from pefomed.rate.scale import SCALES, RatedTask
from pefomed.rate.spread import spread
from pefomed.schema import Record


class Settings(Record):
    """The numbers of a rating session; but for `models` they never change once it has begun."""

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


@dataclass(frozen=True)
class Shown:
    """One answer as one rater meets it."""

    item: int
    """Position in `Assignment.items`."""
    swapped: bool
    """True if the generated text stands on the left."""


@dataclass(frozen=True)
class Assignment:
    items: list[Answer]
    """Every answer that somebody rates, in the run's order."""
    lists: list[list[Shown]]
    """For each rater his answers in his order."""
    drawn: dict[Stratum, tuple[int, int]]
    """For each stratum how many answers the run has, and how many of them are rated."""
    notes: list[str]
    """What could not be had as asked for."""


def assign(answers: Sequence[Answer], settings: Settings) -> Assignment:
    """Return the assignment that `settings` and its seed give.

    Raises:
        RunError: the run has fewer answers than are wanted.
    """
    common = round(settings.overlap * settings.sample)
    own = settings.sample - common
    total = common + own * len(settings.names)
    if total > len(answers):
        raise RunError(
            f"{total} different answers are wanted, the run has {len(answers)}",
            found=f"{len(settings.names)} raters, {settings.sample} each, {common} of them the same for all",
            remedy="lower --sample, or raise --overlap",
        )
    places: dict[Stratum, list[int]] = {}
    for place, answer in enumerate(answers):
        places.setdefault(answer.stratum, []).append(place)
    quotas, notes = _quotas(settings, places, [common, *[own] * len(settings.names)])
    draw = random.Random(f"{settings.seed}/{settings.task}/items")
    parts: list[list[int]] = [[] for _ in quotas]
    for stratum in sorted(places):
        rest = places[stratum]
        for part, quota in zip(parts, quotas, strict=True):
            chosen = spread(features([answers[place] for place in rest]), quota.get(stratum, 0), draw)
            part += [rest[row] for row in chosen]
            taken = set(chosen)
            rest = [place for row, place in enumerate(rest) if row not in taken]
    used = sorted(place for part in parts for place in part)
    item_of = {place: item for item, place in enumerate(used)}
    lists = [
        _list([item_of[place] for place in parts[0] + part], settings, rater)
        for rater, part in enumerate(parts[1:])
    ]
    drawn = {
        stratum: (len(found), sum(answers[place].stratum == stratum for place in used))
        for stratum, found in sorted(places.items())
    }
    return Assignment([answers[place] for place in used], lists, drawn, notes)


def _quotas(
    settings: Settings, places: dict[Stratum, list[int]], sizes: Sequence[int]
) -> tuple[list[dict[Stratum, int]], list[str]]:
    """Return for each part (the common one, then each rater's own) how many to draw from each stratum."""
    if settings.wrong_share is None:
        return [{"": size} for size in sizes], []
    left: dict[Stratum, int] = {name: len(places.get(name, [])) for name in ("wrong", "right")}
    quotas: list[dict[Stratum, int]] = []
    asked = 0
    for size in sizes:
        asked += (wanted := int(settings.wrong_share * size + 0.5))
        # Where one stratum runs out the other fills up.
        wrong = max(min(wanted, left["wrong"]), size - left["right"])
        quotas.append({"wrong": wrong, "right": size - wrong})
        left["wrong"] -= wrong
        left["right"] -= size - wrong
    got = sum(quota["wrong"] for quota in quotas)
    notes = []
    if got != asked:
        notes.append(
            f"{asked} of {sum(sizes)} answers were to be ones that exact match called wrong; the run has"
            f" {len(places.get('wrong', []))} wrong and {len(places.get('right', []))} right ones, so it is"
            f" {got}"
        )
    return quotas, notes


def _list(items: list[int], settings: Settings, rater: int) -> list[Shown]:
    order = random.Random(f"{settings.seed}/{settings.task}/order/{rater}")
    order.shuffle(items)
    swapped = [False] * len(items)
    if SCALES[settings.task].sides:
        # Half of the texts on each side, for every rater.
        swapped = [place % 2 == 0 for place in range(len(items))]
        random.Random(f"{settings.seed}/{settings.task}/sides/{rater}").shuffle(swapped)
    return [Shown(item, side) for item, side in zip(items, swapped, strict=True)]
