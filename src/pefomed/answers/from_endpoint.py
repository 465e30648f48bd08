"""Answers of a vision model behind an OpenAI-compatible endpoint to the prompts of a recipe.

Each sample is one message: its images, then its instruction as `prompts` makes it, without our own model's
tags. Images are decoded as for our model and sent as PNG, so that nothing else in the file leaves.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from pefomed import recipe as recipes
from pefomed.answers.card import prompt_parts
from pefomed.answers.files import AnswerFile, SplitFiles
from pefomed.datasets import load_samples
from pefomed.datasets.provenance import Provenance, provenance_of_loader
from pefomed.endpoint import (
    Client,
    Endpoint,
    EndpointRequest,
    OpenJob,
    ask_all,
    checked_base_url,
    completion,
    without_thoughts,
)
from pefomed.errors import Interrupted, RunError
from pefomed.files import jsonl
from pefomed.files.storage import safe_stem, usable_paths, write
from pefomed.images.images import from_image
from pefomed.progress import line, note
from pefomed.prompts import instruction
from pefomed.recipe import Recipe
from pefomed.runs import RunFolder, Split
from pefomed.runs.lock import hold
from pefomed.schema import Prediction, Sample

MOST_SIDE = 2048
"""Pixels; a larger image is scaled down to this, as servers do themselves."""

"""The file of a run's folder that says who answered."""


