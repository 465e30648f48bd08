"""Shared-prefix decoding against `generate`, one question at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.tiny import image_files, model_recipe, questions

from pefomed.features.frozen import Features
from pefomed.inference.generate import greedy
from pefomed.models.adapter import add_adapter
from pefomed.models.build import build_model
from pefomed.packing.batch import rows, tokenise
from pefomed.recipe import Prompt


@pytest.mark.parametrize("key_value_heads", [4, 2])
def test_same_answers_as_generate_one_question_at_a_time(tmp_path: Path, key_value_heads: int) -> None:
    recipe = model_recipe(tmp_path, key_value_heads=key_value_heads)
    base, processor = build_model(recipe)
    model = add_adapter(base, recipe.lora).eval()
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_" in name:  # so that answers depend on the adapter too
            torch.nn.init.normal_(parameter, std=0.5)
    samples = questions(image_files(tmp_path, 3), each=5)
    sequences = tokenise(samples, Prompt(), processor, answers=False)
    features = Features(base, processor.image_processor, None)
    made = rows(sequences, share_image=True, max_questions=32)
    # The end token is one that these random weights produce in some answers and not in others.
    probe = greedy(model, made, features(one.images[0] for one in made), max_new_tokens=9, end_token=-1)
    said = [set(answer.tokens) for answer in probe]
    end = next(token for token in probe[0].tokens[1:] if not all(token in tokens for tokens in said))
    together = greedy(model, made, features(one.images[0] for one in made), max_new_tokens=9, end_token=end)
    assert {answer.finish for answer in together} == {"stop", "length"}
    found = {answer.sample_id: answer for answer in together}
    for sequence in sequences:
        alone = model.generate(
            input_ids=torch.tensor([sequence.prompt]),
            attention_mask=torch.ones(1, len(sequence.prompt), dtype=torch.long),
            image_features=features(sequence.sample.images),
            max_new_tokens=9,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=0,
        )
        expected = alone[0, len(sequence.prompt) :].tolist()
        answer = found[sequence.sample.id]
        assert answer.tokens == expected
        assert answer.finish == ("stop" if expected[-1] == end else "length")
        assert len(expected) == 9 or expected[-1] == end
