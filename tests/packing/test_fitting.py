"""Texts that are too long: named or cut by the recipe's rule; which fit is mostly seen by their bytes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.test_text_tokens import MADE
from tests.tiny import byte_tokenizer

from pefomed.errors import DataError
from pefomed.models.processing import PefomedImageProcessor, PefomedProcessor
from pefomed.packing.batch import tokenise
from pefomed.packing.fitting import Fitting
from pefomed.recipe import Prompt
from pefomed.schema import Box, Sample

BARE = {"vqa": ("{question}",), "report": ("Go.",), "refer": ("{question}",)}
AROUND = len("[INST] <Img></Img> [vqa]  [/INST]") + 1
"""Of the byte tokenizer: what stands around a question, and BOS."""


def processor(positions: tuple[int, bool] | None = None) -> PefomedProcessor:
    made = PefomedProcessor(
        PefomedImageProcessor(image_size=28), byte_tokenizer(), image_token_id=900, tokens_per_image=4
    )
    made.positions = positions
    return made


def fitting(most: int, positions: tuple[int, bool] | None = None, **fields: Any) -> Fitting:
    return Fitting(Prompt(max_text_tokens=most, pools=BARE), processor(positions), **fields)


def vqa(question: str, reference: str = "") -> Sample:
    return Sample(id="q", images=("a",), task="vqa", question=question, reference=reference)


def test_the_limit_counts_text_and_end_but_no_image() -> None:
    sample = vqa("x" * 20, "yes")  # and the end token
    assert fitting(AROUND + 24).too_long(sample) is None
    wrong = fitting(AROUND + 23).too_long(sample)
    assert wrong is not None
    assert "sample q is longer than prompt.max_text_tokens" in str(wrong)
    assert f"found: {AROUND + 24} tokens of text" in str(wrong)
    with pytest.raises(DataError, match="too_long to 'leave_out' or 'cut'"):
        fitting(AROUND + 23).encoded(sample)
    with pytest.raises(DataError, match="too_long to 'cut'"):
        fitting(AROUND + 19, answers=False).encoded(sample)


def test_a_table_of_positions_is_a_limit_too_and_counts_images_and_room() -> None:
    # Image 4, text AROUND + 20, and three of four generated tokens: the last is only predicted.
    used = 4 + AROUND + 20 + 3
    asked = vqa("x" * 20)
    assert fitting(999, (used, True), answers=False, room=4).too_long(asked) is None
    wrong = fitting(999, (used - 1, True), answers=False, room=4).too_long(asked)
    assert wrong is not None
    assert f"longer than the {used - 1} positions" in str(wrong)
    cut = fitting(999, (used - 1, True), answers=False, room=4).encoded(asked, cut=True)
    assert len(cut.prompt) == used - 1 - 3
    assert fitting(999, (used - 1, False), answers=False, room=4).too_long(asked) is None  # rotary


def test_a_long_answer_loses_its_end_and_its_end_token() -> None:
    made = fitting(2 * AROUND + 20)
    found = made.encoded(vqa("why?", "x" * 200), cut=True)
    assert found.cut
    assert made.processor.tokenizer.decode(found.answer) == "x" * (AROUND + 16)
    assert "why?" in made.processor.tokenizer.decode([t for t in found.prompt if t != 900])


def test_a_long_question_loses_its_end_before_a_short_answer_loses_anything() -> None:
    made = fitting(AROUND + 10)
    found = made.encoded(vqa("abcdefghijklmnop", "yes"), cut=True)
    read = made.processor.tokenizer.decode
    assert read(found.answer) == "yes</s>"
    assert read([token for token in found.prompt if token != 900]).endswith(" [vqa] abcdef [/INST]")
    assert len(found.prompt) - 4 + len(found.answer) == AROUND + 10


def test_both_long_share_the_limit() -> None:
    made = fitting(2 * AROUND + 20)
    found = made.encoded(vqa("q" * 500, "a" * 500), cut=True)
    assert len(found.prompt) - 4 == AROUND + 10
    assert len(found.answer) == AROUND + 10


@pytest.mark.parametrize(
    "sample",
    [
        Sample(id="r", images=("a",), task="refer", question="x", boxes=(Box(x0=0, y0=0, x1=1, y1=1),)),
        Sample(id="t", images=("a",), task="report", reference="long" * 99),
    ],
    ids=["boxes", "nothing left for the answer"],
)
def test_what_cannot_be_cut_is_an_error(sample: Sample) -> None:
    most = {"refer": AROUND + 8, "report": 20}[sample.task]
    with pytest.raises(DataError, match="cannot be cut"):
        fitting(most).encoded(sample, cut=True)


def test_what_fits_is_never_cut() -> None:
    for rule in (False, True):
        [tokens] = tokenise([vqa("is it?", "yes")], Prompt(pools=BARE), processor(), cut=rule)
        assert tokens.answer[-1] == byte_tokenizer().eos_token_id


@pytest.mark.parametrize("kind", MADE)
@given(question=st.text(max_size=60), reference=st.text(max_size=60))
def test_what_is_said_to_fit_by_its_bytes_does(kind: str, question: str, reference: str) -> None:
    made = PefomedProcessor(PefomedImageProcessor(image_size=28), TOKENIZERS[kind], image_token_id=10**6)
    sample = vqa(question, reference)
    whole = Fitting(Prompt(max_text_tokens=10**6, pools=BARE), made)
    found = whole.encoded(sample)
    text = len(found.prompt) + len(found.answer) - made.tokens_per_image
    tight = dataclasses.replace(whole, prompt=Prompt(max_text_tokens=text - 1, pools=BARE))
    assert tight.too_long(sample) is not None


TOKENIZERS = {kind: make() for kind, make in MADE.items()}
