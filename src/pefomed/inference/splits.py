"""Answers of a run to whole splits, resumed wherever it stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pefomed import recipe as recipes
from pefomed.answers.card import adapter_part, model_parts, prompt_parts
from pefomed.answers.files import AnswerFile, Kind, SplitFiles
from pefomed.datasets import load_samples, stream_samples
from pefomed.datasets.stage_splits import trained_splits, validated_split
from pefomed.datasets.unreadable import unreadable, without
from pefomed.errors import DataError, RecipeError, nearest
from pefomed.features.frozen import Features, open_features
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths
from pefomed.inference import likeness
from pefomed.inference.decoding import generation
from pefomed.inference.draws import Drawing
from pefomed.inference.predictor import Predictor, load
from pefomed.inference.similar_images import hash_of_known, similar_known, told_of, told_text
from pefomed.inference.vocabularies import vocabularies
from pefomed.models import device as devices
from pefomed.models.adapter import base_of
from pefomed.probes.known import probed, probes_named
from pefomed.probes.paraphrase import user_wordings
from pefomed.progress import line, note
from pefomed.recipe import Predict, Recipe
from pefomed.runs import RunFolder, Split, environment
from pefomed.runs import log as run_log
from pefomed.runs.lock import hold
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Drawn, Prediction, Sample
from pefomed.weights.identity import base_on_disk, check_base, read_base


@usable_paths()
def predict_run(
    run: Path,
    data_folder: Path | None = None,
    *,
    blind: bool | None = None,
    probes: Sequence[str] | None = None,
    drawn: Mapping[str, Any] | None = None,
    on: Mapping[str, str] | None = None,
) -> list[Path]:
    """Answer every split of the recipe's [predict] table, but for what is answered; return the files.

    The splits of its [threshold] table are answered too, into RUN/calibration. What is asked or shown
    otherwise since then is answered again (`answers.files`), and said.

    Args:
        blind: also (or not) answer with the mean image; by default as the recipe says.
        probes: in which ways to ask otherwise too (`recipe.PROBES`); by default as the recipe says.
        drawn: `samples`, `temperature`, `seed` of the drawn answers, in the place of the recipe's.
        on: data set -> split to answer for a threshold, beside the recipe's.

    Raises:
        RunError: the folder is not a trained run, another process works in it, or it holds answers of
            another adapter, model or prompt, or generated in another way; what differs is named.
        RecipeError: answers cannot be drawn so, or a data set or a probe is unknown.
        DataError: the user's wordings of questions do not fit what is asked.
        WeightsError: the base weights are others than the adapter was trained on, even if all is answered.
    """
    if not RunFolder(run).recipe_file.exists():
        load(run)
    with hold(run):
        return _predict_run(run, data_folder, blind, probes, drawn or {}, on or {})


def _predict_run(
    run: Path,
    data_folder: Path | None,
    blind: bool | None,
    probes: Sequence[str] | None,
    drawn: Mapping[str, Any],
    on: Mapping[str, str],
) -> list[Path]:
    recipe = recipes.load(RunFolder(run).recipe_file)
    how = Predict(**{**recipe.predict.model_dump(), **drawn})
    wanted = recipe.predict.blind if blind is None else blind
    adapter, base = adapter_part(RunFolder(run).adapter), read_base(RunFolder(run).adapter)
    if base is not None and base.is_hashed():  # as far as they are on this disk; loading asks again
        check_base(lambda: base_on_disk(recipe.model), base, f"the adapter in {RunFolder(run).adapter}")
    drawing = Drawing.of(how, generation(recipe)) if how.samples else None
    files: list[Path] = []
    predictor: Predictor | None = None
    probing = recipe.predict.probes if probes is None else probes_named(probes)
    wordings = user_wordings(recipe, data_folder) if "paraphrase" in probing else None
    for name, split, folder in _targets(recipe, run, on):
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
        here = SplitFiles(folder, Split(name, split), samples)
        by_kind: dict[Kind, AnswerFile] = {"seen": here.answers(parts, _PUT_BACK)}
        if wanted and folder == run:
            by_kind["blind"] = here.answers(parts, _PUT_BACK, "blind")
        closed: Mapping[str, Sequence[str]] = {}
        if folder == run:
            closed = vocabularies(recipe, name, {sample.task for sample in samples}, data_folder)
        if closed:
            told = {f"vocabulary.{task}": short_hash(*answers) for task, answers in closed.items()}
            told["generation"] = " / ".join(generation(recipe, len(answers)) for answers in closed.values())
            by_kind["vocabulary"] = here.answers(parts | told, _PUT_BACK, "vocabulary")
        similar = similar_known(recipe, name, samples, data_folder) if folder == run else []
        if similar:
            told = {"neighbours.known": hash_of_known(similar), "generation": told_text(recipe)}
            by_kind["neighbours"] = here.answers(parts | told, _PUT_BACK, "neighbours")
        if drawing:
            by_kind["drawn"] = here.answers({**parts, "generation": str(drawing)}, _PUT_BACK, "drawn")
        here.begin()
        for kind, answers in by_kind.items():
            files.append(answers.path)
            if answers.left:
                predictor = predictor or load(run)
                _note_session(run, answers.path, predictor, begun=len(answers.left) < len(samples))
                train = _train_images(recipe, name, data_folder) if kind == "blind" else []
                what = f"answering {name} {split}{_SAID[kind]}"
                draw = drawing if kind == "drawn" else None
                other = Other(closed if kind == "vocabulary" else {}, similar if kind == "neighbours" else [])
                _predict_file(predictor, answers, train, what, draw, other, cut=cut)
        here.settle()
        for probe in probing if folder == run else ():
            changed = probed(probe, samples, wordings)
            _tell(run, changed.said(probe, f"{name} {split}"))
            there = SplitFiles(RunFolder(run).probe(probe).path, Split(name, split), changed.samples)
            answers = there.answers(parts, _PUT_BACK)
            there.begin()
            if answers.left:
                predictor = predictor or load(run)
                begun = len(answers.left) < len(changed.samples)
                _note_session(run, answers.path, predictor, begun=begun, probe=probe)
                what = f"answering {name} {split}, {probe}"
                _predict_file(predictor, answers, [], what, None, Other({}, []), cut=cut)
            there.settle()
            files += [answers.path] if changed.samples else []
        if recipe.predict.likeness and recipe.stages:
            predictor = _measure_likeness(
                run, folder, Split(name, split), samples, recipe, predictor, data_folder
            )
    return files


_SAID: dict[Kind, str] = {
    "seen": "",
    "blind": " blind",
    "drawn": ", drawn",
    "vocabulary": ", vocabulary",
    "neighbours": ", neighbours",
}


def _targets(recipe: Recipe, run: Path, on: Mapping[str, str]) -> list[tuple[str, str, Path]]:
    """Return data set, split and folder of all that is to be answered, each split once."""
    for name in on:
        if name not in recipe.data:
            raise RecipeError(f"the recipe has no data set {name!r}", remedy=nearest(name, recipe.data))
    scored = [(name, split, run) for name, split in recipe.predict.data.items()]
    known = {(name, split) for name, split, _ in scored}
    asked = dict.fromkeys([*recipe.threshold.data.items(), *on.items()])
    return scored + [(*pair, RunFolder(run).calibration) for pair in asked if pair not in known]


_PUT_BACK = "put that back, or remove the file to have all of it answered again"


def _tell(run: Path, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        note(sentence)
    run_log.add_once(run, "predict", sentences)


def _note_session(run: Path, path: Path, predictor: Predictor, *, begun: bool, probe: str = "") -> None:
    """Note the versions that answer, and say it if the answers were begun under others."""
    precision = str(predictor.dtype).removeprefix("torch.")
    card = devices.card(predictor.device)
    what = f"answers {path.stem}, {probe}" if probe else f"answers {path.stem}"
    text = environment.add(run, what, begun=begun, card=card, precision=precision)
    if text:
        note(f"{path}: {text}")
        jsonl.append(RunFolder(run).log_file, [run_log.Event(stage="predict", text=f"{path.stem}: {text}")])


def _predict_file(
    predictor: Predictor,
    answers: AnswerFile,
    train_images: list[str],
    what: str,
    drawing: Drawing | None,
    other: Other,
    *,
    cut: bool,
) -> None:
    samples = answers.left
    paths = {image for sample in (*samples, *other.similar) for image in sample.images} | set(train_images)
    # Both the seeing and the blind run, and training before them, ask for the same images.
    features = _open_features(predictor, paths)
    features.prepare(sorted(paths))
    blind = features.mean(train_images).to(predictor.device) if train_images else None
    told: dict[str, str] = {}
    if other.similar:
        samples = told_of(samples, other.similar, predictor, features)
        told["generation"] = told_text(predictor.recipe)
    made: Iterator[Prediction | Drawn] = (
        predictor.draw(samples, drawing, features, cut=cut)
        if drawing
        else predictor.predict(samples, features, blind, cut=cut, vocabularies=other.closed)
    )
    with answers.writer() as keep, line(what, len(samples), "questions") as shown:
        for answer in made:
            keep(answer.model_copy(update=told))
            shown.advance()


@dataclass(frozen=True)
class Other:
    """What answers are found with, if not as the run's own are."""

    closed: Mapping[str, Sequence[str]]
    """Task -> the answers that may be given."""
    similar: Sequence[Sample]
    """The training samples that similar images are looked for in."""


