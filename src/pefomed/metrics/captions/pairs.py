"""BLEU's sums and CIDEr of many answers and their references at once: what `bleu` and `cider` define.

Tokens become numbers, an n-gram the 64-bit hash of its tokens, and counting is sorting: a hundred thousand
reports take seconds. Two n-grams among a billion share a hash with a chance of 3 %, and then one count
is off by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.metrics.captions.bleu import COLUMNS, ORDER
from pefomed.metrics.captions.cider import SIGMA

Hashes = NDArray[np.uint64]
_BLOCK = 5000  # items counted at once: some 100 MB
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # an odd number without pattern (Knuth's golden ratio)


class Numbered:
    """The references of a corpus as numbers, with the document frequencies of each group of them."""

    def __init__(self, references: Sequence[Sequence[Sequence[str]]], groups: Sequence[str]):
        self._numbers: dict[str, int] = {}
        self._references = [[self._number(tokens) for tokens in several] for several in references]
        self._groups = np.array(groups)
        self._frequencies = {
            group: (int((self._groups == group).sum()), self._count(np.flatnonzero(self._groups == group)))
            for group in dict.fromkeys(groups)
        }

    def sums(self, answers: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Return BLEU's ten sums and CIDEr of each answer, shape (N, 11)."""
        numbered = [self._number(tokens) for tokens in answers]
        totals = np.zeros((len(numbered), COLUMNS + 1))
        for group, (items, frequencies) in self._frequencies.items():
            places = np.flatnonzero(self._groups == group)
            for start in range(0, len(places), _BLOCK):
                block = places[start : start + _BLOCK]
                totals[block] = _block_sums(
                    [numbered[place] for place in block], [self._references[place] for place in block],
                    items, frequencies,
                )  # fmt: skip
        return totals

    def _number(self, tokens: Sequence[str]) -> NDArray[np.int32]:
        numbers = self._numbers
        return np.array([numbers.setdefault(token, len(numbers)) for token in tokens], dtype=np.int32)

    def _count(self, places: NDArray[np.int64]) -> list[tuple[Hashes, NDArray[np.int64]]]:
        """Return for n = 1..4 the different n-grams, ascending, and in how many items each occurs."""
        by_order: list[list[Hashes]] = [[] for _ in range(ORDER)]
        for start in range(0, len(places), _BLOCK):
            block = [self._references[place] for place in places[start : start + _BLOCK]]
            owner = np.repeat(np.arange(len(block)), [len(several) for several in block])
            for n, (text, hashes) in enumerate(_ngrams([tokens for several in block for tokens in several])):
                _, once, _ = _counted(owner[text], hashes)
                by_order[n].append(once)
        counted = [np.unique(np.concatenate(several), return_counts=True) for several in by_order]
        return [(hashes, counts.astype(np.int64)) for hashes, counts in counted]


def _block_sums(
    answers: Sequence[NDArray[np.int32]],
    references: Sequence[Sequence[NDArray[np.int32]]],
    items: int,
    frequencies: Sequence[tuple[Hashes, NDArray[np.int64]]],
) -> NDArray[np.float64]:
    """Return the sums of N answers, over P pairs of an answer and one of its references."""
    owner = np.repeat(np.arange(len(answers)), [len(several) for several in references])  # (P,)
    count = len(owner)
    lengths = np.array([len(tokens) for tokens in answers], dtype=np.float64)
    lengths_a = lengths[owner]
    flat = [tokens for several in references for tokens in several]
    lengths_r = np.array([len(tokens) for tokens in flat], dtype=np.float64)
    sums = np.zeros((len(answers), COLUMNS + 1))
    sums[:, 0], sums[:, 1] = lengths, _closest(lengths_a, lengths_r, owner)
    similarity = np.zeros(count)
    pairs = zip(
        _ngrams([answers[place] for place in owner.tolist()]), _ngrams(flat), frequencies, strict=True
    )
    for n, ((text_a, hash_a), (text_r, hash_r), (known, documents)) in enumerate(pairs):
        text_a, hash_a, times_a = _counted(text_a, hash_a)
        text_r, hash_r, times_r = _counted(text_r, hash_r)
        # Both are sorted by text and hash: where an answer's n-gram stands among its reference's.
        in_a, in_r = _common(text_a, hash_a, text_r, hash_r)
        sums[:, 2 + n] = np.maximum(0.0, lengths - n)
        least = np.minimum(times_a[in_a], times_r[in_r])
        sums[:, 2 + ORDER + n] = _most(owner[text_a[in_a]], hash_a[in_a], least, len(answers))
        weight_a = times_a * _weights(hash_a, known, documents, items)
        weight_r = times_r * _weights(hash_r, known, documents, items)
        shared = np.minimum(weight_a[in_a], weight_r[in_r]) * weight_r[in_r]
        agreement = np.bincount(text_a[in_a], weights=shared, minlength=count)
        norms = np.sqrt(
            np.bincount(text_a, weights=weight_a**2, minlength=count)
            * np.bincount(text_r, weights=weight_r**2, minlength=count)
        )
        similarity += np.divide(agreement, norms, out=np.zeros(count), where=norms > 0)
    difference = np.maximum(0.0, lengths_a - 1) - np.maximum(0.0, lengths_r - 1)  # of the 2-grams
    each = 10 * similarity / ORDER * np.exp(-(difference**2) / (2 * SIGMA**2))
    sums[:, COLUMNS] = np.bincount(owner, weights=each) / np.bincount(owner)
    return sums


