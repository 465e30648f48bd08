"""AdamW with decay on matrices only, and a warm-up and cosine between two rates, set at every step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn
from torch.optim import AdamW

from pefomed.recipe import Stage


@dataclass(frozen=True)
class Rate:
    """Linear warm-up from `start * peak` to `peak`, then half a cosine down to `end` at the last step."""

    peak: float
    end: float
    warmup: int
    steps: int
    start: float = 0.0

    def at(self, step: int) -> float:
        """Return the rate of optimiser step `step`, counted from 0."""
        if step < self.warmup:
            return self.peak * (self.start + (1 - self.start) * step / self.warmup)
        length = max(1, self.steps - self.warmup - 1)
        share = min(1.0, (step - self.warmup) / length)
        return self.end + (self.peak - self.end) * 0.5 * (1 + math.cos(math.pi * share))


def rates(stage: Stage, steps: int) -> dict[str, Rate]:
    """Return the schedules of what is trained, by part; LoRA's first."""
    length = stage.warmup(steps)
    first = sorted(stage.train, key=lambda part: part != "lora")
    return {part: Rate(*_peak_and_end(stage, part), length, steps, stage.warmup_start) for part in first}


def long_warmup(stage: Stage, steps: int) -> str:
    """Return a sentence if the warm-up is longer than a tenth of the steps, else an empty text."""
    length = stage.warmup(steps)
    if 10 * length <= steps:
        return ""
    cut = f" (of {stage.warmup_steps:,} asked for)" if length < stage.warmup_steps else ""
    return (
        f"the warm-up takes {length:,}{cut} of {steps:,} steps, {100 * length / steps:.0f} %,"
        " more than a tenth of them; it is set by warmup_steps or warmup_ratio"
    )


def make_optimiser(parts: dict[str, list[nn.Parameter]], stage: Stage) -> AdamW:
    """Return AdamW with two groups a part: decay on tensors of two or more dimensions, none on the others."""
    groups = []
    for part, parameters in parts.items():
        for decay in (True, False):
            chosen = [parameter for parameter in parameters if (parameter.dim() > 1) == decay]
            if chosen:
                groups.append(
                    {"params": chosen, "part": part, "weight_decay": stage.weight_decay if decay else 0.0}
                )
    return AdamW(groups, lr=stage.lr, betas=stage.betas)


def set_rates(optimiser: AdamW, schedules: dict[str, Rate], step: int) -> dict[str, float]:
    """Set every group's rate for `step` and return them by part."""
    for group in optimiser.param_groups:
        group["lr"] = schedules[group["part"]].at(step)
    return {part: schedule.at(step) for part, schedule in schedules.items()}


def _peak_and_end(stage: Stage, part: str) -> tuple[float, float]:
    own = part == "projector"  # which has fields of its own beside `part_lr`
    peak = stage.part_lr.get(part) or (stage.projector_lr if own else None)
    end = stage.part_lr_end.get(part, stage.projector_lr_end if own else None)
    if peak is None and end is None and not own:
        return stage.lr, stage.lr_end
    peak = stage.lr if peak is None else peak
    return peak, peak * stage.lr_end / stage.lr if end is None else end