def _open_features(predictor: Predictor, paths: Collection[str]) -> Features:
    return open_features(
        base_of(predictor.model),
        predictor.processor.image_processor,
        predictor.recipe.compute,
        len(paths),
        2 * len(paths),
    )


def _measure_likeness(
    run: Path,
    folder: Path,
    split: Split,
    samples: Sequence[Sample],
    recipe: Recipe,
    predictor: Predictor | None,
    data_folder: Path | None,
) -> Predictor | None:
    """Write how like the pictures are to those trained on, where the folder does not say it yet."""
    pictures = likeness.kept(run)
    if pictures and likeness.is_measured(folder, split, samples, pictures.of):
        return predictor
    images = sorted({image for sample in samples for image in sample.images})
    predictor = predictor or load(run)
    if pictures is None:
        try:
            training = _trained_on(recipe, data_folder)
            held_out = _held_out(recipe, data_folder)
        except DataError as error:
            note(f"how like pictures are to the training pictures is not measured: {error.problem}")
            return predictor
        if len(training) < 2:
            return predictor
        features = _open_features(predictor, {*training, *held_out, *images})
        features.prepare([*training, *held_out])
        pictures = likeness.measure(training, held_out, features)
        likeness.keep(run, pictures)
    features = _open_features(predictor, images)
    features.prepare(images)
    likeness.write_likeness(folder, split, samples, pictures, features)
    return predictor