@dataclass(frozen=True)
class Answering:
    """What is to be answered, file by file, and by whom."""

    folder: Path
    recipe: Recipe
    endpoint: Endpoint
    max_tokens: int
    samples: dict[Split, list[Sample]]
    splits: dict[Split, SplitFiles]
    """The same, what the folder has of them."""
    answers: dict[Split, AnswerFile]
    """The same, their answers: those that stand, and what is left."""
    origins: dict[str, Provenance]

    @property
    def left(self) -> dict[Split, list[Sample]]:
        """The samples without an answer that stands."""
        return {split: answers.left for split, answers in self.answers.items()}

    @property
    def generation(self) -> str:
        """How the answers came about, as each of them says."""
        return f"{self.endpoint.model} behind an endpoint, temperature 0, at most {self.max_tokens} tokens"

    def parts(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Return what makes answers to these samples; where the endpoint is does not count."""
        prompts = prompt_parts(self.recipe.prompt, (sample.task for sample in samples))
        told = ("prompt.template", "prompt.box_rounding")  # of our own model's prompts alone
        return {
            **{name: value for name, value in prompts.items() if name not in told},
            "endpoint.model": self.endpoint.model,
            "endpoint.most_side": MOST_SIDE,
            "generation": self.generation,
        }


@usable_paths()
def prepare(
    target: Path,
    endpoint: Endpoint,
    out: Path = Path("runs"),
    data_folder: Path | None = None,
    max_tokens: int | None = None,
) -> Answering:
    """Return what is left to answer; nothing is sent and nothing written.

    Args:
        target: a recipe: the folder is `out / <recipe's name>-<model>`; or the folder of a run: one that
            this endpoint's model answered is continued, else a folder beside it.
        max_tokens: longest answer; by default the recipe's.

    Raises:
        RunError: there is no recipe, it predicts nothing, or the folder holds other answers.
        DataError: the data cannot be read.
    """
    endpoint = replace(endpoint, base_url=checked_base_url(endpoint.base_url))
    recipe, folder = _opened(target, endpoint.model, out)
    if not recipe.predict.data:
        raise RunError(f"{target} predicts nothing", remedy="name a data set and its split in [predict.data]")
    if recipe.predict.samples or recipe.threshold.data:
        note("an endpoint's answers do not say how sure they are: none are drawn, no threshold is chosen")
    about = Answering(folder, recipe, endpoint, max_tokens or recipe.predict.max_new_tokens, {}, {}, {}, {})
    for name, split in recipe.predict.data.items():
        about.origins[name] = provenance_of_loader(recipe.data[name].loader)
        about.samples[Split(name, split)] = load_samples(recipe.data[name], split, data_folder)
    _read_answers(about)
    return about


@usable_paths()
def carry_out(about: Answering) -> list[Path]:
    """Answer what is left and return the files of predictions.

    Raises:
        EndpointError: the endpoint cannot be used; what was answered is kept.
        Interrupted: the user stopped it; what was answered is kept.
        RunError: some samples got no answer; the same call asks them again. Or another process works there.
        ImageError: an image cannot be read.
    """
    with hold(about.folder):
        return _carry_out(about)


def _carry_out(about: Answering) -> list[Path]:
    _write_run(about)
    still_open: list[OpenJob[Sample]] = []
    _read_answers(about)  # again: another process may have answered some since it was planned
    try:
        for split, answers in about.answers.items():
            about.splits[split].begin()
            missing = asyncio.run(_answer(about, split, answers)) if answers.left else []
            if not missing:
                about.splits[split].settle()
            still_open += missing
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped: the answers that came are kept",
            remedy="run the same command again: it asks only the rest",
        ) from None
    if still_open:
        raise RunError(
            f"{len(still_open):,} samples got no answer",
            found="; ".join(sorted({each.why for each in still_open})[:5]),
            remedy="run the same command again: it asks only these",
        )
    return [answers.path for answers in about.answers.values()]


def content(sample: Sample, recipe: Recipe) -> list[dict[str, Any]]:
    """Return a message's parts: every image as a data URL, then the instruction.

    Raises:
        ImageError: an image cannot be read.
    """
    images = [{"type": "image_url", "image_url": {"url": data_url(path)}} for path in sample.images]
    return [*images, {"type": "text", "text": instruction(sample, recipe.prompt)}]


def data_url(path: str | Path) -> str:
    """Return an image as base64 PNG: RGB pixels alone, nothing else of the file."""
    return from_image(path, _packed)


def _packed(image: Image.Image) -> str:
    image.thumbnail((MOST_SIDE, MOST_SIDE))  # keeps the proportions, never enlarges
    image.info.clear()
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()


def _read_answers(about: Answering) -> None:
    for split, samples in about.samples.items():
        about.splits[split] = SplitFiles(about.folder, split, samples)
        about.answers[split] = about.splits[split].answers(about.parts(samples), _PUT_BACK)


def _write_run(about: Answering) -> None:
    write(RunFolder(about.folder).recipe_file, recipes.dumps(about.recipe))
    facts = {
        "model": about.endpoint.model,
        "base_url": about.endpoint.base_url,
        "temperature": 0,
        "max_tokens": about.max_tokens,
        "most_side": MOST_SIDE,
    }
    write(RunFolder(about.folder).endpoint_file, json.dumps(facts, indent=1) + "\n")


async def _answer(about: Answering, split: Split, answers: AnswerFile) -> list[OpenJob[Sample]]:
    samples = answers.left
    with answers.writer() as keep_answer, line(f"answering {split.stem}", len(samples), "questions") as shown:
        async with Client(about.endpoint) as client:

            async def send(sample: Sample) -> str:
                message = {"role": "user", "content": await asyncio.to_thread(content, sample, about.recipe)}
                return await client.ask(EndpointRequest([message], about.max_tokens, 0.0, about.recipe.seed))

            def keep(sample: Sample, body: str) -> None:
                keep_answer(_prediction(sample, body, about.generation))
                shown.advance()

            return await ask_all(samples, send, keep, about.endpoint.concurrency)


def _prediction(sample: Sample, body: str, generation: str) -> Prediction:
    reply = completion(body)
    return Prediction(
        sample_id=sample.id,
        text=without_thoughts(reply.text) or (reply.refusal or ""),
        tokens=reply.tokens_out or 0,
        finish=reply.finish if reply.finish in ("stop", "length") else "unknown",
        generation=generation,
    )


def _opened(target: Path, model: str, out: Path) -> tuple[Recipe, Path]:
    short = safe_stem(model.lower().rsplit("/", 1)[-1]) or "model"
    if target.is_dir():
        there = RunFolder(target)
        if not there.recipe_file.is_file():
            raise RunError(
                f"{target} is not a run", found="no recipe.toml in it", remedy="name a run or a recipe"
            )
        recipe = recipes.load(there.recipe_file)
        mark = there.endpoint_file
        if (
            mark.exists()
            and jsonl.read_object(mark, "delete it to answer in a folder beside").get("model") == model
        ):
            return recipe, target
        folder = target.with_name(f"{target.resolve().name}-{short}")
    else:
        recipe = recipes.load(target)
        folder = out / f"{recipe.name}-{short}"
    changes = {
        "name": f"{recipe.name}-{short}",
        "description": f"Answered by {model} behind an endpoint; the model of this recipe was not used.",
        "predict": recipe.predict.model_copy(update={"blind": False}),
    }
    return recipe.model_copy(update=changes), folder


_PUT_BACK = "put that back, remove the file to have all of it answered again, or choose another --out"
