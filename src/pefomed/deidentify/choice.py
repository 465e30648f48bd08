"""Which slices of a stack are brought in: `all`, `middle`, `every:N`, `count:N`, `touched`."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pefomed.errors import DataError


@dataclass(frozen=True)
class Rule:
    """A rule for slices."""

    kind: Literal["all", "middle", "every", "count", "touched"] = "all"
    number: int = 1

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" if self.kind in ("every", "count") else self.kind


ALL = Rule()


def rule_of(text: str) -> Rule:
    """Return the rule that `text` names.

    Raises:
        DataError: it is none, or its number is not above 0.
    """
    for kind in ("all", "middle", "touched"):
        if text == kind:
            return Rule(kind)
    if (found := re.fullmatch(r"(every|count):([0-9]{1,6})", text)) and int(found[2]) > 0:
        return Rule("every" if found[1] == "every" else "count", int(found[2]))
    raise DataError(
        f"{text!r} says no slices",
        remedy="give all, middle, every:N, count:N (N from 1), or touched (with a box on them)",
    )


def choose_slices(rule: Rule, slices: int, touched: Collection[int] = ()) -> list[int]:
    """Return the indices of the slices that the rule takes, in their order.

    `every:N` begins with the first; `count:N` takes the middle one of each of N equal parts, all if there
    are not more.

    Args:
        touched: the indices of slices that something is drawn on.
    """
    if rule.kind == "middle":
        return [slices // 2] if slices else []
    if rule.kind == "every":
        return list(range(0, slices, rule.number))
    if rule.kind == "count":
        parts = min(rule.number, slices)
        return [(2 * part + 1) * slices // (2 * parts) for part in range(parts)]
    if rule.kind == "touched":
        return sorted(set(touched))
    return list(range(slices))
