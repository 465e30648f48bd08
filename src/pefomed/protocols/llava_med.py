"""LLaVA-Med's figures: recall of open questions, the reference in the answer of closed ones.

Both texts are normalised as in the VQA challenge. Recall is t / (t + m): t the words of the answer that the
reference holds, repetitions counted, m the reference's words that the answer lacks. A closed answer is right
if the reference's letters stand in it anywhere: `no` stands in `normal`. So `run_eval_batch.py` has it.
`run_eval.py` leaves a wrong answer in which a `yes` or `no` stands out of the mean, and calls every answer
wrong in which neither does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pefomed.metrics.normalise import vqa_challenge


def open_recall(reference: str, answer: str) -> float:
    """Return the recall of the reference's words."""
    wanted, said = Counter(vqa_challenge(reference).split()), Counter(vqa_challenge(answer).split())
    found = sum(count for word, count in said.items() if word in wanted)
    lacking = sum(count for word, count in wanted.items() if word not in said)
    return found / (found + lacking) if found else 0.0


def closed_hit(reference: str, answer: str) -> bool:
    """Return whether the reference's letters stand in the answer; nothing is never right."""
    wanted = vqa_challenge(reference)
    return bool(wanted) and wanted in vqa_challenge(answer)


def printed_closed(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return what `run_eval.py` prints of closed `(reference, answer)`; None of none."""
    hits = []
    for reference, answer in pairs:
        said = vqa_challenge(answer)
        if "yes" not in said and "no" not in said:
            hits.append(False)
        elif vqa_challenge(reference) in said:
            hits.append(True)
    # Its code prints 0 where no answer was counted.
    return sum(hits) / len(hits) if hits else (0.0 if pairs else None)
