# ruff: noqa: E501
"""An answer as a chat model or its server gives it: what stands around it goes, what it says stays."""

import time

import pytest

from pefomed.judges.offline_rules import decide
from pefomed.judges.offline_text import key_of
from pefomed.metrics.bare_answer import answer_in, without_latex
from pefomed.metrics.closed import closed_accuracy
from pefomed.metrics.exact_match import exact_match, exact_match_vqa
from pefomed.metrics.overlap import token_f1

YES = [
    "<think>no mass? maybe not</think>Yes", "Is there no mass?</think>\n\nyes", "Yes<|im_end|>", "Yes</s>", "<s>Yes</s>",
    "Yes <|endoftext|>", "Yes<end_of_turn>", "Yes<eos>", '{"answer": "Yes"}', "{'answer': 'yes'}",
    '```json\n{"answer": "yes"}\n```', '{"reasoning": "there is no doubt", "answer": "yes"}', '{"response": "Yes"}',
    r"\boxed{Yes}", r"$\boxed{\text{Yes}}$", r"\(\text{yes}\)", "<|im_start|>assistant\nYes<|im_end|>",
    "analysisno?assistantfinalYes",
]  # fmt: skip


@pytest.mark.parametrize("answer", YES)
def test_what_stands_around_an_answer_is_no_part_of_it(answer: str) -> None:
    assert exact_match("yes", answer)
    assert token_f1("yes", answer) == 1
    assert closed_accuracy("yes", answer)
    assert not closed_accuracy("no", answer)
    assert key_of(answer) == "yes"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"answer": "yes", "final_answer": "no"}', '{"answer": "yes", "final_answer": "no"}'),  # which one?
        ('{"response": "yes", "output": "no"}', '{"response": "yes", "output": "no"}'),
        ('{"answer": ["yes"]}', '{"answer": ["yes"]}'),
        ('{"answer": null}', '{"answer": null}'),
        ('{"answer": 2.50}', "2.50"),
        ("<think>yes", "<think>yes"),  # cut: what it thought is no answer
        ("{yes}", "{yes}"),
        ("yes {", "yes {"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_only_what_is_beyond_doubt_is_taken_off(text: str, answer: str) -> None:
    assert answer_in(text) == answer


def test_the_official_metric_knows_none_of_it() -> None:
    assert not exact_match_vqa("yes", '{"answer": "yes"}')


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"$5\,\text{mm}$", "5 mm"),
        (r"$5$ mm", "5 mm"),
        (r"\(5\ \mathrm{mm}\)", "5 mm"),
        (r"$<5$ mm", "<5 mm"),
        (r"$\leq 5$ mm", "\u2264 5 mm"),
        (r"\frac{1}{2}", "1/2"),
        (r"$1\frac{1}{2}$", "1 1/2"),
        (r"$10^{6}$", "10^6"),
        (r"$T_2$", "T2"),
        (r"$37^\circ$C", "37\u00b0C"),
        (r"50\%", "50%"),
        (r"$\left(2\times3\right)$ cm", "(2\u00d73) cm"),
        (r"left $\rightarrow$ right", "left \u2192 right"),
        ("costs $5 to $6", "costs $5 to $6"),
        ("$5/$6", "$5/$6"),
        (r"\left", r"\left"),
        (r"C:\users\x", r"C:\users\x"),
    ],
)
def test_latex_becomes_plain_signs(text: str, plain: str) -> None:
    assert without_latex(text) == plain


def test_latex_keeps_what_differs() -> None:
    for one, other in ((r"$\leq 5$", r"$\geq 5$"), (r"\frac{1}{2}", r"\frac{2}{1}"), (r"$x^2$", r"$x^3$")):
        assert not exact_match(one, other)
        assert token_f1(one, other) < 1
        found = decide("What is it?", one, other)
        assert found is not None
        assert found.label == 0


FRAGMENTS = [
    "![", "\\", " # ", "1:", "A:", "</think>", "<!--", "<p a='", " _a", "*a", "`a", "&amp;", "$a", "\\(",
    "\u2014a",
]  # fmt: skip


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_long_texts_take_time_that_grows_with_their_length(fragment: str) -> None:
    # 20,000 characters: what grew by the square took a minute and more; of processor time, not of the clock's.
    text = "x" + fragment * (10_000 // len(fragment)) + "!b"
    text = text + text
    began = time.process_time()
    exact_match("yes", text)
    closed_accuracy("yes", text)
    closed_accuracy("\u662f", text)
    assert time.process_time() - began < 10