def _trained_on(recipe: Recipe, data_folder: Path | None) -> list[str]:
    """Return the images that any stage trained on."""
    asked = [
        (name, split)
        for stage in recipe.stages
        for name in stage.data
        for split in trained_splits(recipe, stage, name)
    ]
    return _images_of(recipe, dict.fromkeys(asked), data_folder)


def _held_out(recipe: Recipe, data_folder: Path | None) -> list[str]:
    """Return the images of the last stage's validation split, if it has one."""
    last = recipe.stages[-1]
    if last.validate_split is None or last.validate_split in (last.split, *last.also_train):
        return []
    found = {name: validated_split(recipe, last, name) for name in last.data}
    return _images_of(recipe, [(name, split) for name, split in found.items() if split], data_folder)


def _images_of(recipe: Recipe, splits: Iterable[tuple[str, str]], data_folder: Path | None) -> list[str]:
    images: set[str] = set()
    for name, split in splits:
        samples = partial(stream_samples, recipe.data[name], split, data_folder)
        bad = unreadable(name, recipe.data[name], split, samples())
        images.update(image for sample in without(samples(), bad) for image in sample.images)
    return sorted(images)


def _train_images(recipe: Recipe, name: str, data_folder: Path | None) -> list[str]:
    """Return the images whose mean is the blind run's: those the last stage trained on."""
    stage = recipe.stages[-1] if recipe.stages else None
    if stage is None or name not in stage.data:
        splits: tuple[str, ...] = ("train",)
    else:
        splits = (stage.split, *stage.also_train)
    # What training may leave out is left out of the mean too; of what is answered, nothing ever is.
    return _images_of(recipe, [(name, split) for split in splits], data_folder)
