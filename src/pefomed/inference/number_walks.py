"""The probabilities of the numbers that a coordinate may be, as far as its median needs them.

A number is one or several tokens; the numbers of a coordinate are a tree of them (`boxes.numbers`). Its
likeliest branches are computed first, and no more of them once nothing can move the median.

Shapes: Q questions, N nodes, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pefomed.boxes.numbers import Node, Weights, common_start, median_bounds, number_tree
from pefomed.inference.alone import Paths
from pefomed.inference.forest import Forest

NODES, EACH = 1024, 16
"""Most nodes computed together (a node's logits are as wide as the vocabulary), and most of one question: its
row's neighbours are padded to as many."""

SHARE = 0.95
"""Of what is open the likeliest nodes that hold this share come first: the others are seldom needed."""


@dataclass(frozen=True)
class Branch:
    """A node not computed yet: its number's first tokens behind the node `parent` of the forest."""

    node: Node
    parent: int
    token: int
    log: float


class Walk:
    """One coordinate of one question: what is known of its numbers' probabilities."""

    def __init__(self, tree: Node):
        self.tree = tree
        self.known = np.full(tree.greatest + 1, -np.inf)
        """Logarithm of each number's probability, as far as it is computed."""
        if not tree.children:  # one number, which need not be told from others
            self.known[:] = 0.0
        self.open: list[Branch] = []

    def bounds(self) -> tuple[int, int]:
        """Return the least and the greatest number the median may be; the same if it is settled."""
        scale = max([self.known.max(), *(branch.log for branch in self.open)])
        least, greatest = np.zeros_like(self.known), np.zeros_like(self.known)
        for branch in self.open:
            least[branch.node.least] += np.exp(branch.log - scale)
            greatest[branch.node.greatest] += np.exp(branch.log - scale)
        return median_bounds(np.exp(self.known - scale), least, greatest)

    def take(self, most: int) -> list[Branch]:
        """Return the likeliest open branches, at least one, which are open no more."""
        self.open.sort(key=lambda branch: -branch.log)
        logs = np.array([branch.log for branch in self.open])
        held = np.cumsum(np.exp(logs - logs[0]))
        count = min(most, 1 + int(np.searchsorted(held, SHARE * held[-1])))
        taken, self.open = self.open[:count], self.open[count:]
        return taken


def number_walks(
    forest: Forest | Paths, questions: Sequence[int], forms: Sequence[list[list[int]]], *, whole: bool = False
) -> list[Walk]:
    """Compute the probabilities of each question's numbers until the median is settled.

    Args:
        forms: for each question its numbers in order, each as the tokens of the answer up to it.
        whole: compute every number.
    """
    starts = [common_start(one) for one in forms]
    walks = [
        Walk(number_tree([form[start:] for form in one])) for one, start in zip(forms, starts, strict=True)
    ]
    tips, logits = after(forest, questions, [one[0][:n] for one, n in zip(forms, starts, strict=True)])
    _spread([(walk, walk.tree, tip, 0.0) for walk, tip in zip(walks, tips, strict=True)], logits)
    while left := [walk for walk in walks if walk.open and (whole or len(set(walk.bounds())) > 1)]:
        most = max(1, min(EACH, NODES // len(left)))
        taken = [(walk, branch) for walk in left for branch in walk.take(most)]
        first = len(forest)
        logits = forest.grow([one.parent for _, one in taken], [one.token for _, one in taken])
        _spread(
            [(walk, one.node, number, one.log) for number, (walk, one) in enumerate(taken, first)], logits
        )
    forest.cut()
    return walks


def after(
    forest: Forest | Paths, questions: Sequence[int], starts: Sequence[Sequence[int]]
) -> tuple[list[int], Tensor]:
    """Grow each question's first tokens; return the last node of each, and the logits there, (Q, V)."""
    parents: list[int] = []
    tips: list[int] = []
    for question, start in zip(questions, starts, strict=True):
        tip = question
        for _ in start:
            parents.append(tip)
            tip = len(forest) + len(parents) - 1
        tips.append(tip)
    grown = [tip for tip, start in zip(tips, starts, strict=True) if start]
    if not grown:
        return tips, forest.logits[list(questions)]
    found = iter(forest.grow(parents, [token for start in starts for token in start], grown))
    kept = [
        next(found) if start else forest.logits[question]
        for question, start in zip(questions, starts, strict=True)
    ]
    return tips, torch.stack(kept)


def token_logs(forest: Forest | Paths, answers: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return the natural logarithm of each token's probability, of an answer to each question of `forest`."""
    found: list[list[float]] = []
    most = max(map(len, answers))
    together = max(1, NODES // most)
    for start in range(0, len(answers), together):
        part = list(enumerate(answers[start : start + together], start))
        parents: list[int] = []
        for question, tokens in part:
            # The last token is only ever predicted.
            nodes = range(len(forest) + len(parents), len(forest) + len(parents) + len(tokens) - 1)
            parents += [question, *nodes][: len(nodes)]
        grown = [token for _, tokens in part for token in tokens[:-1]]
        logits = forest.grow(parents, grown) if grown else forest.logits[:0]
        place = 0
        for question, tokens in part:
            own = torch.cat([forest.logits[question][None], logits[place : place + len(tokens) - 1]]).float()
            picked = own[range(len(tokens)), list(tokens)] - own.logsumexp(-1)
            found.append(picked.tolist())
            place += len(tokens) - 1
        forest.cut()
    return found


def _spread(nodes: Iterable[tuple[Walk, Node, int, float]], logits: Tensor) -> None:
    """Hand what is known at each node on to its children; `logits` (N, V) are the nodes'."""
    nodes = list(nodes)
    rows = [row for row, (_, node, _, _) in enumerate(nodes) for _ in node.children]
    tokens = [token for _, node, _, _ in nodes for token in node.children]
    values = logits.float()
    picked = values[rows, tokens] - values.logsumexp(-1)[rows]
    logs: Weights = picked.double().cpu().numpy()
    place = 0
    for walk, node, number, log in nodes:
        for token, child in node.children.items():
            value = log + float(logs[place])
            place += 1
            if child.children:
                walk.open.append(Branch(child, number, token, value))
            else:
                walk.known[child.least] = value
