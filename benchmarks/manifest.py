"""A manifest of a million samples: opened as training opens it, and read and tokenised at once.

    python -m benchmarks.manifest ours RECIPE SCRATCH COUNT     prints seconds and MiB as JSON

Each side has a process of its own, without a model: what is measured is the data's side of training alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks.memory import forget_peak, peak
from benchmarks.table import Row
from pefomed import recipe as recipes
from pefomed.datasets import load_samples
from pefomed.models.build import build_processor, joined_config
from pefomed.models.language_part import language_config
from pefomed.models.processing import PefomedProcessor
from pefomed.models.vision_part import vision_config
from pefomed.packing.batch import rows, tokenise
from pefomed.progress import track
from pefomed.recipe import Dataset, Recipe
from pefomed.training.log import Log
from pefomed.training.plan import plan
from pefomed.training.stage_rows import StageRows
from pefomed.training.unreadable import Unreadable
from pefomed.weights.lookup import resolve

PART = "manifest"
STEPS = 1000
"""That are planned once the manifest is open."""

WORDS = (
    "axial coronal chest abdomen of the a with no left right lobe mass effusion normal large small".split()
)


def measure(recipe: Path, scratch: Path, *, quick: bool) -> list[Row]:
    """Return the seconds until it is open, those until its first steps are planned, and the most memory."""
    count = 2000 if quick else 1_000_000
    folder = scratch / "manifest"
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "train.csv", count)
    found = {}
    for side in track(("ours", "ordinary"), "opening manifests", unit="processes"):
        command = [sys.executable, "-m", "benchmarks.manifest", side, str(recipe), str(folder), str(count)]
        root = Path(__file__).parents[1]
        done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
        found[side] = json.loads(done.stdout)
    notes = {
        "open": f"{count:,} samples of a CSV file; ordinary: samples and tokens of all of them in memory",
        "planned": f"{STEPS:,} steps, from the start",
        "MiB": f"of which {found['ours']['before']:,.0f} before any work",
    }
    rows = []
    for what, unit, key in (("opening", "s", "open"), ("planning", "s", "planned"), ("memory", "MiB", "MiB")):
        ours, theirs = found["ours"][key], found["ordinary"][key]
        rows.append(Row(PART, what, unit, ours, theirs, theirs / ours, note=notes[key]))
    return rows


def _write(path: Path, count: int) -> None:
    """Write captions of 4 to 20 words, two of every image."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("image", "answer"))
        table.writerows(_lines(count))


def _lines(count: int) -> Iterator[tuple[str, str]]:
    for number in range(count):
        words = (
            WORDS[(number * 7 + 5 * place + number // 11) % len(WORDS)] for place in range(4 + number % 17)
        )
        yield f"images/{number // 2:07d}.png", " ".join(words)


def main(arguments: list[str] | None = None) -> None:
    """Open the manifest in one of both ways and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=("ours", "ordinary"))
    parser.add_argument("recipe", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    chosen = parser.parse_args(arguments)
    recipe = recipes.load(chosen.recipe)
    table = Dataset(loader="table", root=".", options={"task": "caption"})
    stage = recipe.stages[-1].model_copy(
        update={"data": {"manifest": 1.0}, "steps": min(STEPS, chosen.count // 100), "epochs": None}
    )
    recipe = recipe.model_copy(update={"data": {"manifest": table}, "stages": (stage,)})
    processor = _processor(recipe)
    found = {"before": peak()}
    forget_peak()
    begun = perf_counter()
    if chosen.side == "ours":
        run = chosen.folder / "run"
        data = StageRows(stage, recipe, processor, chosen.folder, run, Unreadable(), Log(run / "log.jsonl"))
        made = data.of("manifest", (stage.split,))
        found["open"] = perf_counter() - begun
        plan({"manifest": made}, stage, recipe.seed)
    else:
        samples = load_samples(table, stage.split, chosen.folder)
        cut = partial(tokenise, prompt=recipe.prompt, processor=processor)
        together = rows(cut(samples), share_image=stage.share_image, max_questions=stage.max_questions)
        found["open"] = perf_counter() - begun
        plan({"manifest": together}, stage, recipe.seed)
    found["planned"] = perf_counter() - begun
    found["MiB"] = peak()
    print(json.dumps(found))


def _processor(recipe: Recipe) -> PefomedProcessor:
    vision = resolve(recipe.model.vision_encoder, "vision", recipe.model.vision_revision)
    language = resolve(recipe.model.language_model, "language", recipe.model.language_revision)
    config = joined_config(recipe.model, vision_config(vision), language_config(language))
    return build_processor(recipe.model, config, vision, language)


if __name__ == "__main__":
    main()
