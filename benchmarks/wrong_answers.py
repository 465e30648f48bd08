"""How often the offline judge calls wrong answers right: test answers of SLAKE and VQA-RAD, drawn anew.

python -m benchmarks.wrong_answers --data data            # the table of docs/judges.md
python -m benchmarks.wrong_answers --data data --shown    # and every answer it calls right
python -m benchmarks.wrong_answers --data data --write    # into the package, for the judge's card
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from pefomed.datasets import load_samples
from pefomed.judges import wrong_answers
from pefomed.judges.embedding import Embedder
from pefomed.judges.offline_judge import OfflineJudge
from pefomed.judges.offline_rules import RULES
from pefomed.judges.thresholds import shipped
from pefomed.recipe import Dataset
from pefomed.schema import Sample
from pefomed.weights import lookup

SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "SLAKE, English": ("slake", {"language": "en"}),
    "SLAKE, Chinese": ("slake", {"language": "zh"}),
    "VQA-RAD": ("vqa_rad", {}),
}
"""Title -> loader and its options; always the test split."""


def samples_of(title: str, split: str = "test") -> list[Sample]:
    """Return the samples of a set from the folder that PEFOMED_DATA names."""
    loader, options = SETS[title]
    return list(load_samples(Dataset(loader=loader, root=loader, options=options), split))


def measured(folder: Path) -> dict[str, Any]:
    """Return the figures of every set, with the version of the rules and the threshold they hold for.

    Args:
        folder: of the embedding.
    """
    thresholds = shipped()
    judge = OfflineJudge(Embedder(folder), thresholds)
    sets = {}
    for title, (loader, _) in SETS.items():
        samples, kind = samples_of(title), wrong_answers.KINDS[loader]
        judge.prepare(wrong_answers.wrong_pairs(samples, kind))
        sets[title] = wrong_answers.measure(judge, samples, kind)
    return {"rules": RULES, "threshold": thresholds.vqa, "split": "test", "seed": 0, "sets": sets}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="the folder with slake and vqa_rad; by default PEFOMED_DATA"
    )
    parser.add_argument("--embeddings", default="all-minilm-l6-v2", help="name, folder or hub id")
    parser.add_argument("--shown", action="store_true", help="print the answers called right")
    parser.add_argument("--write", action="store_true", help="write the figures into the package")
    given = parser.parse_args()
    if given.data:
        os.environ["PEFOMED_DATA"] = str(given.data)
    folder = lookup.resolve(given.embeddings, "sentence")
    found = measured(folder)
    print(
        "| | wrong answers | judged right | not judged | false-right rate | identical answers judged right |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for title, row in found["sets"].items():
        rate = "" if row["false_right_rate"] is None else f"{100 * row['false_right_rate']:.1f} %"
        print(
            f"| {title} | {row['wrong']:,} | {row['judged_right']:,} | {row['not_judged']:,} | {rate}"
            f" | {row['identical_judged_right']:,} of {row['identical']:,} |"
        )
    if given.shown:
        _show(OfflineJudge(Embedder(folder), shipped()))
    if given.write:
        path = Path(wrong_answers.__file__).with_suffix(".json")
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _show(judge: OfflineJudge) -> None:
    for title, (loader, _) in SETS.items():
        for pair in wrong_answers.wrong_pairs(samples_of(title), wrong_answers.KINDS[loader]):
            label, how = judge(pair)
            if label:
                print(f"{title}: {pair.question} | {pair.reference} | {pair.answer} | {how}")


if __name__ == "__main__":
    main()
