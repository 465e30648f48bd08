"""The scores of a run's free texts: captions, reports, and captions with marked phrases without the marks."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.boxes.marks import unmarked, unmarked_answers
from pefomed.evaluation.answered_split import AnsweredSplit
from pefomed.evaluation.caption_scores import caption_scores
from pefomed.evaluation.item_records import OWN, value_items
from pefomed.evaluation.plugin_scores import plugin_scores
from pefomed.evaluation.run_floors import constant_floor, validation_split
from pefomed.metrics.captions.corpus import corpora, meteor_or_why, single_values, text_sums
from pefomed.schema import Score


def text_scores(answered: AnsweredSplit, places: Sequence[int]) -> list[Score]:
    """Return the report metrics of the samples at `places`, in every preset."""
    samples = [unmarked(answered.samples[place]) for place in places]
    questions = answered.questions(samples)
    systems = [
        system._replace(answers=unmarked_answers(system.answers, samples))
        for system in (system.only(places) for system in answered.systems)
    ]
    if answered.has_floors and answered.training is not None:
        split = validation_split(answered)
        validation = [unmarked(sample) for sample in answered.load(split)] if split else []
        systems += constant_floor(answered, samples, answered.training.changed(unmarked), validation)
    in_presets = corpora(questions.references, [sample.task for sample in samples])
    sums, missing = meteor_or_why(in_presets, [system.answers for system in systems])
    if missing:
        answered.run.events.append(f"{answered.name}: {missing}")
    scores: list[Score] = []
    for corpus, by_system in zip(in_presets, sums, strict=True):
        for (name, texts, how), meteor_sums in zip(systems, by_system, strict=True):
            of_items = text_sums(corpus, texts)
            scores += caption_scores(questions, corpus, of_items, name, how, meteor_sums)
            if name in OWN:
                answered.keep(value_items(samples, name, single_values(corpus, of_items)))
    return scores + plugin_scores(answered, samples, systems)
