"""One stage: its rows, its model as the stage before left it, its features, and the loop over its steps."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import gather_object
from peft import PeftModel

from pefomed import progress
from pefomed.features.frozen import Features, open_features
from pefomed.inference.attention_choice import fit_attention
from pefomed.models import device as devices
from pefomed.models.adapter import add_adapter, base_of, load_adapter, parts_of
from pefomed.models.build import build_model
from pefomed.models.layers import checkpoint_layers
from pefomed.models.parts import chosen_parts
from pefomed.models.protocol import Processor, VisionLanguageModel
from pefomed.models.start import start_adapter
from pefomed.recipe import Recipe, Stage
from pefomed.runs import RunFolder, environment
from pefomed.startup import processes
from pefomed.training import came_from, checkpoint, epochs, sharding, unreadable
from pefomed.training.log import Log, checked_trackers
from pefomed.training.loop import Loop
from pefomed.training.optimiser import long_warmup
from pefomed.training.plan import plan, replace_lost
from pefomed.training.stage_rows import StageRows
from pefomed.training.stored_rows import StoredRow, StoredRows
from pefomed.training.text_answers import TextAnswers, text_answers
from pefomed.training.validation import Validation


class StageTraining:
    """What the stages of a run have in common."""

    def __init__(self, recipe: Recipe, run: Path, data_folder: Path | None, log: Log):
        self.recipe, self.run, self.data_folder, self.log = recipe, run, data_folder, log

    def stage_folder(self, stage: Stage) -> Path:
        """Return the stage's folder of checkpoints."""
        return RunFolder(self.run).stage(stage.name)

    def train(self, stage: Stage, start: Path | None, before: tuple[str, Path] | None) -> None:
        """Train a stage to its end, from its newest checkpoint if it has one.

        Args:
            start: the adapter folder that the stage before left; None: the recipe's start.
            before: what the stage starts from, in words, and where it is.
        """
        compute = self.recipe.compute
        devices.set_threads(compute)
        where = devices.device(compute)
        precision = devices.dtype(compute, where)
        sharded = sharding.is_sharded(compute, precision)
        # Accelerate remembers the precision of its first use in a process; another recipe may want another.
        # Which process this is does not change.
        AcceleratorState._reset_state(reset_partial_state=processes.count() == 1)
        accelerator = Accelerator(
            cpu=where.type == "cpu",
            mixed_precision={torch.bfloat16: "bf16", torch.float16: "fp16"}.get(precision, "no"),
            log_with=checked_trackers(compute.trackers) or None,
            project_dir=self.run,
        )
        if compute.trackers:
            accelerator.init_trackers(f"{self.recipe.name}-{stage.name}")
        if processes.is_main():
            unreadable.find(self.stage_folder(stage), stage, self.recipe, self.data_folder, self.log)
        accelerator.wait_for_everyone()
        hashes = self.settle(stage, before, done=False)
        if processes.is_main():
            self._note_session(stage, where, precision)
        # Weights that are split go to the device part by part: the whole model need not fit there.
        model, processor = model_at(self.recipe, start, "cpu" if sharded else str(where), precision)
        if sharded:
            base_of(model).vision_encoder.to(accelerator.device)
        stage = stage.of_parts(chosen_parts(stage, parts_of(base_of(model))))
        attention = fit_attention(base_of(model), compute, processor)
        if not base_of(model).shares_rows:
            stage = stage.model_copy(update={"share_image": False})
        torch.manual_seed(self.recipe.seed)
        folder = self.stage_folder(stage)
        missing = unreadable.read(folder)
        known = self._all_features(model, processor, hashes) if stage.neighbours else None
        accelerator.wait_for_everyone()
        data = StageRows(stage, self.recipe, processor, self.data_folder, folder, missing, self.log, known)
        train_rows, validation = data.training(), data.validation()
        steps = plan(train_rows, stage, self.recipe.seed, accelerator.num_processes)
        if missing.lost:
            steps = replace_lost(steps, train_rows, missing.touches)
        features = self._features(model, processor, steps, validation, hashes)
        accelerator.wait_for_everyone()
        tokens = sum(len(row) for step in steps for batch in step for row in batch)
        compiled = devices.compile_layers(base_of(model), compute, tokens, partial(self.warn, stage))
        if compute.gradient_checkpointing:
            checkpoint_layers(base_of(model).language_model)
        samples = sum(len(part.samples) for part in train_rows.values())
        self.log.write(
            "event",
            stage.name,
            text=f"{samples} samples of {sum(map(len, train_rows.values()))} rows, {len(steps)} steps, "
            f"{_passes(steps, train_rows)}, {where}, {precision}, {attention} attention, "
            f"{'compiled' if compiled else 'not compiled'}"
            f"{f', split over {processes.count()} processes' if sharded else ''}",
            tasks=dict(data.tasks),
        )
        if long := long_warmup(stage, len(steps)):
            self.log.write("event", stage.name, text=long)
            progress.note(f"stage {stage.name}: {long}")
        read = partial(processor.tokenizer.decode, skip_special_tokens=True)
        form = getattr(processor, "boxes", None)
        measure = partial(Validation, read, self.recipe.prompt.box_bins, stage.loss, form)
        Loop(
            stage,
            model,
            features,
            steps,
            samples,
            validation,
            measure,
            accelerator,
            self.log,
            folder,
            self.recipe.seed,
            sharded,
            self._texts(stage, validation, processor, sharded, base_of(model)),
        ).run()
        # Not `end_training`, which would also part the processes: another stage may follow.
        for tracker in accelerator.trackers:
            tracker.finish()

    def settle(self, stage: Stage, before: tuple[str, Path] | None, *, done: bool) -> dict[str, str]:
        """Note what the stage comes from, or compare it with what was noted; see `came_from.settle`."""
        folder = self.stage_folder(stage)
        return came_from.settle(stage, self.recipe, folder, self.data_folder, before, done=done)

    def warn(self, stage: Stage, text: str) -> None:
        """Say something on the error stream and in the log."""
        print(f"warning: {text}", file=sys.stderr, flush=True)
        self.log.write("event", stage.name, text=text)

    def _note_session(self, stage: Stage, where: torch.device, precision: torch.dtype) -> None:
        text = environment.add(
            self.run,
            f"stage {stage.name}",
            begun=checkpoint.exists(self.stage_folder(stage)),
            card=devices.card(where),
            precision=str(precision).removeprefix("torch."),
            processes=str(processes.count()),
        )
        if text:
            self.log.write("event", stage.name, text=text)
            progress.note(f"stage {stage.name}: {text}")

    def _texts(
        self,
        stage: Stage,
        validation: list[StoredRow],
        processor: Processor,
        sharded: bool,
        base: VisionLanguageModel,
    ) -> TextAnswers | None:
        """Return the captions and reports that validations decode; where none may be, say what decides."""
        compute = self.recipe.compute
        texts = text_answers(
            validation,
            max(stage.validate_texts, 1),
            self.recipe.seed,
            processor=processor,
            share_image=stage.share_image,
            max_questions=stage.max_questions,
            batch_tokens=stage.batch_tokens,
            switch=lambda decoding: fit_attention(base, compute, processor, decoding=decoding),
        )
        if texts is None or (stage.validate_texts and not sharded):
            return texts
        why = "every token would gather all weights that are split" if sharded else "validate_texts is 0"
        text = f"captions and reports are not decoded, the validation loss decides: {why}"
        self.log.write("event", stage.name, text=text)
        progress.note(f"stage {stage.name}: {text}")
        return None

    def _features(
        self,
        model: PeftModel,
        processor: Processor,
        steps: list[list[list[StoredRow]]],
        validation: list[StoredRow],
        hashes: dict[str, str],
    ) -> Features:
        # Of the images that a step reaches, not of all there are: a large data set may be mixed in by a part.
        asked = [image for step in steps for batch in step for row in batch for image in row.images]
        paths = {*asked, *(image for row in validation for image in row.images)}
        return self._prepared(model, processor, paths, len(asked), hashes)

    def _all_features(self, model: PeftModel, processor: Processor, hashes: dict[str, str]) -> Features:
        """Return the features of all images that are trained or validated on, to look for similar ones."""
        # Each is compared when training begins, looked for, and asked about once more.
        return self._prepared(model, processor, {*hashes}, 3 * len(hashes), hashes)

    def _prepared(
        self, model: PeftModel, processor: Processor, paths: set[str], uses: int, hashes: dict[str, str]
    ) -> Features:
        features = open_features(
            base_of(model), processor.image_processor, self.recipe.compute, len(paths), uses, hashes
        )
        features.prepare(
            sorted(paths),
            share=(processes.rank(), processes.count()),
            exchange=lambda own: gather_object([own]),
        )
        return features


def model_at(
    recipe: Recipe, start: Path | None, where: str, precision: torch.dtype
) -> tuple[PeftModel, Processor]:
    """Return the model as the previous stage left it, or at the recipe's start weights."""
    torch.manual_seed(recipe.seed)
    computing = devices.feature_dtype(recipe.compute, devices.device(recipe.compute))
    base, processor = build_model(recipe.model, device=where, dtype=precision, feature_dtype=computing)
    if start is not None:
        return load_adapter(base, start), processor
    if recipe.model.start is not None:
        return start_adapter(base, recipe.model, recipe.seed), processor
    return add_adapter(base, recipe.model.lora, seed=recipe.seed), processor


def _passes(steps: list[list[list[StoredRow]]], data: dict[str, StoredRows]) -> str:
    """Return how often the data are gone through, and each of a mix."""
    each = epochs.passes(steps, data)
    samples = sum(len(part.samples) for part in data.values())
    mixed = ", ".join(f"{name} {times:.2f}" for name, times in each.items()) if len(each) > 1 else ""
    return f"{epochs.after_each(steps, samples)[-1]:.2f} epochs" + (f" ({mixed})" if mixed else "")
