"""A finding of the audit: how many there are, and some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

EXAMPLES = 20
"""Most examples named for each finding."""


def finding(examples: Iterable[Any]) -> dict[str, Any]:
    """Return `count` and the first `EXAMPLES` `examples`."""
    found = list(examples)
    return {"count": len(found), "examples": found[:EXAMPLES]}


def some_examples(examples: Iterable[Any], most: int) -> dict[str, Any]:
    """Return `count` and at most `most` `examples` at even steps, the first and the last among them."""
    found = list(examples)
    return {"count": len(found), "examples": evenly(found, most)}


def evenly(items: Sequence[T], most: int) -> Sequence[T]:
    """Return at most `most` of `items` at even steps, the first and the last among them."""
    if len(items) <= most:
        return items
    last = len(items) - 1
    return [items[round(i * last / max(most - 1, 1))] for i in range(most)]
