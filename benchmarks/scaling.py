"""How the time of a training step grows with questions per image and with tokens per image.

A step is over `IMAGES` images with q questions each, the questions drawn from the whole split: what a
question costs is a matter of its words, not of the image it is about.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import ordinary
from benchmarks.setting import Bench, Setting, open_bench
from benchmarks.table import Row, Times, interleaved
from benchmarks.training import samples
from pefomed.packing.batch import PackedRow as Tree
from pefomed.packing.batch import row, tokenise
from pefomed.progress import track
from pefomed.training.plan import padded_batches

QUESTIONS = (1, 2, 4, 8, 16)
GRIDS = (16, 24, 32)
"""Patches along a side: 64, 144 and 256 tokens in groups of 4; 224, 336 and 448 pixels with patches of 14."""
IMAGES = 2
ASKED = 8
"""Questions per image while the tokens per image grow."""


def by_questions(bench: Bench, setting: Setting) -> list[Row]:
    """Return a row for each number of questions per image."""
    counts = QUESTIONS[:2] if setting.quick else QUESTIONS
    return [
        _row(bench, setting, count, f"step of {IMAGES} images, {count:>2} questions each")
        for count in track(counts, "questions per image", unit="points")
    ]


def by_tokens(setting: Setting, scratch: Path) -> list[Row]:
    """Return a row for each number of tokens per image, each with a model of that image size."""
    rows = []
    for grid in track(GRIDS[:1] if setting.quick else GRIDS, "tokens per image", unit="points"):
        bench = open_bench(setting, scratch, image_size=grid * _patch(setting))
        tokens = bench.processor.tokens_per_image
        rows.append(_row(bench, setting, ASKED, f"step of {IMAGES} images, {tokens} tokens each"))
    return rows


def _row(bench: Bench, setting: Setting, count: int, what: str) -> Row:
    steps = [_step(bench, setting, count, number) for number in range(1 if setting.quick else 3)]
    for step in steps:
        bench.encode(step)
    bench.step(steps[0])
    ordinary.step(bench, samples(steps[0])[: ordinary.ROWS])
    times = interleaved(
        [(partial(bench.step, step), partial(ordinary.step, bench, samples(step))) for step in steps]
    )
    return _line(times, what, IMAGES * count)


def _step(bench: Bench, setting: Setting, count: int, number: int) -> list[list[Tree]]:
    pool = bench.sequences
    images = sorted({sequence.sample.images for sequence in pool})
    made = []
    for place in range(number * IMAGES, (number + 1) * IMAGES):
        own = images[place % len(images)]
        asked = [pool[(place * count + i) * 7 % len(pool)].sample for i in range(count)]
        moved = [sample.model_copy(update={"images": own}) for sample in asked]
        made.append(row(tokenise(moved, setting.recipe.prompt, bench.processor)))
    return _batches(made, bench)


def _batches(made: Sequence[Tree], bench: Bench) -> list[list[Tree]]:
    return padded_batches(sorted(made, key=len), bench.stage.batch_tokens, 10**9)


def _line(times: Times, what: str, count: int) -> Row:
    ours, theirs = statistics.median(times.ours), statistics.median(times.ordinary)
    note = f"{count / ours:.3g} against {count / theirs:.3g} samples/s"
    return Row(
        "step time", what, "s", ours, theirs, times.ratio, min(times.ratios), max(times.ratios), note=note
    )


def _patch(setting: Setting) -> int:
    from pefomed.models.describe import part_config

    config = part_config(setting.recipe.model.vision_encoder, "vision", setting.recipe.model.vision_revision)
    return int(getattr(config, "vision_config", config).patch_size)
