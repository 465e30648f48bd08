"""How sure a run's answers must be, chosen on answers to pictures that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.answers.card import adapter_part
from pefomed.answers.sureness import Rule, write_rule
from pefomed.errors import RunError, listed, nearest, typed
from pefomed.evaluation.confidence import right_answers
from pefomed.evaluation.item_scores import ItemTable, computed
from pefomed.evaluation.score import numbered
from pefomed.evaluation.staleness import check_asked
from pefomed.evaluation.sureness import Confidences, confidences_of, drawing_of
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths
from pefomed.metrics.risk_control import control
from pefomed.progress import note
from pefomed.recipe import Recipe, Threshold
from pefomed.recipe.threshold import Confidence
from pefomed.runs import RunFolder
from pefomed.runs.lock import hold
from pefomed.schema import Prediction, Sample
from pefomed.tasks import BOXES, WORDS


@usable_paths()
def choose_threshold(
    run: Path, on: Mapping[str, str] | None = None, settings: Mapping[str, Any] | None = None
) -> Rule:
    """Choose how sure an answer of `run` must be, write it to RUN/threshold.json, and return it.

    Args:
        on: data set -> split whose answers it is chosen on; by default as the recipe's [threshold] says.
        settings: fields of [threshold] in the place of the recipe's.

    Raises:
        RunError: there are no such answers, they do not say how sure they are, or their pictures were
            trained on.
        RecipeError: a setting cannot be.
        DataError: a record is not valid.
    """
    recipe = RunFolder(run).read_recipe()
    if recipe is None:
        raise RunError(f"no run at {run}: it has no recipe.toml", remedy="give the folder of a run")
    with hold(run):
        asked = Threshold(**{**recipe.threshold.model_dump(), **(settings or {})})
        splits = dict(on or asked.data) or _predicted_validation(run, recipe)
        if not splits:
            raise RunError(
                "it is not said on which answers the threshold is to be chosen",
                remedy="name a split that is neither trained on nor scored: --on NAME=validate",
            )
        parts = [_read(run, recipe, name, split, asked) for name, split in splits.items()]
        rule = _chosen(run, recipe, asked, splits, parts)
        write_rule(run, rule)
        return rule


def judged_answers(
    run: Path, splits: Sequence[tuple[str, str]], by: Confidence = "probability"
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return how sure each answer to these splits is, whether it is wrong, and the number of its picture.

    Raises:
        RunError: see `choose_threshold`.
    """
    recipe = RunFolder(run).read_recipe()
    if recipe is None:
        raise RunError(f"no run at {run}: it has no recipe.toml", remedy="give the folder of a run")
    parts = [_read(run, recipe, name, split, Threshold(by=by)) for name, split in splits]
    return (
        np.concatenate([part.confidences[by] for part in parts]),
        np.concatenate([part.wrong for part in parts]),
        numbered([sample.images for part in parts for sample in part.samples]),
    )


class _Part(NamedTuple):
    """The answers of one split that are right or wrong."""

    samples: list[Sample]
    predictions: list[Prediction]
    confidences: Confidences
    wrong: NDArray[np.float64]
    right_by: str
    drawing: str


def _predicted_validation(run: Path, recipe: Recipe) -> dict[str, str]:
    """Return the validation splits that the run has answered, where the recipe says nothing."""
    names = {stage.validate_split for stage in recipe.stages} - {None}
    return {
        name: split
        for name in recipe.data
        for split in sorted(str(each) for each in names)
        if _folder_of(run, (name, split)) is not None
    }


def _folder_of(run: Path, split: tuple[str, str]) -> Path | None:
    """Return where the answers about a split are: apart, or among those that are scored."""
    for folder in (RunFolder(run).calibration, run):
        if RunFolder(folder).predictions_file(split).is_file():
            return folder
    return None


