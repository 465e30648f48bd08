"""How alike two texts are by their embeddings, in [0, 1]; texts that contradict each other never are.

Reports: each sentence is matched with the most similar sentence of the other text that does not contradict
it, and with R and P the mean similarity over the reference's and the answer's sentences

    F = 2 R P / (R + P).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pefomed.judges.embedding import Embedder
from pefomed.judges.offline_conflicts import conflict_of
from pefomed.judges.offline_words import listed_in, taken_apart


def similarity(embed: Embedder, reference: str, answer: str) -> float:
    """Return the cosine of two texts' embeddings; of lists, that of the worst matched part."""
    wanted, given = listed_in(reference), listed_in(answer)
    if not wanted or not given:
        return 0.0
    cosines = embed(wanted) @ embed(given).T  # (W, G)
    return float(min(cosines.max(1).min(), cosines.max(0).min()))


def report_similarity(embed: Embedder, reference: str, answer: str) -> float:
    """Return F of sentence recall and precision, in [0, 1]; 0 if either text is empty."""
    wanted, given = sentences_of(reference), sentences_of(answer)
    if not wanted or not given:
        return 0.0
    cosines = np.clip(embed(wanted) @ embed(given).T, 0.0, 1.0)  # (W, G)
    cosines[_contradicting(wanted, given)] = 0.0
    recall, precision = float(cosines.max(1).mean()), float(cosines.max(0).mean())
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def sentences_of(text: str) -> list[str]:
    """Return a report's sentences in lower case."""
    parts = re.split(r"(?<=[.;!?])\s+|\n+", text.lower())
    return [part for part in (" ".join(part.strip(" .;").split()) for part in parts) if part]


def _contradicting(wanted: Sequence[str], given: Sequence[str]) -> NDArray[np.bool_]:
    ours, theirs = [taken_apart(text) for text in given], [taken_apart(text) for text in wanted]
    return np.array([[conflict_of(one, other) is not None for other in ours] for one in theirs])
