"""ROUGE-L (Lin, ACL workshop 2004) with beta 1.2, as pycocoevalcap 1.2 computes it.

With LCS the longest common subsequence: P = max LCS / length of the answer, R = max LCS / length of the
reference, each maximum over the references on its own, F = (1 + beta^2) P R / (R + beta^2 P).
"""

from __future__ import annotations

from collections.abc import Sequence

BETA = 1.2


def rouge_l(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return ROUGE-L, in [0, 1], of a tokenised answer and its references, at least one.

    An empty text counts as one empty token: two empty texts agree (1), as in pycocoevalcap.
    """
    answer = candidate or ("",)
    precision = recall = 0.0
    for reference in references:
        common = longest_common_subsequence(answer, reference or ("",))
        precision = max(precision, common / len(answer))
        recall = max(recall, common / (len(reference) or 1))
    if precision == 0 or recall == 0:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def longest_common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence.

    Bit-parallel (Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA 2004): a row of the
    table is one integer, so that a pair of reports takes microseconds.
    """
    places: dict[str, int] = {}
    for place, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << place
    full = (1 << len(one)) - 1
    row = full
    for token in other:
        matches = places.get(token)
        if matches is not None:
            shared = row & matches
            row = (row + shared | row - shared) & full
    return len(one) - row.bit_count()
