"""Published numbers of answers at each level, to stand beside ours; the WASM is recomputed from them.

Source: PeFoMed (Parameter Efficient Fine-tuning of Multimodal Large Language Models for Medical Imaging),
IU-Xray: 1,180 images judged by GPT-4, and 100 of them by ten raters and by GPT-4 in ten runs (means).
"""

from __future__ import annotations

from typing import NamedTuple


class PublishedLevels(NamedTuple):
    """What one table row of a paper says."""

    title: str
    counts: tuple[float, float, float, float, float]
    """Answers at level 0, 1, .. 4."""
    n: int
    printed: float
    """The WASM as printed; 2.24 is 2.249 cut off, not rounded."""


IU_XRAY = (
    PublishedLevels("PeFoMed, GPT-4", (22, 118, 267, 449, 324), 1180, 2.79),
    PublishedLevels("PeFoMed, GPT-4, 100 samples", (2.80, 7.80, 17.10, 22.60, 48.70), 100, 3.08),
    PublishedLevels("PeFoMed, ten raters, 100 samples", (7.75, 23.38, 21.88, 29.13, 17.25), 100, 2.24),
    PublishedLevels("PeFoMed (not trained), GPT-4", (1048, 79, 33, 20, 0), 1180, 0.17),
    PublishedLevels("PeFoMed (stage 1 only), GPT-4", (51, 170, 192, 318, 449), 1180, 2.80),
    PublishedLevels("PeFoMed (stage 2 only), GPT-4", (39, 125, 193, 447, 376), 1180, 2.84),
)

_BY_LOADER = {"iu_xray": IU_XRAY}


def published_levels(loader: str, split: str) -> tuple[PublishedLevels, ...]:
    """Return the published rows for a data set read by `loader`; none for another split than `test`."""
    return _BY_LOADER.get(loader, ()) if split == "test" else ()
