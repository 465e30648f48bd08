"""The figures of papers' and harnesses' own code beside ours, of the same answers.

    python -m benchmarks.protocols --code CODE --python OTHER/bin/python --data DATA [RUN/samples/X.jsonl ...]

CODE holds a checkout of each repository at `owner/name` (those that are not there are left out); the commits
are in `pefomed.protocols.by_rule`. OTHER is an environment of its own with nltk, rouge, mathruler, tabulate,
pandas, numpy, loguru and tqdm. Of the published test splits the answers are those of `bent_answers`; of a run
its own. The tests in `tests/protocols` hold the figures of the former.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import protocol_code
from benchmarks.bent_answers import bent_answers, bent_labels
from pefomed.cli.output import print_table
from pefomed.datasets import slake, vqa_rad
from pefomed.protocols.known import PROTOCOLS
from pefomed.protocols.question import Question, language_of
from pefomed.protocols.scored import DoesNotFit, score
from pefomed.schema import Sample

PAIRS = {
    "jinlHe/PeFoMed": {"": "pefomed"},
    "microsoft/LLaVA-Med": {"": "llava-med"},
    "EvolvingLMMs-Lab/lmms-eval": {"en ": "lmms-eval-slake-en", "zh ": "lmms-eval-slake-zh"},
    "open-compass/VLMEvalKit": {"": "vlmevalkit"},
    "alibaba-damo-academy/MedEvalKit": {"": "medevalkit", "judged ": "medevalkit-judge"},
}
"""Repository -> what its figures' names begin with -> our protocol."""

KIT = "alibaba-damo-academy/MedEvalKit"
"""Its figures are what it prints: each has a sum that goes wrong."""


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--code", type=Path, required=True)
    asked.add_argument("--python", type=Path, required=True)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("runs", type=Path, nargs="*", metavar="SAMPLES")
    given = asked.parse_args()
    for title, loader, questions in (*_published(given.data), *map(_of_run, given.runs)):
        rows = [
            [
                repository,
                name,
                figure,
                f"{theirs:.4f}",
                f"{ours:.4f}",
                "" if abs(theirs - ours) < 1e-4 else "differs",
            ]
            for repository in protocol_code.CODE
            if (given.code / repository).is_dir()
            for name, figure, theirs, ours in _both(given, repository, loader, questions)
        ]
        print_table(["code", "protocol", "figure", "theirs", "ours", ""], rows, title)


def questions_of(samples: list[Sample], answers: list[str]) -> list[Question]:
    """Return the questions as protocols see them, each with a label of `bent_labels`."""
    return [
        Question(
            sample.id, sample.references, answer, sample.meta.get("answer_type", "").strip(),
            language_of(sample.question, sample.reference, sample.meta), float(label),
        )
        for sample, answer, label in zip(samples, answers, bent_labels(len(samples)), strict=True)
    ]  # fmt: skip


def _published(data: Path) -> list[tuple[str, str, list[Question]]]:
    found = []
    for title, loader, samples in (
        ("SLAKE, English", "slake", list(slake.load(data / "slake", "test"))),
        ("SLAKE, both languages", "slake", list(slake.load(data / "slake", "test", language="both"))),
        ("VQA-RAD", "vqa_rad", list(vqa_rad.load(data / "vqa_rad", "test"))),
    ):
        answers = bent_answers([sample.reference for sample in samples])
        found.append((f"{title}, answers bent", loader, questions_of(samples, answers)))
    return found


def _of_run(samples_file: Path) -> tuple[str, str, list[Question]]:
    samples = [Sample.model_validate_json(line) for line in samples_file.read_bytes().splitlines()]
    given = samples_file.parent.parent / "predictions" / samples_file.name
    texts = {row["sample_id"]: row["text"] for row in map(json.loads, given.read_bytes().splitlines())}
    loader = "slake" if samples_file.name.startswith("slake") else "vqa_rad"
    return str(samples_file), loader, questions_of(samples, [texts[sample.id] for sample in samples])


def _both(
    given: argparse.Namespace, repository: str, loader: str, questions: list[Question]
) -> list[tuple[str, str, float, float]]:
    """Return protocol, figure, and it in percent by their code and by ours."""
    rows: list[dict[str, Any]] = [
        {
            "question": "", "reference": one.references[0], "answer": one.answer,
            "answer_type": one.answer_type, "language": one.language, "label": one.label, "data": loader,
        }
        for one in questions
    ]  # fmt: skip
    english = [row for row in rows if row["language"] == "en"]
    every = repository in ("EvolvingLMMs-Lab/lmms-eval", "alibaba-damo-academy/MedEvalKit")
    if repository == "EvolvingLMMs-Lab/lmms-eval" and loader != "slake":
        return []
    theirs = _printed(given, repository, rows if every else english)
    found = []
    for figure, value in theirs.items():
        start = max((each for each in PAIRS[repository] if figure.startswith(each)), key=len)
        name = PAIRS[repository][start]
        if loader == "slake" and name.startswith("medevalkit"):
            name = name.replace("medevalkit", "medevalkit-slake")
        group = figure.removeprefix(start).removeprefix("printed ")
        try:
            ours = score(PROTOCOLS[name], questions, loader)
        except DoesNotFit:
            continue
        # Their sums are what the code prints; ours are the definition, and beside it what the code prints.
        if group in ours.printed and (repository == KIT or "printed" in figure):
            mine = ours.printed[group]  # type: ignore[index]
        else:
            values = ours.values[group]  # type: ignore[index]
            mine = sum(values.values()) / len(values)
        found.append((name, figure, value, 100 * mine))
    return found


def _printed(given: argparse.Namespace, repository: str, rows: list[dict[str, Any]]) -> dict[str, float]:
    done = subprocess.run(
        [str(given.python), protocol_code.__file__, repository, str((given.code / repository).resolve())],
        input=json.dumps(rows), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{repository}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