def _closest(
    lengths_a: NDArray[np.float64], lengths_r: NDArray[np.float64], owner: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return each answer's closest reference length, of two as close the shorter; shape (N,)."""
    order = np.lexsort((lengths_r, np.abs(lengths_r - lengths_a), owner))
    first = np.flatnonzero(np.diff(owner[order], prepend=-1))
    return np.asarray(lengths_r[order][first])


def _most(
    owner: NDArray[np.int64], hashes: Hashes, times: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return each answer's sum over n-grams of the most matches in any one reference, shape (N,)."""
    order = np.lexsort((times, hashes, owner))
    owner, hashes, times = owner[order], hashes[order], times[order]
    last = np.ones(len(owner), dtype=bool)
    last[:-1] = (owner[1:] != owner[:-1]) | (hashes[1:] != hashes[:-1])
    return np.asarray(np.bincount(owner[last], weights=times[last], minlength=count), dtype=np.float64)


def _ngrams(texts: Sequence[NDArray[np.int32]]) -> list[tuple[NDArray[np.int64], Hashes]]:
    """Return for n = 1..4 the text and the hash of every n-gram."""
    text = np.repeat(np.arange(len(texts)), [len(tokens) for tokens in texts])
    tokens = np.concatenate([*texts, np.zeros(0, dtype=np.int32)]).astype(np.uint64)
    hashes = _mixed(tokens + np.uint64(1))
    by_text = [(text, hashes)]
    for n in range(1, ORDER):
        inside = text[n:] == text[:-n] if len(text) > n else np.zeros(0, dtype=bool)
        longer = _mixed(hashes[: max(0, len(text) - n)] * _FACTOR + tokens[n:] + np.uint64(n))
        by_text.append((text[: len(longer)][inside], longer[inside]))
        hashes = longer
    return by_text


def _mixed(values: Hashes) -> Hashes:
    """Return the values mixed as splitmix64 does (Steele et al., OOPSLA 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _counted(
    text: NDArray[np.int64], hashes: Hashes
) -> tuple[NDArray[np.int64], Hashes, NDArray[np.float64]]:
    """Return each text's different n-grams, sorted by text and hash, and how often each occurs in it."""
    order = np.lexsort((hashes, text))
    text, hashes = text[order], hashes[order]
    first = np.ones(len(text), dtype=bool)
    first[1:] = (text[1:] != text[:-1]) | (hashes[1:] != hashes[:-1])
    starts = np.flatnonzero(first)
    times = np.diff(np.append(starts, len(text))).astype(np.float64)
    return text[starts], hashes[starts], times


def _common(
    text_a: NDArray[np.int64], hash_a: Hashes, text_r: NDArray[np.int64], hash_r: Hashes
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places in both of the n-grams that an answer shares with its own reference."""
    text, hashes = np.concatenate((text_a, text_r)), np.concatenate((hash_a, hash_r))
    order = np.lexsort((hashes, text))  # stable: the answer's stands before the reference's
    same = (text[order][1:] == text[order][:-1]) & (hashes[order][1:] == hashes[order][:-1])
    return order[:-1][same], order[1:][same] - len(text_a)


def _weights(hashes: Hashes, known: Hashes, documents: NDArray[np.int64], items: int) -> NDArray[np.float64]:
    """Return CIDEr's ln N - ln max(1, df)."""
    if not len(known):
        return np.full(len(hashes), np.log(items))
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    frequency = np.where(known[places] == hashes, documents[places], 1)
    return np.asarray(np.log(items) - np.log(np.maximum(1, frequency)))
