"""What a stage came from: samples, start adapter, base weights, settings; kept when it begins, then compared.

`came_from.json` in the stage's folder, and `samples.jsonl.gz` beside it. A stage that has ended, or stopped
on its way, is used only as long as all of it is still so: else the run would be another thing than its data
and its recipe say. Of several processes the main one decides.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object
from pydantic_core import to_json

from pefomed.errors import RunError, WeightsError
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.recipe import WEIGHTS, Model, Recipe, Stage
from pefomed.startup import processes
from pefomed.training import checkpoint, stage_samples, unreadable
from pefomed.training.stage_samples import Counted, StageSamples
from pefomed.training.together import in_main
from pefomed.weights.base import Base, base_of_json
from pefomed.weights.folder_hashes import file_hash
from pefomed.weights.identity import base_fetched, base_on_disk

FILE = "came_from.json"

_TOGETHER = "batches a step, of all processes"


@dataclass(frozen=True)
class CameFrom:
    """What decides a stage's adapter, but for the machine."""

    settings: dict[str, Any]
    """The fields of the recipe that do."""
    start: dict[str, str]
    """What it started from, and the SHA-256 of that; both may be empty."""
    base: Base | None
    data: Counted

    def dumps(self) -> str:
        """Return the content of `came_from.json`."""
        content = {
            "data": [
                {"data_set": name, "split": split, "samples": count, "sha256": digest}
                for (name, split), (count, digest) in self.data.items()
            ],
            "start": self.start,
            "base": json.loads(self.base.dumps()) if self.base else None,
            "settings": self.settings,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def settle(
    stage: Stage,
    recipe: Recipe,
    folder: Path,
    data_folder: Path | None,
    start: tuple[str, Path] | None,
    *,
    done: bool,
) -> dict[str, str]:
    """Write down what a stage comes from when it begins; compare one that has begun with what it is now.

    Every process calls it.

    Args:
        folder: the stage's.
        start: what the stage starts from, in words, and the adapter folder or `.pth` file.
        done: the stage has ended.

    Returns:
        The hashes of the images' content, by path.

    Raises:
        RunError: it is not as it was, and the samples that differ are named.
        DataError: the data cannot be read.
    """
    samples = StageSamples(stage, recipe, data_folder, unreadable.read(folder))
    several = processes.count() > 1
    found = samples.image_hashes(
        (processes.rank(), processes.count()), lambda own: gather_object([own]) if several else [own]
    )

    def decide() -> None:
        counted, content = stage_samples.sample_record(samples, found)
        now = CameFrom(_settings(recipe, stage), _start(start), _base(recipe.model, done), counted)
        if not (done or checkpoint.exists(folder)):
            stage_samples.keep(folder, content)
            write(folder / FILE, now.dumps())
        elif (before := _read(folder)) is None:
            note(
                f"stage {stage.name}: no record of what it was trained on (begun by an older version, or"
                f" {FILE} is damaged); data, start and base weights are not compared"
            )
        else:
            _compare(stage, folder, before, now, content, done)

    in_main(decide)
    return {path: digest for path, digest in found.items() if digest}


def _compare(stage: Stage, folder: Path, before: CameFrom, now: CameFrom, content: bytes, done: bool) -> None:
    found = stage_samples.changes(folder, content, before.data, now.data)
    problems = [*found.told]
    if found.reordered and not done:
        problems.append(f"{', '.join(found.reordered)}: the same samples in another order")
    if before.start != now.start and (before.start["sha256"] and now.start["sha256"]):
        problems += [] if before.start["sha256"] == now.start["sha256"] else [f"start: {_moved(before, now)}"]
    elif bool(before.start["from"]) != bool(now.start["from"]):
        problems.append(f"start: {_moved(before, now)}")
    if before.base is not None and now.base is not None:
        problems += before.base.differences(now.base)
    problems += [
        f"{name}: {then} then, {here} now"
        for name, then, here in _differing(before.settings, now.settings, done=done)
    ]
    if problems:
        raise RunError(
            f"stage {stage.name} {'was' if done else 'has been'} trained on what is another thing now",
            found="; ".join(problems),
            remedy="put back what changed, give the recipe another name or --out, or train anew with --fresh",
        )
    if found.reordered:
        note(
            f"stage {stage.name}: the samples of {', '.join(found.reordered)} are in another order than they"
            " were trained in"
        )
    if found.unread:
        note(
            f"stage {stage.name}: {found.unread} samples show images that cannot be read and are not compared"
        )


def _moved(before: CameFrom, now: CameFrom) -> str:
    then, here = (
        f"{one.start['from'] or 'nothing'}, SHA-256 {one.start['sha256'][:12] or 'none'}"
        for one in (before, now)
    )
    return f"{then} then; {here} now"


def _settings(recipe: Recipe, stage: Stage) -> dict[str, Any]:
    """Return the fields that decide the stage's adapter; what the data hold is told by the samples."""
    model = recipe.model.model_dump(exclude=set(WEIGHTS))
    # A longer text than allowed ends a training, or its sample is not among those that are trained on.
    prompt = recipe.prompt.model_dump(exclude={"max_text_tokens"})
    own = stage.model_dump(exclude={"checkpoint_every"})
    lora = model.pop("lora")
    tables = {"model": model, "model.lora": lora, "prompt": prompt, "stage": own}
    found = {f"{table}.{name}": value for table, fields in tables.items() for name, value in fields.items()}
    # As JSON has it: lists for tuples, and no infinity.
    together = {_TOGETHER: stage.accumulate * processes.count()}
    plain: dict[str, Any] = json.loads(to_json({"seed": recipe.seed, **found, **together}))
    return plain


def _differing(before: dict[str, Any], now: dict[str, Any], *, done: bool) -> list[tuple[str, Any, Any]]:
    """Return names and both values; a field that one of two versions did not have is no difference."""
    # Two processes and one that accumulates twice train the same; what has ended asks for no processes.
    free = _TOGETHER if done or _TOGETHER not in before else "stage.accumulate"
    names = [name for name in now if name in before and name != free]
    return [(name, before[name], now[name]) for name in names if before[name] != now[name]]


def _start(start: tuple[str, Path] | None) -> dict[str, str]:
    if start is None:
        return {"from": "", "sha256": ""}
    what, path = start
    file = path / "adapter_model.safetensors" if path.is_dir() else path
    return {"from": what, "sha256": file_hash(file) if file.is_file() else ""}


def _base(model: Model, done: bool) -> Base | None:
    if not done:
        return base_fetched(model)
    try:
        return base_on_disk(model)
    except WeightsError:  # not there any more: what has ended needs them no more
        return None


def _read(folder: Path) -> CameFrom | None:
    """Return the record in a stage's folder; None if there is none, or it is damaged."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        data = {
            (str(one["data_set"]), str(one["split"])): (int(one["samples"]), str(one["sha256"]))
            for one in content["data"]
        }
        start = {key: str(content["start"][key]) for key in ("from", "sha256")}
        base = base_of_json(content["base"]) if content["base"] else None
        return CameFrom(dict(content["settings"]), start, base, data)
    except (OSError, ValueError, KeyError, TypeError):
        return None
