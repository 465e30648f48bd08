"""A letter with its accent is one character (NFC) or two (NFD): the same answer to every metric."""

from __future__ import annotations

import unicodedata

import pytest

from pefomed.metrics.captions.corpus import tokens_of
from pefomed.metrics.captions.presets import PRESETS
from pefomed.metrics.normalise import plain, vqa_style
from pefomed.metrics.words import words

TEXTS = ("l’œdème pulmonaire", "Ödem links", "lesión", "폐렴", "फेफड़े")  # noqa: RUF001


@pytest.mark.parametrize("text", TEXTS)
def test_both_forms_are_one_answer(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    for normalise in (plain, vqa_style, words):
        assert normalise(composed) == normalise(decomposed)
    for preset in PRESETS.values():
        assert tokens_of(preset, [composed]) == tokens_of(preset, [decomposed])
