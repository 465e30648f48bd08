"""What scores were computed from, so that they are never shown beside other answers.

RUN/scores.card.json: the hash of scores.jsonl, and of each thing behind it: `samples/<file>`,
`predictions/<file>`, `verdicts/<file>`, `training_images.json`, `[evaluate]`. What is hashed is what a record
says, not its place: a sorted file, or images that moved, are no change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, RunError, listed, typed
from pefomed.files import jsonl
from pefomed.files.storage import write
from pefomed.runs.folder import RunFolder, card_of
from pefomed.samples.sample_hash import sample_hash, short_hash
from pefomed.schema import Prediction, Sample, Score, Verdict

_REMEDY = "free space or make the folder writable; the former scores are as they were"


def write_scores(run: Path, scores: Sequence[Score], seen: Mapping[str, Any]) -> None:
    """Write `scores.jsonl`, `training_images.json` and what the scores are of.

    Args:
        seen: which samples' images were trained on, by data set and split.

    Raises:
        StorageError: they cannot be written.
    """
    text = jsonl.lines(scores)
    # The card last: killed before it the scores do not fit the former one, and are computed again.
    write(RunFolder(run).scores_file, text, _REMEDY)
    write(RunFolder(run).training_images_file, json.dumps(seen, indent=1, ensure_ascii=False) + "\n", _REMEDY)
    card = {"scores": _digest(text.encode()), "of": _sources(run)}
    write(RunFolder(run).scores_card, json.dumps(card, indent=1) + "\n", _REMEDY)


def read_scores(run: Path, on_cut: list[str] | None = None) -> list[Score]:
    """Return the scores of `run`, none if there are none; those without a card are as they are.

    Args:
        on_cut: gets a sentence about a last line that a killed writer left unfinished.

    Raises:
        RunError: they are of other answers, samples, verdicts or settings than those there now.
        DataError: a file is damaged.
    """
    path = RunFolder(run).scores_file
    if path.exists() and RunFolder(run).scores_card.exists():
        card = _read_card(RunFolder(run).scores_card)
        found = _apart(card["of"], _sources(run))
        if card["scores"] != _digest(path.read_bytes()):
            found.insert(0, f"{path.name} is not as it was written")
        if found:
            raise RunError(
                f"the scores of {run} do not belong to what is there now",
                found=listed(found, "; "),
                remedy=f"run `pefomed evaluate {typed(run)}` again",
            )
    return list(jsonl.read(path, Score, on_cut=on_cut))


def _apart(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    found = [f"{name} is gone" for name in then if name not in now]
    found += [f"{name} has changed" for name in then if now.get(name, then[name]) != then[name]]
    new = [name for name in now if name not in then]
    if not any(name.startswith("verdicts/") for name in then):
        # A run that was scored before anybody judged it: its page says that verdicts have no score yet.
        new = [name for name in new if not name.startswith("verdicts/")]
    return found + [f"{name} is new" for name in new]


def _sources(run: Path) -> dict[str, str]:
    """Return the hash of each thing that scores of the run are computed from."""
    found: dict[str, str] = {}
    for folder, kind, told in _KINDS:
        for path in sorted((run / folder).glob("*.jsonl")):
            records: list[Any] = list(jsonl.read(path, kind))
            if records:
                kind_of_rater = _kind(path) if folder == "verdicts" else ""
                found[f"{folder}/{path.name}"] = short_hash(kind_of_rater, *sorted(map(told, records)))
    path = RunFolder(run).training_images_file
    if path.exists():
        found[path.name] = _digest(path.read_bytes())
    if recipe := RunFolder(run).read_recipe():
        table = recipe.evaluate.model_dump(mode="json")
        # Without any it is what it was before there were such: scores of then still belong to it.
        found["[evaluate]"] = short_hash(
            {key: value for key, value in table.items() if key != "metrics" or value}
        )
    return found


def _kind(verdicts: Path) -> str:
    """Return what a rater is called, by which its scores are named."""
    card = card_of(verdicts)
    found = jsonl.read_object(card, "delete it or write it again") if card.exists() else {}
    return str(found.get("kind", ""))


def _of_sample(sample: Sample) -> str:
    return short_hash(sample.id, sample_hash(sample, lambda _: ""), sample.meta)


def _of_prediction(answer: Prediction) -> str:
    return short_hash(answer.sample_id, answer.text, answer.finish, answer.blind, answer.shown)


def _of_verdict(verdict: Verdict) -> str:
    return short_hash(verdict.sample_id, verdict.rater, verdict.run, verdict.label)


_KINDS: tuple[tuple[str, Any, Callable[[Any], str]], ...] = (
    ("samples", Sample, _of_sample),
    ("predictions", Prediction, _of_prediction),
    ("verdicts", Verdict, _of_verdict),
)


def _read_card(path: Path) -> dict[str, Any]:
    remedy = f"run `pefomed evaluate {typed(path.parent)}` again"
    card = jsonl.read_object(path, remedy)
    if not isinstance(card.get("of"), dict) or not isinstance(card.get("scores"), str):
        raise DataError(f"{path} is damaged", found="`of` is no object", remedy=remedy)
    return card


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
