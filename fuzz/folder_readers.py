"""What commands read of a run, its parts and its data, and what each makes of it; nothing else is a result.

A reader gets a world that it may write into and returns what the user would take for the result.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fuzz.world import JUDGE, World
from pefomed import recipe as recipes
from pefomed.agreement.run import agreement_of
from pefomed.evaluation import evaluate_run
from pefomed.files import jsonl
from pefomed.inference.predictor import load
from pefomed.inference.splits import predict_run
from pefomed.judges.work import JudgeSettings, prepare
from pefomed.models.describe import describe
from pefomed.models.exchange import export_adapter
from pefomed.raters import open_session
from pefomed.raters.verdicts import states
from pefomed.report import write_report
from pefomed.schema import Prediction
from pefomed.workflow import pipeline

PARTS = ("vision", "language-4")
QUESTIONS = ("is it left?", "what is it?", "is it")


@dataclass(frozen=True)
class Reader:
    """One command."""

    reads: tuple[str, ...]
    """Files and folders of the world that it reads."""
    read: Callable[[World], Any]
    run: str = ""
    """The run that it works in, which is put back afterwards."""


def ask(world: World) -> list[str]:
    predictor = load(world.finished)
    return [str(answer) for answer in predictor.ask_each(str(world.images[0]), QUESTIONS)]


def train(world: World) -> Any:
    """Go on with the stopped training; return adapter and losses."""
    shutil.rmtree(world.stopped / "verdicts", ignore_errors=True)
    pipeline.train(world.stopped, data=world.root)
    return _trained(world.stopped)


def train_again(world: World) -> Any:
    pipeline.train(world.finished, data=world.root)
    return _trained(world.finished)


def predict(world: World) -> Any:
    files = predict_run(world.answering, world.root)
    return {file.name: [(p.sample_id, p.text) for p in jsonl.read(file, Prediction)] for file in files}


def evaluate(world: World) -> Any:
    return [score.model_dump() for score in evaluate_run(world.finished, world.root)]


def report(world: World) -> Any:
    write_report(world.finished)
    tables = sorted((world.finished / "report" / "tables").iterdir())
    return {file.name: file.read_text() for file in tables}


def export(world: World) -> Any:
    return _exported(world, world.finished / "adapter")


def export_older(world: World) -> Any:
    return _exported(world, world.root / "older")


def _exported(world: World, adapter: Path) -> Any:
    file = export_adapter(adapter, world.root / "exported.pth")
    tensors = torch.load(file, weights_only=True)["model"]
    return {name: _hash(tensor.numpy().tobytes()) for name, tensor in tensors.items()}


def import_(world: World) -> Any:
    folder = pipeline.import_adapter(world.root / "adapter.pth", world.recipe, world.root / "imported")
    return _hash((folder / "adapter_model.safetensors").read_bytes())


def described(world: World) -> Any:
    return describe(recipes.load(world.recipe))


def agreement(world: World) -> Any:
    return agreement_of(world.finished).model_dump()


def judge(world: World) -> Any:
    work = prepare(world.finished, JUDGE, JudgeSettings(), runs=2)
    return [len(work.jobs()), [verdict.model_dump() for verdict in work.verdicts()]]


def rate(world: World) -> Any:
    session = open_session(world.finished, make=False)
    try:
        return [[one.name, session.items(one), states(session, one)] for one in session.raters()]
    finally:
        session.database.close()


RUN_FILES = ("recipe.toml", "samples", "predictions", "verdicts", "log.jsonl")


def _of(run: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{run}/{name}" for name in names)


READERS = {
    "ask": Reader((*PARTS, *_of("finished", "recipe.toml", "adapter", "log.jsonl")), ask),
    "train": Reader(
        (*PARTS, *_of("stopped", "recipe.toml", "log.jsonl", "checkpoints", "describe.json", "audit.json")),
        train, "stopped",
    ),
    "train_again": Reader(_of("finished", "recipe.toml", "checkpoints", "adapter"), train_again, "finished"),
    "predict": Reader(
        (*PARTS, *_of("answering", "recipe.toml", "adapter", "samples", "predictions")), predict, "answering"
    ),
    "evaluate": Reader(_of("finished", *RUN_FILES, "training_images.json"), evaluate, "finished"),
    "report": Reader(
        _of("finished", *RUN_FILES, "scores.jsonl", "describe.json", "audit.json", "agreement.json",
            "training_images.json"),
        report, "finished",
    ),
    "export": Reader(_of("finished", "adapter"), export),
    "export_older": Reader(("older",), export_older),
    "import": Reader(("adapter.pth", "recipe.toml"), import_),
    "describe": Reader(("vision/config.json", "language-4/config.json", "recipe.toml"), described),
    "agreement": Reader(_of("finished", *RUN_FILES), agreement, "finished"),
    "judge": Reader(_of("finished", *RUN_FILES), judge, "finished"),
    "rate": Reader(_of("finished", "recipe.toml", "samples", "predictions", "verdicts/rating.sqlite"), rate,
                   "finished"),
}  # fmt: skip


def _trained(run: Path) -> Any:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    steps = [(one["stage"], one["step"], one["loss"]) for one in lines if one["kind"] == "step"]
    return [_hash((run / "adapter" / "adapter_model.safetensors").read_bytes()), steps]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
