"""The numbers a coordinate may be, as a tree of tokens, and the median of their probabilities.

Each number is the tokens it is written with, the bracket behind it included, so that its probability is
the product of its tokens'. Numbers share their first tokens: the tree is walked from its root, and a node
whose children are not known yet stands for all the numbers below it, with at most its own probability.
The median is often settled while some are: a number m is the median whatever they are if

    P(n <= m) >= P(n > m) + U(n > m)    and, for no m' < m,    P(n <= m') + U(n <= m') >= P(n > m')

with P of the numbers known and U of the nodes that may stand for such a number. With nothing unknown this
is the weighted median, the least m with P(n <= m) >= P(n > m).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


@dataclass
class Node:
    """A token behind others; the numbers below it are among `least` to `greatest`."""

    least: int
    greatest: int
    children: dict[int, Node] = field(default_factory=dict)
    """By token; none below the last token of a number."""


def number_tree(forms: Sequence[Sequence[int]]) -> Node:
    """Return the tree of numbers 0, 1, 2 ... written with the tokens `forms`; no form begins another."""
    root = Node(0, len(forms) - 1)
    for number, form in enumerate(forms):
        node = root
        for token in form:
            node = node.children.setdefault(token, Node(number, number))
            node.greatest = number
    return root


def common_start(forms: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all forms begin with."""
    first, last = min(map(tuple, forms)), max(map(tuple, forms))
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return length


def weighted_median(weights: Weights) -> int:
    """Return the least place m where the weights up to m are at least those beyond, weights of any sum."""
    nobody = np.zeros_like(weights)
    return median_bounds(weights, nobody, nobody)[0]


def median_bounds(weights: Weights, least: Weights, greatest: Weights) -> tuple[int, int]:
    """Return the least and the greatest place the median may have.

    Args:
        weights: known weights, (N,).
        least, greatest: unknown weights, each at the first and at the last place it may have, (N,).
    """
    below = np.cumsum(weights)
    beyond = below[-1] - below
    unknown_below, unknown_beyond = np.cumsum(least), greatest.sum() - np.cumsum(greatest)
    # At the last place nothing is beyond: there is always such a place (differences of sums may be -1e-17).
    beyond[-1] = unknown_beyond[-1] = 0.0
    low = int(np.argmax(below + unknown_below >= beyond))
    high = int(np.argmax(below >= beyond + unknown_beyond))
    return low, high
