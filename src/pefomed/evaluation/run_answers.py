"""The scores of a run's short answers: questions, names of regions, and texts that follow a template."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pefomed.evaluation.answered_split import AnsweredSplit, System
from pefomed.evaluation.groups import is_closed
from pefomed.evaluation.item_records import OWN, answer_items
from pefomed.evaluation.plugin_scores import plugin_scores
from pefomed.evaluation.protocol_scores import protocol_split
from pefomed.evaluation.run_floors import answer_floors
from pefomed.evaluation.score import score_values, score_word_values
from pefomed.metrics.word_values import word_values
from pefomed.progress import track
from pefomed.schema import Sample, Score
from pefomed.tasks import TASKS, WORDS


def answer_scores(answered: AnsweredSplit, places: Sequence[int]) -> list[Score]:
    """Return exact match of the samples at `places`, and of those answered in words the overlap of words."""
    samples = [answered.samples[place] for place in places]
    questions = answered.questions(samples)
    systems = [system.only(places) for system in answered.systems]
    if answered.has_floors:
        systems += answer_floors(answered, samples)
    scores: list[Score] = []
    for name, texts, how in track(systems, f"scoring {answered.dataset}", unit="systems"):
        values = word_values(questions.references, texts, "exact")
        scores += score_values(questions, values, name, how)
        if name in OWN:
            answered.keep(answer_items(samples, texts, name, values))
    asked = [place for place, sample in enumerate(samples) if sample.task in WORDS]
    if not asked:
        return scores
    short = [samples[place] for place in asked]
    questions = answered.questions(short)
    # As the data set says; a data set that does not say has no closed questions.
    if not any("answer_type" in sample.meta for sample in short) and any(
        each.strip().lower() in ("yes", "no") for sample in short for each in sample.references
    ):
        answered.run.events.append(
            f"{answered.name}: no closed accuracy, as no `answer_type` says which questions are closed"
        )
    closed = np.array([is_closed(sample.meta) for sample in short])
    for system in track(systems, f"scoring {answered.dataset}, overlap of words", unit="systems"):
        name, texts, how = system.only(asked)
        values = word_values(questions.references, texts, "words", "closed")
        scores += score_word_values(questions, values, name, how, closed)
        if name in OWN:
            answered.keep(answer_items(short, texts, name, values))
    of_words = [system.only(asked) for system in systems]
    if answered.run.protocols is not None:
        _add_protocols(answered, short, of_words)
    return scores + plugin_scores(answered, short, of_words)


def _add_protocols(answered: AnsweredSplit, samples: Sequence[Sample], systems: Sequence[System]) -> None:
    """Add what protocols make of the questions; names of regions are nobody's questions."""
    assert answered.run.protocols is not None
    places = [place for place, sample in enumerate(samples) if TASKS[sample.task].asked == "question"]
    if len(places) < len(samples):
        answered.run.events.append(
            f"{answered.name}: {len(samples) - len(places):,} answers in words are to no question, and count"
            " in no protocol"
        )
    if places:
        asked = [samples[place] for place in places]
        answered.run.protocols.append(
            protocol_split(answered, asked, [system.only(places) for system in systems])
        )
