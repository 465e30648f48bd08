"""The scores of a run's free texts: captions, reports, and captions with marked phrases without the marks."""

from __future__ import annotations

from collections.abc import Sequence

from pefomed.boxes.marks import without_marks
from pefomed.evaluation.answered_split import AnsweredSplit
from pefomed.evaluation.caption_scores import caption_scores, corpora, item_sums, meteor_or_why, tokens_of
from pefomed.evaluation.item_records import OWN, text_values, value_items
from pefomed.evaluation.plugin_scores import plugin_scores
from pefomed.evaluation.run_floors import constant_floor, validation_split
from pefomed.schema import Sample, Score
from pefomed.tasks import MARKED


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
    made = corpora(questions.references, [sample.task for sample in samples])
    sums, missing = meteor_or_why(made, [system.answers for system in systems])
    if missing:
        answered.run.events.append(f"{answered.name}: {missing}")
    scores: list[Score] = []
    for corpus, by_system in zip(made, sums, strict=True):
        for (name, texts, how), meteor_sums in zip(systems, by_system, strict=True):
            of_items = item_sums(corpus, tokens_of(corpus.preset, texts))
            scores += caption_scores(questions, corpus, of_items, name, how, meteor_sums)
            if name in OWN:
                answered.keep(value_items(samples, name, text_values(corpus, of_items)))
    return scores + plugin_scores(answered, samples, systems)


def unmarked(sample: Sample) -> Sample:
    """Return a sample whose reference is text alone; only a grounded caption is another one then."""
    if sample.task not in MARKED:
        return sample
    first, *further = map(without_marks, sample.references)
    return sample.model_copy(update={"reference": first, "further_references": tuple(further)})


def unmarked_answers(answers: Sequence[str], samples: Sequence[Sample]) -> list[str]:
    """Return the answers to the samples, grounded captions without their marks."""
    return [
        without_marks(text) if sample.task in MARKED else text
        for text, sample in zip(answers, samples, strict=True)
    ]
