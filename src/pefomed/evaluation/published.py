"""Published results as scores, to stand beside ours: percentages as printed, n of the published split.

Sources: PeFoMed (Parameter Efficient Fine-tuning of Multimodal Large Language Models for Medical
Imaging) with its comparison tables, and the papers named in them. Authors define exact match
themselves, mostly as in `exact_match`; spreads in brackets are standard deviations, not intervals.
n = 0 where it is not stated. Published rows have no interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pefomed.schema import Score


class PublishedAccuracy(NamedTuple):
    """Percentages of right answers to open, closed and all questions, as printed; None: not printed."""

    system: str
    metric: str
    open: float | None
    closed: float | None
    overall: float | None
    note: str = ""


class PublishedFigures(NamedTuple):
    """Other printed figures of the whole test split, by metric."""

    system: str
    values: dict[str, float]
    n: int
    note: str = ""


PEFOMED = "PeFoMed"
_RECALL = "not comparable with exact match: open questions by token recall, closed ones by accuracy"
_ONE_BOX = "phrases with one box, MedRPG's split"
_NONE, _ONE, _TWO = (f"{PEFOMED} ({what})" for what in ("not trained", "stage 1 only", "stage 2 only"))

SIZES: dict[str, tuple[int, int, int]] = {
    "vqa_rad": (179, 272, 451),
    "slake": (645, 416, 1061),
    "path_vqa": (3370, 3391, 6761),
}
"""Open, closed and all questions of the published test splits."""

VQA: dict[str, tuple[PublishedAccuracy, ...]] = {
    "vqa_rad": (
        PublishedAccuracy(PEFOMED, "exact_match", 62.6, 87.1, 77.4),
        PublishedAccuracy(PEFOMED, "human", 77.7, 87.6, 83.7, "ten raters (3.2 / 0.2 / 1.3)"),
        PublishedAccuracy(PEFOMED, "judge", 79.9, 87.5, 84.4, "GPT-4, ten runs (1.2 / 0.0 / 0.5)"),
        PublishedAccuracy(_NONE, "exact_match", None, None, 34.4),
        PublishedAccuracy(_ONE, "exact_match", None, None, 42.6),
        PublishedAccuracy(_TWO, "exact_match", None, None, 72.5),
        PublishedAccuracy("MMQ", "exact_match", 52.0, 72.4, 64.3),
        PublishedAccuracy("MTL", "exact_match", 69.8, 79.8, 75.8),
        PublishedAccuracy("VQA-Adapter", "exact_match", 66.1, 82.3, 75.8),
        PublishedAccuracy("M3AE", "exact_match", 67.2, 83.5, 77.0),
        PublishedAccuracy("M2I2", "exact_match", 66.5, 83.5, 76.8),
        PublishedAccuracy("MUMC", "exact_match", 71.5, 84.2, 79.2),
        PublishedAccuracy("ARL", "exact_match", 67.6, 86.8, 79.2),
        PublishedAccuracy("LLaVA-Med", "llava_med_recall", 64.8, 83.1, 75.8, _RECALL),
        PublishedAccuracy("GPT-4V", "exact_match", None, 61.4, None),
    ),
    "slake": (
        PublishedAccuracy(PEFOMED, "exact_match", 77.8, 88.7, 82.1),
        PublishedAccuracy(PEFOMED, "judge", 83.1, 88.7, 85.3, "GPT-4, ten runs (0.3 / 0.0 / 0.2)"),
        PublishedAccuracy(_NONE, "exact_match", None, None, 37.6),
        PublishedAccuracy(_ONE, "exact_match", None, None, 26.9),
        PublishedAccuracy(_TWO, "exact_match", None, None, 80.6),
        PublishedAccuracy("MTL", "exact_match", 80.2, 86.1, 82.5),
        PublishedAccuracy("VQA-Adapter", "exact_match", 79.2, 83.7, 81.0),
        PublishedAccuracy("M3AE", "exact_match", 80.3, 87.8, 83.2),
        PublishedAccuracy("M2I2", "exact_match", 74.7, 91.1, 81.2),
        PublishedAccuracy("MUMC", "exact_match", 81.5, 91.1, 84.9),
        PublishedAccuracy("ARL", "exact_match", 81.9, 91.4, 85.6),
        PublishedAccuracy("LLaVA-Med", "llava_med_recall", 87.1, 86.8, 87.0, _RECALL),
    ),
    "path_vqa": (
        PublishedAccuracy(PEFOMED, "exact_match", 35.7, 91.3, 63.6),
        PublishedAccuracy(PEFOMED, "judge", 45.7, 91.3, 68.6, "GPT-4"),
        PublishedAccuracy(_NONE, "exact_match", None, None, 30.8),
        PublishedAccuracy(_ONE, "exact_match", None, None, 27.3),
        PublishedAccuracy(_TWO, "exact_match", None, None, 60.7),
        PublishedAccuracy("MMQ", "exact_match", 11.8, 82.1, 47.1),
        PublishedAccuracy("M2I2", "exact_match", 36.3, 88.0, 62.2),
        PublishedAccuracy("MUMC", "exact_match", 39.0, 90.4, 65.1),
        PublishedAccuracy("LLaVA-Med", "llava_med_recall", 39.6, 91.1, 65.4, _RECALL),
    ),
}

_MS_CXR = (
    PublishedFigures("MedRPG", {"iou": 0.594, "acc_0.5": 0.699}, 167, _ONE_BOX),
    PublishedFigures("TransVG", {"iou": 0.589, "acc_0.5": 0.659}, 167, _ONE_BOX),
)

OTHER: dict[str, tuple[PublishedFigures, ...]] = {
    "iu_xray": (
        PublishedFigures(_NONE, {"meteor": 0.059, "rouge_l": 0.089, "cider": 0.007}, 0),
        PublishedFigures(_ONE, {"meteor": 0.153, "rouge_l": 0.247, "cider": 0.124}, 0),
        PublishedFigures(_TWO, {"meteor": 0.146, "rouge_l": 0.295, "cider": 0.393}, 0),
        PublishedFigures(PEFOMED, {"meteor": 0.157, "rouge_l": 0.286, "cider": 0.462}, 0),
        PublishedFigures("R2Gen", {"meteor": 0.211, "rouge_l": 0.377, "cider": 0.438}, 0),
        PublishedFigures("BiomedGPT", {"meteor": 0.146, "rouge_l": 0.302, "cider": 0.360}, 0),
        PublishedFigures(_NONE, {"wasm_judge": 0.17}, 1180, "GPT-4, levels 0 to 4"),
        PublishedFigures(_ONE, {"wasm_judge": 2.80}, 1180, "GPT-4, levels 0 to 4"),
        PublishedFigures(_TWO, {"wasm_judge": 2.84}, 1180, "GPT-4, levels 0 to 4"),
        PublishedFigures(PEFOMED, {"wasm_judge": 2.79}, 1180, "GPT-4, levels 0 to 4"),
        PublishedFigures(PEFOMED, {"wasm_human": 2.24}, 100, "ten raters, levels 0 to 4 (0.42), 100 samples"),
        PublishedFigures(PEFOMED, {"wasm_judge": 3.08}, 100, "GPT-4, levels 0 to 4 (0.03), 100 samples"),
    ),
    "ms_cxr": _MS_CXR,
    "ms_cxr_medrpg": _MS_CXR,
}

_NO_OPTIONS: dict[str, Any] = {}


def published_scores(
    loader: str, split: str, dataset: str, options: dict[str, Any] = _NO_OPTIONS
) -> list[Score]:
    """Return the published rows for a data set read by `loader`; none for another split than `test`.

    Args:
        dataset: the name the recipe gives the data set; the scores carry it.
        options: the loader's options; SLAKE was published in English only.
    """
    if split != "test" or (loader == "slake" and options.get("language", "en") != "en"):
        return []
    return [*_vqa_scores(loader, dataset), *_other_scores(loader, dataset)]


def _vqa_scores(loader: str, dataset: str) -> Iterator[Score]:
    groups = ("answer_type=OPEN", "answer_type=CLOSED", "overall")
    for row in VQA.get(loader, ()):
        for group, value, n in zip(groups, (row.open, row.closed, row.overall), SIZES[loader], strict=True):
            if value is not None:
                # 77.4 / 100 is not the nearest number to 0.774: rounding keeps the printed digits.
                yield _score(row.system, row.metric, dataset, group, round(value / 100, 4), n, row.note)


def _other_scores(loader: str, dataset: str) -> Iterator[Score]:
    for row in OTHER.get(loader, ()):
        for metric, value in row.values.items():
            yield _score(row.system, metric, dataset, "overall", value, row.n, row.note)


def _score(system: str, metric: str, dataset: str, group: str, value: float, n: int, note: str) -> Score:
    return Score(
        metric=metric,
        system=f"published:{system}",
        dataset=dataset,
        split="test",
        group=group,
        value=value,
        n=n,
        implementation="as published" + (f"; {note}" if note else ""),
    )
