"""More raters, or more answers for each, in a session that has begun: what is there stays as it is.

Further answers are drawn from those that nobody rates yet, by the same rule as the first ones (`assignment`):
stratum by stratum, equal chances, spread. So within a stratum every answer of the run still has the same
chance to be rated, and the former draw is part of the larger one. Old raters get them behind what they have,
in an order of their own; a new rater gets what all have in common and answers of their own, as if they had
been there from the beginning.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pefomed.errors import RunError
from pefomed.raters.assignment import (
    SessionSettings,
    ShownItem,
    by_stratum,
    draw_parts,
    drawn_of,
    in_order,
    quotas_of,
)
from pefomed.raters.pool import RatableAnswer, Stratum


@dataclass(frozen=True)
class Growth:
    lists: list[list[ShownItem]]
    """For each rater, the new ones last, what they get besides, in their order; items are places in the run's
    answers."""
    drawn: dict[Stratum, tuple[int, int]]
    """As of `Assignment`, of the larger session."""
    notes: list[str]
    """What could not be had as asked for."""


def grow(
    answers: Sequence[RatableAnswer],
    held: Sequence[Sequence[int]],
    has: SessionSettings,
    wants: SessionSettings,
) -> Growth:
    """Return what raters get besides when a session grows.

    Args:
        held: for each rater of `has` the places of their answers.
        has: the settings so far.
        wants: the larger ones; they differ in names behind those of `has`, in a larger sample, or both.

    Raises:
        RunError: the run has fewer answers than are wanted.
    """
    used = {place for places in held for place in places}
    old, new = len(held), len(wants.names) - len(held)
    sizes = [(has.common, wants.common), *[(has.own, wants.own)] * old, *[(0, wants.own)] * new]
    more = sum(size - before for before, size in sizes)
    if len(used) + more > len(answers):
        raise RunError(
            f"{len(used) + more} different answers are wanted, the run has {len(answers)}",
            found=f"{len(used)} are rated, and {more} more would be: {len(wants.names)} raters,"
            f" {wants.sample} each, {wants.common} of them the same for all",
            remedy="ask for fewer raters or a smaller sample",
        )
    free = by_stratum(answers, [place for place in range(len(answers)) if place not in used])
    quotas, notes = quotas_of(wants, free, sizes)
    draw = random.Random(f"{wants.seed}/{wants.task}/items/{len(wants.names)}/{wants.sample}")
    common, *own = draw_parts(answers, free, quotas, draw)
    everybodys = _everybodys(answers, held, has) + common
    # As in the first draw: stratum by stratum, each in the run's order.
    everybodys.sort(key=lambda place: (answers[place].stratum, place))
    lists = [in_order(common + part, wants, f"{rater}/{has.sample}") for rater, part in enumerate(own[:old])]
    lists += [in_order(everybodys + part, wants, f"{rater}") for rater, part in enumerate(own[old:], old)]
    return Growth(
        lists, drawn_of(answers, used | {place for part in (common, *own) for place in part}), notes
    )


def _everybodys(
    answers: Sequence[RatableAnswer], held: Sequence[Sequence[int]], has: SessionSettings
) -> list[int]:
    """Return the places of the answers that all raters have; of a single rater's, which these are to be."""
    shared = sorted(set(held[0]).intersection(*held[1:]))
    if len(held) > 1 or has.common == len(shared):
        return shared
    places = by_stratum(answers, shared)
    quotas, _ = quotas_of(has, places, [(0, has.common)])
    return draw_parts(answers, places, quotas, random.Random(f"{has.seed}/{has.task}/common"))[0]
