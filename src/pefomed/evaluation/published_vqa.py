"""Published shares of right answers to questions, as printed, each with what it is a share of.

Every row names its protocol (see `protocols.known`; empty where its source does not say), the language, the
split, the number of questions where it differs from the published test split, whether its test images were
trained on, and its source. Sources: PeFoMed (arXiv:2401.02797) with its comparison tables, and those named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Seen = Literal["yes", "no", "not stated"]
"""Whether a model was trained on the images that it was tested on."""


class PublishedAccuracy(NamedTuple):
    """Percentages of right answers to open, closed and all questions, as printed; None: not printed."""

    system: str
    metric: str
    """Our metric whose tables it stands in; empty where it stands beside none."""
    open: float | None
    closed: float | None
    overall: float | None
    note: str = ""
    protocol: str = "pefomed"
    language: str = "en"
    split: str = "test"
    n: int = 0
    """Questions; 0: those of the published test split."""
    seen: Seen = "no"
    source: str = "arXiv:2401.02797"
    year: int = 2024


PEFOMED = "PeFoMed"
NONE, ONE, TWO = (f"{PEFOMED} ({what})" for what in ("not trained", "stage 1 only", "stage 2 only"))

SIZES: dict[str, tuple[int, int, int]] = {
    "vqa_rad": (179, 272, 451),
    "slake": (645, 416, 1061),
    "path_vqa": (3370, 3391, 6761),
}
"""Open, closed and all questions of the published test splits."""

_RECALL = "not comparable with exact match: open questions by token recall, closed ones by accuracy"
_GEMMA = "https://huggingface.co/google/medgemma-1.5-4b-it (model card)"
_LINGSHU = "https://huggingface.co/lingshu-medical-mllm/Lingshu-7B (model card), arXiv:2506.07044"
_BALANCED = "the \u201cbalanced split\u201d of arXiv:2405.03162"
_QWEN = "https://qwen.ai/blog?id=qwen3.5, as https://llm-stats.com/benchmarks/slakevqa lists it"
_MEISSA = "arXiv:2603.09018 (README of its code)"


def _exact(system: str, of: tuple[float | None, float | None, float | None], seen: Seen) -> PublishedAccuracy:
    return PublishedAccuracy(system, "exact_match", *of, seen=seen)


def _llava(of: tuple[float, float, float], seen: Seen) -> PublishedAccuracy:
    return PublishedAccuracy(
        "LLaVA-Med", "llava_med_recall", *of, note=_RECALL, protocol="llava-med", seen=seen
    )


def _gemma(
    system: str, f1: float, closed: float, year: int, *, rad: bool, seen: Seen = "no"
) -> PublishedAccuracy:
    return PublishedAccuracy(
        system, "", None, closed, f1, "tokenized F1 of all questions, accuracy of closed ones", "medgemma",
        split=_BALANCED if rad else "test", n=-1 if rad else 0, seen=seen, source=_GEMMA, year=year,
    )  # fmt: skip


def _kit(
    figures: Mapping[str, float], protocol: str, *, language: str = "en", n: int = 0
) -> list[PublishedAccuracy]:
    return [
        PublishedAccuracy(
            system, "", None, None, overall, "MedEvalKit, GPT-4.1 as its judge", protocol, language=language,
            n=n, seen="not stated", source=_LINGSHU, year=2025,
        )
        for system, overall in figures.items()
    ]  # fmt: skip


def _unsaid(system: str, overall: float, source: str, year: int, language: str = "en") -> PublishedAccuracy:
    return PublishedAccuracy(
        system, "", None, None, overall, "what counts as right is not stated", "", language=language, n=-1,
        seen="not stated", source=source, year=year,
    )  # fmt: skip


VQA: dict[str, tuple[PublishedAccuracy, ...]] = {
    # All 203 test images of VQA-RAD are training images too: who trains on its training split has seen them.
    "vqa_rad": (
        _exact(PEFOMED, (62.6, 87.1, 77.4), "yes"),
        PublishedAccuracy(PEFOMED, "human", 77.7, 87.6, 83.7, "ten raters (3.2 / 0.2 / 1.3)", "", seen="yes"),
        PublishedAccuracy(
            PEFOMED, "judge", 79.9, 87.5, 84.4, "GPT-4, ten runs (1.2 / 0.0 / 0.5)", "judge-all", seen="yes"
        ),
        _exact(NONE, (None, None, 34.4), "no"),
        _exact(ONE, (None, None, 42.6), "no"),
        _exact(TWO, (None, None, 72.5), "yes"),
        _exact("MMQ", (52.0, 72.4, 64.3), "yes"),
        _exact("MTL", (69.8, 79.8, 75.8), "yes"),
        _exact("VQA-Adapter", (66.1, 82.3, 75.8), "yes"),
        _exact("M3AE", (67.2, 83.5, 77.0), "yes"),
        _exact("M2I2", (66.5, 83.5, 76.8), "yes"),
        _exact("MUMC", (71.5, 84.2, 79.2), "yes"),
        _exact("ARL", (67.6, 86.8, 79.2), "yes"),
        _llava((64.8, 83.1, 75.8), "yes"),
        _exact("GPT-4V", (None, 61.4, None), "not stated"),
        _gemma("Gemma 3 4B", 33.6, 42.1, 2025, rad=True, seen="not stated"),
        _gemma("MedGemma 1 4B", 49.9, 69.1, 2025, rad=True),
        _gemma("MedGemma 1 27B", 46.7, 67.1, 2025, rad=True),
        _gemma("MedGemma 1.5 4B", 48.1, 70.2, 2026, rad=True),
        *_kit(
            {
                "GPT-4.1": 65.0,
                "Claude Sonnet 4": 67.6,
                "Gemini-2.5-Flash": 68.5,
                "MedGemma-4B-IT": 72.5,
                "LLaVA-Med-7B": 53.7,
                "HuatuoGPT-V-7B": 67.0,
                "Qwen2.5VL-7B": 64.5,
                "Lingshu-7B": 67.9,
                "Lingshu-32B": 76.5,
            },
            "medevalkit-judge",
        ),
        _unsaid("Meissa", 70.1, _MEISSA, 2026),
    ),
    "slake": (
        _exact(PEFOMED, (77.8, 88.7, 82.1), "no"),
        PublishedAccuracy(
            PEFOMED, "judge", 83.1, 88.7, 85.3, "GPT-4, ten runs (0.3 / 0.0 / 0.2)", "judge-all"
        ),
        _exact(NONE, (None, None, 37.6), "no"),
        _exact(ONE, (None, None, 26.9), "no"),
        _exact(TWO, (None, None, 80.6), "no"),
        _exact("MTL", (80.2, 86.1, 82.5), "no"),
        _exact("VQA-Adapter", (79.2, 83.7, 81.0), "no"),
        _exact("M3AE", (80.3, 87.8, 83.2), "no"),
        _exact("M2I2", (74.7, 91.1, 81.2), "no"),
        _exact("MUMC", (81.5, 91.1, 84.9), "no"),
        _exact("ARL", (81.9, 91.4, 85.6), "no"),
        _llava((87.1, 86.8, 87.0), "no"),
        _gemma("Gemma 3 4B", 40.2, 62.0, 2025, rad=False, seen="not stated"),
        _gemma("MedGemma 1 4B", 72.3, 87.6, 2025, rad=False),
        _gemma("MedGemma 1 27B", 70.3, 85.9, 2025, rad=False),
        _gemma("MedGemma 1.5 4B", 59.7, 82.8, 2026, rad=False),
        *_kit(
            {
                "GPT-4.1": 72.2,
                "Claude Sonnet 4": 70.6,
                "Gemini-2.5-Flash": 75.8,
                "MedGemma-4B-IT": 76.4,
                "LLaVA-Med-7B": 48.0,
                "HuatuoGPT-V-7B": 67.8,
                "Qwen2.5VL-7B": 67.2,
                "Lingshu-7B": 83.1,
                "Lingshu-32B": 89.2,
            },
            "medevalkit-slake-judge", language="both", n=2094,
        ),
        _unsaid("Qwen3.5-122B-A10B", 81.6, _QWEN, 2026, "not stated"),
        _unsaid("Qwen3.5-27B", 80.0, _QWEN, 2026, "not stated"),
        _unsaid("Qwen3.5-35B-A3B", 78.7, _QWEN, 2026, "not stated"),
        _unsaid("Meissa", 82.0, _MEISSA, 2026, "not stated"),
    ),
    "path_vqa": (
        _exact(PEFOMED, (35.7, 91.3, 63.6), "no"),
        PublishedAccuracy(PEFOMED, "judge", 45.7, 91.3, 68.6, "GPT-4", "judge-all"),
        _exact(NONE, (None, None, 30.8), "no"),
        _exact(ONE, (None, None, 27.3), "no"),
        _exact(TWO, (None, None, 60.7), "no"),
        _exact("MMQ", (11.8, 82.1, 47.1), "no"),
        _exact("M2I2", (36.3, 88.0, 62.2), "no"),
        _exact("MUMC", (39.0, 90.4, 65.1), "no"),
        _llava((39.6, 91.1, 65.4), "no"),
        *_kit(
            {
                "GPT-4.1": 55.5,
                "Claude Sonnet 4": 54.2,
                "Gemini-2.5-Flash": 55.4,
                "MedGemma-4B-IT": 48.8,
                "LLaVA-Med-7B": 38.8,
                "HuatuoGPT-V-7B": 48.0,
                "Qwen2.5VL-7B": 44.1,
                "Lingshu-7B": 61.9,
                "Lingshu-32B": 65.9,
            },
            "medevalkit-judge", n=-1,
        ),
        _unsaid("Meissa", 78.2, _MEISSA, 2026),
    ),
}  # fmt: skip
"""Loader -> rows."""


def said_of(row: PublishedAccuracy) -> str:
    """Return what a row is a share of: protocol, language, split, size, images, source."""
    size = {0: "", -1: ", number of questions not stated"}.get(row.n, f", {row.n:,} questions")
    language = {"en": "English", "zh": "Chinese", "both": "English and Chinese"}.get(
        row.language, row.language
    )
    return "; ".join(
        (
            f"protocol {row.protocol or 'not stated'}",
            f"language {language}",
            f"split {row.split}{size}",
            f"test images trained on: {row.seen}",
            f"{row.source}, {row.year}",
        )
    )
