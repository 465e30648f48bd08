"""Several references of one answer: any of them is right, so the best of them counts.

For exact match, the overlap of words and closed accuracy that is the largest value over the references; BLEU,
ROUGE-L, CIDEr and METEOR have definitions of their own (see `captions`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Reference = str | Sequence[str]
"""One text, or several of which each is right."""


def each_of(reference: Reference) -> tuple[str, ...]:
    """Return the references, at least one; an empty one beside others is none."""
    if isinstance(reference, str):
        return (reference,)
    return tuple(dict.fromkeys(text for text in reference if text.strip())) or ("",)


def best(metric: Callable[[str, str], float], reference: Reference, answer: str) -> float:
    """Return the largest of `metric(reference, answer)` over the references."""
    return max(float(metric(each, answer)) for each in each_of(reference))


def shown(reference: Reference) -> str:
    """Return the references as a reader sees them: one as it is, several as `"left lung" or "lung"`."""
    if not isinstance(reference, str) and len(reference) == 1:
        reference = reference[0]  # a blank one too
    several = each_of(reference)
    return several[0] if len(several) == 1 else " or ".join(f'"{each}"' for each in several)
