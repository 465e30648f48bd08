"""Answers of a trained run: a whole split, resumable, or one image and question."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, overload

from torch import Tensor

from pefomed import recipe as recipes
from pefomed.answers.answer import Answer, Piece, answer_of
from pefomed.answers.asking import Request, doubts, sample_of, trained_tasks
from pefomed.errors import DataError, RunError
from pefomed.features.frozen import Features
from pefomed.files.storage import usable_paths
from pefomed.images.given import Picture, given_images
from pefomed.images.images import image_size
from pefomed.inference.attention_choice import fit_attention
from pefomed.inference.closed_vocabulary import Vocabulary
from pefomed.inference.deciding import Deciding, deciding_of
from pefomed.inference.decoding import Sampling, generation
from pefomed.inference.draws import Drawing, draws
from pefomed.inference.engine import Engine
from pefomed.inference.generate import Generated
from pefomed.inference.given_features import GivenFeatures
from pefomed.inference.text_pieces import TextPieces, text_of
from pefomed.models import device as devices
from pefomed.models.adapter import base_of, load_adapter
from pefomed.models.build import build_model
from pefomed.models.protocol import ImageFeatures, Processor
from pefomed.packing.batch import tokenise
from pefomed.progress import note
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder
from pefomed.schema import Box, Drawn, Prediction, Sample
from pefomed.tasks import WITH_BOXES

BLIND = "mean-image"
"""Stands for the image of every sample in a blind run."""


class Predictor:
    """A run's model, ready to answer."""

    def __init__(self, recipe: Recipe, adapter: Path, trained: frozenset[str] | None = None):
        """Build the model; `trained` are the tasks it was trained on, if that is known."""
        devices.set_threads(recipe.compute)
        device = devices.device(recipe.compute)
        base, processor = build_model(
            recipe.model,
            device=str(device),
            dtype=devices.dtype(recipe.compute, device),
            feature_dtype=devices.feature_dtype(recipe.compute, device),
        )
        self._begin(recipe, load_adapter(base, adapter), processor, trained)

    @classmethod
    def of(
        cls, recipe: Recipe, model: Any, processor: Processor, trained: frozenset[str] | None = None
    ) -> Predictor:
        """Return a predictor of a model of any family (`model.protocol`) that is there, in an adapter or not.

        Args:
            recipe: its prompts and its [predict] and [compute] tables are used.
        """
        made = cls.__new__(cls)
        made._begin(recipe, model, processor, trained)
        return made

    def _begin(
        self, recipe: Recipe, model: Any, processor: Processor, trained: frozenset[str] | None
    ) -> None:
        self.recipe, self.processor, self.trained = recipe, processor, trained
        self._doubted: set[str] = set()
        self.device = devices.device(recipe.compute)
        self.dtype = devices.dtype(recipe.compute, self.device)
        fit_attention(base_of(model), recipe.compute, processor, decoding=True)
        self.model = model.to(self.device).eval()
        self._engine = Engine(recipe, self.model, processor)
        self._generation = generation(recipe)
        self.run: Path | None = None
        """Whose threshold says which answers are not sure; none is asked for without."""

    @cached_property
    def _deciding(self) -> Deciding | None:
        return None if self.run is None else deciding_of(self.run, self.recipe)

    def ask(
        self,
        image: Picture | Sequence[Picture],
        question: str = "",
        task: str = "vqa",
        *,
        boxes: Sequence[Box] = (),
    ) -> Answer:
        """Return the answer to one question about one image (or several views of one study).

        A task that the run was never trained on is answered, and doubted on the error stream. Where the run
        has a threshold (`pefomed threshold`), an answer below it says so: `answer.sure`, `answer.doubt`.

        Args:
            image: a path, a PIL image, an array, the bytes of a file, or a list of these.
            boxes: what the task `identify` asks about, as fractions of the image.

        Raises:
            ImageError: an image is missing, damaged or too large.
            DataError: the question is empty where the task needs one, or too long.
        """
        return next(self.ask_each(image, [question], task, boxes=boxes))

    def ask_each(
        self,
        image: Picture | Sequence[Picture],
        questions: Iterable[str],
        task: str = "vqa",
        *,
        boxes: Sequence[Box] = (),
    ) -> Iterator[Answer]:
        """Yield the answer to each question about the same images, which are read and encoded once.

        Raises:
            ImageError: see `ask`, at the first question; as all others are.
        """
        given = GivenFeatures(self.model, self.processor)
        images = given_images(image)
        for question in questions:
            [answer] = self._answers([Request(images, question, task, boxes)], self._sampling(), given)
            yield answer

    @overload
    def answer(
        self,
        samples: Iterable[Sample | Request],
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        stream: Literal[False] = False,
    ) -> list[Answer]: ...
    @overload
    def answer(
        self,
        samples: Iterable[Sample | Request],
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        stream: Literal[True],
    ) -> Iterator[Piece]: ...
    def answer(
        self,
        samples: Iterable[Sample | Request],
        *,
        max_new_tokens: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        stream: bool = False,
    ) -> list[Answer] | Iterator[Piece]:
        """Return the answers to `samples`, in their order; as a stream, pieces of their texts as they come.

        Questions about the same images are answered together from one pass over these. One that is given
        several times is answered as often: with a temperature, in several ways.

        Args:
            samples: records, or requests about images in any form.
            max_new_tokens: most tokens of an answer; by default as the recipe says.
            temperature: 0 for the likeliest token each time; above, tokens are drawn (see `Sampling`).
            seed: of what is drawn.
            stream: yield pieces, of several answers in turn; nothing is computed before the first one.

        Raises:
            ImageError: an image is missing, damaged or too large.
            DataError: a question is empty where its task needs one, or too long; a setting that cannot be.
        """
        if isinstance(samples, (Sample, Request)):
            raise DataError("several questions are a list", found="one", remedy="put it into a list")
        sampling = self._sampling(max_new_tokens, temperature, seed)
        given = GivenFeatures(self.model, self.processor)
        if stream:
            return self._pieces(samples, sampling, given)
        return self._answers(samples, sampling, given)

    def predict(
        self,
        samples: Sequence[Sample],
        features: Callable[[Iterable[str]], ImageFeatures] | None = None,
        blind: Tensor | None = None,
        *,
        cut: bool = False,
        vocabularies: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[Prediction]:
        """Yield a prediction for each sample, in batches as they are ready.

        Args:
            features: where image features come from; computed on the spot if absent.
            blind: features (P, D) to use instead of every image's own.
            cut: cut questions that are too long.
            vocabularies: task -> the answers of which the likeliest is given; other tasks as ever.
        """
        features = features or Features(base_of(self.model), self.processor.image_processor, None)
        if blind is not None:
            samples = [
                sample.model_copy(update={"images": (BLIND,) * len(sample.images)}) for sample in samples
            ]
        closed = vocabularies or {}
        sampling = replace(
            self._sampling(),
            logprobs=self.recipe.predict.logprobs,
            vocabularies={task: Vocabulary(one, self.processor.tokenizer) for task, one in closed.items()},
        )
        for place, generated in self._engine.generated(samples, features, sampling, blind, cut=cut):
            if generated.done:
                how = generation(self.recipe, len(closed.get(samples[place].task, ())))
                yield self._prediction(generated, how, blind=blind is not None)

    def draw(
        self,
        samples: Sequence[Sample],
        drawing: Drawing,
        features: Callable[[Iterable[str]], ImageFeatures] | None = None,
        *,
        cut: bool = False,
    ) -> Iterator[Drawn]:
        """Yield several drawn answers to each sample; see `draws`.

        Args:
            features: as those of `predict`.
        """
        features = features or Features(base_of(self.model), self.processor.image_processor, None)
        return draws(self._engine, samples, features, drawing, cut=cut)

    def _sampling(
        self, max_new_tokens: int | None = None, temperature: float = 0.0, seed: int = 0
    ) -> Sampling:
        most = self.recipe.predict.max_new_tokens if max_new_tokens is None else max_new_tokens
        return Sampling(most, temperature, seed, logprobs=True)

    def _answers(
        self, requests: Iterable[Sample | Request], sampling: Sampling, given: GivenFeatures
    ) -> list[Answer]:
        samples = [self._sample(one, given) for one in requests]
        found: dict[int, Answer] = {}
        for place, generated in self._engine.generated(samples, given, sampling):
            if generated.done:
                found[place] = self._answer(generated, samples[place])
        return self._decided(samples, [found[place] for place in range(len(samples))], sampling, given)

    def _pieces(
        self, requests: Iterable[Sample | Request], sampling: Sampling, given: GivenFeatures
    ) -> Iterator[Piece]:
        samples = [self._sample(one, given) for one in requests]
        texts = [TextPieces(self.processor.tokenizer) for _ in samples]
        for place, generated in self._engine.generated(samples, given, sampling):
            new = texts[place].next(generated.tokens, done=generated.done)
            answer = None
            if generated.done:
                whole = self._answer(generated, samples[place])
                [answer] = self._decided([samples[place]], [whole], sampling, given)
            if new or answer is not None:
                yield Piece(place, new, answer)

    def _decided(
        self, samples: Sequence[Sample], answers: list[Answer], sampling: Sampling, given: GivenFeatures
    ) -> list[Answer]:
        """Return the answers, those that the run's threshold does not let pass with the reason."""
        if self._deciding is None or sampling.temperature:
            return answers
        return self._deciding.decided(samples, answers, given, self.draw)

    def _sample(self, asked: Sample | Request, given: GivenFeatures) -> Sample:
        """Return what is asked as a record, its images named so that `given` knows them."""
        if isinstance(asked, Sample):
            if asked.size is None and asked.task in WITH_BOXES:  # where the image lies in the model's square
                return asked.model_copy(update={"size": image_size(asked.images[0])})
            return asked
        if not isinstance(asked, Request):
            raise DataError(
                "a question is a Sample or a Request",
                found=type(asked).__name__,
                remedy="give pefomed.Request(image, question)",
            )
        images = given_images(asked.images)
        sizes = [one.size for one in images]
        names = [given.add(one) for one in images]
        sample = sample_of(asked.question, asked.task, asked.boxes, sizes, self.recipe, names)
        for doubt in doubts(asked.task, asked.question, self.recipe, self.trained):
            if doubt not in self._doubted:
                note(doubt)
            self._doubted.add(doubt)
        self._check_length(sample, given)
        return sample

    def _check_length(self, sample: Sample, given: GivenFeatures) -> None:
        count = partial(self._engine.image_tokens, given, None)
        try:
            tokenise([sample], self.recipe.prompt, self.processor, answers=False, image_tokens=count)
        except DataError as error:
            raise DataError(
                "the question is too long", found=error.found, remedy=f"shorten it: {error.problem}"
            ) from None

    def _answer(self, generated: Generated, sample: Sample) -> Answer:
        whole = answer_of(self._prediction(generated), sample, self.recipe)
        return replace(whole, token_ids=tuple(generated.tokens), token_logprobs=tuple(generated.logprobs))

    def _prediction(self, generated: Generated, how: str = "", *, blind: bool = False) -> Prediction:
        return Prediction(
            sample_id=generated.sample_id,
            text=text_of(self.processor.tokenizer, generated.tokens),
            tokens=len(generated.tokens),
            finish=generated.finish,
            generation=how or self._generation,
            blind=blind,
            logprob=math.fsum(generated.logprobs) if generated.logprobs else None,
        )


@usable_paths()
def load(run: str | Path) -> Predictor:
    """Load a run's model; `load(run).ask(image, question)` answers.

    Raises:
        RunError: the folder is not a trained run.
    """
    run = Path(run)
    if not RunFolder(run).recipe_file.exists():
        raise RunError(
            f"{run} is not a run", found="no recipe.toml in it", remedy="train one: pefomed run RECIPE"
        )
    recipe = recipes.load(RunFolder(run).recipe_file)
    trained = trained_tasks(run) if recipe.stages else frozenset()
    found = Predictor(recipe, RunFolder(run).adapter, trained)
    found.run = run
    return found
