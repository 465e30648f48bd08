"""What a report shows, read from a run folder; what is missing stays empty, what is damaged is an error."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pefomed.agreement.raters import Labeller, read_labellers
from pefomed.errors import DataError, RunError, json_kind
from pefomed.evaluation.item_scores import ItemTable, item_table
from pefomed.evaluation.origin import read_scores
from pefomed.evaluation.predictions import all_samples
from pefomed.evaluation.protocol_records import ProtocolSplit, read_protocols
from pefomed.evaluation.seen_images import KEY
from pefomed.evaluation.staleness import check_asked
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder, Split, environment
from pefomed.schema import Prediction, Sample, Score


@dataclass(frozen=True)
class ReportedSplit:
    """One split with what the model, and the model without its image, said about it."""

    dataset: str
    split: str
    samples: list[Sample]
    predictions: dict[str, Prediction]
    """By sample id."""
    blind: dict[str, Prediction]
    folder: Path
    """Of the run."""

    @cached_property
    def values(self) -> ItemTable:
        """What the metrics of words and boxes say of each answer."""
        answers = {
            system: {sample_id: one.text for sample_id, one in given.items()}
            for system, given in (("model", self.predictions), ("blind", self.blind))
            if given
        }
        return item_table(self.folder, (self.dataset, self.split), self.samples, answers, "words", "boxes")


@dataclass(frozen=True)
class ReportedRun:
    """A run folder's content; a missing file gives an empty field."""

    folder: Path
    recipe: Recipe | None
    recipe_text: str
    describe: dict[str, Any]
    log: list[dict[str, Any]]
    scores: list[Score]
    audit: dict[str, Any]
    answered: list[ReportedSplit]
    labellers: list[Labeller] = field(default_factory=list)
    """Judges and human raters, with their cards and labels."""
    sessions: list[dict[str, Any]] = field(default_factory=list)
    """Versions and machines, see `environment`."""
    protocols: list[ProtocolSplit] = field(default_factory=list)
    """What other papers and harnesses would call the answers, if it was asked for."""
    former_protocols: bool = False
    """Whether there is such a file of other scores than those here."""
    cut: list[str] = field(default_factory=list)
    """Sentences about last lines that a killed writer left unfinished."""
    beside: list[str] = field(default_factory=list)
    """Files of samples that lie in the folder and that the recipe does not predict now; none is shown."""

    @property
    def name(self) -> str:
        return self.recipe.name if self.recipe else self.folder.name


@usable_paths()
def read_run(folder: Path) -> ReportedRun:
    """Read what `folder` holds of a run.

    Raises:
        RunError: the folder does not exist or holds nothing of a run; its scores are of other answers, or its
            answers of other questions, than those there now.
        DataError: one of its files is damaged.
    """
    if not folder.is_dir():
        raise RunError(
            f"no run folder at {folder}", remedy="give the folder that `pefomed run` or `pefomed train` made"
        )
    cut: list[str] = []
    files = RunFolder(folder)
    recipe = files.read_recipe()
    answered = read_answered(folder, recipe, cut)
    # Verdicts may be of what was predicted before, too.
    samples = all_samples(folder)
    protocols, former = read_protocols(folder)
    run = ReportedRun(
        folder=folder,
        recipe=recipe,
        recipe_text=files.recipe_file.read_text(encoding="utf-8") if recipe else "",
        describe=_read_description(files.description_file),
        log=_read_log(files.log_file, cut),
        scores=read_scores(folder, cut),
        audit=_read_object(files.audit_file),
        answered=answered,
        labellers=read_labellers(folder, samples, cut),
        sessions=_read_sessions(files.environment_file),
        protocols=protocols,
        former_protocols=former,
        cut=cut,
        beside=[
            files.samples_file(split).name
            for split in files.sampled_splits()
            if not _is_predicted(split, recipe)
        ],
    )
    if not (run.recipe or run.describe or run.log or run.scores or run.audit or run.answered):
        raise RunError(
            f"{folder} holds nothing of a run",
            found="none of recipe.toml, describe.json, log.jsonl, scores.jsonl, audit.json, samples/",
            remedy="give the folder that `pefomed run` or `pefomed train` made",
        )
    return run


def read_answered(folder: Path, recipe: Recipe | None, cut: list[str]) -> list[ReportedSplit]:
    """Return what every split answered that the recipe predicts, or of a run without one every split there.

    Args:
        cut: gets a sentence about each last line that a killed writer left unfinished.
    """
    found, files = [], RunFolder(folder)
    seen = _read_object(files.training_images_file)
    for split in (split for split in files.sampled_splits() if _is_predicted(split, recipe)):
        predictions, blind = files.predictions_file(split), files.predictions_file(split, blind=True)
        kinds = seen.get(split.stem)
        samples = [_with_kind(sample, kinds) for sample in files.read_samples(split, on_cut=cut)]
        both = [
            {each.sample_id: each for each in jsonl.read(file, Prediction, on_cut=cut)}
            for file in (predictions, blind)
        ]
        check_asked(samples, both[0].values(), predictions)
        check_asked(samples, both[1].values(), blind)
        found.append(ReportedSplit(*split, samples, both[0], both[1], folder))
    return found


def _read_object(path: Path) -> dict[str, Any]:
    return jsonl.read_object(path) if path.exists() else {}


def _read_description(path: Path) -> dict[str, Any]:
    described = _read_object(path)
    for name, kind in (("total", int), ("trainable", int), ("tokens_per_image", int), ("memory", dict)):
        if name in described and (not isinstance(described[name], kind) or isinstance(described[name], bool)):
            raise _damaged(path, f"`{name}` is {json.dumps(described[name])[:60]}")
    parts = described.get("parts", [])
    if not isinstance(parts, list):
        raise _damaged(path, "`parts` is no list")
    for place, part in enumerate(parts):
        lacking = [
            key
            for key, kind in (("name", str), ("parameters", int), ("trained", int))
            if not isinstance(part, dict) or not isinstance(part.get(key), kind)
        ]
        if lacking:
            raise _damaged(path, f"part {place + 1} lacks {', '.join(lacking)}, or it is of another type")
    return described


def _read_sessions(path: Path) -> list[dict[str, Any]]:
    sessions = _read_object(path).get("sessions", [])
    if not isinstance(sessions, list) or not all(map(environment.is_whole, sessions)):
        raise _damaged(path, "`sessions` is not as a run writes it")
    return sessions


def _read_log(path: Path, cut: list[str]) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = []
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines) and not line.endswith(b"\n"):
                cut.append(f"{path}: line {number} is cut and was left out")
                break
            raise _damaged(path, f"line {number}: {error}") from None
        if not isinstance(row, dict):
            raise _damaged(path, f"line {number}: {json_kind(row)} instead of an object")
        rows.append(row)
    return rows


def _with_kind(sample: Sample, kinds: Any) -> Sample:
    """Return the sample with what evaluation grouped it by, which its file does not say."""
    kind = kinds.get(sample.id) if isinstance(kinds, dict) else None
    if not isinstance(kind, str):
        return sample
    return sample.model_copy(update={"meta": {**sample.meta, KEY: kind}})


def _is_predicted(split: Split, recipe: Recipe | None) -> bool:
    return recipe is None or split in recipe.predict.data.items()


def _damaged(path: Path, found: str) -> DataError:
    return DataError(
        f"{path} is damaged", found=found, remedy="delete it and run the step that writes it again"
    )
