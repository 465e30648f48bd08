"""The whole comparison in one run: `make bench`, or `python -m benchmarks.run --help`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import decoding, machine, manifest, memory, prediction, processes, scaling, table, training
from benchmarks.setting import RECIPE, Bench, Setting, open_bench, setting
from pefomed.errors import PefomedError
from pefomed.models.adapter import save_adapter

TRAINED = ("training", "machine", "prediction", "memory", "scaling")
"""Parts that need a model which has been trained a little."""
PARTS = (*TRAINED, "manifest", "processes", "dicom")
WARM_UP = 40
"""Training steps before anything is measured."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen parts, print one table, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Speed and memory of pefomed and of the ordinary way, side by side on the same samples.",
    )
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="what to measure; its last stage is used")
    parser.add_argument("--data", type=Path, help="data folder; by default PEFOMED_DATA")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number to FILE too")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="measure these parts alone")
    parser.add_argument("--quick", action="store_true", help="a smoke test: few rounds, not compiled")
    chosen = parser.parse_args(arguments)
    begun = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="pefomed-bench-") as scratch:
            found = setting(chosen.recipe, chosen.data, Path(scratch), quick=chosen.quick)
            about, rows = _measure(found, chosen.recipe, Path(scratch), tuple(chosen.only))
    except PefomedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    about["seconds"] = round(time.perf_counter() - begun)
    table.show(rows, _title(about), _notes(found, about))
    if chosen.json is not None:
        record = {"machine": about, "rows": [asdict(row) for row in rows]}
        chosen.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


def _measure(
    found: Setting, recipe: Path, scratch: Path, only: tuple[str, ...]
) -> tuple[dict[str, object], list[table.Row]]:
    about: dict[str, object] = machine.describe() | {
        "load": round(os.getloadavg()[0], 2), "recipe": found.recipe.name, "compiled": False,
    }  # fmt: skip
    rows = _of_the_data(recipe, scratch, only, quick=found.quick)
    if "processes" in only:
        more, about["compiled"] = processes.measure(recipe, found.data_folder, scratch, quick=found.quick)
        rows += more
    if set(TRAINED) & set(only):
        rows = _of_a_model(found, recipe, scratch, only, about) + rows
    return about, rows


def _of_the_data(recipe: Path, scratch: Path, only: tuple[str, ...], *, quick: bool) -> list[table.Row]:
    rows: list[table.Row] = []
    if "manifest" in only:
        rows += manifest.measure(recipe, scratch, quick=quick)
    if "dicom" in only:
        rows += decoding.measure(quick)
    return rows


def _of_a_model(
    found: Setting, recipe: Path, scratch: Path, only: tuple[str, ...], about: dict[str, object]
) -> list[table.Row]:
    bench = open_bench(found, scratch)
    about["compiled"] = bench.compiled
    steps = min(len(bench.steps), 1 if found.quick else WARM_UP)
    bench.encode(batch for step in bench.steps[:steps] for batch in step)
    compiling = bench.learn(steps)
    adapter = scratch / "adapter"
    save_adapter(bench.model, adapter)
    rows = _training(bench, found, compiling, only)
    if "prediction" in only:
        rows += prediction.measure(found, adapter, scratch)
    if "memory" in only:
        rows += memory.measure(recipe, found.data_folder, scratch, adapter, quick=found.quick)
    if "scaling" in only:
        rows += scaling.by_questions(bench, found)
        del bench
        rows += scaling.by_tokens(found, scratch)
    return rows


def _training(bench: Bench, found: Setting, compiling: float, only: tuple[str, ...]) -> list[table.Row]:
    if not {"training", "machine"} & set(only):
        return []
    rows, measured = training.measure(bench, found, compiling)
    if "training" in only:
        rows.insert(1, training.gradient_difference(bench, found))
    else:
        rows = []
    if "machine" in only:
        rows += machine.share(bench, measured, 2 if found.quick else 10)
    return rows


def _title(about: dict[str, object]) -> str:
    return (
        f"{about['recipe']} on {about['processor']}, {about['threads']} threads, torch {about['torch']}, "
        f"{'compiled' if about['compiled'] else 'not compiled'}, {about['seconds']} s in all"
    )


def _notes(found: Setting, about: dict[str, object]) -> list[str]:
    notes = [found.note] if found.note else []
    if found.quick:
        notes.append("--quick shows that everything runs; its numbers mean nothing")
    if float(str(about["load"])) > 0.5:
        notes.append(f"busy machine (load {about['load']} at the start): trust ratios more than rates")
    return notes


if __name__ == "__main__":
    sys.exit(main())
