"""Answers of a run to whole splits, resumed wherever it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pefomed import recipe as recipes
from pefomed.answers.card import Parts, adapter_part, model_parts, prompt_parts
from pefomed.answers.files import AnswerFile, SplitFiles
from pefomed.boxes.samples import has_answer
from pefomed.datasets import load_samples, stream_samples
from pefomed.datasets.stage_splits import last_trained_splits
from pefomed.datasets.unreadable import unreadable, without
from pefomed.features.frozen import Features, open_features
from pefomed.features.neighbours import Archive, can_be_told
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths
from pefomed.inference.decoding import generation
from pefomed.inference.predictor import Predictor, load
from pefomed.inference.vocabularies import vocabularies
from pefomed.models import device as devices
from pefomed.models.adapter import base_of
from pefomed.packing.fitting import Fitting
from pefomed.progress import line, note
from pefomed.prompts import target
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder, Split, environment
from pefomed.runs import log as run_log
from pefomed.runs.folder import Way
from pefomed.runs.lock import hold
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Sample
from pefomed.weights.identity import base_on_disk, check_base, read_base


@usable_paths()
def predict_run(run: Path, data_folder: Path | None = None, *, blind: bool | None = None) -> list[Path]:
    """Answer every split of the recipe's [predict] table, but for what is answered; return the files.

    What is asked or shown otherwise since then is answered again (`answers.files`), and said.

    Args:
        blind: also (or not) answer with the mean image; by default as the recipe says.

    Raises:
        RunError: the folder is not a trained run, another process works in it, or it holds answers of
            another adapter, model or prompt, or generated in another way; what differs is named.
        WeightsError: the base weights are others than the adapter was trained on, even if all is answered.
    """
    if not RunFolder(run).recipe_file.exists():
        load(run)
    with hold(run):
        return _predict_run(run, data_folder, blind)


def _predict_run(run: Path, data_folder: Path | None, blind: bool | None) -> list[Path]:
    recipe = recipes.load(RunFolder(run).recipe_file)
    wanted = recipe.predict.blind if blind is None else blind
    adapter, base = adapter_part(RunFolder(run).adapter), read_base(RunFolder(run).adapter)
    if base is not None and base.is_hashed():  # as far as they are on this disk; loading asks again
        check_base(lambda: base_on_disk(recipe.model), base, f"the adapter in {RunFolder(run).adapter}")
    files: list[Path] = []
    predictor: Predictor | None = None
    for name, split in recipe.predict.data.items():
        samples = load_samples(recipe.data[name], split, data_folder)
        parts = {
            **model_parts(recipe.model, hashed=base is not None and base.is_hashed()),
            **prompt_parts(recipe.prompt, (sample.task for sample in samples)),
            "adapter": adapter,
            "generation": generation(recipe),
        }
        cut = recipe.data[name].too_long == "cut"
        if cut:  # where a question ends
            parts["prompt.max_text_tokens"] = recipe.prompt.max_text_tokens
        here = SplitFiles(run, Split(name, split), samples)
        by_kind: dict[tuple[bool, Way], AnswerFile] = {
            (hidden, ""): here.answers(parts, _PUT_BACK, blind=hidden) for hidden in {False, wanted}
        }
        closed = vocabularies(recipe, name, {sample.task for sample in samples}, data_folder)
        if closed:
            told = {f"vocabulary.{task}": short_hash(*answers) for task, answers in closed.items()}
            how = " / ".join(generation(recipe, len(answers)) for answers in closed.values())
            by_kind[False, "vocabulary"] = here.answers(
                parts | told | {"generation": how}, _PUT_BACK, way="vocabulary"
            )
        known = _known(recipe, name, samples, data_folder)
        if known:
            count = recipe.predict.neighbours
            similar: Parts = {"neighbours": count, "neighbours.known": _hash_of(known)}
            how = _told(recipe)
            by_kind[False, "neighbours"] = here.answers(
                {**parts, **similar, "generation": how}, _PUT_BACK, way="neighbours"
            )
        here.begin()
        for (hidden, way), answers in sorted(by_kind.items()):
            files.append(answers.path)
            if answers.left:
                predictor = predictor or load(run)
                _note_session(run, answers.path, predictor, begun=len(answers.left) < len(samples))
                train = _train_images(recipe, name, data_folder) if hidden else []
                what = f"answering {name} {split}{' blind' * hidden}{f', {way}' if way else ''}"
                other = Other(closed if way == "vocabulary" else {}, known if way == "neighbours" else [])
                _predict_file(predictor, answers, train, what, other, cut=cut)
        here.settle()
    return files


_PUT_BACK = "put that back, or remove the file to have all of it answered again"


@dataclass(frozen=True)
class Other:
    """What answers are found with, if not as the run's own are."""

    closed: Mapping[str, Sequence[str]]
    """Task -> the answers that may be given."""
    known: Sequence[Sample]
    """The training samples that similar images are looked for in."""


