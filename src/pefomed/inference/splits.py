"""Answers of a run to whole splits, resumed wherever it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from pefomed import recipe as recipes
from pefomed.answers.card import adapter_part, model_parts, prompt_parts
from pefomed.answers.files import AnswerFile, SplitFiles
from pefomed.datasets import data_folder as data_root
from pefomed.datasets import load_samples, stream_samples
from pefomed.datasets.unreadable import unreadable, without
from pefomed.features.frozen import open_features
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths
from pefomed.inference.decoding import generation
from pefomed.inference.predictor import Predictor, load
from pefomed.models import device as devices
from pefomed.models.adapter import base_of
from pefomed.probes.known import probed
from pefomed.probes.paraphrase import check_wordings, read_wordings
from pefomed.progress import line, note
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder, Split, environment
from pefomed.runs import log as run_log
from pefomed.runs.lock import hold
from pefomed.weights.identity import base_on_disk, check_base, read_base


@usable_paths()
def predict_run(
    run: Path,
    data_folder: Path | None = None,
    *,
    blind: bool | None = None,
    probes: Sequence[str] | None = None,
) -> list[Path]:
    """Answer every split of the recipe's [predict] table, but for what is answered; return the files.

    What is asked or shown otherwise since then is answered again (`answers.files`), and said.

    Args:
        blind: also (or not) answer with the mean image; by default as the recipe says.
        probes: also answer these probes (`probes.known`); by default those that the recipe says.

    Raises:
        DataError: a file of wordings does not fit what is asked.
        RunError: the folder is not a trained run, another process works in it, or it holds answers of
            another adapter, model or prompt, or generated in another way; what differs is named.
        WeightsError: the base weights are others than the adapter was trained on, even if all is answered.
    """
    if not RunFolder(run).recipe_file.exists():
        load(run)
    with hold(run):
        return _predict_run(run, data_folder, blind, probes)


def _predict_run(
    run: Path, data_folder: Path | None, blind: bool | None, probes: Sequence[str] | None
) -> list[Path]:
    recipe = recipes.load(RunFolder(run).recipe_file)
    wanted = recipe.predict.blind if blind is None else blind
    adapter, base = adapter_part(RunFolder(run).adapter), read_base(RunFolder(run).adapter)
    if base is not None and base.is_hashed():  # as far as they are on this disk; loading asks again
        check_base(lambda: base_on_disk(recipe.model), base, f"the adapter in {RunFolder(run).adapter}")
    files: list[Path] = []
    predictor: Predictor | None = None
    splits = {
        Split(*each): load_samples(recipe.data[each[0]], each[1], data_folder)
        for each in recipe.predict.data.items()
    }
    asked = recipe.predict.probes if probes is None else probes
    ids = (sample.id for samples in splits.values() for sample in samples)
    wordings = _wordings(recipe, data_folder, ids) if "paraphrase" in asked else None
    for (name, split), samples in splits.items():
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
        by_kind = {hidden: here.answers(parts, _PUT_BACK, blind=hidden) for hidden in {False, wanted}}
        here.begin()
        for hidden, answers in sorted(by_kind.items()):
            files.append(answers.path)
            if answers.left:
                predictor = predictor or load(run)
                _note_session(run, answers.path, predictor, begun=len(answers.left) < len(samples))
                train = _train_images(recipe, name, data_folder) if hidden else []
                what = f"answering {name} {split}{' blind' * hidden}"
                _predict_file(predictor, answers, train, what, cut=cut)
        here.settle()
        for probe in asked:
            changed = probed(probe, samples, wordings)
            _say_left_out(run, changed.said(probe, f"{name} {split}"))
            there = SplitFiles(RunFolder(run).probe(probe).path, Split(name, split), changed.samples)
            answers = there.answers(parts, _PUT_BACK)
            there.begin()
            if answers.left:
                predictor = predictor or load(run)
                begun = len(answers.left) < len(changed.samples)
                _note_session(run, answers.path, predictor, begun=begun, probe=probe)
                _predict_file(predictor, answers, [], f"answering {name} {split}, {probe}", cut=cut)
            there.settle()
            files += [answers.path] if changed.samples else []
    return files


_PUT_BACK = "put that back, or remove the file to have all of it answered again"


def _wordings(recipe: Recipe, data_folder: Path | None, ids: Iterable[str]) -> dict[str, str] | None:
    """Return the user's own wordings of questions; None where the rules are to be taken."""
    if not recipe.predict.wordings:
        return None
    path = data_root(data_folder) / recipe.predict.wordings
    found = read_wordings(path)
    check_wordings(found, ids, path)
    return found


def _say_left_out(run: Path, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        note(sentence)
    run_log.add_once(run, "predict", sentences)


def _note_session(run: Path, path: Path, predictor: Predictor, *, begun: bool, probe: str = "") -> None:
    """Note the versions that answer, and say it if the answers were begun under others."""
    precision = str(predictor.dtype).removeprefix("torch.")
    card = devices.card(predictor.device)
    text = environment.add(
        run, f"answers {path.stem}{probe and f', {probe}'}", begun=begun, card=card, precision=precision
    )
    if text:
        note(f"{path}: {text}")
        jsonl.append(RunFolder(run).log_file, [run_log.Event(stage="predict", text=f"{path.stem}: {text}")])


def _predict_file(
    predictor: Predictor, answers: AnswerFile, train_images: list[str], what: str, *, cut: bool = False
) -> None:
    samples = answers.left
    paths = {image for sample in samples for image in sample.images} | set(train_images)
    base = base_of(predictor.model)
    # Both the seeing and the blind run, and training before them, ask for the same images.
    features = open_features(
        base, predictor.processor.image_processor, predictor.recipe.compute, len(paths), 2 * len(paths)
    )
    features.prepare(sorted(paths if train_images else {image for s in samples for image in s.images}))
    blind = features.mean(train_images).to(predictor.device) if train_images else None
    with answers.writer() as keep, line(what, len(samples), "questions") as shown:
        for prediction in predictor.predict(samples, features, blind, cut=cut):
            keep(prediction)
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
