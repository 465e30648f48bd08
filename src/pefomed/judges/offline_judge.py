"""A judge that needs no network and is no language model: rules about words, then sentence embeddings.

VQA: 1 or 0 by `offline_rules`; where they do not decide, 1 if the cosine of the answer's and the reference's
embeddings reaches a threshold. Reports: four thresholds turn the similarity of their sentences into a level
(`similarity`). All thresholds were chosen on training data (`thresholds`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pefomed import __version__
from pefomed.errors import RunError
from pefomed.files.jsonl import lines, read
from pefomed.files.storage import usable_paths, write
from pefomed.judges import calibration
from pefomed.judges.card import counts, read_card, results_by_task, write_card
from pefomed.judges.embedding import Embedder
from pefomed.judges.items import JudgeItem, other_sample_ids, read_items
from pefomed.judges.offline_conflicts import Decision
from pefomed.judges.offline_language import KNOWN
from pefomed.judges.offline_rules import RULES, decide, decide_as_text, unknown_language
from pefomed.judges.offline_words import listed_in
from pefomed.judges.prompts import JudgedPair
from pefomed.judges.replies import alone
from pefomed.judges.similarity import report_similarity, sentences_of, similarity
from pefomed.judges.thresholds import Thresholds, shipped
from pefomed.judges.wrong_answers import shipped_figures
from pefomed.metrics.exact_match import exact_match_vqa
from pefomed.progress import track
from pefomed.runs import RunFolder
from pefomed.schema import Verdict
from pefomed.tasks import HIGHEST

RATER = "offline-similarity-not-an-llm"
KIND = "offline-judge"


class OfflineJudge:
    """Marks pairs; the same pair always gets the same label."""

    def __init__(self, embedder: Embedder, thresholds: Thresholds):
        self._embed, self._thresholds = embedder, thresholds

    def __call__(self, pair: JudgedPair) -> tuple[int | None, str]:
        """Return the label, None where this judge cannot say, and how it came about."""
        decided = _decided(pair)
        if decided is not None and decided.label is None:
            return None, decided.rule
        if decided is not None:
            best = HIGHEST[pair.scale]
            return decided.label and best, f"rule: {decided.rule}"
        if pair.scale == "level":
            score = report_similarity(self._embed, pair.reference, pair.answer)
            return int(
                np.searchsorted(self._thresholds.levels, score, side="right")
            ), f"similarity {score:.2f}"
        score = similarity(self._embed, pair.reference, pair.answer)
        return int(score >= self._thresholds.vqa), f"similarity {score:.2f}"

    def best(self, pair: JudgedPair) -> tuple[int | None, str]:
        """Return what the answer is beside the reference it is nearest to; None if one cannot be judged."""
        found = [self(each) for each in pair.each]
        label, how = max(found, key=lambda one: -1 if one[0] is None else one[0])
        unknown = next((one for one in found if one[0] is None), None)
        return (label, how) if unknown is None or label == HIGHEST[pair.scale] else unknown

    def prepare(self, pairs: Sequence[JudgedPair]) -> None:
        """Embed all texts that will be needed, together."""
        open_pairs = [pair for pair in pairs if _decided(pair) is None]
        sentences, parts = [], []
        for pair in open_pairs:
            for text in (pair.reference, pair.answer):
                if pair.scale == "level":
                    sentences += sentences_of(text)
                else:
                    parts += listed_in(text)
        self._embed([*sentences, *parts])


def _decided(pair: JudgedPair) -> Decision | None:
    """Return what is decided without similarity; of reports only what needs no reading."""
    if pair.scale == "binary":
        return decide(pair.question, pair.reference, pair.answer)
    return decide_as_text(pair.reference, pair.answer) or unknown_language(pair.reference, pair.answer)


@usable_paths()
def judge_offline(run: Path, folder: Path, only: str | None = None) -> dict[str, Any]:
    """Judge the answers of `run`, write verdicts and card, and return the card.

    Args:
        folder: the embedding's folder.
        only: `vqa`, or `report` for reports and captions; by default all of them.

    Raises:
        RunError: nothing can be judged, or the judge's name is taken by another kind of rater.
        WeightsError: the folder holds no such embedding.
        StorageError: the verdicts cannot be written.
    """
    card = read_card(run, RATER)
    if card is not None and card.get("kind") != KIND:
        raise RunError(
            f"{run} has another rater called {RATER}", remedy=f"rename {RunFolder(run).verdicts_file(RATER)}"
        )
    items = read_items(run, only)
    thresholds = shipped()
    judge = OfflineJudge(Embedder(folder), thresholds)
    known = calibration.pairs([item.pair.scale for item in items])
    pairs = list(dict.fromkeys(item.pair for item in items))
    with alone(run, RATER):
        judge.prepare([*(one for pair in pairs for one in pair.each), *(each.pair for each in known)])
        labels = {pair: judge.best(pair) for pair in track(pairs, f"judging as {RATER}", unit="pairs")}
        verdicts = [_verdict(item, *labels[item.pair]) for item in items]
        others = other_sample_ids(run, items) if only else set()
        path = RunFolder(run).verdicts_file(RATER)
        kept = [verdict for verdict in read(path, Verdict) if verdict.sample_id in others]
        write(path, lines([*kept, *verdicts]))
        card = {
            "kind": KIND,
            "title": "Offline judge: word rules and sentence similarity, not a language model",
            "about": about(),
            "runs": 1,
            "settings": {
                "version": __version__,
                "rules": RULES,
                "embedding": folder.name,
                "thresholds": thresholds.record(),
                "knows": KNOWN,
            },
            "wrong_answers": shipped_figures(),
            "not_judged": dict(Counter(v.reason for v in verdicts if v.label is None)),
            "calibration": [calibration.shown(each, [judge(each.pair)[0]]) for each in known],
            "counts": counts(len(items), verdicts),
            "results": results_by_task(items, verdicts),
            "agreement": agreement_with_exact_match(items, verdicts),
        }
        write_card(run, RATER, card)
    return card


def agreement_with_exact_match(items: Sequence[JudgeItem], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return how the judge marks what exact match calls right and wrong; VQA only, {} without it."""
    label = {verdict.sample_id: verdict.label for verdict in verdicts}
    table = {"right": [0, 0, 0], "wrong": [0, 0, 0]}
    for item in items:
        if item.pair.scale == "binary":
            row = table["right" if _matches(item.pair) else "wrong"]
            row[0] += 1
            row[1] += label[item.sample_id] == 1
            row[2] += label[item.sample_id] is None
    if not table["right"][0] + table["wrong"][0]:
        return {}
    return {
        f"exact_match_{name}": {"items": items, "judged_right": right, "not_judged": silent}
        for name, (items, right, silent) in table.items()
    }


def _matches(pair: JudgedPair) -> bool:
    return any(exact_match_vqa(each.reference, each.answer) for each in pair.each)


def about() -> str:
    """Return what this judge is, and how often it calls wrong answers right, for its card."""
    rates = "; ".join(
        f"{name} {row['judged_right']} of {row['wrong'] - row['not_judged']:,}"
        + (f" ({row['not_judged']:,} not judged)" if row["not_judged"] else "")
        for name, row in shipped_figures()["sets"].items()
    )
    return (
        "Compares texts only. It knows no medicine beyond a list of synonyms, and misses paraphrases; it does"
        " not take yes for no, left for right, or one number, unit, grade or sign for another. It knows"
        f" {KNOWN}. Anything else that is not the reference's own text is not judged: no label, in no mean."
        f" Of real wrong answers to questions of the same kind it calls right: {rates}."
    )


def _verdict(item: JudgeItem, label: int | None, how: str) -> Verdict:
    return Verdict(sample_id=item.sample_id, rater=RATER, label=label, reason=how, judged=item.judged)