def _known(recipe: Recipe, name: str, samples: Sequence[Sample], data_folder: Path | None) -> list[Sample]:
    """Return the training samples that are told of, none if that is not wanted or nothing is asked so.

    Raises:
        DataError: the data cannot be read.
    """
    tasks = {sample.task for sample in samples if can_be_told(sample.task)}
    if not (recipe.predict.neighbours and tasks):
        return []
    return [
        sample
        for split in last_trained_splits(recipe, name)
        for sample in stream_samples(recipe.data[name], split, data_folder)
        if sample.task in tasks and has_answer(sample)
    ]


def _hash_of(known: Sequence[Sample]) -> str:
    return short_hash(*([each.id, each.question, each.reference] for each in known))


def _how(predictor: Predictor, other: Other) -> dict[str, str]:
    return {"generation": _told(predictor.recipe)} if other.known else {}


def _told(recipe: Recipe) -> str:
    return f"{generation(recipe)}, told of {recipe.predict.neighbours} similar training images"


def told_of(
    samples: Sequence[Sample], known: Sequence[Sample], predictor: Predictor, features: Features
) -> list[Sample]:
    """Return the samples, each with what was asked about similar ones among `known` in its question."""
    recipe, processor = predictor.recipe, predictor.processor
    archive = Archive(known, features, partial(target, prompt=recipe.prompt, resizing=processor.resizing))
    fitting = Fitting(recipe.prompt, processor, answers=False, room=recipe.predict.max_new_tokens)
    return [
        archive.told(
            sample,
            recipe.predict.neighbours,
            leave_out=False,
            fits=lambda longer: fitting.too_long(longer) is None,
        )
        for sample in samples
    ]


def _note_session(run: Path, path: Path, predictor: Predictor, *, begun: bool) -> None:
    """Note the versions that answer, and say it if the answers were begun under others."""
    precision = str(predictor.dtype).removeprefix("torch.")
    card = devices.card(predictor.device)
    text = environment.add(run, f"answers {path.stem}", begun=begun, card=card, precision=precision)
    if text:
        note(f"{path}: {text}")
        jsonl.append(RunFolder(run).log_file, [run_log.Event(stage="predict", text=f"{path.stem}: {text}")])


def _predict_file(
    predictor: Predictor,
    answers: AnswerFile,
    train_images: list[str],
    what: str,
    other: Other,
    *,
    cut: bool,
) -> None:
    samples = answers.left
    paths = {image for sample in (*samples, *other.known) for image in sample.images} | set(train_images)
    base = base_of(predictor.model)
    # Both the seeing and the blind run, and training before them, ask for the same images.
    features = open_features(
        base, predictor.processor.image_processor, predictor.recipe.compute, len(paths), 2 * len(paths)
    )
    features.prepare(sorted(paths))
    blind = features.mean(train_images).to(predictor.device) if train_images else None
    with answers.writer() as keep, line(what, len(samples), "questions") as shown:
        asked = told_of(samples, other.known, predictor, features) if other.known else samples
        for prediction in predictor.predict(asked, features, blind, cut=cut, vocabularies=other.closed):
            keep(prediction.model_copy(update=_how(predictor, other)))
            shown.advance()


def _train_images(recipe: Recipe, name: str, data_folder: Path | None) -> list[str]:
    """Return the images whose mean is the blind run's: those the last stage trained on."""
    stage = recipe.stages[-1] if recipe.stages else None
    if stage is None or name not in stage.data:
        splits: tuple[str, ...] = ("train",)
    else:
        splits = (stage.split, *stage.also_train)
    images: set[str] = set()
    for split in splits:
        samples = partial(stream_samples, recipe.data[name], split, data_folder)
        # What training may leave out is left out of the mean too; of what is answered, nothing ever is.
        bad = unreadable(name, recipe.data[name], split, samples())
        images.update(image for sample in without(samples(), bad) for image in sample.images)
    return sorted(images)
