"""Prefix-tree rows against one row a sample."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny import image_files, model_recipe, questions

from pefomed.errors import DataError
from pefomed.features.frozen import Features
from pefomed.models.adapter import add_adapter, trainable
from pefomed.models.attention import set_attention
from pefomed.models.build import build_model
from pefomed.models.masks import tree_mask
from pefomed.packing.batch import PackedRow, Tokens, collate, row, rows, tokenise
from pefomed.recipe import Prompt
from pefomed.schema import Sample
from pefomed.training.loss import answer

SAMPLE = Sample(id="a", images=("x.png",), task="vqa")


def test_known_tree() -> None:
    # prompts 1 2 3 and 1 2 4 with answers 7 and 8, each closed by 9.
    # depth first: 1, 2, 3, 7, 4, 8   (the end token 9 is only predicted)
    made = row([Tokens(SAMPLE, (1, 2, 4), (8, 9)), Tokens(SAMPLE, (1, 2, 3), (7, 9))])
    assert made.tokens == [1, 2, 3, 7, 4, 8]
    assert made.depths == [0, 1, 2, 3, 2, 3]
    assert made.ends == [6, 6, 4, 4, 6, 6]
    assert made.answers == (((4, 8), (5, 9)), ((2, 7), (3, 9)))
    assert made.last == (4, 2)


TOKENS = st.lists(
    st.tuples(
        st.lists(st.integers(1, 3), min_size=1, max_size=5).map(tuple),
        st.lists(st.integers(1, 3), min_size=0, max_size=3).map(tuple),
    ),
    min_size=1,
    max_size=6,
)


@given(TOKENS)
def test_every_answer_token_sees_exactly_its_own_sequence(
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]],
) -> None:
    made = row([Tokens(SAMPLE, prompt, answer) for prompt, answer in pairs])
    seen = tree_mask(torch.tensor([made.ends]))[0, 0]
    for (prompt, reply), predicted in zip(pairs, made.answers, strict=True):
        assert [target for _, target in predicted] == list(reply)
        for number, (node, _) in enumerate(predicted):
            visible = [made.tokens[key] for key in range(len(made)) if seen[node, key]]
            positions = [made.depths[key] for key in range(len(made)) if seen[node, key]]
            expected = [*prompt, *reply[:number]]
            assert visible == expected
            assert positions == list(range(len(expected)))


def test_rows_split_evenly_and_keep_every_sample() -> None:
    sequences = [Tokens(SAMPLE.model_copy(update={"id": str(i)}), (1, i + 2), (9,)) for i in range(33)]
    made = rows(sequences, share_image=True, max_questions=32)
    assert sorted(len(one.sequences) for one in made) == [16, 17]
    assert {s.sample.id for one in made for s in one.sequences} == {str(i) for i in range(33)}
    assert len(rows(sequences, share_image=False, max_questions=32)) == 33


def test_padding_sees_only_itself() -> None:
    batch = collate([row([Tokens(SAMPLE, (1, 2, 3, 4), (5, 6))]), row([Tokens(SAMPLE, (1,), (5, 6))])])
    seen = tree_mask(batch.ends)[1, 0]
    assert seen[2:].sum() == 3
    assert seen[:2].tolist() == [[True, False, False, False, False], [True, True, False, False, False]]


@pytest.mark.parametrize("attention", ["grouped", "sdpa"])
@pytest.mark.parametrize("key_value_heads", [4, 2])  # plain attention, and grouped queries
def test_gradients_equal_those_of_one_question_a_row(
    tmp_path: Path, key_value_heads: int, attention: str
) -> None:
    recipe = model_recipe(
        tmp_path,
        key_value_heads=key_value_heads,
        lora={"r": 4, "alpha": 8, "dropout": 0.0, "targets": ["q_proj", "v_proj", "down_proj"]},
    )
    base, processor = build_model(recipe)
    model = add_adapter(base, recipe.lora)
    parts = trainable(model, ("projector", "lora"))
    torch.manual_seed(0)
    for parameter in parts["lora"]:  # B starts at zero, where half of the gradients vanish
        torch.nn.init.normal_(parameter, std=0.1)
    samples = questions(image_files(tmp_path, 3), each=5)
    sequences = tokenise(samples, Prompt(), processor)
    features = Features(base, processor.image_processor, None)

    def gradients(made: list[PackedRow]) -> tuple[float, list[torch.Tensor], int]:
        model.zero_grad()
        batch = collate(made)
        answered = answer(model, batch, features(batch.images))
        answered.loss.backward()
        grads = [p.grad.clone() for group in parts.values() for p in group if p.grad is not None]
        return float(answered.loss.detach()), grads, batch.input_ids.numel()

    set_attention(base, attention)
    one_loss, one, one_tokens = gradients(rows(sequences, share_image=False, max_questions=1))
    tree_loss, tree, tree_tokens = gradients(rows(sequences, share_image=True, max_questions=32))
    assert tree_tokens < one_tokens / 3
    assert tree_loss == pytest.approx(one_loss, rel=1e-6)
    assert len(one) == len(tree) == 2 + 2 * 2 * 3
    for expected, found in zip(one, tree, strict=True):
        assert (found - expected).norm() <= 1e-5 * expected.norm()


def test_several_images_of_a_sample_have_a_segment_each(tmp_path: Path) -> None:
    recipe = model_recipe(tmp_path)
    base, processor = build_model(recipe)
    paths = image_files(tmp_path, 2)
    two_views = Sample(id="study", images=tuple(paths), task="report", reference="clear lungs")
    [sequence] = tokenise([two_views], Prompt(), processor)
    places = [i for i, token in enumerate(sequence.prompt) if token == base.config.image_token_id]
    per_image = base.config.tokens_per_image
    assert len(places) == 2 * per_image
    assert places[per_image] > places[per_image - 1] + 1  # text between the two segments
    batch = collate([row([sequence])])
    features = Features(base, processor.image_processor, None)
    forward = float(answer(base, batch, features(paths)).loss)
    swapped = float(answer(base, batch, features(paths[::-1])).loss)
    assert forward != swapped


def test_too_long_a_text_is_an_error_not_a_cut(tmp_path: Path) -> None:
    _, processor = build_model(model_recipe(tmp_path))
    sample = Sample(id="long", images=("x.png",), task="report", reference="word " * 400)
    with pytest.raises(DataError, match=r"sample long is longer than .* = 1024"):
        tokenise([sample], Prompt(), processor)
