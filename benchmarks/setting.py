"""What both sides share: recipe, weights, LoRA, optimiser, precision and the very same samples."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from peft import PeftModel

from pefomed import recipe as recipes
from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.features.frozen import Features
from pefomed.inference.attention_choice import fit_attention
from pefomed.models import device as devices
from pefomed.models.adapter import add_adapter, load_state, trainable
from pefomed.models.build import build_model
from pefomed.models.processing import PefomedProcessor
from pefomed.packing.batch import PackedRow, Tokens, rows, tokenise
from pefomed.progress import track
from pefomed.recipe import Compute, Dataset, Recipe, Stage
from pefomed.schema import Sample
from pefomed.training.log import Log
from pefomed.training.loop import Loop
from pefomed.training.optimiser import make_optimiser, rates, set_rates
from pefomed.training.plan import plan
from pefomed.training.validation import Validation

RECIPE = Path(__file__).parents[1] / "recipes" / "mini" / "vqa_rad.toml"


@dataclass(frozen=True)
class Setting:
    """A recipe whose data is there, and how much to measure."""

    recipe: Recipe
    data_folder: Path
    quick: bool
    note: str = ""
    """Said above the table if the data is not what it should be."""

    @property
    def stage(self) -> Stage:
        """The stage that is measured: the last, on its first data set."""
        stage = self.recipe.stages[-1]
        return stage.model_copy(update={"data": {sorted(stage.data)[0]: 1.0}})

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 5

    def training_samples(self) -> list[Sample]:
        [name] = self.stage.data
        samples = load_samples(self.recipe.data[name], self.stage.split, self.data_folder)
        return [sample for sample in samples if sample.reference.strip()]

    def test_samples(self) -> list[Sample]:
        name, split = next(iter(self.recipe.predict.data.items()))
        return load_samples(self.recipe.data[name], split, self.data_folder)


def setting(recipe: Path, data: Path | None, scratch: Path, *, quick: bool) -> Setting:
    """Return the setting of `recipe`; without its data, drawn phantoms stand in and a note says so."""
    loaded = recipes.load(recipe)
    folder = data or Path(os.environ.get("PEFOMED_DATA", "."))
    if quick:
        loaded = loaded.model_copy(update={"compute": _without_compilation(loaded.compute)})
    found = Setting(loaded, folder, quick)
    try:
        found.training_samples()
    except DataError:
        few = {"train": 24, "test": 8} if quick else {}
        phantom = Dataset(loader="phantom", root="phantom", options=few)
        names = {*found.stage.data, *loaded.predict.data}
        loaded = loaded.model_copy(update={"data": dict.fromkeys(names, phantom)})
        wanted = next(iter(found.stage.data))
        note = f"{wanted} is not in {folder} (--data or PEFOMED_DATA): measured on drawn phantoms instead"
        return Setting(loaded, scratch, quick, note)
    return found


@dataclass
class Bench:
    """A model ready to be trained by either side."""

    stage: Stage
    model: PeftModel
    processor: PefomedProcessor
    accelerator: Accelerator
    features: Features
    loop: Loop
    optimiser: Any
    parameters: list[torch.nn.Parameter]
    sequences: list[Tokens]
    """All training samples, tokenised."""
    steps: list[list[list[PackedRow]]]
    """The plan of the whole stage, as training makes it."""
    compiled: bool

    def step(self, batches: list[list[PackedRow]]) -> dict[str, Any]:
        """Take one optimiser step of this project's own loop."""
        return self.loop._step(self.model, self.optimiser, self.parameters, batches)

    def learn(self, steps: int) -> float:
        """Train some steps, so that LoRA is not zero and answers are short; return seconds of compiling."""
        schedules = rates(self.stage, steps)
        seconds = []
        for number, batches in enumerate(track(self.steps[:steps], "warming up", unit="steps")):
            set_rates(self.optimiser, schedules, number)
            begun = time.perf_counter()
            self.step(batches)
            seconds.append(time.perf_counter() - begun)
        return max(0.0, sum(seconds) - steps * statistics.median(seconds))

    def encode(self, batches: Iterable[Iterable[PackedRow]]) -> tuple[int, float]:
        """Put the features of the rows' images on disk; return images encoded and the seconds it took."""
        before, begun = self.features.computed, time.perf_counter()
        self.features.prepare(sorted({path for part in batches for row in part for path in row.images}))
        return self.features.computed - before, time.perf_counter() - begun


def open_bench(setting: Setting, scratch: Path, image_size: int | None = None) -> Bench:
    """Build the model and everything training needs, exactly as `pefomed.training` does."""
    recipe, stage, compute = setting.recipe, setting.stage, setting.recipe.compute
    table = recipe.model if image_size is None else recipe.model.model_copy(update={"image_size": image_size})
    devices.set_threads(compute)
    where = devices.device(compute)
    precision = devices.dtype(compute, where)
    mixed = {torch.bfloat16: "bf16", torch.float16: "fp16"}.get(precision, "no")
    AcceleratorState._reset_state(reset_partial_state=True)  # a process may open several, in other precisions
    accelerator = Accelerator(cpu=where.type == "cpu", mixed_precision=mixed)
    torch.manual_seed(recipe.seed)
    base, processor = build_model(table, device=str(where), dtype=precision)
    model = add_adapter(base, table.lora, seed=recipe.seed)
    sequences = tokenise(setting.training_samples(), recipe.prompt, processor)
    made = rows(sequences, share_image=True, max_questions=stage.max_questions)
    steps = plan({next(iter(stage.data)): made}, stage, recipe.seed)
    tokens = sum(len(row) for step in steps for batch in step for row in batch)
    fit_attention(base, compute)
    compiled = devices.compile_layers(base, compute, tokens, print)
    features = Features(base, processor.image_processor, scratch / "cache")
    parts = trainable(model, stage.train)
    prepared, optimiser = accelerator.prepare(model, make_optimiser(parts, stage))
    log = Log(scratch / "log.jsonl")
    validation = partial(Validation, processor.tokenizer.decode, recipe.prompt.box_bins)
    folder = scratch / "checkpoints"
    loop = Loop(stage, prepared, features, steps, len(sequences), [], validation, accelerator, log, folder)
    parameters = [parameter for group in parts.values() for parameter in group]
    return Bench(
        stage, prepared, processor, accelerator, features, loop, optimiser, parameters, sequences, steps,
        compiled,
    )  # fmt: skip


def float32_model(
    setting: Setting, state: dict[str, torch.Tensor]
) -> tuple[PeftModel, list[torch.nn.Parameter]]:
    """Return the model in float32 with the given adapter, and its trained parameters."""
    where = devices.device(setting.recipe.compute)
    base, _ = build_model(setting.recipe.model, device=str(where), dtype=torch.float32)
    model = add_adapter(base, setting.recipe.model.lora)
    load_state(model, state)
    parts = trainable(model, setting.stage.train)
    return model.eval(), [parameter for group in parts.values() for parameter in group]


def _without_compilation(compute: Compute) -> Compute:
    return compute.model_copy(update={"compile": "off"})
