"""Verdicts as scores: accuracy of answers to questions, WASM of captions and reports.

A judge that ran R times: the mean over runs of each run's mean label. Human raters: the mean over raters of
each rater's figure. Answers that exact match called right and wrong are shown to people in other shares
than they have, so a rater's accuracy weighs the two by their shares among all answers:

    share(right) * mean label(right) + share(wrong) * mean label(wrong)

Where only a part of the answers of a kind was shown and all of them got the same label, that kind has no
spread. The interval is then widened by the kind's share times what Clopper and Pearson
(1934) leave open: of n equal labels, 1 - 0.025^(1/n).

A rater without answers of one kind takes that kind's mean over the other raters. Where nobody was shown
answers called right, as in PeFoMed, these count as right; where nobody was shown wrong ones, there
is no figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pefomed import __version__
from pefomed.evaluation.score import Questions, made_score
from pefomed.evaluation.verdicts import RATER_KINDS, RATING, RaterKind, RaterVerdicts
from pefomed.metrics.lookup import correctness, metric_of, of_rater
from pefomed.metrics.statistics.equal_labels import WIDENED, left_open
from pefomed.metrics.statistics.interval import Interval, figure_intervals
from pefomed.metrics.statistics.jackknife import Figures
from pefomed.schema import Sample, Score, Verdict
from pefomed.tasks import BINARY, LEVELS


def verdict_scores(
    questions: Questions, samples: Sequence[Sample], right: NDArray[np.bool_], raters: Sequence[RaterVerdicts]
) -> list[Score]:
    """Return accuracy (VQA) and WASM (captions and reports) of every judge, and of all people together.

    Metrics: `judge_accuracy`, `offline_judge_accuracy`, `model_rater_accuracy`, `human_accuracy`, and
    `wasm_judge` and so on; of several of a kind, people apart, each has its name behind a colon.
    n is the number of answers with at least one label.

    Args:
        questions: the samples' groups and images, in the order of `samples`.
        right: which of the judged answers are called right (`lookup.correctness`), shape (N,).
    """
    scores: list[Score] = []
    if not raters:
        return scores
    vqa = np.array([sample.task in BINARY for sample in samples], dtype=bool)
    text = np.array([sample.task in LEVELS for sample in samples], dtype=bool)
    place_of = {sample.id: place for place, sample in enumerate(samples)}
    for kind, kind_name in RATER_KINDS.items():
        same = [rater for rater in raters if rater.kind == kind]
        # People are one row, each of them a voice; judges are one row each, each of its runs a voice.
        rows = [("", same)] if kind == "human" else [(rater.name, [rater]) for rater in same]
        for name, members in rows:
            suffix = f":{name}" if len(rows) > 1 else ""
            labels, verdicts = _labels(kind, members, place_of, len(samples))
            for chosen, metric, strata in (
                (vqa, f"{of_rater('judged', kind_name).name}{suffix}", kind in RATING),
                (text, f"{of_rater('levels', kind_name).name}{suffix}", False),
            ):
                if np.isfinite(labels[:, chosen]).any():
                    who = _who(kind, members, len(labels))
                    row = _Row(metric, who, labels, verdicts, chosen, right if strata else None)
                    scores += _scores(questions, row)
    return scores


@dataclass(frozen=True)
class _Row:
    """What one row of a table is made from."""

    metric: str
    who: str
    labels: NDArray[np.float64]
    """Of each voice (a run of a judge, or a person) about each answer, NaN for none; shape (V, N)."""
    verdicts: NDArray[np.int64]
    """Verdicts about each answer, failed ones too, shape (N,)."""
    chosen: NDArray[np.bool_]
    """The answers this row is about, shape (N,)."""
    right: NDArray[np.bool_] | None
    """What exact match said of each answer, where it weighs; shape (N,)."""


def _labels(
    kind: RaterKind, members: Sequence[RaterVerdicts], place_of: Mapping[str, int], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the labels, shape (V, N), and the verdicts about each answer, shape (N,)."""
    voices: dict[tuple[str, int], int] = {}
    for member in members:
        for verdict in member.verdicts:
            voices.setdefault(_voice(kind, verdict), len(voices))
    labels = np.full((len(voices), count), np.nan)
    verdicts = np.zeros(count, dtype=np.int64)
    for member in members:
        for verdict in member.verdicts:
            place = place_of.get(verdict.sample_id)
            if place is None:  # of another data set of the run
                continue
            verdicts[place] += 1
            if verdict.label is not None:
                labels[voices[_voice(kind, verdict)], place] = verdict.label
    return labels, verdicts


def _voice(kind: RaterKind, verdict: Verdict) -> tuple[str, int]:
    # A person's later run is a second look at the same answers, and replaces the first.
    return verdict.rater, 0 if kind == "human" else verdict.run


