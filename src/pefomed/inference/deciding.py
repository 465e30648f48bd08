"""Which answers of a loaded model are not sure, by the threshold that its run keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pefomed.answers.answer import Answer
from pefomed.answers.drawn import agreement, support
from pefomed.answers.sureness import Rule, read_rule
from pefomed.answers.writing import writing_of
from pefomed.errors import RunError, typed
from pefomed.inference.draws import Drawing
from pefomed.inference.likeness import Pictures, Source, kept, vectors_of
from pefomed.progress import note
from pefomed.recipe import Recipe
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Drawn, Sample

Draw = Callable[[Sequence[Sample], Drawing, Source], Iterator[Drawn]]


class Deciding:
    """A run's rule, and what is needed to follow it."""

    def __init__(self, rule: Rule, recipe: Recipe, pictures: Pictures | None):
        self.rule, self._recipe, self._pictures = rule, recipe, pictures
        self._said: set[str] = set()

    def decided(
        self, samples: Sequence[Sample], answers: Sequence[Answer], given: Source, draw: Draw
    ) -> list[Answer]:
        """Return the answers, those that are not sure with the reason.

        Args:
            given: features of the samples' images.
            draw: draws answers to samples.
        """
        asked = [place for place, sample in enumerate(samples) if sample.task in self.rule.tasks]
        self._say_others([sample.task for sample in samples])
        known = self._confidences([samples[at] for at in asked], [answers[at] for at in asked], given, draw)
        found = list(answers)
        for place, confidence in zip(asked, known, strict=True):
            doubt = self.rule.why_not(confidence, self._likeness(samples[place], given))
            found[place] = replace(answers[place], doubt=doubt)
        return found

    def _say_others(self, tasks: Sequence[str]) -> None:
        for task in {*tasks} - {*self.rule.tasks} - self._said:
            self._said.add(task)
            note(
                f"answers of the task {task} are given however sure they are: the threshold was chosen on"
                f" {', '.join(self.rule.tasks)}"
            )

    def _confidences(
        self, samples: Sequence[Sample], answers: Sequence[Answer], given: Source, draw: Draw
    ) -> list[float | None]:
        if not samples or self.rule.by == "probability":
            return [None if one.logprob is None else math.exp(min(one.logprob, 0.0)) for one in answers]
        # What is drawn hangs on what is asked, not on what is asked beside it; a question has no id.
        names = [short_hash(one.task, one.question, one.images) for one in samples]
        named = dict(zip(names, samples, strict=True))
        asked = [one.model_copy(update={"id": name}) for name, one in named.items()]
        rule = self.rule
        how = Drawing(rule.samples, rule.temperature, rule.seed, self._recipe.predict.max_new_tokens)
        texts = {one.sample_id: one.texts for one in draw(asked, how, given)}
        writing = writing_of(self._recipe)
        return [
            agreement(sample, texts[name], writing)
            if rule.by == "drawn_agreement"
            else support(sample, answer.text, texts[name], writing)
            for name, sample, answer in zip(names, samples, answers, strict=True)
        ]

    def _likeness(self, sample: Sample, given: Source) -> float | None:
        if self._pictures is None or not self.rule.unlike:
            return None
        distances = self._pictures.distances(vectors_of(sample.images, given))
        return self._pictures.level(max(distances))


def deciding_of(run: Path, recipe: Recipe) -> Deciding | None:
    """Return what a run's threshold asks for; None if it has none.

    Raises:
        DataError: a file of it is damaged.
        RunError: it is of another adapter, or asks for the likeness of pictures, which the run does not keep.
    """
    rule = read_rule(run)
    if rule is None:
        return None
    pictures = kept(run) if rule.unlike else None
    if rule.unlike and pictures is None:
        raise RunError(
            f"{run} does not keep what its training pictures look like, which its threshold asks for",
            remedy=f"run `pefomed predict {typed(run)}` again, or choose one: pefomed threshold {typed(run)}",
        )
    return Deciding(rule, recipe, pictures)
