"""Each kind of attention gives the softmax average over the keys that the mask lets through."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.tiny import model_recipe

from pefomed.errors import RecipeError, WeightsError
from pefomed.models.attention import candidates, grouped_attention, set_attention
from pefomed.models.build import build_model
from pefomed.models.masks import Visibility, tree_mask
from pefomed.recipe import Compute

ENDS = torch.tensor([[6, 6, 4, 4, 6, 6, 7], [3, 2, 3, 7, 5, 7, 7]])  # a tree and padding; two trees
POSITIONS = torch.tensor([[0, 1, 2, 3, 2, 3, 0], [0, 1, 1, 0, 1, 1, 2]])
MODULE = SimpleNamespace(training=True)


def by_hand(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    cap: float | None = None,
    sinks: torch.Tensor | None = None,
    window: int = 99,
) -> torch.Tensor:
    """(B, L, H, D), one query at a time."""
    batch, heads, length, width = query.shape
    out = torch.zeros(batch, length, heads, value.shape[-1])
    for b in range(batch):
        for h in range(heads):
            group = h * key.shape[1] // heads
            for q in range(length):
                seen = [
                    k
                    for k in range(length)
                    if k <= q < ENDS[b, k] and POSITIONS[b, q] - POSITIONS[b, k] < window
                ]
                scores = key[b, group, seen] @ query[b, h, q] / width**0.5
                if cap is not None:
                    scores = cap * torch.tanh(scores / cap)
                shares = scores.exp()
                nothing = 0.0 if sinks is None else sinks[h].exp()
                out[b, q, h] = shares / (shares.sum() + nothing) @ value[b, group, seen]
    return out


@pytest.mark.parametrize(("heads", "groups"), [(4, 4), (6, 2), (3, 1)])
def test_grouped_attention_is_the_masked_softmax_average(heads: int, groups: int) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, heads, 7, 8)
    key, value = torch.randn(2, groups, 7, 8), torch.randn(2, groups, 7, 8)
    found, weights = grouped_attention(MODULE, query, key, value, tree_mask(ENDS))
    assert weights is None
    assert torch.allclose(found, by_hand(query, key, value), atol=1e-6)


@pytest.mark.parametrize(("cap", "sunk"), [(1.5, False), (None, True), (0.7, True)])
def test_soft_caps_and_sinks(cap: float | None, sunk: bool) -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 6, 7, 8) * 3, torch.randn(2, 2, 7, 8)
    value = torch.randn(2, 2, 7, 5)  # values may be of another width than keys
    sinks = torch.randn(6) if sunk else None
    found, _ = grouped_attention(MODULE, query, key, value, tree_mask(ENDS), softcap=cap, s_aux=sinks)
    assert torch.allclose(found, by_hand(query, key, value, cap, sinks), atol=1e-6)


def test_what_would_change_the_result_is_never_swallowed() -> None:
    one = torch.randn(1, 1, 1, 4)
    grouped_attention(MODULE, one, one, one, None, sliding_window=3, indices=None)
    with pytest.raises(WeightsError, match="not known here: indices"):
        grouped_attention(MODULE, one, one, one, None, indices=one)


def window_of_two(row: object, head: object, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    return query - key < 2


def test_flex_attention_with_the_block_mask_is_the_same() -> None:
    from torch.nn.attention.flex_attention import flex_attention

    torch.manual_seed(0)
    query = torch.randn(2, 4, 7, 8)
    key, value = torch.randn(2, 2, 7, 8), torch.randn(2, 2, 7, 8)
    seen = Visibility(POSITIONS, POSITIONS, ends=ENDS)
    found = flex_attention(query, key, value, block_mask=seen.blocks(), enable_gqa=True)
    assert torch.allclose(found.transpose(1, 2), by_hand(query, key, value), atol=1e-6)
    windowed = flex_attention(query, key, value, block_mask=seen.blocks(window_of_two), enable_gqa=True)
    expected = by_hand(query, key, value, window=2)
    assert torch.allclose(windowed.transpose(1, 2), expected, atol=1e-6)
    dense, _ = grouped_attention(MODULE, query, key, value, seen.dense(window_of_two))
    assert torch.allclose(dense, expected, atol=1e-6)


def test_auto_is_grouped_on_a_cpu_and_flex_is_refused_there() -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert candidates(Compute(), cpu)[0] == "grouped"
    assert candidates(Compute(), cuda)[0] == "sdpa"
    assert candidates(Compute(attention="sdpa"), cpu) == ["sdpa"]
    assert candidates(Compute(attention="flex"), cuda) == ["flex"]
    assert "flex" not in candidates(Compute(attention="flex"), cuda, decoding=True)
    with pytest.raises(RecipeError, match="needs a GPU"):
        candidates(Compute(attention="flex"), cpu)


def test_generation_with_grouped_attention_gives_the_same_text(tmp_path: Path) -> None:
    base, _ = build_model(model_recipe(tmp_path))
    prompt = torch.tensor([[3, 4, 5, 6]])
    options = {"attention_mask": torch.ones_like(prompt), "max_new_tokens": 8, "do_sample": False}
    set_attention(base, "sdpa")
    expected = base.generate(prompt, **options)
    set_attention(base, "grouped")
    assert base.generate(prompt, **options).tolist() == expected.tolist()