def _who(kind: RaterKind, members: Sequence[RaterVerdicts], voices: int) -> str:
    if kind == "human":
        return f"{voices} human rater{'s' if voices > 1 else ''}"
    return f"{members[0].name} ({_WHAT[kind]}), {voices} run{'s' if voices > 1 else ''}"


def _scores(questions: Questions, row: _Row) -> list[Score]:
    sums, figures = _weighted(row) if row.right is not None else _plain(row)
    scores = []
    for group, places in questions.groups.items():
        places = places[row.chosen[places]]
        labels = row.labels[:, places]
        labelled = np.asarray(np.isfinite(labels).any(0))
        each = figures(sums[places].sum(0, keepdims=True))[0] if len(places) else np.array([np.nan])
        if not labelled.any() or not np.isfinite(each[0]):
            continue
        top = metric_of(row.metric).most
        [interval] = figure_intervals(
            sums[places],
            questions.clusters[places],
            lambda totals: figures(totals)[:, :1],
            tops=(top,),
            known=labelled,
            draws=questions.draws,
            seed=questions.seed,
            by=questions.by,
        )
        below, above = (0.0, 0.0) if row.right is None else left_open(labels, row.right[places])
        if interval and interval.low is not None and interval.high is not None and below + above:
            low, high = max(0.0, interval.low - below), min(1.0, interval.high + above)
            interval = Interval(low, high, f"{interval.how}, {WIDENED}")
        n, how = int(labelled.sum()), _implementation(row, places, labelled, each[1:])
        scores.append(made_score(questions, row.metric, "model", group, float(each[0]), interval, n, how))
    return scores


_WHAT = {
    "llm-judge": "language model as a judge",
    "offline-judge": "judge that is no language model",
    "model-rater": "language model in a rating session",
}


def _plain(row: _Row) -> tuple[NDArray[np.float64], Figures]:
    """Return what is added up, by item, and the mean label over voices and of each, NaN for none."""
    labelled = np.isfinite(row.labels)
    sums = np.concatenate((np.where(labelled, row.labels, 0.0), labelled)).T  # (N, 2V)
    voices = len(row.labels)

    def figures(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        return _with_mean(_ratio(totals[:, :voices], totals[:, voices:]))

    return sums, figures


def _weighted(row: _Row) -> tuple[NDArray[np.float64], Figures]:
    """The same, with the answers exact match called wrong and right weighed by their shares."""
    assert row.right is not None
    kinds = np.stack((~row.right, row.right))  # (2, N): wrong, right
    labelled = np.isfinite(row.labels)
    values = np.where(labelled, row.labels, 0.0)
    parts = [part * kind for kind in kinds for part in (values, labelled)]  # 4 of (V, N)
    sums = np.concatenate((*parts, kinds)).T  # (N, 4V + 2)
    voices = len(row.labels)

    def figures(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        weight = totals[:, 4 * voices :]
        weight = weight / weight.sum(1, keepdims=True)  # (D, 2)
        value: NDArray[np.float64] = np.zeros((len(totals), voices))
        for kind, unseen in ((0, np.nan), (1, 1.0)):
            start = 2 * kind * voices
            label, count = totals[:, start : start + voices], totals[:, start + voices : start + 2 * voices]
            own = _ratio(label, count)
            others = _ratio(label.sum(1, keepdims=True), count.sum(1, keepdims=True))
            mean = np.where(np.isfinite(own), own, np.where(np.isfinite(others), others, unseen))
            # A kind of answer that does not occur weighs nothing, whatever its mean.
            share = weight[:, kind, None]
            value = value + np.where(share > 0, share * mean, 0.0)
        seen = sum(totals[:, start : start + voices] for start in (voices, 3 * voices)) > 0
        return _with_mean(np.where(seen, value, np.nan))

    return sums, figures


def _ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(one, other, out=np.full(one.shape, np.nan), where=other > 0))


def _with_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (D, V) with the mean over what is there before it, shape (D, 1 + V)."""
    there = np.isfinite(values)
    mean = _ratio(np.where(there, values, 0.0).sum(1), there.sum(1).astype(np.float64))
    return np.concatenate((mean[:, None], values), axis=1)


def _implementation(
    row: _Row, places: NDArray[np.int64], labelled: NDArray[np.bool_], each: NDArray[np.float64]
) -> str:
    voices = each[np.isfinite(each)]
    parts = [f"pefomed {__version__}, {row.metric}: {row.who}"]
    if len(voices) > 1:
        parts.append(f"sd {voices.std(ddof=1):.4f} over them")
    judged = row.verdicts[places] > 0
    parts.append(f"{int((judged & ~labelled).sum())} unscored")
    if not judged.all():
        parts.append(f"{int(judged.sum())} of {len(places)} answers shown")
    if row.right is not None:
        shown_right = labelled & row.right[places]
        parts.append(
            f"weighed by {correctness().name}"
            if shown_right.any()
            else f"what {correctness().name} called right counts as right"
        )
    return "; ".join(parts)
