"""The stages of a run, one after the other: those that are finished are skipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from accelerate.state import PartialState
from peft import PeftModel

from pefomed.errors import RunError
from pefomed.files import checksums
from pefomed.files.storage import usable_paths
from pefomed.models import device as devices
from pefomed.models.protocol import Processor
from pefomed.recipe import Recipe, Stage
from pefomed.runs import RunFolder
from pefomed.runs.lock import hold
from pefomed.startup import processes
from pefomed.training import checkpoint
from pefomed.training.log import Log
from pefomed.training.stage_training import StageTraining, model_at
from pefomed.training.together import in_main


@usable_paths()
def train(
    recipe: Recipe,
    run: Path,
    data_folder: Path | None = None,
    *,
    fresh: bool = False,
    untrained: bool = False,
) -> Path:
    """Train all stages of `recipe` in the folder `run`; return its `adapter` folder.

    Stages that are finished are skipped, a stage that was stopped goes on at its newest checkpoint.

    Args:
        fresh: remove what was trained, predicted and scored before.
        untrained: `recipe` has no stage on purpose: the adapter is the one that training would start with.

    Raises:
        PefomedError: see the parts; whatever was computed before the error stays usable.
    """
    with hold(run):
        return _train(recipe, run, data_folder, fresh=fresh, untrained=untrained)


def _train(recipe: Recipe, run: Path, data_folder: Path | None, *, fresh: bool, untrained: bool) -> Path:
    if fresh and processes.is_main():
        # What the former model answered goes too: predicting skips answers that are there.
        RunFolder(run).clear_trained()
    if processes.count() > 1:
        # Nobody looks into the folder before the main process has put it in order.
        PartialState(cpu=devices.device(recipe.compute).type == "cpu").wait_for_everyone()
    trainer = Trainer(recipe, run, data_folder)
    adapter = trainer.untrained() if untrained else trainer.train()
    if processes.count() > 1:
        PartialState().destroy_process_group()
    return adapter


class Trainer:
    """The model of a run and the stages it goes through."""

    def __init__(self, recipe: Recipe, run: Path, data_folder: Path | None = None):
        self.recipe, self.run, self.data_folder = recipe, run, data_folder
        self.folder = RunFolder(run)
        self.log = Log(self.folder.log_file)
        self._stages = StageTraining(recipe, run, data_folder, self.log)

    def train(self) -> Path:
        """Run every stage that is not finished."""
        if not self.recipe.stages:
            raise RunError("the recipe has no [[stages]]", remedy="add one, see docs/recipes.md")
        start: Path | None = None
        named = self.recipe.model.start
        before = (named, Path(named)) if named else None
        for stage in self.recipe.stages:
            final = self.folder.final(stage.name)
            if self._is_done(stage):
                self._stages.settle(stage, before, done=True)
            else:
                self._stages.train(stage, start, before)
            start, before = final, (f"stage {stage.name}", final)
        assert start is not None
        adapter = self.folder.adapter
        if processes.is_main() and not checksums.equal_folders(start, adapter):
            checkpoint.save_final(adapter, start)
        return adapter

    def untrained(self) -> Path:
        """Write the adapter that training would start with: a new projector, LoRA that changes nothing."""
        adapter = self.folder.adapter
        if checksums.damage(adapter):
            where = devices.device(self.recipe.compute)
            model, _ = self._model_at(None, str(where), devices.dtype(self.recipe.compute, where))
            checkpoint.save_final(adapter, model)
        return adapter

    def stage_folder(self, stage: Stage) -> Path:
        """Return the stage's folder of checkpoints."""
        return self.folder.stage(stage.name)

    def _is_done(self, stage: Stage) -> bool:
        """Return whether the stage has ended; its damaged end is removed and made again."""
        final = self.folder.final(stage.name)

        def decide() -> bool:
            # One without checksums is of an older version: whether it can be read is found when it is.
            wrong = checksums.damage(final) if checksums.is_sealed(final) else ""
            if wrong:
                self._stages.warn(
                    stage, f"{final} is damaged ({wrong}) and is made again from the last checkpoint"
                )
                shutil.rmtree(final, ignore_errors=True)
            return not wrong and (final / "adapter_config.json").exists()

        return in_main(decide)

    def _model_at(
        self, start: Path | None, where: str, precision: torch.dtype
    ) -> tuple[PeftModel, Processor]:
        return model_at(self.recipe, start, where, precision)
