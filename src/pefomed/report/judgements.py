"""Who judged: a card for each judge with its calibration pairs, and one for the human raters."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from pefomed.agreement import Agreements
from pefomed.agreement.raters import Labeller
from pefomed.agreement.records import Rated
from pefomed.errors import DataError

KINDS = {
    "llm-judge": "language model as judge",
    "offline-judge": "judge without a language model",
    "model-rater": "language model in a rating session",
    "human": "human raters",
}


@dataclass(frozen=True)
class CalibrationResult:
    """A calibration pair: what should be said of it, and what was."""

    question: str
    reference: str
    answer: str
    expected: str
    said: str
    right: bool


@dataclass(frozen=True)
class JudgedSplit:
    """What a judge or the raters said of one data set."""

    dataset: str
    split: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class JudgeCard:
    title: str
    kind: str
    what: str
    about: str
    outcomes: list[JudgedSplit]
    settings: list[tuple[str, str]]
    pairs: list[CalibrationResult]
    people: list[tuple[str, str, str, str]]
    """`(title, data, answers, mean)` of each human rater; empty for judges."""


def judge_cards(labellers: Sequence[Labeller], agreements: Agreements) -> list[JudgeCard]:
    """Return a card for each judge, and one for all human raters together.

    Raises:
        DataError: a card is not as judges and the rating page write it.
    """
    cards = [_judge(labeller, agreements) for labeller in labellers if labeller.kind != "human"]
    humans = [labeller for labeller in labellers if labeller.kind == "human"]
    return [*cards, _humans(humans, agreements)] if humans else cards


def _judge(labeller: Labeller, agreements: Agreements) -> JudgeCard:
    rows = [row for row in agreements.rated if row.rater == labeller.name]
    return JudgeCard(
        title=labeller.title,
        kind=labeller.kind,
        what=KINDS[labeller.kind],
        about=str(labeller.card.get("about") or ""),
        outcomes=[
            JudgedSplit(row.dataset, row.split, _facts([row], agreements, labeller.title)) for row in rows
        ],
        settings=_settings(labeller.card.get("settings")),
        pairs=_pairs(labeller),
        people=[],
    )


def _humans(humans: Sequence[Labeller], agreements: Agreements) -> JudgeCard:
    rows = [row for row in agreements.rated if row.kind == "human"]
    splits = dict.fromkeys((row.dataset, row.split) for row in rows)
    first = humans[0]
    outcomes = []
    for dataset, split in splits:
        mine = [row for row in rows if (row.dataset, row.split) == (dataset, split)]
        titles = {a.one for a in agreements.agreement
                  if a.between == "human-human" and (a.dataset, a.split) == (dataset, split)}  # fmt: skip
        outcomes.append(JudgedSplit(dataset, split, _facts(mine, agreements, *titles)))
    return JudgeCard(
        title=f"{len(humans)} human raters" if len(humans) > 1 else first.title,
        kind="human",
        what=KINDS["human"] if len(humans) > 1 else "one human rater",
        about=str(first.card.get("about") or ""),
        outcomes=outcomes,
        settings=_settings(first.card.get("settings")),
        pairs=[],
        people=[
            (row.title, f"{row.dataset} {row.split}", f"{row.scored:,} of {row.items:,}", _mean_of([row]))
            for row in rows
        ],
    )


def _facts(rows: Sequence[Rated], agreements: Agreements, *titles: str) -> list[tuple[str, str]]:
    first = rows[0]
    people = first.kind == "human"
    facts = [("Raters" if people else "Runs", str(len(rows) if people else first.runs))]
    facts.append(("Answers" if not people else "Answers each", f"{round(mean(row.items for row in rows)):,}"))
    right = "Right among those rated" if people else "Right"
    facts.append((right if first.scale == "binary" else "Mean level", _mean_of(rows)))
    unscored, total = sum(row.unscored for row in rows), sum(row.unscored + row.scored for row in rows)
    facts.append(("Without a label", f"{unscored:,} of {total:,} verdicts"))
    flips = [
        a
        for a in agreements.agreement
        if a.coefficient == "flip_share" and a.one in titles
        and (a.dataset, a.split, a.scale) == (first.dataset, first.split, first.scale)
    ]  # fmt: skip
    if flips and flips[0].value is not None:
        label = "Labelled differently by two raters" if people else "Labels that flip between runs"
        facts.append((label, f"{100 * flips[0].value:.1f} % of {flips[0].n:,}"))
    return facts


def _mean_of(rows: Sequence[Rated]) -> str:
    means = [value for row in rows for value in row.means]
    if not means:
        return "–"  # noqa: RUF001
    binary = rows[0].scale == "binary"
    spread = stdev(means) if len(means) > 1 else math.nan
    text = f"{100 * mean(means):.1f} %" if binary else f"{mean(means):.2f}"
    if math.isnan(spread):
        return text
    return f"{text} ± {100 * spread:.1f}" if binary else f"{text} ± {spread:.2f}"


def _settings(settings: Any) -> list[tuple[str, str]]:
    if not isinstance(settings, Mapping):
        return []
    return [(str(key), _plain(value)) for key, value in settings.items() if value not in (None, "", [], {})]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pairs(labeller: Labeller) -> list[CalibrationResult]:
    pairs = []
    try:
        for entry in labeller.card.get("calibration") or ():
            labels, expected = list(entry["labels"]), entry["expected"]
            given = [label for label in labels if label is not None]
            right = sum(label == expected for label in given)
            said = (
                f"{right} of {len(labels)}" if len(labels) > 1 else (str(given[0]) if given else "no label")
            )
            pairs.append(
                CalibrationResult(
                    str(entry.get("question", "")),
                    str(entry["reference"]),
                    str(entry["answer"]),
                    str(expected),
                    said,
                    bool(labels) and 2 * right > len(labels),
                )
            )
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(
            f"the card of {labeller.name} in verdicts/ is damaged",
            found=f"calibration: {type(error).__name__}: {error}",
            remedy="delete the card and judge again; verdicts already given are kept",
        ) from None
    return pairs
