"""Scores of lists: answers and their references, without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pefomed.errors import DataError
from pefomed.evaluation.caption_scores import caption_scores
from pefomed.evaluation.groups import is_closed
from pefomed.evaluation.score import check_lists, listed, score_answers, score_overlap
from pefomed.metrics.captions.corpus import corpora, meteor_or_why, text_sums
from pefomed.metrics.references import Reference
from pefomed.metrics.statistics.interval import DRAWS
from pefomed.progress import note
from pefomed.schema import Score
from pefomed.tasks import TEXTS, WORDS


def score_pairs(
    references: Sequence[Reference],
    predictions: Sequence[str],
    *,
    images: Sequence[str] | None = None,
    metas: Sequence[Mapping[str, str]] | None = None,
    task: str = "vqa",
    system: str = "model",
    dataset: str = "pairs",
    split: str = "all",
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Score]:
    """Score a list of answers, overall and by every meta key of 2 to 40 values.

    Questions (`vqa`, and whatever is answered in words): exact match and the overlap of words, and closed
    accuracy where a meta value `answer_type` is CLOSED. Captions and reports: BLEU, ROUGE-L, CIDEr, and
    METEOR where Java is.

    Args:
        references: the right answers; a list for an answer that has several.
        predictions: the given answers, in the same order.
        images: what each pair is about; pairs with the same name stay together in the
            interval. By default every pair stands alone.
        metas: the pairs' meta values, e.g. `{"answer_type": "OPEN"}`.
        draws: images left out for an interval at most, more in so many groups; 0 for no interval.
        seed: decides the groups.

    Raises:
        DataError: the lists differ in length or are empty, or hold something else than texts.
    """
    for name, given in (("references", references), ("predictions", predictions)):
        if isinstance(given, str):
            raise DataError(f"{name} must be a list of texts", found=f"the text {given[:60]!r}")
    # Columns of a data frame and arrays are as good as lists.
    references, predictions = list(references), list(predictions)
    images = None if images is None else list(images)
    metas = None if metas is None else list(metas)
    check_lists(
        references, predictions, images, metas, "give one entry of each list per answer, in the same order"
    )
    _check_texts(references, predictions, metas)
    questions = listed(references, images, metas, dataset, split, draws, seed)
    if task in WORDS:
        closed = np.array([is_closed(meta) for meta in metas or ()])
        return score_answers(questions, predictions, system) + score_overlap(
            questions, predictions, system, closed=closed if len(closed) else None
        )
    if task not in TEXTS:
        raise DataError(
            f"lists of the task {task!r} cannot be scored", remedy=f"use {', '.join([*WORDS, *TEXTS])}"
        )
    in_presets = corpora(references, [task] * len(references))
    sums, missing = meteor_or_why(in_presets, [predictions])
    if missing:
        note(missing)
    return [
        score
        for corpus, [each] in zip(in_presets, sums, strict=True)
        for score in caption_scores(
            questions,
            corpus,
            text_sums(corpus, predictions),
            system,
            meteor_sums=each,
        )
    ]


def _check_texts(
    references: Sequence[Reference], predictions: Sequence[str], metas: Sequence[Mapping[str, str]] | None
) -> None:
    for place, (reference, prediction) in enumerate(zip(references, predictions, strict=True)):
        several = (reference,) if isinstance(reference, str) else reference
        if (
            not isinstance(several, list | tuple)
            or not several
            or not all(isinstance(s, str) for s in several)
        ):
            raise DataError(
                f"references[{place}] must be a text or a list of texts",
                found=repr(reference)[:80],
                remedy="write numbers as text, e.g. str(2); leave out what has no reference",
            )
        if not isinstance(prediction, str):
            raise DataError(
                f"predictions[{place}] must be a text",
                found=repr(prediction)[:80],
                remedy="give one answer per reference; no answer is the empty text",
            )
    for place, meta in enumerate(metas or ()):
        if not isinstance(meta, Mapping) or not all(isinstance(each, str) for each in meta.values()):
            raise DataError(f"metas[{place}] must map names to texts", found=repr(meta)[:80])
