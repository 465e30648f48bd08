"""Every reader for a bounded time: `make fuzz`, or `python -m fuzz.run --help`; findings make it fail."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fuzz.damage import other_value
from fuzz.target import Target, check
from fuzz.targets import TARGETS

MEMORY = 2048
"""Most MiB that a process may hold, the program itself included."""

LONGEST = 20
"""Most seconds that one file may take."""

_LARGEST = 2**16  # bytes of a file
_WORD = 64  # most bytes of a word in libFuzzer's dictionaries


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the chosen readers one after the other and return the exit code: 0, or 1 with findings."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each reader; 60 by default")
    parser.add_argument("--only", nargs="+", choices=TARGETS, default=list(TARGETS), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"), help="corpora, logs and findings")
    parser.add_argument("--again", type=Path, metavar="FILE", help="give FILE to the chosen readers, no more")
    chosen = parser.parse_args(arguments)
    if chosen.again is not None:
        for name in chosen.only:
            print(f"{name}: {check(TARGETS[name], chosen.again.read_bytes()) or 'read'}")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("error: atheris is not installed\n  what to do: pip install 'pefomed[fuzz]'", file=sys.stderr)
        return 2
    found = [name for name in chosen.only if not _is_sound(name, chosen.seconds, chosen.out / name)]
    if found:
        print(f"findings in: {', '.join(found)}; `--only NAME --again FILE` shows one again")
    return 1 if found else 0


def _is_sound(name: str, seconds: int, folder: Path) -> bool:
    """Fuzz one reader, print a line about it, and return whether nothing was found."""
    corpus, words, log = folder / "corpus", folder / "words.txt", folder / "log.txt"
    _write_corpus(TARGETS[name], corpus)
    short = [word for word in TARGETS[name].words if len(word) <= _WORD]
    words.write_text("".join(map(_quoted, short)))
    command = [
        sys.executable, "-m", "fuzz.one", name, f"-max_total_time={seconds}", f"-timeout={LONGEST}",
        f"-rss_limit_mb={MEMORY}", f"-max_len={_LARGEST}", f"-artifact_prefix={folder}/",
        "-print_final_stats=1", *([f"-dict={words}"] if short else []), str(corpus),
    ]  # fmt: skip
    # What readers keep for later goes to the same place.
    environment = os.environ | {"PEFOMED_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as file:
        code = subprocess.run(command, stdout=file, stderr=file, env=environment).returncode
    said = log.read_text(encoding="utf-8", errors="replace")
    runs = re.search(r"number_of_executed_units: *(\d+)", said)
    number = f"{int(runs[1]):,} files" if runs else "stopped"
    print(f"{name:12} {number:>16}  {'nothing found' if code == 0 else f'FOUND, see {log}'}", flush=True)
    if code:
        print("\n".join(f"    {line}" for line in _told(said)), flush=True)
    return code == 0


def _write_corpus(target: Target, corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = target.seeds()
    # Longer words than a dictionary may hold come into the corpus.
    long = [other_value(seeds[0], 3 * place, word) for word in target.words[::-1] for place in range(4)]
    for number, data in enumerate([*seeds, *(long if target.words else [])]):
        (corpus / f"seed-{number:03}").write_bytes(data)


def _quoted(word: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


def _told(said: str) -> list[str]:
    """Return the lines of a log that tell what was found."""
    lines = said.splitlines()
    start = next(
        (at for at, line in enumerate(lines) if "Uncaught" in line or "ERROR:" in line), len(lines) - 5
    )
    told = lines[max(0, start) :]
    return told if len(told) <= 30 else [*told[:3], "...", *told[-26:]]


if __name__ == "__main__":
    sys.exit(main())
