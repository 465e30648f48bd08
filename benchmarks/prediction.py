"""Questions per second of both sides on the same test questions, and whether they say the same."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks import ordinary
from benchmarks.setting import Setting
from benchmarks.table import Row, interleaved, seconds
from pefomed.features.frozen import Features
from pefomed.inference.predictor import Predictor
from pefomed.packing.batch import tokenise
from pefomed.progress import line
from pefomed.schema import Sample

PART = "prediction"


def measure(setting: Setting, adapter: Path, scratch: Path) -> list[Row]:
    """Return the table's rows for the model with the trained `adapter`."""
    asked = questions(setting, 6 if setting.quick else 96)
    predictor = Predictor(setting.recipe, adapter)
    features = _features(predictor, scratch)
    features.prepare(path for sample in asked for path in sample.images)
    rounds = 1 if setting.quick else 3
    ours: list[str] = []
    theirs: list[str] = []
    with line("answering, both ways", 2 * rounds * len(asked), "questions") as shown:

        def all_at_once() -> None:
            ours[:] = together(predictor, asked, features)
            shown.advance(len(asked))

        def one_by_one() -> None:
            theirs.clear()
            for sample in asked:
                theirs.extend(apart(predictor, [sample]))
                shown.advance()

        apart(predictor, asked[:1])  # both warm
        together(predictor, asked[:8], features)
        times = interleaved([(all_at_once, one_by_one)] * rounds)
    unkept = [seconds(lambda: together(predictor, asked, None)) for _ in range(rounds)]
    images = len({sample.images for sample in asked})
    tokens = sum(len(predictor.processor.encode_answer(text)) for text in theirs) / len(asked)
    n = len(asked)
    slow = n / statistics.median(times.ordinary)
    return [
        Row(
            PART, "answering", "questions/s", n / statistics.median(times.ours), slow, times.ratio,
            min(times.ratios), max(times.ratios), 5.0,
            f"{n} questions about {images} images, answers of {tokens:.1f} tokens",
        ),
        Row(
            PART, "the same, every image encoded once", "questions/s", n / statistics.median(unkept), slow,
            statistics.median(times.ordinary) / statistics.median(unkept), note="nothing kept from before",
        ),
        _equal(ours, theirs, "same text, in the precision above"),
        _float32(setting, adapter, asked[: 6 if setting.quick else 32]),
    ]  # fmt: skip


def questions(setting: Setting, count: int) -> list[Sample]:
    """Return about `count` questions: all of each image's, of images drawn at random."""
    groups: dict[tuple[str, ...], list[Sample]] = {}
    for sample in setting.test_samples():
        groups.setdefault(sample.images, []).append(sample)
    chosen: list[Sample] = []
    for key in random.Random(0).sample(sorted(groups), len(groups)):
        if len(chosen) < count:
            chosen += groups[key]
    return chosen


def together(predictor: Predictor, asked: Sequence[Sample], features: Features | None) -> list[str]:
    """Answer as this project does, all questions of an image from one prefix; in the order asked."""
    texts = {found.sample_id: found.text for found in predictor.predict(asked, features)}
    return [texts[sample.id] for sample in asked]


def apart(predictor: Predictor, asked: Sequence[Sample]) -> list[str]:
    """Answer as one ordinarily does: `generate` for one question after the other."""
    processor, settings = predictor.processor, predictor.recipe.predict
    texts = []
    exact = predictor.dtype == torch.float32
    with (
        ordinary.as_usual(predictor.model),
        torch.autocast(predictor.device.type, predictor.dtype, enabled=not exact),
    ):
        for sequence in tokenise(asked, predictor.recipe.prompt, processor, answers=False):
            tokens = ordinary.answer(predictor.model, sequence, processor, settings.max_new_tokens)
            texts.append(processor.tokenizer.decode(tokens, skip_special_tokens=True).strip())
    return texts


def _features(predictor: Predictor, scratch: Path) -> Features:
    base = predictor.model.get_base_model()
    return Features(base, predictor.processor.image_processor, scratch / "cache")  # type: ignore[arg-type]


def _float32(setting: Setting, adapter: Path, asked: list[Sample]) -> Row:
    compute = setting.recipe.compute.model_copy(update={"dtype": "float32"})
    exact = Predictor(setting.recipe.model_copy(update={"compute": compute}), adapter)
    return _equal(together(exact, asked, None), apart(exact, asked), "same text, float32")


def _equal(ours: list[str], theirs: list[str], what: str) -> Row:
    same = sum(own == other for own, other in zip(ours, theirs, strict=True))
    return Row(PART, what, "%", 100 * same / len(theirs), note=f"{same} of {len(theirs)} questions")
