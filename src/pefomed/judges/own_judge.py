"""A judge of the user's own: `package.module:function`, a function `(question, reference, answer)` -> label.

The label is 0 or 1 for a question and 0 to 4 for a report or caption, None where the judge cannot say; a pair
`(label, reason)` says why. Of several references the best counts. Attributes of the function say more: `name`
(of its files), `title`, `kind` (`llm-judge` if it asks a language model, by default `offline-judge`).
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pefomed import __version__
from pefomed.errors import DataError, RecipeError, RunError, with_article
from pefomed.evaluation.verdicts import RATER_KINDS
from pefomed.files.jsonl import lines, read, writer
from pefomed.files.storage import usable_paths, write
from pefomed.judges import calibration
from pefomed.judges.card import counts, read_card, results_by_task, write_card
from pefomed.judges.items import JudgeItem, other_sample_ids, read_items
from pefomed.judges.prompts import JudgedPair
from pefomed.judges.replies import alone, safe_name
from pefomed.plugins import computed_by, named_object
from pefomed.progress import track
from pefomed.runs import RunFolder
from pefomed.schema import Verdict
from pefomed.tasks import HIGHEST

_KINDS = ("offline-judge", "llm-judge")


class OwnJudge:
    """Marks pairs by a function of somebody else's."""

    def __init__(self, named: str):
        """Import the function.

        Raises:
            RecipeError: it cannot be imported or called, or says of itself what cannot be.
        """
        found = named_object(named, "judge")
        if not callable(found):
            raise RecipeError(
                f"the judge {named!r} cannot be called",
                found=with_article(type(found).__name__),
                remedy="name a function `(question, reference, answer) -> label`",
            )
        self._function, self.named = found, named
        self.name = str(getattr(found, "name", "") or getattr(found, "__name__", type(found).__name__))
        self.title = str(getattr(found, "title", self.name))
        self.kind = str(getattr(found, "kind", _KINDS[0]))
        if self.kind not in _KINDS or self.kind not in RATER_KINDS:
            raise RecipeError(
                f"the judge {named!r}: `kind` is {self.kind!r}",
                remedy=f"use {' or '.join(map(repr, _KINDS))}",
            )
        self.implementation = computed_by(named, found)

    def __call__(self, pair: JudgedPair, sample: str) -> tuple[int | None, str]:
        """Return the label beside the reference that the answer is nearest to, and the reason.

        Raises:
            DataError: the function fails, or gives what is no label; the sample is named.
        """
        found = [self._one(each, sample) for each in pair.each]
        return max(found, key=lambda one: -1 if one[0] is None else one[0])

    def _one(self, pair: JudgedPair, sample: str) -> tuple[int | None, str]:
        of = f"{sample} (reference {pair.reference[:60]!r}, answer {pair.answer[:60]!r})"
        problem = f"the judge {self.named!r} failed on {of}"
        try:
            said = self._function(pair.question, pair.reference, pair.answer)
        except Exception as error:  # whatever a function of somebody else raises
            found = f"{type(error).__name__}: {error}"[:200]
            raise DataError(problem, found=found, remedy="mend the function and run it again") from error
        label, reason = said if isinstance(said, tuple) and len(said) == 2 else (said, "")
        if label is None:
            return None, str(reason) or "no label"
        try:
            number = int(label) if isinstance(label, float) and label.is_integer() else operator.index(label)
        except TypeError:
            number = -1
        if not 0 <= number <= HIGHEST[pair.scale]:
            scale = "0 or 1" if pair.scale == "binary" else "0 to 4"
            raise DataError(problem, found=f"{said!r:.60}", remedy=f"return {scale}, or None for no label")
        return number, str(reason)


@usable_paths()
def judge_own(
    run: Path, named: str, *, runs: int = 1, rater: str | None = None, only: str | None = None
) -> dict[str, Any]:
    """Judge the answers of `run` with a function, write verdicts and card, and return the card.

    What it has labelled stays when it is stopped; the same command goes on there, unless the function or the
    judged texts have changed.

    Args:
        runs: how often each answer is judged.
        rater: name of its files; by default the function's.
        only: `vqa`, or `report` for reports and captions; by default all of them.

    Raises:
        RecipeError: the function cannot be used.
        RunError: nothing can be judged, or the judge's name is taken by another rater.
        DataError: the function fails.
        StorageError: the verdicts cannot be written.
    """
    judge = OwnJudge(named)
    name = safe_name(rater or judge.name)
    items = read_items(run, only)
    known = [one for one in calibration.pairs([item.pair.scale for item in items])
             if one.pair.scale in {item.pair.scale for item in items}]  # fmt: skip
    path, settings = RunFolder(run).verdicts_file(name), {"function": judge.implementation}
    with alone(run, name):
        former = read_card(run, name)
        by = (former or {}).get("settings")
        by = by if isinstance(by, dict) else {}
        if (path.exists() or former is not None) and by.get("judge") != named:
            raise RunError(
                f"{run} has another rater called {name}", remedy="choose another name with --rater"
            )
        same = by.get("function") == judge.implementation
        kept = _still_valid(run, path, items, runs, same, only)
        settings |= {"judge": named, "version": __version__}
        card = _card(judge, runs, settings)
        if former is not None and not same:
            write(path, "")  # a kill here must not leave these labels under the card of another function
        write_card(run, name, card | {"counts": counts(len(items), [], len(items) * runs - len(kept))})
        write(path, lines(kept))
        there = {(one.sample_id, one.run) for one in kept}
        jobs = [(item, turn) for turn in range(runs) for item in items if (item.sample_id, turn) not in there]
        with writer(path) as add:
            for item, turn in track(jobs, f"judging as {name}", unit="answers"):
                label, reason = judge(item.pair, f"the sample {item.sample_id}")
                add(Verdict(sample_id=item.sample_id, rater=name, run=turn, label=label, reason=reason,
                            judged=item.judged))  # fmt: skip
        asked = {item.sample_id for item in items}
        verdicts = [one for one in read(path, Verdict) if one.sample_id in asked]
        card |= {
            "not_judged": dict(Counter(one.reason for one in verdicts if one.label is None)),
            "calibration": [
                calibration.shown(one, [judge(one.pair, "a pair whose label is known")[0]]) for one in known
            ],
            "counts": counts(len(items), verdicts),
            "results": results_by_task(items, verdicts),
        }
        write_card(run, name, card)
    return card


def _card(judge: OwnJudge, runs: int, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": judge.kind,
        "title": judge.title,
        "about": f"A judge of the user's own: {judge.implementation}.",
        "runs": runs,
        "settings": settings,
        "calibration": [],
        "results": {},
    }


def _still_valid(
    run: Path, path: Path, items: Sequence[JudgeItem], runs: int, same: bool, only: str | None
) -> list[Verdict]:
    """Return the verdicts that stand: by the same function, of these texts or of tasks left alone."""
    judged = {item.sample_id: item.judged for item in items}
    others = other_sample_ids(run, items) if only else set()
    found: dict[tuple[str, int], Verdict] = {}
    for one in read(path, Verdict, on_cut=[]) if same else ():
        if one.sample_id in others or (judged.get(one.sample_id) == one.judged and one.run < runs):
            found[one.sample_id, one.run] = one
    return list(found.values())
