"""A whole run on small random parts: every file that a command may read, and what the commands say of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tiny import image_files, model_recipe, questions
from transformers import AutoModelForCausalLM

from pefomed import recipe as recipes
from pefomed.agreement.run import write_agreement
from pefomed.endpoint import Endpoint
from pefomed.errors import Interrupted
from pefomed.files import jsonl
from pefomed.judges.replies import Reply
from pefomed.judges.work import JudgeSettings, prepare
from pefomed.raters import SessionRequest, open_session
from pefomed.raters.export import export
from pefomed.raters.verdicts import Rating, save
from pefomed.recipe import Recipe, parse
from pefomed.training.loop import Loop
from pefomed.workflow import pipeline
from pefomed.workflow.pipeline import finish, train_recipe

IMAGES, EACH, STEPS = 4, 3, 4
RUNS = ("finished", "stopped", "answering")
JUDGE = Endpoint("http://127.0.0.1:9/v1", "judge")


@dataclass(frozen=True)
class World:
    """Parts and data of one run, and the run itself: finished, stopped in its second stage, half answered."""

    root: Path
    recipe: Path

    @property
    def finished(self) -> Path:
        return self.root / "finished"

    @property
    def stopped(self) -> Path:
        return self.root / "stopped"

    @property
    def answering(self) -> Path:
        return self.root / "answering"

    @property
    def images(self) -> list[Path]:
        return sorted(self.root.glob("image-*.png"))


def make(root: Path) -> World:
    """Train, predict, score, judge, rate and report a run of two stages in `root`, within some seconds.

    PEFOMED_CACHE should name a folder of its own.
    """
    recipe = written_recipe(root)
    world = World(root, root / "recipe.toml")
    _stop(world, recipe)
    shutil.copytree(world.stopped, world.finished)
    pipeline.train(world.finished, data=root)
    finish(world.finished, root)
    _judge(world.finished)
    _rate(world.finished)
    write_agreement(world.finished)
    finish(world.finished, root)
    shutil.copytree(world.finished, world.answering)
    for file in (world.answering / "predictions").glob("*.jsonl"):
        file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    shutil.copytree(world.finished / "adapter", root / "older")
    (root / "older" / "checksums.json").unlink()  # as earlier versions wrote adapters
    pipeline.export_adapter(world.finished, root / "adapter.pth")
    return world


def written_recipe(root: Path) -> Recipe:
    """Write parts, data and the recipe of two stages into `root`."""
    root.mkdir(parents=True, exist_ok=True)
    recipe = _recipe(root)
    (root / "recipe.toml").write_text(recipes.dumps(recipe), encoding="utf-8")
    return recipe


def _recipe(root: Path) -> Recipe:
    model = model_recipe(root)
    # As large models are: an index, and two files of weights.
    language = Path(model.language_model)
    AutoModelForCausalLM.from_pretrained(language).save_pretrained(language, max_shard_size="60KB")
    (language / "model.safetensors").unlink(missing_ok=True)
    lines = []
    for number, sample in enumerate(questions(image_files(root, IMAGES), EACH)):
        about = {"id": sample.id, "image": Path(sample.images[0]).name, "question": sample.question}
        kind = "CLOSED" if sample.reference in ("yes", "no") else "OPEN"
        split = ("train", "val")[number % 4 == 3]
        lines.append({**about, "answer": sample.reference, "answer_type": kind, "split": split})
    lost = {"id": "lost", "image": "lost.png", "question": "is it", "answer": "no", "split": "train"}
    lines.append({**lost, "answer_type": "CLOSED"})
    (root / "table.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    columns = {"id": "id", "split": "split", "meta": ["answer_type"]}
    data: dict[str, Any] = {"loader": "table", "root": "table.jsonl", "options": {"columns": columns}}
    stage = {
        "data": {"table": 1}, "lr": 1e-2, "lr_end": 1e-3, "batch_size": 3, "steps": STEPS,
        "validate_split": "val", "checkpoint_every": 1, "validate_every": 0.3,
    }  # fmt: skip
    return parse(
        {
            "name": "finished",
            "model": model.model_dump(exclude_none=True),
            "data": {"table": {**data, "max_unreadable": 1}},
            "stages": [{"name": "first", "train": ["projector"], **stage}, {"name": "second", **stage}],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": {"table": "val"}, "max_new_tokens": 6, "blind": True},
            "evaluate": {"bootstrap": 20},
        }
    )


def _stop(world: World, recipe: Recipe) -> None:
    """Train until the third step of the second stage."""
    original = Loop._step

    def step(self: Loop, model: Any, optimiser: Any, parameters: Any, batches: Any, number: int) -> Any:
        if self.stage.name == "second" and number == 2:
            raise Interrupted("stopped")
        return original(self, model, optimiser, parameters, batches, number)

    Loop._step = step  # type: ignore[method-assign]
    try:
        train_recipe(recipe, world.stopped, world.root)
    except Interrupted:
        pass
    finally:
        Loop._step = original  # type: ignore[method-assign]


def _judge(run: Path) -> None:
    """Write what a judge behind an endpoint leaves: replies, verdicts, its card."""
    from pefomed.judges import card, work
    from pefomed.judges.endpoint_judge import _card
    from pefomed.runs import RunFolder

    judging = prepare(run, JUDGE, JudgeSettings(), runs=2)
    body = '{"choices": [{"message": {"content": "{\\"label\\": 1}"}, "finish_reason": "stop"}]}'
    replies = [Reply(key=job.key, run=job.run, sample_id=job.sample_id, model="judge",
                     base_url=JUDGE.base_url, body=body) for job in judging.jobs()]  # fmt: skip
    jsonl.append(RunFolder(run).replies_file("judge"), replies)
    judging.replies = {reply.key: reply for reply in replies}
    card.write_card(run, "judge", _card(judging, work.write_verdicts(judging), (), {}))


def _rate(run: Path) -> None:
    session = open_session(run, SessionRequest(raters=2))
    try:
        for rater in session.raters():
            save(session, rater, session.items(rater)[0].id, Rating(1), change=f"first of {rater.name}")
        export(session)
    finally:
        session.database.close()
