"""METEOR 1.5 (Denkowski and Lavie, WMT 2014) by its authors' Java program; absent where that is absent.

The jar is the one that pycocoevalcap ships, or `PEFOMED_METEOR_JAR` names; it needs its folder `data/`
beside it; `off` in that variable switches METEOR off. Called as pycocoevalcap calls it (`-l en -norm`), it
aligns each answer with its references and gives sums; METEOR is a function of these sums, for one item as
for a corpus, with w = (1, 0.6, 0.8, 0.6) for exact, stem, synonym and paraphrase matches, delta = 0.75 for
content against function words:

    P, R = weighted matches / weighted words,   F = P R / (0.85 P + 0.15 R)
    METEOR = F * (1 - 0.6 * (chunks / matches)^0.2)

Where all words of both match in a single chunk, that chunk counts as 0.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pefomed.progress import track

VARIABLE = "PEFOMED_METEOR_JAR"
JAR = "meteor-1.5.jar"
TIMEOUT = 900.0
"""Seconds that the program may take for a block of items."""

COLUMNS = 23
"""Sums that the program gives for an item."""

_ALPHA, _BETA, _GAMMA, _DELTA = 0.85, 0.2, 0.6, 0.75
_WEIGHTS = (1.0, 0.6, 0.8, 0.6)  # exact, stem, synonym, paraphrase
_CHUNKS = 20  # column of the chunks

_BLOCK = 5000  # items for one start of the program


class MeteorFailed(Exception):
    """The program did not give a result; says why."""


class Program(NamedTuple):
    """METEOR as it was found."""

    java: str
    jar: Path


def find() -> Program | str:
    """Return the program, or a sentence that says what of it is missing."""
    named = os.environ.get(VARIABLE)
    if named == "off":
        return f"no METEOR: switched off by {VARIABLE}"
    java = shutil.which("java")
    if java is None:
        return "no METEOR: `java` is not installed"
    if named:
        jar = Path(named)
        return (
            Program(java, jar) if jar.is_file() else f"no METEOR: {VARIABLE} names {named}, which is no file"
        )
    package = importlib.util.find_spec("pycocoevalcap")
    folders = (package.submodule_search_locations or []) if package else []
    for folder in folders:
        jar = Path(folder) / "meteor" / JAR
        if jar.is_file():
            return Program(java, jar)
    return f"no METEOR: neither {VARIABLE} nor the package pycocoevalcap gives {JAR}"


def statistics(
    candidates: Sequence[str], references: Sequence[Sequence[str]], program: Program, timeout: float = TIMEOUT
) -> NDArray[np.float64]:
    """Return the program's sums for every answer, shape (N, 23).

    Args:
        candidates: tokens joined by spaces, as the presets give them.
        references: for each answer its references, at least one.
        timeout: seconds for a block of 5,000 answers; the program is killed then.

    Raises:
        MeteorFailed: it was killed, hung, or said something else than sums.
    """
    # Starting the program takes seconds, a line a millisecond: equal lines are sent once.
    lines = [
        " ||| ".join(("SCORE", *map(_line, several), _line(candidate)))
        for candidate, several in zip(candidates, references, strict=True)
    ]
    different = {line: place for place, line in enumerate(dict.fromkeys(lines))}
    sent = list(different)
    blocks = [sent[start : start + _BLOCK] for start in range(0, len(sent), _BLOCK)]
    rows = [row for block in track(blocks, "METEOR", unit="blocks") for row in _run(block, program, timeout)]
    sums = np.array([rows[different[line]] for line in lines], dtype=np.float64).reshape(-1, COLUMNS)
    words, matched = sums[:, 0:2], sums[:, 4:_CHUNKS].reshape(-1, len(_WEIGHTS), 2, 2).sum((1, 2))
    sums[(sums[:, _CHUNKS] == 1) & (words == matched).all(1), _CHUNKS] = 0
    return sums


def meteor(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return METEOR, shape (...), of the sums of one item or of many items, shape (..., 23)."""
    words, function_words = sums[..., 0:2], sums[..., 2:4]  # of the answer, of the reference
    content = words - function_words
    all_words = _DELTA * content + (1 - _DELTA) * function_words  # (..., 2)
    weights = np.array(_WEIGHTS)
    # The columns of the matches: for each kind content and function words of the answer and the reference.
    kinds = sums[..., 4:_CHUNKS].reshape(*sums.shape[:-1], len(_WEIGHTS), 4)
    answer = (_DELTA * kinds[..., 0] + (1 - _DELTA) * kinds[..., 2]) @ weights
    reference = (_DELTA * kinds[..., 1] + (1 - _DELTA) * kinds[..., 3]) @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = answer / all_words[..., 0], reference / all_words[..., 1]
        f = precision * recall / (_ALPHA * precision + (1 - _ALPHA) * recall)
        matched = (kinds[..., 0] + kinds[..., 2]).sum(-1), (kinds[..., 1] + kinds[..., 3]).sum(-1)
        fragments = sums[..., _CHUNKS] / ((matched[0] + matched[1]) / 2)
        scores = f * (1 - _GAMMA * fragments**_BETA)
    return np.where(np.isfinite(scores), scores, 0.0)


def _line(text: str) -> str:
    # As pycocoevalcap: the separator of the program's protocol must not stand in a text.
    return " ".join(text.replace("|||", "").split())


def _run(lines: Sequence[str], program: Program, timeout: float) -> list[list[float]]:
    command = [program.java, "-Dfile.encoding=UTF-8", "-Xmx2G", "-jar", program.jar.name]
    command += ["-", "-", "-stdio", "-l", "en", "-norm"]
    try:
        done = subprocess.run(
            command,
            cwd=program.jar.parent,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MeteorFailed(
            f"no METEOR: the program did not end within {timeout:g} s and was killed"
        ) from None
    except OSError as error:
        raise MeteorFailed(f"no METEOR: the program cannot be started ({error})") from None
    said = [line.split() for line in done.stdout.splitlines() if line.strip()]
    try:
        rows = [[float(word) for word in words] for words in said]
    except ValueError:
        rows = []
    if done.returncode != 0 or len(rows) != len(lines) or {len(row) for row in rows} - {COLUMNS}:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise MeteorFailed(f"no METEOR: the program ended with {done.returncode} ({last[0][:200]})")
    return rows
