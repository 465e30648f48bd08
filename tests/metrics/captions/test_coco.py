"""BLEU, ROUGE-L and CIDEr against pycocoevalcap 1.2 itself, on given tokens."""

import contextlib
import io
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pefomed.metrics.captions import bleu, cider, pairs
from pefomed.metrics.captions.corpus import corpora, figures_of, item_sums
from pefomed.metrics.captions.pairs import Numbered
from pefomed.metrics.captions.ptb import tokenize
from pefomed.metrics.captions.rouge import longest_common_subsequence, rouge_l

bleu_peer = pytest.importorskip("pycocoevalcap.bleu.bleu", reason="needs pycocoevalcap")
cider_peer = pytest.importorskip("pycocoevalcap.cider.cider", reason="needs pycocoevalcap")
bleu_scorer = pytest.importorskip("pycocoevalcap.bleu.bleu_scorer", reason="needs pycocoevalcap")
rouge_peer = pytest.importorskip("pycocoevalcap.rouge.rouge", reason="needs pycocoevalcap")
cider_scorer = pytest.importorskip("pycocoevalcap.cider.cider_scorer", reason="needs pycocoevalcap")

Tokens = list[str]
Corpus = list[tuple[Tokens, list[Tokens]]]

TEXT = st.lists(st.sampled_from("the lung heart is normal no a x".split()), max_size=12)
CORPORA = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=6)
REPORTS = (
    "the heart is enlarged . there is a left pleural effusion . no pneumothorax .",
    "heart size normal . lungs are clear . no acute cardiopulmonary abnormality .",
    "there is an opacity in the right lower zone . there is no effusion . there is a tube .",
    "degenerative changes of the thoracic spine . no focal airspace disease . heart size normal .",
    "no acute disease .",
    "",
)


def medical(seed: int, items: int = 40) -> Corpus:
    """Reports with sentences mixed and words lost, as a model would write them."""
    draw = random.Random(seed)
    corpus: Corpus = []
    for _ in range(items):
        reference = draw.choice(REPORTS[:5]).split()
        answer = [
            word for word in draw.choice([" ".join(reference), *REPORTS]).split() if draw.random() < 0.9
        ]
        corpus.append((answer, [reference] + [draw.choice(REPORTS).split()] * draw.randrange(2)))
    return corpus


def check(corpus: Corpus) -> None:
    answers, references = [answer for answer, _ in corpus], [several for _, several in corpus]
    sums = np.array([bleu.statistics(*pair) for pair in corpus])
    theirs = bleu_scorer.BleuScorer(n=4)
    for answer, several in corpus:
        theirs += (" ".join(answer), [" ".join(one) for one in several])
    with contextlib.redirect_stdout(io.StringIO()):
        total, items = theirs.compute_score(option="closest", verbose=0)
    np.testing.assert_allclose(bleu.bleu(sums.sum(0)), total, atol=1e-6, rtol=0)
    np.testing.assert_allclose(bleu.bleu(sums), np.array(items).T, atol=1e-6, rtol=0)
    peer = rouge_peer.Rouge()
    for answer, several in corpus:
        expected = peer.calc_score([" ".join(answer)], [" ".join(one) for one in several])
        assert rouge_l(answer, several) == pytest.approx(expected, abs=1e-6)
    if any(one for several in references for one in several):  # their document frequencies need one n-gram
        scorer = cider_scorer.CiderScorer(n=4, sigma=6.0)
        for answer, several in corpus:
            scorer += (" ".join(answer), [" ".join(one) for one in several])
        mean, each = scorer.compute_score()
        ours = cider.cider(answers, references)
        np.testing.assert_allclose(ours, each, atol=1e-6, rtol=0)
        assert ours.mean() == pytest.approx(mean, abs=1e-6)


@given(CORPORA)
def test_random_corpora(corpus: Corpus) -> None:
    check(corpus)


@pytest.mark.parametrize("seed", range(4))
def test_medical_corpora(seed: int) -> None:
    check(medical(seed))


