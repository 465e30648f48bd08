"""Exact match: 1 if the answer equals the reference after normalisation, else 0; reported as a share.

Two columns, because published numbers differ in what they normalise: `exact_match` (how the text is
written: case, spaces, Unicode, Markdown and HTML, see `writing`; every mark of punctuation counts) and
`exact_match_vqa` (the VQA challenge's normalisation as it is, see `normalise`).
"""

from __future__ import annotations

from pefomed.metrics.normalise import plain, vqa_style
from pefomed.metrics.writing import cleaned


def exact_match(reference: str, prediction: str) -> bool:
    """Return whether both are equal but for how they are written; an empty answer is always wrong."""
    return cleaned(reference) == cleaned(prediction) != ""


def exact_match_vqa(reference: str, prediction: str) -> bool:
    """Return whether both are equal after `vqa_style`; an empty answer is always wrong.

    A text of articles and punctuation only (`A`, `-`) becomes empty there, so that any other such
    text would match it: these are equal only but for case and spaces.
    """
    normalised = vqa_style(reference)
    if not normalised:
        return plain(reference) == plain(prediction) != ""
    return normalised == vqa_style(prediction)
