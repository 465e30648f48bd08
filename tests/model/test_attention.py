"""Each kind of attention gives the softmax average over the keys that the mask lets through."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.tiny import model_recipe

from pefomed.batch import block_mask, tree_mask
from pefomed.errors import RecipeError
from pefomed.model.attention import choose_attention, grouped_attention
from pefomed.model.build import build_model
from pefomed.recipe import Compute

ENDS = torch.tensor([[6, 6, 4, 4, 6, 6, 7], [3, 2, 3, 7, 5, 7, 7]])  # a tree and padding; two trees
MODULE = SimpleNamespace(training=True)


def by_hand(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """(B, L, H, D), one query at a time."""
    batch, heads, length, width = query.shape
    out = torch.zeros(batch, length, heads, width)
    for b in range(batch):
        for h in range(heads):
            group = h * key.shape[1] // heads
            for q in range(length):
                seen = [k for k in range(length) if k <= q < ENDS[b, k]]
                scores = key[b, group, seen] @ query[b, h, q] / width**0.5
                out[b, q, h] = torch.softmax(scores, 0) @ value[b, group, seen]
    return out


@pytest.mark.parametrize(("heads", "groups"), [(4, 4), (6, 2), (3, 1)])
def test_grouped_attention_is_the_masked_softmax_average(heads: int, groups: int) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, heads, 7, 8)
    key, value = torch.randn(2, groups, 7, 8), torch.randn(2, groups, 7, 8)
    found, weights = grouped_attention(MODULE, query, key, value, tree_mask(ENDS))
    assert weights is None
    assert torch.allclose(found, by_hand(query, key, value), atol=1e-6)


def test_flex_attention_with_the_block_mask_is_the_same() -> None:
    from torch.nn.attention.flex_attention import flex_attention

    torch.manual_seed(0)
    query = torch.randn(2, 4, 7, 8)
    key, value = torch.randn(2, 2, 7, 8), torch.randn(2, 2, 7, 8)
    found = flex_attention(query, key, value, block_mask=block_mask(ENDS), enable_gqa=True)
    assert torch.allclose(found.transpose(1, 2), by_hand(query, key, value), atol=1e-6)


def test_auto_is_grouped_on_a_cpu_and_flex_is_refused_there(tmp_path: Path) -> None:
    base, _ = build_model(model_recipe(tmp_path))
    assert choose_attention(base, Compute()) == "grouped"
    assert base.get_decoder().config._attn_implementation == "pefomed_grouped"
    assert choose_attention(base, Compute(attention="sdpa")) == "sdpa"
    with pytest.raises(RecipeError, match="needs a GPU"):
        choose_attention(base, Compute(attention="flex"))


def test_generation_with_grouped_attention_gives_the_same_text(tmp_path: Path) -> None:
    base, _ = build_model(model_recipe(tmp_path))
    prompt = torch.tensor([[3, 4, 5, 6]])
    options = {"attention_mask": torch.ones_like(prompt), "max_new_tokens": 8, "do_sample": False}
    choose_attention(base, Compute(attention="sdpa"))
    expected = base.generate(prompt, **options)
    choose_attention(base, Compute(attention="grouped"))
    assert base.generate(prompt, **options).tolist() == expected.tolist()
