"""What the code of others prints where it has a fault: its own sums, of the same answers.

Shares may be above 1: so its code adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pefomed.protocols import llava_med, medevalkit
from pefomed.protocols.protocol import Group
from pefomed.protocols.question import Question


def vqa_accuracy(questions: Sequence[Question]) -> Mapping[Group, float]:
    """Return the VQA challenge's accuracy of questions with one reference each: nobody agrees with it."""
    if not questions or any(len(one.references) > 1 for one in questions):
        return {}
    return {"overall": 0.0}


def llava_med_closed(questions: Sequence[Question]) -> Mapping[Group, float]:
    """Return what LLaVA-Med's `run_eval.py` prints of closed questions."""
    pairs = [(one.references[0], one.answer) for one in questions if one.answer_type.upper() == "CLOSED"]
    value = llava_med.printed_closed(pairs)
    return {} if value is None else {"closed": value}


def medevalkit_open_slake(questions: Sequence[Question]) -> Mapping[Group, float]:
    """Return what MedEvalKit prints of SLAKE's open questions by its rule: their share over their number."""
    opened = [one for one in questions if one.answer_type.upper() != "CLOSED"]
    return _over_number([medevalkit.slake_open(one.references[0], one.answer) for one in opened])


def medevalkit_open_radiology(questions: Sequence[Question]) -> Mapping[Group, float]:
    """Return the same of VQA-RAD and PathVQA."""
    opened = [one for one in questions if not one.is_yes_or_no]
    return _over_number([medevalkit.radiology_open(one.references[0], one.answer) for one in opened])


def medevalkit_slake(questions: Sequence[Question]) -> Mapping[Group, float]:
    """Return what MedEvalKit prints of SLAKE with its judge: closed answers right by its rule count again."""
    closed = [one for one in questions if one.answer_type.upper() == "CLOSED"]
    by_rule = sum(medevalkit.slake_closed(one.references[0], one.answer) for one in closed)
    judged = sum(one.label or 0.0 for one in questions)
    found: dict[Group, float] = {"overall": (by_rule + judged) / len(questions)} if questions else {}
    if closed:
        found["closed"] = (by_rule + sum(one.label or 0.0 for one in closed)) / len(closed)
    return found | _over_number(
        [one.label or 0.0 for one in questions if one.answer_type.upper() != "CLOSED"]
    )


def medevalkit_radiology(questions: Sequence[Question]) -> Mapping[Group, float]:
    """Return what MedEvalKit prints of VQA-RAD with its judge: open answers that are equal count again."""
    if not questions:
        return {}
    right = 0.0
    for one in questions:
        reference = one.references[0]
        if one.is_yes_or_no:
            right += medevalkit.radiology_closed(reference, one.answer)
        else:
            right += medevalkit.radiology_open(reference, one.answer) + (one.label or 0.0)
    opened = [one.label or 0.0 for one in questions if not one.is_yes_or_no]
    return {"overall": right / len(questions), **_over_number(opened)}


def _over_number(values: Sequence[float]) -> dict[Group, float]:
    """Return a mean that is divided by the number of values again."""
    return {"open": sum(values) / len(values) ** 2} if values else {}
