"""The tokenizer against values of the Java program: data/ptb.tsv was written by `java.ptb`."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.metrics.captions import java

from pefomed.metrics.captions.ptb import DROPPED, tokenize

KNOWN = Path(__file__).parent / "data" / "ptb.tsv"


def known() -> list[tuple[str, list[str]]]:
    pairs = [line.split("\t") for line in KNOWN.read_text(encoding="utf-8").split("\n") if line]
    return [(sentence, [word for word in tokens.split(" ") if word]) for sentence, tokens in pairs]


def test_three_thousand_sentences_as_the_java_program() -> None:
    pairs = known()
    assert len(pairs) == 3000
    assert [(sentence, tokenize(sentence)) for sentence, _ in pairs] == pairs


@java.needs_java
def test_the_java_program_itself_on_these_and_on_mutations_of_them() -> None:
    sentences = [sentence for sentence, _ in known()]
    assert java.ptb(sentences) == [tokens for _, tokens in known()]
    draw = random.Random(11)
    words = [word for sentence in sentences for word in sentence.split(" ")]
    mixed = [" ".join(draw.choices(words, k=draw.randint(2, 7))) for _ in range(2000)]
    differing = [
        (sentence, theirs, tokenize(sentence))
        for sentence, theirs in zip(mixed, java.ptb(mixed), strict=True)
        if theirs != tokenize(sentence)
    ]
    assert differing == []


@java.needs_java
@pytest.mark.skipif("PEFOMED_DATA" not in os.environ, reason="needs PEFOMED_DATA with vqa_rad and slake")
def test_the_java_program_on_every_question_and_answer_of_slake_and_vqa_rad() -> None:
    folder = Path(os.environ["PEFOMED_DATA"])
    paths = [*(folder / "slake").glob("*.json"), *(folder / "vqa_rad").glob("*set.json")]
    records = [record for path in paths for record in json.loads(path.read_text(encoding="utf-8"))]
    texts = {str(value) for record in records for value in record.values() if isinstance(value, str)}
    sentences = sorted(" ".join(text.split()) for text in texts)
    assert len(sentences) > 5000
    assert java.ptb(sentences) == [tokenize(sentence) for sentence in sentences]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Dr. Smith can't see T4-T5.", "dr. smith ca n't see t4-t5"),
        ("A 5.2 x 3.1 cm mass (left).", "a 5.2 x 3.1 cm mass -lrb- left -rrb-"),
        ("vitamin D. The", "vitamin d the"),  # a letter ends a sentence before some words only
        ("vitamin D. the", "vitamin d. the"),
        ("fig. 3, fig. x", "fig. 3 fig x"),
        ("5.2x3.1", "5.2 x3 .1"),  # as odd as the program
        ("1. Normal.\n2. Clear.", "1 normal 2 clear"),
        ("", ""),
        ("... -- !", ""),
    ],
)
def test_some_by_eye(text: str, tokens: str) -> None:
    assert tokenize(text) == tokens.split()


@given(st.text(max_size=60))
def test_any_text_has_tokens_in_lower_case_without_punctuation(text: str) -> None:
    tokens = tokenize(text)
    assert not set(tokens) & DROPPED
    assert all(token and " " not in token for token in tokens)
    assert tokenize(text.replace("\r\n", "\n").replace("\n", " ")) == tokens
