"""Answers of a trained run: a whole split, resumable, or one image and question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pefomed import recipe as recipes
from pefomed.answers.asking import Answer, answer_of, doubts, sample_of, trained_tasks
from pefomed.data.pictures.given import Picture, given_images
from pefomed.errors import DataError, RunError
from pefomed.features.frozen import Features
from pefomed.inference.attention_choice import fit_attention
from pefomed.inference.decoding import Answering, generation
from pefomed.model import device as devices
from pefomed.model.adapter import base_of, load_adapter
from pefomed.model.build import build_model
from pefomed.packing.batch import Row, Tokens, rows, tokenise
from pefomed.progress import note
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder
from pefomed.schema import Box, Prediction, Sample

BLIND = "mean-image"
"""Stands for the image of every sample in a blind run."""


class Predictor:
    """A run's model, ready to answer."""

    def __init__(self, recipe: Recipe, adapter: Path, trained: frozenset[str] | None = None):
        """Build the model; `trained` are the tasks it was trained on, if that is known."""
        self.recipe, self.trained = recipe, trained
        self._doubted: set[str] = set()
        devices.set_threads(recipe.compute)
        self.device = devices.device(recipe.compute)
        self.dtype = devices.dtype(recipe.compute, self.device)
        base, self.processor = build_model(
            recipe.model,
            device=str(self.device),
            dtype=self.dtype,
            feature_dtype=devices.feature_dtype(recipe.compute, self.device),
        )
        fit_attention(base, recipe.compute, decoding=True)
        self.model = load_adapter(base, adapter).to(self.device).eval()
        self.answering = Answering(recipe, self.processor.tokenizer)

    def ask(
        self,
        image: Picture | Sequence[Picture],
        question: str = "",
        task: str = "vqa",
        *,
        boxes: Sequence[Box] = (),
    ) -> Answer:
        """Return the answer to one question about one image (or several views of one study).

        A task that the run was never trained on is answered, and doubted on the error stream.

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
        images = given_images(image)
        features = Features(base_of(self.model), self.processor.image_processor, None).encode(images)
        sizes = [one.size for one in images]
        for question in questions:
            sample = sample_of(question, task, boxes, sizes, self.recipe)
            for doubt in doubts(task, question, self.recipe, self.trained):
                if doubt not in self._doubted:
                    note(doubt)
                self._doubted.add(doubt)
            self._check_length(sample)
            # All images of every row are these, in this order.
            [prediction] = self.predict([sample], lambda _: features)
            yield answer_of(prediction, sample, self.recipe)

    def predict(
        self,
        samples: Sequence[Sample],
        features: Callable[[Iterable[str]], Tensor] | None = None,
        blind: Tensor | None = None,
        *,
        cut: bool = False,
    ) -> Iterator[Prediction]:
        """Yield a prediction for each sample, in batches as they are ready.

        Args:
            features: where image features come from; computed on the spot if absent.
            blind: features (P, D) to use instead of every image's own.
            cut: cut questions that are too long.
        """
        features = features or Features(base_of(self.model), self.processor.image_processor, None)
        if blind is not None:
            samples = [
                sample.model_copy(update={"images": (BLIND,) * len(sample.images)}) for sample in samples
            ]
        end = int(self.processor.tokenizer.eos_token_id)
        how = generation(self.recipe)
        room = self.recipe.predict.max_new_tokens
        sequences = tokenise(samples, self.recipe.prompt, self.processor, answers=False, room=room, cut=cut)
        for chunk in self._chunks(sequences):
            paths = [image for row in chunk for image in row.images]
            kept = features(paths) if blind is None else blind.expand(len(paths), *blind.shape)
            with self._autocast():
                answers = self.answering.answers(self.model, chunk, kept.to(self.device))
            for answer in answers:
                tokens = [token for token in answer.tokens if token != end]
                text = self.processor.tokenizer.decode(tokens, skip_special_tokens=True).strip()
                yield Prediction(
                    sample_id=answer.sample_id,
                    text=text,
                    tokens=len(answer.tokens),
                    finish=answer.finish,
                    generation=how,
                    blind=blind is not None,
                )

    def _check_length(self, sample: Sample) -> None:
        try:
            tokenise([sample], self.recipe.prompt, self.processor, answers=False)
        except DataError as error:
            raise DataError(
                "the question is too long", found=error.found, remedy=f"shorten it: {error.problem}"
            ) from None

    def _chunks(self, sequences: list[Tokens]) -> Iterator[list[Row]]:
        """Yield rows in batches, all of which are decoded in the same way."""
        most = self.recipe.predict.batch_questions
        for alike in self.answering.groups(sequences):
            made = rows(alike, share_image=base_of(self.model).shares_rows, max_questions=most)
            yield from _chunks(sorted(made, key=len), most)

    def _autocast(self) -> Any:
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)


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
    return Predictor(recipe, RunFolder(run).adapter, trained)


def _chunks(made: Sequence[Row], questions: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in made:
        if chunk and sum(len(one.sequences) for one in (*chunk, row)) > questions:
            yield chunk
            chunk = []
        chunk.append(row)
    if chunk:
        yield chunk
