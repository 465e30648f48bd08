"""Equality after the VQA challenge's normalisation, with and without the X-ray rule of medical papers.

The challenge's own accuracy asks how many of ten people gave an answer. Medical data sets have one reference,
of which that formula (each annotator against the others) is always 0; papers compare the two texts instead.
Several references are each as right as the first here.
"""

from __future__ import annotations

import re

from pefomed.metrics.normalise import plain, vqa_challenge, vqa_style


def challenge_equal(reference: str, answer: str) -> bool:
    """Return whether both are equal after the challenge's normalisation; nothing is never right."""
    wanted = vqa_challenge(reference)
    if not wanted:
        return plain(reference) == plain(answer) != ""
    return wanted == vqa_challenge(answer)


def vlmevalkit_equal(reference: str, answer: str) -> bool:
    """Return whether both are equal as VLMEvalKit normalises: a full stop behind a digit stays."""
    wanted, said = (vqa_challenge(_KEPT.sub(_HELD, text)) for text in (reference, answer))
    if not wanted:
        return plain(reference) == plain(answer) != ""
    return wanted == said


def x_ray_equal(reference: str, answer: str) -> bool:
    """Return the same where `x ray`, `x-ray` and `xray` are one."""
    wanted = vqa_style(reference)
    if not wanted:
        return plain(reference) == plain(answer) != ""
    return wanted == vqa_style(answer)


_KEPT = re.compile(r"(?<=\d)\.")
_HELD = "\ue000"
"""A character for private use holds the place of a full stop behind a digit."""
