"""Overlap of words: how much of the reference an answer says, and how much of the answer the reference.

Words are those of `words.words`, each as often as it occurs. With c the number of words in common
(the smaller count of each word, summed), p words in the answer and r in the reference:

    token_recall = c / r      token_precision = c / p      token_f1 = 2 c / (p + r)

`llava_med_recall` is the recall of LLaVA-Med (https://github.com/microsoft/LLaVA-Med, calculate_f1score in
llava/eval/eval_metrics/evaluate_metrics.py): t / (t + m), t the words of the *answer* that the reference
holds, repetitions counted, m the words of the reference that the answer lacks. An answer that repeats a
right word raises it: `lung lung lung` recalls 3/4 of `left lung`, where token_recall gives 1/2.

`closed_accuracy` (see `closed`) is for closed questions, also where they are answered in sentences.
"""

from __future__ import annotations

from collections import Counter

from pefomed.metrics.words import words


def token_recall(reference: str, prediction: str) -> float:
    """Return the share of the reference's words that the prediction holds."""
    common, _, in_reference = _counts(reference, prediction)
    return common / in_reference if in_reference else 0.0


def token_precision(reference: str, prediction: str) -> float:
    """Return the share of the prediction's words that the reference holds."""
    common, in_prediction, _ = _counts(reference, prediction)
    return common / in_prediction if in_prediction else 0.0


def token_f1(reference: str, prediction: str) -> float:
    """Return the harmonic mean of `token_recall` and `token_precision`."""
    common, in_prediction, in_reference = _counts(reference, prediction)
    return 2 * common / (in_prediction + in_reference) if common else 0.0


def llava_med_recall(reference: str, prediction: str) -> float:
    """Return LLaVA-Med's token recall, see above."""
    wanted, said = Counter(words(reference)), Counter(words(prediction))
    common = sum(count for word, count in said.items() if word in wanted)
    lacking = sum(count for word, count in wanted.items() if word not in said)
    return common / (common + lacking) if common else 0.0


def _counts(reference: str, prediction: str) -> tuple[int, int, int]:
    """Return the words in common, in the prediction and in the reference."""
    wanted, said = Counter(words(reference)), Counter(words(prediction))
    return (wanted & said).total(), said.total(), wanted.total()
