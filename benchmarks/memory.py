"""Peak memory of each side while it works, measured in a process of its own.

    python -m benchmarks.memory training ours RECIPE DATA SCRATCH [--quick]     prints MiB

On Linux the peak is VmHWM, set back once the model is loaded. `ru_maxrss` would not do: a child's starts at
what its parent held, and loading weights may take more than using them.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from benchmarks.table import Row
from pefomed.progress import track

JOBS = ("training", "prediction")
SIDES = ("loaded", "ours", "ordinary")
PART = "peak memory"


def measure(recipe: Path, data: Path, scratch: Path, adapter: Path, *, quick: bool) -> list[Row]:
    """Run every job and side in its own process and return the table's rows."""
    jobs = JOBS[1:] if quick else JOBS
    runs = [(job, side) for job in jobs for side in SIDES]
    found: dict[tuple[str, str], float] = {}
    for job, side in track(runs, "measuring memory", unit="processes"):
        command = [sys.executable, "-m", "benchmarks.memory", job, side, str(recipe), str(data), str(scratch)]
        command += ["--adapter", str(adapter), *(["--quick"] if quick else [])]
        root = Path(__file__).parents[1]
        done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
        found[job, side] = float(done.stdout.split()[-1])
    rows = []
    for job in jobs:
        before, ours, theirs = (found[job, side] for side in SIDES)
        note = f"of which {before:,.0f} before any work: program and model"
        rows.append(Row(PART, job, "MiB", ours, theirs, theirs / ours, note=note))
    return rows


def forget_peak() -> None:
    """Set the peak back to what is held now, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Return the most memory this process held since `forget_peak`, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        held = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if held:
            return int(held[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(arguments: list[str] | None = None) -> None:
    """Do one side's job and print the peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("side", choices=SIDES)
    for name in ("recipe", "data", "scratch"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as own:
        work = _train if chosen.job == "training" else _predict
        work(chosen, Path(own))
    print(f"{peak():.0f}")


def _train(chosen: argparse.Namespace, own: Path) -> None:
    from benchmarks import ordinary
    from benchmarks.setting import open_bench, setting
    from benchmarks.training import samples

    bench = open_bench(setting(chosen.recipe, chosen.data, chosen.scratch, quick=chosen.quick), own)
    # The largest batches of the stage: memory is a matter of the worst case.
    steps = sorted(bench.steps, key=lambda step: max(sum(map(len, batch)) for batch in step))
    forget_peak()
    for step in steps[-1:] if chosen.quick else steps[-2:]:
        if chosen.side == "ours":
            bench.encode(step)
            bench.step(step)
        elif chosen.side == "ordinary":
            ordinary.step(bench, samples(step))


def _predict(chosen: argparse.Namespace, own: Path) -> None:
    from benchmarks.prediction import apart, questions, together
    from benchmarks.setting import setting
    from pefomed.inference.predictor import Predictor

    found = setting(chosen.recipe, chosen.data, chosen.scratch, quick=chosen.quick)
    predictor = Predictor(found.recipe, chosen.adapter)
    asked = questions(found, 6 if chosen.quick else 96)
    forget_peak()
    if chosen.side == "ours":
        together(predictor, asked, None)
    elif chosen.side == "ordinary":
        apart(predictor, asked[:16])


if __name__ == "__main__":
    main()