def test_values_by_hand() -> None:
    # Answer `a b c`, reference `a b d e`: 2 of 3 words, 1 of 2 pairs, B = exp(1 - 4/3).
    sums = bleu.statistics("a b c".split(), ["a b d e".split()])
    assert sums.tolist() == [3, 4, 3, 2, 1, 0, 2, 1, 0, 0]
    assert bleu.bleu(sums)[0] == pytest.approx(np.exp(-1 / 3) * 2 / 3)
    assert bleu.bleu(sums)[1] == pytest.approx(np.exp(-1 / 3) * (2 / 3 / 2) ** 0.5)
    # LCS `a b`: P = 2/3, R = 2/4, F = 2.44 * 1/3 / (1/2 + 1.44 * 2/3)
    assert rouge_l("a b c".split(), ["a b d e".split()]) == pytest.approx(2.44 / 3 / (0.5 + 0.96))
    # A corpus of one item: every n-gram is in every item and weighs nothing.
    assert cider.cider([["a"]], [[["a"]]]).tolist() == [0.0]


@given(TEXT, TEXT)
def test_longest_common_subsequence_is_that_of_the_table(one: Tokens, other: Tokens) -> None:
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1, j + 1] = table[i, j] + 1 if a == b else max(table[i, j + 1], table[i + 1, j])
    assert longest_common_subsequence(one, other) == table[-1, -1]


def test_weights_of_another_corpus_stay_fixed() -> None:
    corpus = medical(7)
    answers, references = [a for a, _ in corpus], [r for _, r in corpus]
    weigh = cider.weights(references)
    whole = cider.cider(answers, references)
    assert cider.cider(answers[:5], references[:5], weigh).tolist() == whole[:5].tolist()
    assert cider.cider(answers[:5], references[:5]).tolist() != whole[:5].tolist()


@given(st.lists(st.tuples(TEXT, TEXT, st.sampled_from(["report", "caption"])), min_size=1, max_size=8))
def test_many_pairs_at_once_are_each_pair_by_itself(items: list[tuple[Tokens, Tokens, str]]) -> None:
    answers, references, tasks = ([item[column] for item in items] for column in range(3))
    found = Numbered([[reference] for reference in references], tasks).sums(answers)
    expected = [bleu.statistics(answer, [reference]) for answer, reference, _ in items]
    np.testing.assert_array_equal(found[:, : bleu.COLUMNS], expected)
    for task in set(tasks):
        own = [place for place, other in enumerate(tasks) if other == task]
        each = cider.cider([answers[i] for i in own], [[references[i]] for i in own])
        np.testing.assert_allclose(found[own, bleu.COLUMNS], each, atol=1e-9)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = medical(9, 100)
    answers, references = [answer for answer, _ in corpus], [several for _, several in corpus]
    whole = Numbered(references, ["report"] * 100).sums(answers)
    monkeypatch.setattr(pairs, "_BLOCK", 7)
    np.testing.assert_allclose(Numbered(references, ["report"] * 100).sums(answers), whole, atol=1e-12)


def test_raw_texts_to_scores_as_pycocoevalcap() -> None:
    """From text to figures, with their own code behind our tokens."""
    answers = ["Heart is normal. A 3 1/2 cm mass (left).", "No acute disease.", "Lungs are clear!"]
    references = [
        "The heart is normal. There is a 3 1/2 cm mass.",
        "No acute disease.",
        "Clear lungs, no mass.",
    ]
    [corpus, *_] = corpora(references, ["report"] * 3)
    figures = figures_of(item_sums(corpus, [tokenize(text) for text in answers]).sum(0, keepdims=True))[0]
    res = {i: [" ".join(tokenize(text))] for i, text in enumerate(answers)}
    gts = {i: [" ".join(tokenize(text))] for i, text in enumerate(references)}
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = [
            *bleu_peer.Bleu(4).compute_score(gts, res)[0],
            rouge_peer.Rouge().compute_score(gts, res)[0],
            cider_peer.Cider().compute_score(gts, res)[0],
        ]
    np.testing.assert_allclose(figures, theirs, atol=1e-6, rtol=0)
