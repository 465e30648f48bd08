"""Captions with several references, from text to figures, against pycocoevalcap 1.2 itself."""

import contextlib
import io
import random

import numpy as np
import pytest

from pefomed.metrics.captions import bleu, cider
from pefomed.metrics.captions.corpus import corpora, figures_of, item_sums, tokens_of
from pefomed.metrics.captions.pairs import Numbered
from pefomed.metrics.captions.presets import PRESETS

bleu_peer = pytest.importorskip("pycocoevalcap.bleu.bleu", reason="needs pycocoevalcap")
cider_peer = pytest.importorskip("pycocoevalcap.cider.cider", reason="needs pycocoevalcap")
rouge_peer = pytest.importorskip("pycocoevalcap.rouge.rouge", reason="needs pycocoevalcap")

# One to four references; of two equally close lengths the shorter counts (answer 2: 4 words, 3 and 5).
ANSWERS = [
    "The heart is enlarged, with a left pleural effusion.",
    "no acute cardiopulmonary disease",
    "Lungs are clear",
    "There is a tube in the trachea. A tube!",
    "effusion effusion effusion",
]
REFERENCES = [
    ["Cardiomegaly and a left effusion.", "The heart is large. Left pleural effusion."],
    ["no acute disease", "there is no acute disease"],
    ["The lungs are clear.", "Clear lungs.", "lungs clear", "No focal airspace disease of the lungs."],
    ["An endotracheal tube is in the trachea."],
    ["a left effusion and a right effusion", "effusion on both sides", "bilateral pleural effusion"],
]


def theirs(tokens: list[list[str]], references: list[list[list[str]]]) -> list[float]:
    res = {place: [" ".join(one)] for place, one in enumerate(tokens)}
    gts = {place: [" ".join(one) for one in several] for place, several in enumerate(references)}
    with contextlib.redirect_stdout(io.StringIO()):
        return [
            *bleu_peer.Bleu(4).compute_score(gts, res)[0],
            rouge_peer.Rouge().compute_score(gts, res)[0],
            cider_peer.Cider().compute_score(gts, res)[0],
        ]


@pytest.mark.parametrize("preset", PRESETS)
def test_figures_are_those_of_pycocoevalcap(preset: str) -> None:
    corpus = next(c for c in corpora(REFERENCES, ["report"] * 5) if c.preset.name == preset)
    tokens = tokens_of(corpus.preset, ANSWERS)
    figures = figures_of(item_sums(corpus, tokens).sum(0, keepdims=True))[0]
    expected = theirs(tokens, [[corpus.preset.tokens(text) for text in several] for several in REFERENCES])
    np.testing.assert_allclose(figures, expected, rtol=1e-12)
    assert figures[3] > 0 or preset != "coco-ptb"  # BLEU-4 says something


def test_a_further_reference_counts_once_and_its_order_does_not_matter() -> None:
    alone = corpora([several[0] for several in REFERENCES], ["report"] * 5)
    twice = corpora([[several[0]] * 3 for several in REFERENCES], ["report"] * 5)
    turned = corpora([several[::-1] for several in REFERENCES], ["report"] * 5)
    for one, other in ((alone, twice), (corpora(REFERENCES, ["report"] * 5), turned)):
        for a, b in zip(one, other, strict=True):
            tokens = tokens_of(a.preset, ANSWERS)
            np.testing.assert_allclose(item_sums(a, tokens), item_sums(b, tokens), rtol=1e-12)


def test_many_items_at_once_are_each_item_by_itself() -> None:
    draw = random.Random(3)
    words = "the lung heart is normal no a x".split()

    def text() -> list[str]:
        return draw.choices(words, k=draw.randrange(9))

    answers = [text() for _ in range(60)]
    references = [[text() for _ in range(draw.randrange(1, 5))] for _ in range(60)]
    found = Numbered(references, ["report"] * 60).sums(answers)
    expected = [bleu.statistics(*pair) for pair in zip(answers, references, strict=True)]
    np.testing.assert_array_equal(found[:, : bleu.COLUMNS], expected)
    np.testing.assert_allclose(found[:, bleu.COLUMNS], cider.cider(answers, references), atol=1e-12)
