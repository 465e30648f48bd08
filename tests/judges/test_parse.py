"""A judge's reply is a label, or it is unscored with a reason; never a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.endpoint import Completion
from pefomed.judges.parse import parse
from pefomed.judges.prompts import Scale


def reply(text: str, refusal: str | None = None, finish: str = "stop") -> Completion:
    return Completion(text, refusal, finish, "judge-1", 1, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('{"label": 3}', 3),
        (' {"label":0}\n', 0),
        ('```json\n{"label": 4}\n```', 4),
        ("2", 2),
        ("```\n1\n```", 1),
        ('<think>It says {"label": 0}, but 4?</think>\n{"label": 3}', 3),
        ('It says {"label": 0}, but 4?</think>\n{"label": 3}', 3),  # the prompt opened the thought
        ("<thinking>0 or 1</thinking>2", 2),
        ("<THINK>0</THINK>\n\n2", 2),
        ("[THINK]0 or 1[/THINK]2", 2),
        ("<think>0</think><think>1</think>2", 2),
        ('<think></think>\n\n```json\n{"label": 2}\n```', 2),
        (
            "<|channel|>analysis<|message|>Perhaps 4.<|end|><|start|>assistant<|channel|>final<|message|>"
            '{"label": 3}<|return|>',
            3,
        ),
        ('<|channel|>final <|constrain|>json<|message|>{"label": 3}', 3),
        (
            "<|start|>assistant<|channel|>commentary<|message|>4<|end|>\n<|channel|>final<|message|>1<|end|>",
            1,
        ),
        ('```JSON\n{"label": 4}\n```', 4),
        ('```json {"label": 4}```', 4),
        ('```{"label": 4}```', 4),
        ("``` 4 ```", 4),
        ('~~~json\n{"label": 4}\n~~~', 4),
        ('`{"label": 4}`', 4),
        ("<answer>2</answer>", 2),
        ('{"label": 1.0}', 1),
        ('{"label": 3.00}', 3),
        ('{"label": "3"}', 3),
        ('\ufeff{"label": 3}', 3),
        ('\u200b\n{"label": 3}\u200b', 3),
        ("\ufeff<think>0</think>\u200b3", 3),
        ("3<|im_end|>", 3),
        ('{"label": "3.0"}', 3),
        ("**3**", 3),
        (r"$\boxed{3}$", 3),
        ("<think>a<think>b</think>c</think>3", 3),
        ("<think/>3", 3),
        ("<think >0</think >3", 3),
        ("<thoughts>0</thoughts>3", 3),
        ("<scratchpad>0</scratchpad><answer>3</answer>", 3),
        ("<seed:think>0</seed:think>3<seed:eos>", 3),
        ("<unused94>thought\n0<unused95>3", 3),
        ("<|begin_of_thought|>0<|end_of_thought|>\n<|begin_of_solution|>3<|end_of_solution|>", 3),
        ("<|START_THINKING|>0<|END_THINKING|><|START_RESPONSE|>3<|END_RESPONSE|>", 3),
        ("analysisIs it 0?assistantfinal3", 3),  # Harmony where the server drops its tokens
        ('<|im_start|>assistant\n{"label": 3}<|im_end|>', 3),
        ("<json>3</json>", 3),
        ('<tool_call>\n{"name": "mark", "arguments": {"label": 3}}\n</tool_call>', 3),
    ],
)
def test_a_label_is_read(text: str, label: int) -> None:
    assert parse(reply(text), "level") == (label, "")


@pytest.mark.parametrize(
    "text",
    [
        "3.5", "3,5", "3.0",
        '{"label": 3.5}', '{"label": 0.5}', '{"label": "0.5"}', '{"label": 1e0}', "3 4", "3/4", "3-4", "5",
        "-1", "+3", "1e0",
        '{"label": 3} {"label": 4}', '{"label": 3, "label": 4}', '{"label": 5}', '{"label": -1}',
        '{"label": true}', '{"label": "three"}', '{"label": ""}', '{"label": null}', '{"score": 3}',
        '{"label": 3, "why": "x"}',
        '[{"label": 3}]', '{"label": [3]}', '{"label": 3', '{"answer": {"label": 1}}', "[" * 9000,
        "Level 3", "3: very close", "I would say 3", "three", "", "   ", "<think>3", "\u0663",
        '{"label": "\u0663"}', '{"label": 0.99999999999999999999}', '{"label": "3 or 4"}', '{"Label": 3}',
        "[THINK]3", "<thinking>3</think", "<think>1</thinking>3",
        '{"label": 1}<think>no</think>{"label": 0}', "3</think>",
        '<think>a</think>{"label": 1}{"label": 0}', '<think>a</think>{"label": 1} <think>b',
        "<|channel|>analysis<|message|>3", "<|channel|>analysis<|message|>{\"label\": 3}<|end|>",
        "<|channel|>final<|message|>3<|end|><|start|>assistant<|channel|>final<|message|>4",
        "3 <|channel|>final<|message|>4", "```3``` ```4```", "```json\n3", "<answer>3",
        "<answer>3</answer> <answer>4</answer>", "<seed:think>3", "<unused94>thought\n3", "analysis3",
        "analysis 0 assistantfinal 3 assistantfinal 4", r"\boxed{3} \boxed{4}", "**3** **4**", "**3",
        '{"name": "mark", "arguments": {"label": 3, "why": 4}}', '{"name": "mark", "label": 3}',
        '{"name": "mark", "arguments": 3}', '{"label": "3.5"}',
    ],
)  # fmt: skip
def test_anything_else_is_unparsable(text: str) -> None:
    found = parse(reply(text), "level")
    assert found.label is None
    assert found.reason.startswith("unparsable")


@pytest.mark.parametrize("mark", ["```", "`", "</s>", "</think>", "<think>", "<|end|>", "**", "{", "\ufeff"])
def test_a_long_reply_of_marks_is_read_in_no_time(mark: str) -> None:
    # 100,000 characters: with time that grows by their square each would take half a minute.
    assert parse(reply(mark * (100_000 // len(mark)) + "3"), "level").label in (None, 3)


@pytest.mark.parametrize("scale", ["binary", "level"])
@given(text=st.text(max_size=30))
def test_no_text_gives_a_label_off_the_scale(text: str, scale: Scale) -> None:
    label = parse(reply(text), scale).label
    assert label is None or 0 <= label <= (1 if scale == "binary" else 4)


def test_the_scale_is_the_tasks() -> None:
    assert parse(reply("2"), "binary").label is None
    assert parse(reply("1"), "binary").label == 1


def test_a_refusal_is_told_apart() -> None:
    for refused in (
        reply("", refusal="I will not judge this"),
        reply("I'm sorry, but I can't help with that."),
        reply("I\u2019m sorry."),
        reply("I cannot assist."),
    ):
        found = parse(refused, "binary")
        assert found.label is None
        assert found.reason.startswith("refused: ")


def test_a_cut_reply_says_so() -> None:
    assert parse(reply('{"lab', finish="length"), "binary").reason == (
        'unparsable, cut at the limit of tokens: {"lab'
    )
