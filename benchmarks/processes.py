"""The same training steps in one process and in two of half the threads each, which train together (DDP).

    python -m benchmarks.processes RECIPE DATA SCRATCH --threads N [--quick]     a worker, asked by its stdin

A step is what two processes take at once: two of the stage's own steps. The workers of both sides stay
loaded and take turns, so that a busy minute hits both.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.setting import open_bench, setting
from benchmarks.table import Row, interleaved
from benchmarks.training import Step, samples, typical
from pefomed.progress import track

PART = "processes"
WARM_UP = 3
"""Untimed steps of each side: the first compiles."""
MARK = "worker: "
"""What a worker's answers begin with; libraries may print too."""
Workers = list[subprocess.Popen[str]]


def measure(recipe: Path, data: Path, scratch: Path, *, quick: bool) -> tuple[list[Row], bool]:
    """Return samples per second of both sides and how far their losses are apart; and if it was compiled."""
    half = max(1, (os.cpu_count() or 2) // 2)
    command = [sys.executable, "-m", "benchmarks.processes", str(recipe), str(data), str(scratch)]
    command += ["--quick"] if quick else []
    losses: tuple[list[float], list[float]] = ([], [])
    with ExitStack() as stack:
        # One after the other: the second side finds the features and the compiled layers of the first.
        one = _start(stack, command, count=1, threads=2 * half)
        about = _told(one)
        counts: list[int] = about["samples"]
        two = _start(stack, command, count=2, threads=half)
        together = _told(two)["processes"]
        rounds = [
            (partial(_step, two, place, losses[0]), partial(_step, one, place, losses[1]))
            for place in range(len(counts))
        ]
        times = interleaved(track(rounds, "two processes and one", unit="steps"))
    ours = median(n / t for n, t in zip(counts, times.ours, strict=True))
    theirs = median(n / t for n, t in zip(counts, times.ordinary, strict=True))
    apart = max(abs(a - b) / abs(b) for a, b in zip(*losses, strict=True))
    note = f"left {together} of {_threads(half)} each, right {about['processes']} of {_threads(2 * half)}"
    rows = [
        Row(
            PART, "two processes against one", "samples/s", ours, theirs, ours / theirs,
            min(times.ratios), max(times.ratios), note=f"{note}; steps of about {median(counts):.0f} samples",
        ),
        Row(PART, "difference of their losses", "", apart, note="largest of a step, relative"),
    ]  # fmt: skip
    return rows, about["compiled"]


def main(arguments: list[str] | None = None) -> None:
    """Load the model, warm up, and take the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("recipe", "data", "scratch"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    found = setting(chosen.recipe, chosen.data, chosen.scratch, quick=chosen.quick)
    compute = found.recipe.compute.model_copy(update={"threads": chosen.threads})
    found = replace(found, recipe=found.recipe.model_copy(update={"compute": compute}))
    bench = open_bench(found, chosen.scratch)
    joined = _joined(bench.steps)
    steps, warming = typical(joined, found.rounds), joined[: 1 if found.quick else WARM_UP]
    bench.encode(batch for step in [*warming, *steps] for batch in step)
    for step in warming:
        bench.step(step)
    count = bench.accelerator.num_processes
    _tell({"samples": list(map(len, map(samples, steps))), "compiled": bench.compiled, "processes": count})
    for line in sys.stdin:
        _tell(bench.step(steps[int(line)])["loss"])


def _joined(steps: list[Step]) -> list[Step]:
    """Return pairs of steps as one: a step of two processes is twice that of one."""
    return [[*first, *second] for first, second in zip(steps[::2], steps[1::2], strict=False)]


def _start(stack: ExitStack, command: list[str], count: int, threads: int) -> Workers:
    """Start `count` workers that train together and that end with `stack`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = []
    for rank in range(count):
        # What a launcher would tell them; a launcher keeps their stdin to itself.
        told = {
            "WORLD_SIZE": count, "RANK": rank, "LOCAL_RANK": rank,
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": threads,
        }  # fmt: skip
        worker = subprocess.Popen(
            [*command, "--threads", str(threads)],
            cwd=Path(__file__).parents[1],
            env=os.environ | {name: str(value) for name, value in told.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(worker.wait)
        stack.callback(worker.kill)  # the last one is called first
        workers.append(worker)
    return workers


def _step(workers: Workers, place: int, losses: list[float]) -> None:
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(f"{place}\n")
        worker.stdin.flush()
    losses.append(_told(workers))


def _tell(value: object) -> None:
    print(f"{MARK}{json.dumps(value)}", flush=True)


def _told(workers: Workers) -> Any:
    """Return what every worker says next: all say the same."""
    said = []
    for worker in workers:
        assert worker.stdout is not None
        line = next((line for line in worker.stdout if line.startswith(MARK)), None)
        if line is None:
            raise subprocess.CalledProcessError(worker.wait(), worker.args)
        said.append(json.loads(line.removeprefix(MARK)))
    return said[0]


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


if __name__ == "__main__":
    main()
