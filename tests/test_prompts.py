"""Prompts byte for byte, one BOS, one wording for training, prediction and serving."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.errors import RecipeError
from pefomed.models.build import build_model
from pefomed.packing.batch import tokenise
from pefomed.prompts import instruction, render, target
from pefomed.recipe import Prompt
from pefomed.schema import Sample
from pefomed.tasks import TASKS
from tests.tiny import model_recipe

VQA = Sample(id="q1", images=("a.png",), task="vqa", question="Is the liver {visible}?", reference="Yes")


def test_the_published_vqa_prompt() -> None:
    assert render(VQA, Prompt()) == (
        "[INST] <Img><ImageHere></Img> [vqa] Based on the image, respond to this question with a short"
        " answer: Is the liver {visible}? [/INST]"
    )


def test_the_published_report_prompt_with_two_views() -> None:
    study = Sample(id="s", images=("front.png", "side.png"), task="report", reference="Clear.")
    assert render(study, Prompt()) == (
        "[INST] <Img><ImageHere></Img><Img><ImageHere></Img> [report] Describe the given chest x-ray image"
        " in detail. [/INST]"
    )


def test_answers_are_trained_on_as_they_are_unless_the_recipe_says_lower_case() -> None:
    assert target(VQA, Prompt()) == "Yes"
    assert target(VQA, Prompt(answer_case="lower")) == "yes"


def test_the_case_of_answers_reaches_the_tokens(tmp_path: Path) -> None:
    _, processor = build_model(model_recipe(tmp_path))
    for case, text in (("kept", "Yes"), ("lower", "yes")):
        [found] = tokenise([VQA], Prompt(answer_case=case), processor)
        assert list(found.answer) == processor.encode_answer(text)


def test_own_instructions_and_unknown_pools() -> None:
    assert instruction(VQA, Prompt(pools={"vqa": ("Q: {question}",)})) == "Q: Is the liver {visible}?"
    with pytest.raises(RecipeError, match=r"no pool 'papre'(?s:.*)did you mean 'paper'"):
        instruction(VQA, Prompt(pools={"vqa": "papre"}))
    with pytest.raises(RecipeError, match="no place for the question"):
        instruction(VQA, Prompt(pools={"vqa": ("Answer.",)}))


@given(st.text(min_size=1), st.integers(0, 3))
def test_an_instruction_depends_on_seed_and_id_alone(name: str, seed: int) -> None:
    prompt = Prompt(pools={"caption": "varied"}, seed=seed)
    one = Sample(id=name, images=("a.png",), task="caption", reference="x")
    other = Sample(id=name, images=("b.png",), task="caption", reference="y", meta={"k": "v"})
    assert instruction(one, prompt) == instruction(other, prompt)


def test_every_wording_of_a_pool_is_drawn() -> None:
    prompt = Prompt(pools={"caption": "varied"})
    samples = [Sample(id=str(n), images=("a.png",), task="caption") for n in range(200)]
    assert {instruction(sample, prompt) for sample in samples} == set(TASKS["caption"].instructions["varied"])


def test_exactly_one_bos_and_the_same_prompt_in_training_and_prediction(tmp_path: Path) -> None:
    _, processor = build_model(model_recipe(tmp_path))
    [trained] = tokenise([VQA], Prompt(), processor)
    [asked] = tokenise([VQA], Prompt(), processor, answers=False)
    assert trained.prompt == asked.prompt
    bos, eos = processor.tokenizer.bos_token_id, processor.tokenizer.eos_token_id
    assert trained.prompt[0] == bos
    assert (trained.prompt + trained.answer).count(bos) == 1
    assert trained.answer[-1] == eos
    assert processor.tokenizer.decode(trained.answer[:-1]) == "Yes"
    assert trained.prompt.count(processor.image_token_id) == processor.tokens_per_image


def test_a_chat_template_that_writes_bos_itself_does_not_double_it(tmp_path: Path) -> None:
    _, processor = build_model(model_recipe(tmp_path))
    with pytest.raises(RecipeError, match="no chat template"):
        render(VQA, Prompt(template="tokenizer"), processor.tokenizer)
    processor.tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}user: {{ m['content'] }}\n{% endfor %}assistant: "
    )
    text = render(VQA, Prompt(template="tokenizer"), processor.tokenizer)
    assert text.startswith("<s>user: <Img><ImageHere></Img> [vqa] Based on")
    [sequence] = tokenise([VQA], Prompt(template="tokenizer"), processor)
    assert sequence.prompt.count(processor.tokenizer.bos_token_id) == 1
