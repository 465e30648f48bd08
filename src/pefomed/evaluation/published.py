"""Published results as scores, to stand beside ours: percentages as printed, n of the published split.

Sources: PeFoMed (Parameter Efficient Fine-tuning of Multimodal Large Language Models for Medical
Imaging) with its comparison tables, and the papers named in them. Authors define exact match
themselves, mostly as in `exact_match`; spreads in brackets are standard deviations, not intervals.
n = 0 where it is not stated. Published rows have no interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pefomed.evaluation.published_vqa import NONE, ONE, PEFOMED, SIZES, TWO, VQA, said_of
from pefomed.schema import Score


class PublishedFigures(NamedTuple):
    """Other printed figures of the whole test split, by metric."""

    system: str
    values: dict[str, float]
    n: int
    note: str = ""


_ONE_BOX = "phrases with one box, MedRPG's split"

_MS_CXR = (
    PublishedFigures("MedRPG", {"iou": 0.594, "acc_0.5": 0.699}, 167, _ONE_BOX),
    PublishedFigures("TransVG", {"iou": 0.589, "acc_0.5": 0.659}, 167, _ONE_BOX),
)

OTHER: dict[str, tuple[PublishedFigures, ...]] = {
    "iu_xray": (
        PublishedFigures(NONE, {"meteor": 0.059, "rouge_l": 0.089, "cider": 0.007}, 0),
        PublishedFigures(ONE, {"meteor": 0.153, "rouge_l": 0.247, "cider": 0.124}, 0),
        PublishedFigures(TWO, {"meteor": 0.146, "rouge_l": 0.295, "cider": 0.393}, 0),
        PublishedFigures(PEFOMED, {"meteor": 0.157, "rouge_l": 0.286, "cider": 0.462}, 0),
        PublishedFigures("R2Gen", {"meteor": 0.211, "rouge_l": 0.377, "cider": 0.438}, 0),
        PublishedFigures("BiomedGPT", {"meteor": 0.146, "rouge_l": 0.302, "cider": 0.360}, 0),
        PublishedFigures(NONE, {"wasm_judge": 0.17}, 1180, "GPT-4, levels 0 to 4"),
        PublishedFigures(ONE, {"wasm_judge": 2.80}, 1180, "GPT-4, levels 0 to 4"),
        PublishedFigures(TWO, {"wasm_judge": 2.84}, 1180, "GPT-4, levels 0 to 4"),
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
        if not row.metric:  # it stands beside no metric of ours, but in the table of protocols
            continue
        about = "; ".join(filter(None, (row.note, said_of(row))))
        for group, value, n in zip(groups, (row.open, row.closed, row.overall), SIZES[loader], strict=True):
            if value is not None:
                # 77.4 / 100 is not the nearest number to 0.774: rounding keeps the printed digits.
                yield _score(row.system, row.metric, dataset, group, round(value / 100, 4), n, about)


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
