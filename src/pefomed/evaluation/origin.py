"""What scores were computed from, so that they are never shown beside other answers.

RUN/scores.card.json: the hash of scores.jsonl, and of each thing behind it: `samples/<file>`,
`predictions/<file>`, `drawn/<file>`, `likeness/<file>`, `verdicts/<file>`, `training_images.json`,
`threshold.json`, `[evaluate]`. What is hashed is what a record
says, not its place: a sorted file, or images that moved, are no change. `items` says which version wrote
item_scores/, and has the hash of each of its files; runs scored before there were such have none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pefomed import __version__
from pefomed.errors import DataError, RunError, listed, typed
from pefomed.files import jsonl
from pefomed.files.storage import write
from pefomed.runs import RunFolder, Split
from pefomed.runs.folder import PROBES, WAYS, card_of
from pefomed.samples.sample_hash import sample_hash, short_hash
from pefomed.schema import Drawn, ItemScore, Likeness, Prediction, Sample, Score, Verdict

_ITEM_LAYOUT = 2
"""What stands in item_scores/: 2 since `read` has all boxes of an answer."""

_REMEDY = "free space or make the folder writable; the former scores are as they were"


def write_scores(
    run: Path,
    scores: Sequence[Score],
    seen: Mapping[str, Any],
    items: Mapping[Split, Sequence[ItemScore]] | None = None,
) -> None:
    """Write `scores.jsonl`, `item_scores/`, `training_images.json` and what the scores are of.

    Args:
        seen: which samples' images were trained on, by data set and split.
        items: split -> the value of each metric of each answer.

    Raises:
        StorageError: they cannot be written.
    """
    text = jsonl.lines(scores)
    # The card last: killed before it the scores do not fit the former one, and are computed again.
    write(RunFolder(run).scores_file, text, _REMEDY)
    write(RunFolder(run).training_images_file, json.dumps(seen, indent=1, ensure_ascii=False) + "\n", _REMEDY)
    card = {
        "scores": _digest(text.encode()),
        "of": _sources(run),
        "items": {"version": __version__, "layout": _ITEM_LAYOUT, "files": _write_items(run, items or {})},
    }
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


def read_item_scores(run: Path, split: tuple[str, str]) -> list[ItemScore] | None:
    """Return the values of the answers about a split, named as (data set, split).

    None where evaluation has written none, or they are of other samples or answers than those there now, or
    of another version, whose metrics may be others.

    Raises:
        DataError: a file is damaged.
    """
    files = RunFolder(run)
    path = files.item_scores_file(split)
    if not (path.is_file() and files.scores_card.is_file()):
        return None
    card = _read_card(files.scores_card)
    about = card.get("items")
    if not isinstance(about, dict) or about.get("version") != __version__:
        return None
    if about.get("layout") != _ITEM_LAYOUT:
        return None
    written = about.get("files")
    try:
        digest = _digest(path.read_bytes())
    except OSError:  # what it says can be computed again
        return None
    if not isinstance(written, dict) or written.get(path.name) != digest:
        return None
    for name, found in _answered(run, split).items():
        if card["of"].get(name, "") != found:
            return None
    return list(jsonl.read(path, ItemScore))


def _write_items(run: Path, items: Mapping[Split, Sequence[ItemScore]]) -> dict[str, str]:
    """Write the values of each split's answers, remove those of others, and return each file's hash."""
    files, digests = RunFolder(run), {}
    for split, records in items.items():
        text, path = jsonl.lines(records), files.item_scores_file(split)
        write(path, text, _REMEDY)
        digests[path.name] = _digest(text.encode())
    for path in files.item_scores_files():
        if path.name not in digests and path.is_file():
            path.unlink()
    return digests


def _answered(run: Path, split: tuple[str, str]) -> dict[str, str]:
    """Return the hash of the samples and answers of one split; empty where a file has none."""
    files = RunFolder(run)
    paths = (
        files.samples_file(split),
        files.predictions_file(split),
        files.predictions_file(split, blind=True),
        *(path for way in WAYS if (path := files.predictions_file(split, way=way)).exists()),
    )
    known = {folder: (kind, told) for folder, kind, told in _KINDS}
    return {f"{path.parent.name}/{path.name}": _told(path, *known[path.parent.name]) for path in paths}


def _told(path: Path, kind: Any, told: Callable[[Any], str], rater: str = "") -> str:
    records: list[Any] = list(jsonl.read(path, kind))
    return short_hash(rater, *sorted(map(told, records))) if records else ""


def _apart(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    found = [f"{name} is gone" for name in then if name not in now]
    found += [f"{name} has changed" for name in then if now.get(name, then[name]) != then[name]]
    new = [name for name in now if name not in then]
    if not any(name.startswith("verdicts/") for name in then):
        # A run that was scored before anybody judged it: its page says that verdicts have no score yet.
        new = [name for name in new if not name.startswith("verdicts/")]
    # Likewise how sure its answers are, where it was measured later: without a score it is not shown.
    new = [name for name in new if not name.startswith(("drawn/", "likeness/", "threshold."))]
    return found + [f"{name} is new" for name in new]


def _sources(run: Path) -> dict[str, str]:
    """Return the hash of each thing that scores of the run are computed from."""
    found: dict[str, str] = {}
    for folder, kind, told in _KINDS:
        for path in _files_of(run, folder):
            if digest := _told(path, kind, told, _kind(path) if folder == "verdicts" else ""):
                found[f"{folder}/{path.name}"] = digest
    for probe in RunFolder(run).probe_folders():
        for path in probe.predictions_files():
            if digest := _told(path, Prediction, _of_prediction):
                found[f"{PROBES}/{probe.path.name}/{path.name}"] = digest
    for path in (RunFolder(run).training_images_file, RunFolder(run).threshold_file):
        if path.exists():
            found[path.name] = _digest(path.read_bytes())
    if recipe := RunFolder(run).read_recipe():
        table = recipe.evaluate.model_dump(mode="json")
        # Without them it is what it was before there were such: scores of then still belong to it.
        found["[evaluate]"] = short_hash(
            {key: value for key, value in table.items() if key not in ("metrics", "protocols") or value}
        )
    return found


def _files_of(run: Path, folder: str) -> list[Path]:
    files = RunFolder(run)
    found: dict[str, Callable[[], list[Path]]] = {
        "samples": files.samples_files,
        "predictions": partial(files.predictions_files, blind=None),
        "drawn": files.drawn_files,
        "likeness": files.likeness_files,
        "verdicts": files.verdicts_files,
    }
    return found[folder]()


def _kind(verdicts: Path) -> str:
    """Return what a rater is called, by which its scores are named."""
    card = card_of(verdicts)
    found = jsonl.read_object(card, "delete it or write it again") if card.exists() else {}
    return str(found.get("kind", ""))


def _of_sample(sample: Sample) -> str:
    return short_hash(sample.id, sample_hash(sample, lambda _: ""), sample.meta)


def _of_prediction(answer: Prediction) -> str:
    return short_hash(answer.sample_id, answer.text, answer.finish, answer.blind, answer.shown)


def _of_drawn(drawn: Drawn) -> str:
    return short_hash(drawn.sample_id, drawn.texts, drawn.shown)


def _of_likeness(likeness: Likeness) -> str:
    return short_hash(likeness.sample_id, likeness.level, likeness.shown)


def _of_verdict(verdict: Verdict) -> str:
    return short_hash(verdict.sample_id, verdict.rater, verdict.run, verdict.label)


_KINDS: tuple[tuple[str, Any, Callable[[Any], str]], ...] = (
    ("samples", Sample, _of_sample),
    ("predictions", Prediction, _of_prediction),
    ("drawn", Drawn, _of_drawn),
    ("likeness", Likeness, _of_likeness),
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
