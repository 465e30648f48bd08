"""Who sees whom in rows whose order is not that of their texts, under any mask rule of any family.

A language model of transformers makes its masks by rules of indices: a key is not behind its query (causal),
not further than a window before it (sliding windows), in the same chunk (Llama 4). It hands each rule to a
function that is registered for its kind of attention. In a row that holds a tree of tokens an index says
nothing: a token's place in its own text is its position, its depth in the tree. While `seen_by` is entered,
the registered functions therefore ask the rule about positions, and join what the tree says:

    query q sees key k  <=>  tree(q, k) and rule(position[q], position[k])

Layers of one model may differ in their rules; each gets its own. Outside of `seen_by` the functions are
transformers' own.

Shapes: B rows, L queries, K keys (those in the cache, then the queries).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.masking_utils import (
    AttentionMaskInterface,
    causal_mask_function,
    eager_mask,
    flex_attention_mask,
    sdpa_mask,
)

from pefomed.errors import WeightsError

Rule = Callable[[Any, Any, Any, Any], Any]
"""(row, head, query, key), tensors of numbers that broadcast, to whether the key is seen."""


@dataclass
class Visibility:
    """Who sees whom by the rows alone: a dense mask, or a tree's ends; and every token's position."""

    queries: Tensor
    """(B, L) positions."""
    keys: Tensor
    """(B, K) positions."""
    mask: Tensor | None = None
    """(B, 1, L, K) boolean."""
    ends: Tensor | None = None
    """(B, L) end of each node's subtree, where the keys are the queries."""
    asked: int = 0
    """How many masks were made of it."""

    def dense(self, family: Rule = causal_mask_function) -> Tensor:
        """Return (B, 1, L, K), True where a key is seen."""
        (rows, length), keys = self.queries.shape, self.keys.shape[1]
        device = self.keys.device
        row = torch.arange(rows, device=device)[:, None, None, None]
        if self.mask is None:
            query = torch.arange(length, device=device)[None, None, :, None]
            key = torch.arange(keys, device=device)[None, None, None, :]
            return self._rule(family)(row, 0, query, key)  # type: ignore[no-any-return]
        if family is causal_mask_function:
            return self.mask
        return self.mask & family(row, 0, self.queries[:, None, :, None], self.keys[:, None, None, :])

    def blocks(self, family: Rule = causal_mask_function) -> Any:
        """Return `dense(family)` as FlexAttention's mask: blocks that nobody sees are never computed."""
        from torch.nn.attention.flex_attention import create_block_mask

        (rows, length), keys = self.queries.shape, self.keys.shape[1]
        return create_block_mask(self._rule(family), rows, None, length, keys, device=str(self.keys.device))

    def _rule(self, family: Rule) -> Rule:
        """Return the rule of indices that the tree and the family's rule of positions make together."""
        ends, queries, keys = self.ends, self.queries, self.keys
        assert ends is not None

        def seen(row: Any, head: Any, query: Any, key: Any) -> Any:
            own = (key <= query) & (query < ends[row, key])
            if family is causal_mask_function:  # which holds for every ancestor
                return own
            return own & family(row, head, queries[row, query], keys[row, key])

        return seen


def tree_mask(ends: Tensor) -> Tensor:
    """Return (B, 1, L, L), True where query q sees key k: k <= q < end[k]."""
    places = torch.arange(ends.shape[1], device=ends.device)
    seen = (places[None, None, :] <= places[None, :, None]) & (places[None, :, None] < ends[:, None, :])
    return seen[:, None]


@contextmanager
def seen_by(seen: Visibility | None) -> Iterator[None]:
    """Let the model that is called in this block make its masks of `seen`; None changes nothing.

    Raises:
        WeightsError: the model asked for no mask, so that it cannot have kept to this one.
    """
    before = _current.set(seen)
    try:
        yield
    finally:
        _current.reset(before)
    if seen is not None and not seen.asked:
        raise WeightsError(
            "the language model makes its masks in a way of its own, not by transformers' functions",
            remedy="use another language model",
        )


def _made(seen: Visibility, arguments: dict[str, Any]) -> Rule:
    """Note that a mask is made of `seen`, and return the family's rule.

    Raises:
        WeightsError: its cache does not hold the keys that the mask is of.
    """
    seen.asked += 1
    asked = arguments["q_length"], arguments["kv_length"]
    wanted = seen.queries.shape[1], seen.keys.shape[1]
    if asked != wanted:
        raise WeightsError(
            f"the language model's cache should hold {wanted[1]} keys for {wanted[0]} tokens",
            found=f"{asked[1]} keys for {asked[0]} tokens",
            remedy="use another language model",
        )
    return arguments.get("mask_function", causal_mask_function)  # type: ignore[no-any-return]


def _boolean(**arguments: Any) -> Tensor | None:
    seen = _current.get()
    return sdpa_mask(**arguments) if seen is None else seen.dense(_made(seen, arguments))


def grouped_mask(**arguments: Any) -> Tensor | None:
    """Return the mask that SDPA would get, also where SDPA would be told `is_causal` instead."""
    return _boolean(**(arguments | {"allow_is_causal_skip": False}))


def _additive(**arguments: Any) -> Tensor | None:
    seen = _current.get()
    if seen is None:
        return eager_mask(**arguments)
    mask, precision = seen.dense(_made(seen, arguments)), arguments.get("dtype", torch.float32)
    return torch.zeros(mask.shape, dtype=precision, device=mask.device).masked_fill_(
        ~mask, torch.finfo(precision).min
    )


def _blocks(**arguments: Any) -> Any:
    seen = _current.get()
    return flex_attention_mask(**arguments) if seen is None else seen.blocks(_made(seen, arguments))


_current: ContextVar[Visibility | None] = ContextVar("seen", default=None)

AttentionMaskInterface.register("sdpa", _boolean)
AttentionMaskInterface.register("eager", _additive)
AttentionMaskInterface.register("flex_attention", _blocks)
