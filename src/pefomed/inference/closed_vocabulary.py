"""The likeliest of given answers: each question's answer is one of a closed vocabulary, by its probability.

The probability of an answer is the product of its tokens' and of the end token's behind them, in the model's
own distribution: that of greedy decoding writing it, if it were drawn. Nothing is divided by the length. The
answers are one tree of tokens. Its likeliest branch is computed first, for all questions of the rows
together; as a branch can only become less likely, the best answer is known once no open branch is likelier.
So hundreds of answers cost little more than one, and the result is that of computing each of them alone.

Shapes: Q questions, N nodes, V vocabulary.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from pefomed.inference.forest import grown
from pefomed.inference.generate import Generated
from pefomed.models.protocol import ImageFeatures
from pefomed.models.text_tokens import TextTokens
from pefomed.packing.batch import PackedRow

EACH = 4
"""Most nodes of a question that are computed together: those next to the likeliest are needed often."""


@dataclass
class Branch:
    """A node of the tree: what may follow the tokens that lead to it."""

    tokens: tuple[int, ...] = ()
    children: dict[int, Branch] = field(default_factory=dict)
    whole: bool = False
    """Whether its last token is the end token: it is an answer."""


class Vocabulary:
    """The answers that may be given, as a tree of their tokens."""

    def __init__(self, answers: Sequence[str], tokenizer: Any):
        end = int(tokenizer.eos_token_id)
        self.root = Branch()
        for tokens in TextTokens(tokenizer).each([*answers]):
            at = self.root
            for token in (*tokens, end):
                at = at.children.setdefault(token, Branch((*at.tokens, token)))
            at.whole = True


def likeliest_answers(
    model: Any,
    rows: Sequence[PackedRow],
    features: ImageFeatures,
    vocabularies: Mapping[str, Vocabulary],
) -> list[Generated]:
    """Return the likeliest answers to all sequences of `rows`, in order, each with its tokens' logarithms.

    Args:
        features: of the rows' images, (S, P, D).
        vocabularies: task -> the answers to its questions; every task of the rows has one.
    """
    forest = grown(model, rows, features)
    samples = [one.sample for row in rows for one in row.sequences]
    searches = [_Search(vocabularies[sample.task].root) for sample in samples]
    for number, search in enumerate(searches):
        search.spread(search.root, number, (), forest.logits[number])
    while taken := [
        (search, each) for search in searches if search.best is None for each in search.take(EACH)
    ]:
        first = len(forest)
        parents = [each.parent for _, each in taken]
        logits = forest.grow(parents, [each.branch.tokens[-1] for _, each in taken])
        for place, (search, each) in enumerate(taken):
            search.spread(each.branch, first + place, each.logs, logits[place])
    answers = []
    for sample, search in zip(samples, searches, strict=True):
        assert search.best is not None  # a tree has an answer
        answers.append(
            Generated(sample.id, list(search.best.branch.tokens), "stop", list(search.best.logs), done=True)
        )
    return answers


@dataclass(frozen=True)
class _Open:
    """A branch whose probability is known and what follows it is not."""

    branch: Branch
    parent: int
    """The node of the forest before its last token."""
    logs: tuple[float, ...]


class _Search:
    """What is known of one question."""

    def __init__(self, root: Branch):
        self.root = root
        self.best: _Open | None = None
        # The likeliest first; of equals the one whose tokens come first: the order never hangs on chance.
        self._heap: list[tuple[float, tuple[int, ...], _Open]] = []

    def spread(self, branch: Branch, node: int, logs: tuple[float, ...], logits: Tensor) -> None:
        """Add the children of `branch`, at `node` of the forest, whose `logits` are (V,)."""
        tokens = list(branch.children)
        if not tokens:
            return
        values = logits.double()
        found = (values[tokens] - values.logsumexp(0)).tolist()
        for token, value in zip(tokens, found, strict=True):
            child = branch.children[token]
            new = _Open(child, node, (*logs, value))
            heapq.heappush(self._heap, (-sum(new.logs), child.tokens, new))

    def take(self, most: int) -> list[_Open]:
        """Return the likeliest open branches, which are open no more; none once the best answer is known."""
        taken: list[_Open] = []
        held: list[tuple[float, tuple[int, ...], _Open]] = []
        while self._heap and len(taken) < most:
            entry = heapq.heappop(self._heap)
            if not entry[2].branch.whole:
                taken.append(entry[2])
            elif taken:  # behind a likelier branch that is not known yet
                held.append(entry)
                break
            else:
                self.best = entry[2]
                return []
        for entry in held:
            heapq.heappush(self._heap, entry)
        return taken