def _read(run: Path, recipe: Recipe, name: str, split: str, asked: Threshold) -> _Part:
    if name not in recipe.data:
        raise RunError(f"the recipe of {run} has no data set {name!r}", remedy=nearest(name, recipe.data))
    for stage in recipe.stages:
        if name in stage.data and split in (stage.split, *stage.also_train):
            raise RunError(
                f"the pictures of {name} {split} were trained on: of new ones their answers say nothing",
                remedy="choose the threshold on a split that was not, such as `validate`",
            )
    if recipe.predict.data.get(name) == split:
        note(f"{name} {split} is scored too: of a threshold chosen on it these scores say too much")
    remedy = f"run `pefomed predict {typed(run)} --on {name}={split}` first"
    folder = _folder_of(run, (name, split))
    if folder is None:
        raise RunError(f"{run} has no answers to {name} {split}", remedy=remedy)
    samples = list(RunFolder(folder).read_samples((name, split)))
    path = RunFolder(folder).predictions_file((name, split))
    known = {one.sample_id: one for one in jsonl.read(path, Prediction)}
    missing = [sample.id for sample in samples if sample.id not in known]
    if missing or not samples:
        raise RunError(
            f"{path}: {len(missing)} of {len(samples)} samples have no answer",
            found=listed(missing),
            remedy=remedy,
        )
    predictions = [known[sample.id] for sample in samples]
    check_asked(samples, predictions, path)
    found = confidences_of(folder, (name, split), samples, predictions, recipe)
    _check_known(found, asked, path, run)
    wrong, right_by = _wrong(samples, predictions, recipe)
    kept = np.flatnonzero(~np.isnan(wrong)).tolist()
    if not kept:
        raise RunError(
            f"none of the answers to {name} {split} is right or wrong",
            remedy="choose the threshold on questions answered in words, or on boxes",
        )
    return _Part(
        [samples[at] for at in kept],
        [predictions[at] for at in kept],
        {each: column[kept] for each, column in found.items()},
        wrong[kept],
        right_by,
        drawing_of(folder, (name, split)),
    )


def _check_known(found: Confidences, asked: Threshold, path: Path, run: Path) -> None:
    lacking = [name for name in (asked.by, *(["likeness"] if asked.unlike else [])) if name not in found]
    if not lacking:
        return
    name = lacking[0]
    again = {
        "probability": f"set `predict.logprobs = true` in {RunFolder(run).recipe_file}, remove {path} and"
        " predict again",
        "likeness": "run `pefomed predict` with `predict.likeness = true` again, where the training data is",
    }
    raise RunError(
        f"the answers in {path} do not say their {name}",
        remedy=again.get(name, f"draw some: pefomed predict {typed(run)} --samples 5, with the same --on"),
    )


def _wrong(
    samples: Sequence[Sample], predictions: Sequence[Prediction], recipe: Recipe
) -> tuple[NDArray[np.float64], str]:
    """Return which answers are wrong, NaN where that cannot be said, and by which metric."""
    texts = {one.sample_id: one.text for one in predictions}
    table = ItemTable(computed(recipe, samples, {"model": texts}, ("words", "boxes")))
    wrong, by = np.full(len(samples), np.nan), []
    for tasks in (WORDS, BOXES):
        places = [place for place, sample in enumerate(samples) if sample.task in tasks]
        if places:
            own = [samples[at] for at in places]
            right = right_answers(own, [texts[one.id] for one in own], table, "model")
            wrong[places] = 1.0 - right.values
            by.append(right.metric)
    return wrong, ", ".join(by)


def _chosen(
    run: Path, recipe: Recipe, asked: Threshold, on: Mapping[str, str], parts: Sequence[_Part]
) -> Rule:
    samples = [sample for part in parts for sample in part.samples]
    wrong = np.concatenate([part.wrong for part in parts])
    confidence = np.concatenate([part.confidences[asked.by] for part in parts])
    # What is not known is never sure enough.
    confidence = np.where(np.isnan(confidence), -np.inf, confidence)
    if asked.unlike:
        likeness = np.concatenate([part.confidences["likeness"] for part in parts])
        confidence = np.where(likeness >= asked.unlike, confidence, -np.inf)
    pictures = numbered([sample.images for sample in samples])
    found = control(confidence, wrong, pictures, asked.most_wrong)
    drawings = {part.drawing for part in parts}
    if asked.by != "probability" and (len(drawings) > 1 or not min(drawings)):
        raise RunError(
            "the answers of these splits were drawn in several ways",
            found=listed(sorted(drawings)),
            remedy="draw them anew, all with the same --samples, --temperature and --seed",
        )
    drawing = drawings.pop() if asked.by != "probability" else ""
    return Rule(
        most_wrong=asked.most_wrong,
        by=asked.by,
        threshold=found.threshold,
        unlike=asked.unlike,
        on=dict(on),
        tasks=tuple(sorted({sample.task for sample in samples})),
        right_by=", ".join(dict.fromkeys(part.right_by for part in parts)),
        pictures=len(np.unique(pictures)),
        questions=len(samples),
        answered=found.answered,
        wrong=found.wrong,
        most_questions=found.most_questions,
        least_level=found.least_level,
        generation=" / ".join(dict.fromkeys(one.generation for part in parts for one in part.predictions)),
        drawing=drawing,
        **_drawn_as(drawing),
        adapter=adapter_part(RunFolder(run).adapter),
        version=__version__,
    )


def _drawn_as(drawing: str) -> dict[str, Any]:
    """Return what `5 drawn at temperature 1, seed 0, ...` says."""
    if not drawing:
        return {}
    count, _, rest = drawing.partition(" drawn at temperature ")
    heat, _, rest = rest.partition(", seed ")
    return {"samples": int(count), "temperature": float(heat), "seed": int(rest.partition(",")[0])}
