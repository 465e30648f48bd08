"""The one training loop: a stage's steps, validation, checkpoints, interruption and resumption."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from peft import PeftModel

from pefomed.errors import Interrupted, TrainingError
from pefomed.features.frozen import Features
from pefomed.models.adapter import base_of, trainable
from pefomed.models.protocol import ImageFeatures, move_features
from pefomed.packing.batch import Batch, collate
from pefomed.progress import line, note
from pefomed.recipe import Stage
from pefomed.runs.log import rate_key
from pefomed.training import checkpoint, epochs, sharding, soundness
from pefomed.training.averaging import RunningMean
from pefomed.training.log import Log
from pefomed.training.loss import AnswerLoss, answer
from pefomed.training.optimiser import make_optimiser, rates, set_rates
from pefomed.training.planned import Planned
from pefomed.training.rising import Rising
from pefomed.training.step import NotFinite, Rows, optimiser_step, seed_of
from pefomed.training.stop import stop_on_signal
from pefomed.training.text_answers import TextAnswers
from pefomed.training.together import in_any, in_main
from pefomed.training.validation import Validation, over_rows


@dataclass
class Loop:
    """One stage, ready to run: `run` returns when its adapter is in `folder/final`.

    In several processes each has the whole plan and computes its share of every step's batches; the main
    one writes.
    """

    stage: Stage
    model: PeftModel
    features: Features
    steps: Sequence[Sequence[Sequence[Planned]]]
    samples: int
    """In all data sets of the stage: seeing as many is one epoch."""
    validation_rows: Sequence[Planned]
    validation: Callable[[], Validation]
    accelerator: Accelerator
    log: Log
    folder: Path
    seed: int = 0
    sharded: bool = False
    """Split the weights over the processes."""
    texts: TextAnswers | None = None
    """The captions and reports that a validation decodes."""

    def __post_init__(self) -> None:
        """Check that the stage can be run so.

        Raises:
            TrainingError: a running mean is asked for of weights that are split.
        """
        self._epochs = epochs.after_each(self.steps, self.samples)
        self._mean: RunningMean | None = None
        if self.stage.ema and self.sharded:
            raise TrainingError(
                f"stage {self.stage.name}: a running mean (`ema`) needs whole weights, and these are split",
                remedy='set `ema = 0`, or `compute.sharding = "none"`',
            )

    def run(self) -> None:
        """Train from the newest checkpoint, or from the beginning, to the end.

        Raises:
            Interrupted: a signal asked to stop; a checkpoint was saved.
            TrainingError: a loss, a gradient or a weight is not finite; the newest checkpoint is as it was.
        """
        parts = trainable(self.model, self.stage.train)
        optimiser = make_optimiser(parts, self.stage)
        schedules = rates(self.stage, len(self.steps))
        if self.stage.ema:
            self._mean = RunningMean([one for group in parts.values() for one in group], self.stage.ema)
        progress = self._restored(optimiser)
        self.log.rewind(self.stage.name, progress.step)
        model, optimiser = sharding.prepare(self.model, optimiser, self.accelerator, self.sharded)
        parts = trainable(self.model, self.stage.train)  # split weights are other tensors than before
        parameters = [parameter for group in parts.values() for parameter in group]
        validate_at = epochs.validation_steps(self._epochs, self.stage.validate_every)
        rising = Rising(len(self.steps))
        for loss in self.log.losses(self.stage.name):
            rising.add(loss)
        started = time.monotonic() - progress.seconds
        with (
            stop_on_signal() as stop,
            line(f"training {self.stage.name}", len(self.steps), "steps", progress.step) as shown,
        ):
            for step in range(progress.step, len(self.steps)):
                rate = set_rates(optimiser, schedules, step)
                values = self._step(model, optimiser, parameters, self.steps[step], step)
                progress.step, progress.seconds = step + 1, time.monotonic() - started
                if self._mean is not None:
                    self._mean.add(progress.step)
                self._record(progress, rate, values)
                shown.advance(note=f"loss {values['loss']:.3f}")
                if text := rising.add(values["loss"]):
                    self._say(text, step=progress.step)
                if self.validation_rows and progress.step in validate_at:
                    with self._final_weights():
                        self._validate(model, progress)
                last, stopping = progress.step == len(self.steps), in_any(self.accelerator, bool(stop))
                if last or stopping or progress.step % self.stage.checkpoint_every == 0:
                    self._check_sound(model, step)
                    moments = sharding.moments(optimiser, self.accelerator.scaler)
                    if self._mean is not None:
                        moments["mean"] = self._mean.state()
                    with sharding.gather_adapter(self.model):
                        if self.accelerator.is_main_process:
                            checkpoint.save(self.folder, self.model, moments, progress)
                    self.accelerator.wait_for_everyone()
                if stopping and not last:
                    raise Interrupted(
                        f"stopped at step {progress.step} of {len(self.steps)} of stage {self.stage.name};"
                        " everything up to here is saved",
                        remedy="give the same command again to go on",
                    )
        self.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        self.accelerator.free_memory()
        with self._final_weights():
            self._finish(progress)

    def _restored(self, optimiser: Any) -> checkpoint.StageProgress:
        """Load the newest whole checkpoint, which the main process chooses for all."""
        found = in_main(lambda: checkpoint.find(self.folder, self._say))
        if found is None:
            return checkpoint.StageProgress()
        return checkpoint.restore(found, self.model, optimiser, self.accelerator.scaler, self._mean)

    def _final_weights(self) -> AbstractContextManager[None]:
        """Give a block in which the model has the weights that the stage is to end with."""
        return nullcontext() if self._mean is None else self._mean.in_place()

    def _say(self, text: str, **values: Any) -> None:
        self.log.write("event", self.stage.name, **values, text=text)
        note(f"stage {self.stage.name}: {text}")

    def _step(
        self, model: Any, optimiser: Any, parameters: list[Any], batches: Sequence[Rows], step: int = 0
    ) -> dict[str, Any]:
        torch.manual_seed(seed_of(self.seed, self.stage.name, step, self.accelerator.process_index))
        try:
            return optimiser_step(
                model, optimiser, parameters, batches, self.stage, self.accelerator,
                lambda model, rows: self._answer(model, self._batch(rows)).loss,
            )  # fmt: skip
        except NotFinite as found:
            raise self._stopped(found.what, step, found.batches) from None

    def _batch(self, rows: Rows) -> Batch:
        return collate([row.built() for row in rows]).to(self.accelerator.device)

    def _answer(self, model: Any, batch: Batch) -> AnswerLoss:
        features, stage = self._features_of(batch.images), self.stage
        return answer(model, batch, features, stage.loss, stage.label_smoothing)

    def _features_of(self, images: Sequence[str]) -> ImageFeatures:
        return move_features(self.features(images), self.accelerator.device)

    def _record(
        self, progress: checkpoint.StageProgress, rate: dict[str, float], values: dict[str, Any]
    ) -> None:
        shown = {name: values[name] for name in ("loss", "grad_norm", "samples_per_second")}
        self.accelerator.log(shown | {f"{part}_lr": value for part, value in rate.items()}, progress.step)
        self.log.write(
            "step",
            self.stage.name,
            step=progress.step,
            steps=len(self.steps),
            epoch=round(self._epochs[progress.step - 1], 4),
            **{rate_key(part): value for part, value in rate.items()},
            seconds=round(progress.seconds, 3),
            **values,
        )

    @torch.no_grad()
    def _validate(self, model: Any, progress: checkpoint.StageProgress) -> None:
        """Log loss and score on the validation split; keep the adapter if it is the best so far."""
        bare = self.accelerator.unwrap_model(model)
        bare.eval()
        found = over_rows(
            self.validation(), self.validation_rows, 2 * self.stage.batch_tokens, self.accelerator,
            lambda rows: (batch := self._batch(rows), self._answer(bare, batch)),
        )  # fmt: skip
        if self.texts is not None and not self.sharded:
            share = (self.accelerator.process_index, self.accelerator.num_processes)
            found.written = self.texts.written(bare, self._features_of, share)
        if self.accelerator.num_processes > 1:
            found.sum_up(gather_object([found.counts()]))
        if not math.isfinite(found.loss):
            raise self._stopped("the validation loss is not finite", progress.step - 1, [])
        values = found.values()
        shown = {f"validation_{name}": value for name, value in values.items() if name != "n"}
        self.accelerator.log(shown, progress.step)
        epoch = round(self._epochs[progress.step - 1], 4)
        self.log.write("validation", self.stage.name, step=progress.step, epoch=epoch, **values)
        result = found.result()
        progress.validations += 1
        if progress.best_step is None or result.better_than(progress.best, progress.best_loss):
            self._check_sound(model, progress.step - 1)
            progress.best, progress.best_loss = result.score, result.loss
            progress.best_step = progress.step
            with sharding.gather_adapter(self.model):
                if self.accelerator.is_main_process:
                    checkpoint.save_best(self.folder, self.model, progress.step)

    @torch.no_grad()
    def _check_sound(self, model: Any, step: int) -> None:
        """Refuse to keep weights that are not finite, or that give a loss which is not.

        Every process looks at the same: whole weights, or its part of them, and the shortest row of the step.
        """
        bare = self.accelerator.unwrap_model(model)
        bare.eval()
        row = min((row for batch in self.steps[step] for row in batch), key=len)
        loss = self._answer(bare, self._batch([row])).loss
        found = soundness.trouble(self.model, (), ())
        wrong = bool(found.trained or found.frozen) or not math.isfinite(float(loss))
        if in_any(self.accelerator, wrong):
            raise self._stopped("the model it leads to gives no finite loss", step, [[row]])

    def _stopped(self, what: str, step: int, batches: Sequence[Rows]) -> TrainingError:
        """Say in the log why it ends at `step`, counted from 0, and return the error; every process calls it.

        Args:
            batches: of this process, those that may be why.
        """
        rows = [row for batch in batches for row in batch]
        found = soundness.trouble_of(self.model, rows, self.features)
        all_found = gather_object([found]) if self.accelerator.num_processes > 1 else [found]
        error = soundness.unsound_training(
            f"step {step + 1} of {len(self.steps)} of stage {self.stage.name}",
            what,
            all_found,
            rates={part: rate.at(step) for part, rate in rates(self.stage, len(self.steps)).items()},
            updates=step,
            precision=next(base_of(self.model).language_model.parameters()).dtype,
            kept=checkpoint.newest_step(self.folder),
        )
        self.log.write("event", self.stage.name, step=step + 1, text=str(error))
        return error

    def _finish(self, progress: checkpoint.StageProgress) -> None:
        if progress.best == 0 and progress.best_loss is not None:
            self._say(
                f"no answer scored above 0 at any of {progress.validations} validations; kept is step"
                f" {progress.best_step}, with the lowest validation loss, {progress.best_loss:.4g}",
                step=progress.step,
            )
        with sharding.gather_adapter(self.model):
            if self.accelerator.is_main_process:
                best = checkpoint.best(self.folder, progress)
                checkpoint.save_final(self.folder / "final", best or self.model)
        self.accelerator.wait_for_everyone()
