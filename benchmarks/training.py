"""Training samples per second of both sides on the same samples, what each idea gives, and the gradients.

The two gradients are of the same loss, the mean over the answer tokens of one step, in float32:

    difference = |g - g'| / |g'|      over all trained tensors at once, g ours, g' the ordinary loop's
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks import ordinary
from benchmarks.setting import Bench, Setting, float32_model
from benchmarks.table import Row, Times, interleaved, seconds
from pefomed.features.frozen import Features
from pefomed.models.adapter import adapter_state
from pefomed.packing.batch import PackedRow as Tree
from pefomed.packing.batch import Tokens, collate
from pefomed.progress import line, track
from pefomed.training.loss import answer

PART = "training"
Step = list[list[Tree]]


def measure(bench: Bench, setting: Setting, compiling: float) -> tuple[list[Row], list[tuple[Step, float]]]:
    """Return the table's rows, and our measured (batches, seconds) for the share of the machine."""
    steps = typical(bench.steps, setting.rounds)
    encoded, encoding = bench.encode(batch for step in steps for batch in step)
    ordinary.step(bench, samples(steps[0])[: ordinary.ROWS])  # its own warming up
    pairs = [(partial(bench.step, step), partial(ordinary.step, bench, samples(step))) for step in steps]
    times = interleaved(track(pairs, "training, both ways", unit="steps"))
    counts = [len(samples(step)) for step in steps]
    rows = [_rate(counts, times), _whole_stage(bench, counts, times, encoded, encoding, compiling)]
    rows += _ladder(bench, steps[: 1 if setting.quick else 3], times)
    return rows, list(zip(steps, times.ours, strict=True))


def gradient_difference(bench: Bench, setting: Setting) -> Row:
    """Return the relative difference of both sides' float32 gradients on the samples of one step."""
    [step] = typical(bench.steps, 1)
    chosen = [step[0][: 1 if setting.quick else len(step[0])]]
    model, parameters = float32_model(setting, adapter_state(bench.model))
    processor = bench.processor
    features = Features(model.get_base_model(), processor.image_processor, None)  # type: ignore[arg-type]
    total = sum(len(sequence.answer) for sequence in samples(chosen))
    device = next(model.parameters()).device
    for part in chosen:
        batch = collate(part).to(device)
        loss: Any = answer(model, batch, features(batch.images).to(device)).loss / total
        loss.backward()
    ours = _gradient(parameters)
    for dense in ordinary.batches(samples(chosen), processor):
        loss = ordinary.batch_loss(model, dense, total)
        loss.backward()
    theirs = _gradient(parameters)
    difference = float((ours - theirs).norm() / theirs.norm())
    note = f"|g - g'| / |g'|, {len(samples(chosen))} samples, {len(theirs):,} weights"
    return Row(PART, "gradient difference, float32", "", difference, note=note)


def samples(step: Step) -> list[Tokens]:
    """Return the samples of a step, one by one."""
    return [sequence for batch in step for row in batch for sequence in row.sequences]


def typical(steps: list[Step], count: int) -> list[Step]:
    """Return steps evenly spaced between the one that shares least and the one that shares most."""

    def sharing(step: Step) -> float:
        return len(samples(step)) / sum(len(row) for batch in step for row in batch)

    ordered = sorted(steps, key=sharing)
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def _rate(counts: list[int], times: Times) -> Row:
    ours = statistics.median(n / t for n, t in zip(counts, times.ours, strict=True))
    theirs = statistics.median(n / t for n, t in zip(counts, times.ordinary, strict=True))
    return Row(
        PART, "training", "samples/s", ours, theirs, ours / theirs, min(times.ratios), max(times.ratios), 8.0,
        f"steps of about {statistics.median(counts):.0f} samples",
    )  # fmt: skip


def _whole_stage(
    bench: Bench, counts: list[int], times: Times, encoded: int, encoding: float, compiling: float
) -> Row:
    """What is paid once, spread over the stage: compiling, and encoding every image."""
    total = sum(len(samples(step)) for step in bench.steps)
    images = len({path for sequence in bench.sequences for path in sequence.sample.images})
    once = compiling + images * encoding / max(1, encoded)
    pace = sum(times.ours) / sum(counts)
    theirs = sum(counts) / sum(times.ordinary)
    ours = total / (once + total * pace)
    note = (
        f"{total} samples; once: encoding {images} images" + f", compiling {compiling:.0f} s" * bench.compiled
    )
    return Row(PART, "with what is paid once", "samples/s", ours, theirs, ours / theirs, note=note)


def _ladder(bench: Bench, steps: list[Step], times: Times) -> list[Row]:
    """From the ordinary loop to ours, one idea after the other."""
    ways: list[tuple[str, Callable[[Step], object]]] = [
        ("+ features kept", lambda s: ordinary.step(bench, samples(s), features=bench.features)),
        (
            "+ logits at answers only",
            lambda s: ordinary.step(bench, samples(s), features=bench.features, answers_only=True),
        ),
        ("+ one row an image", lambda s: _as_usual(bench, s)),
        ("+ grouped attention", lambda s: _uncompiled(bench, s)),
    ]
    if not bench.compiled:
        ways.pop()  # it is what was measured
    rates: dict[str, list[float]] = {name: [] for name, _ in ways}
    with line("training, step by step", len(steps) * len(ways), "steps") as shown:
        for step in steps:
            for name, work in ways:
                took = seconds(partial(work, step))
                rates[name].append(len(samples(step)) / took)
                shown.advance()
    base = statistics.median(len(samples(s)) / t for s, t in zip(steps, times.ordinary, strict=False))
    rows = [
        Row(PART, name, "samples/s", statistics.median(rate), None, statistics.median(rate) / base)
        for name, rate in rates.items()
    ]
    last = "+ compiled" if bench.compiled else "+ grouped attention"
    ours = statistics.median(len(samples(s)) / t for s, t in zip(steps, times.ours, strict=False))
    return [*rows, Row(PART, f"{last} = pefomed", "samples/s", ours, None, ours / base)]


def _as_usual(bench: Bench, step: Step) -> None:
    with ordinary.as_usual(bench.model):
        bench.step(step)


def _uncompiled(bench: Bench, step: Step) -> None:
    with torch.compiler.set_stance("force_eager"):
        bench.step(step)


def _gradient(parameters: list[torch.nn.Parameter]) -> Tensor:
    whole = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
    for parameter in parameters:
        parameter.grad = None
    return whole
