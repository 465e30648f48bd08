"""The one training loop: a stage's steps, validation, checkpoints, interruption and resumption."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor

from pefomed.batch import Batch, Row, collate
from pefomed.errors import Interrupted
from pefomed.features import Features
from pefomed.model.adapter import load_state, trainable
from pefomed.progress import line
from pefomed.recipe import Stage
from pefomed.training import checkpoint
from pefomed.training.log import Log
from pefomed.training.loss import Answered, answer
from pefomed.training.optimiser import make_optimiser, rates, set_rates
from pefomed.training.plan import padded_batches
from pefomed.training.stop import stop_on_signal


@dataclass
class Loop:
    """One stage, ready to run: `run` returns when its adapter is in `folder/final`."""

    stage: Stage
    model: PeftModel
    features: Features
    steps: list[list[list[Row]]]
    validation: list[Row]
    accelerator: Accelerator
    log: Log
    folder: Path

    def run(self) -> None:
        """Train from the newest checkpoint, or from the beginning, to the end.

        Raises:
            Interrupted: a signal asked to stop; a checkpoint was saved.
        """
        parts = trainable(self.model, self.stage.train)
        optimiser = make_optimiser(parts, self.stage)
        schedules = rates(self.stage, len(self.steps))
        progress = checkpoint.restore(self.folder, self.model, optimiser) or checkpoint.Progress()
        self.log.rewind(self.stage.name, progress.step)
        model, optimiser = self.accelerator.prepare(self.model, optimiser)
        parameters = [parameter for group in parts.values() for parameter in group]
        validate_at = self._validation_steps()
        started = time.monotonic() - progress.seconds
        with (
            stop_on_signal() as stop,
            line(f"training {self.stage.name}", len(self.steps), "steps", progress.step) as shown,
        ):
            for step in range(progress.step, len(self.steps)):
                rate = set_rates(optimiser, schedules, step)
                values = self._step(model, optimiser, parameters, self.steps[step])
                progress.step, progress.seconds = step + 1, time.monotonic() - started
                self._record(progress, rate, values)
                shown.advance(note=f"loss {values['loss']:.3f}")
                if progress.step in validate_at:
                    self._validate(model, progress)
                last = progress.step == len(self.steps)
                if last or stop or progress.step % self.stage.checkpoint_every == 0:
                    checkpoint.save(self.folder, self.model, optimiser, progress)
                if stop and not last:
                    raise Interrupted(
                        f"stopped at step {progress.step} of {len(self.steps)} of stage {self.stage.name};"
                        " everything up to here is saved",
                        remedy="give the same command again to go on",
                    )
        self.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        self.accelerator.free_memory()
        self._finish()

    def _step(
        self, model: Any, optimiser: Any, parameters: list[Any], batches: list[list[Row]]
    ) -> dict[str, Any]:
        """One optimiser step; the loss is the mean over all answer tokens of all its batches."""
        model.train()
        begun = time.monotonic()
        made = [self._batch(rows) for rows in batches]
        answers = sum(len(batch.targets) for batch in made)
        total = 0.0
        for batch in made:
            loss = self._answer(model, batch).loss / answers
            self.accelerator.backward(loss)
            total += float(loss.detach())
        norm = float(self.accelerator.clip_grad_norm_(parameters, self.stage.max_grad_norm))
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seconds = time.monotonic() - begun
        samples = sum(len(batch.samples) for batch in made)
        return {
            "loss": total,
            "grad_norm": norm,
            "samples": samples,
            "tokens": sum(len(row) for rows in batches for row in rows),
            "step_seconds": round(seconds, 4),
            "samples_per_second": round(samples / seconds, 3),
        }

    def _batch(self, rows: list[Row]) -> Batch:
        return collate(rows).to(self.accelerator.device)

    def _answer(self, model: Any, batch: Batch) -> Answered:
        features: Tensor = self.features(batch.images).to(self.accelerator.device)
        return answer(model, batch, features)

    def _record(self, progress: checkpoint.Progress, rate: dict[str, float], values: dict[str, Any]) -> None:
        shown = {name: values[name] for name in ("loss", "grad_norm", "samples_per_second")}
        self.accelerator.log(shown | {f"{part}_lr": value for part, value in rate.items()}, progress.step)
        self.log.write(
            "step",
            self.stage.name,
            step=progress.step,
            steps=len(self.steps),
            epoch=round(progress.step / self._steps_per_epoch(), 4),
            lr=rate["lora"],
            projector_lr=rate["projector"],
            seconds=round(progress.seconds, 3),
            **values,
        )

    def _validation_steps(self) -> set[int]:
        if not self.validation:
            return set()
        every = max(1, round(self.stage.validate_every * self._steps_per_epoch()))
        return {*range(every, len(self.steps) + 1, every), len(self.steps)}

    def _steps_per_epoch(self) -> float:
        return len(self.steps) / self.stage.epochs if self.stage.epochs else len(self.steps)

    @torch.no_grad()
    def _validate(self, model: Any, progress: checkpoint.Progress) -> None:
        """Log loss and exact match on the validation split; keep the adapter if it is the best so far."""
        model.eval()
        loss, tokens, right, samples = 0.0, 0, 0, 0
        rows = sorted(self.validation, key=len)
        for chunk in padded_batches(rows, 2 * self.stage.batch_tokens, 10**9):
            batch = self._batch(chunk)
            answered = self._answer(model, batch)
            loss, tokens = loss + float(answered.loss), tokens + len(batch.targets)
            right, samples = right + int(answered.right.sum()), samples + len(batch.samples)
        exact = right / samples
        self.accelerator.log(
            {"validation_loss": loss / tokens, "validation_exact_match": exact}, progress.step
        )
        self.log.write(
            "validation",
            self.stage.name,
            step=progress.step,
            epoch=round(progress.step / self._steps_per_epoch(), 4),
            loss=loss / tokens,
            exact_match=exact,
            n=samples,
        )
        if progress.best is None or exact > progress.best:
            progress.best, progress.best_step = exact, progress.step
            checkpoint.save_final(self.folder / "best", self.model)

    def _finish(self) -> None:
        best = self.folder / "best"
        if best.exists():
            load_state(self.model, load_file(best / "adapter_model.safetensors"))
        checkpoint.save_final(self.folder / "final", self.model)
