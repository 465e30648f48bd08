"""What a protocol makes of answers: the value of each, the figures they add up to, or why it does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pefomed.protocols import chinese
from pefomed.protocols.protocol import Group, Protocol, Rule
from pefomed.protocols.question import Question


@dataclass(frozen=True)
class Scored:
    """The answers of one system under one protocol."""

    values: Mapping[Group, Mapping[int, float]]
    """Figure -> place of a question -> its value; a figure is their mean."""
    printed: Mapping[Group, float]
    """What the protocol's own code prints, where it has a fault."""
    left_out: tuple[str, ...]
    """Sentences about questions that do not count."""

    def value(self, place: int) -> float | None:
        """Return what an answer is worth, None of one that does not count."""
        return next((found[place] for found in self.values.values() if place in found), None)


class DoesNotFit(Exception):
    """A protocol says nothing of such questions; its text says why."""


def score(protocol: Protocol, questions: Sequence[Question], loader: str) -> Scored:
    """Return what the protocol makes of the answers.

    Args:
        loader: what reads the data set, by which test splits are known.

    Raises:
        DoesNotFit: it is not of these questions; the text says why.
    """
    if protocol.only_sets and loader not in (protocol.sets or {}):
        raise DoesNotFit(f"it is defined for {_listed(protocol.sets or {})} alone")
    if protocol.open in chinese.RULES and not chinese.available():
        raise DoesNotFit(chinese.MISSING)
    said: list[str] = []
    places = [place for place, one in enumerate(questions) if one.language in protocol.languages]
    for language in protocol.needs:
        if not any(questions[place].language == language for place in places):
            raise DoesNotFit(f"no question is in {_language(language)}")
    others = Counter(one.language for one in questions if one.language not in protocol.languages)
    for language, count in others.items():
        said.append(f"{count:,} {_plural(count)} in another language ({_language(language)}) left out")
    if not places:
        raise DoesNotFit(f"it is for {' and '.join(map(_language, protocol.languages))}; {'; '.join(said)}")
    if protocol.judged:
        places = _judged(protocol, questions, places, said)
    parts = _parts(protocol, questions, places, said)
    values = _values(protocol, questions, places, parts)
    printed = protocol.prints([questions[place] for place in places]) if protocol.prints else {}
    return Scored(
        {group: values[group] for group in protocol.shown if values.get(group)}, printed, tuple(said)
    )


def is_closed(protocol: Protocol, question: Question) -> bool:
    """Return whether the protocol counts a question as closed."""
    if protocol.split == "yes/no":
        return question.is_yes_or_no
    return question.answer_type.upper() == "CLOSED"


def _judged(
    protocol: Protocol, questions: Sequence[Question], places: list[int], said: list[str]
) -> list[int]:
    """Return the places that have all they need; a failed judgement is no wrong answer."""
    asked = [
        place for place in places if protocol.judged == "all" or not is_closed(protocol, questions[place])
    ]
    without = {place for place in asked if questions[place].label is None}
    if asked and len(without) == len(asked):
        raise DoesNotFit("the judge labelled none of these answers")
    if without:
        said.append(f"{len(without):,} {_plural(len(without))} without the judge's label left out")
    return [place for place in places if place not in without]


def _parts(
    protocol: Protocol, questions: Sequence[Question], places: Sequence[int], said: list[str]
) -> dict[Group, list[int]]:
    """Return the open and the closed questions, neither where nobody says which is which."""
    by_field = protocol.split == "field" and protocol.shown != ("overall",)
    unsaid = [place for place in places if not questions[place].answer_type] if by_field else []
    if unsaid and not (protocol.same_rule or protocol.overall):
        raise DoesNotFit(
            f"{len(unsaid):,} of {len(places):,} questions have no `answer_type`, by which it tells open from"
            " closed"
        )
    if unsaid:
        said.append("no figures of open and closed questions: the data set has no `answer_type`")
        return {}
    closed = [place for place in places if is_closed(protocol, questions[place])]
    return {"open": sorted({*places} - {*closed}), "closed": closed}


def _values(
    protocol: Protocol,
    questions: Sequence[Question],
    places: Sequence[int],
    parts: Mapping[Group, Sequence[int]],
) -> dict[Group, dict[int, float]]:
    of_open = None if protocol.judged else protocol.open
    of_closed = None if protocol.judged == "all" else protocol.closed
    by_part: tuple[tuple[Group, Rule | None], ...] = (("open", of_open), ("closed", of_closed))
    found: dict[Group, dict[int, float]] = {
        group: {place: _worth(questions[place], rule) for place in parts.get(group, ())}
        for group, rule in by_part
    }
    if parts and not protocol.overall:
        found["overall"] = dict(sorted({**found["open"], **found["closed"]}.items()))
    else:
        rule = protocol.overall or of_open
        found["overall"] = {place: _worth(questions[place], rule) for place in places}
    return found


def _worth(question: Question, rule: Rule | None) -> float:
    """Return what an answer is worth by a rule, or without one by the judge's label."""
    if rule is None:
        assert question.label is not None  # the others were left out
        return question.label
    return max(float(rule(reference, question.answer)) for reference in question.references)


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(_SETS.get(name, name) for name in names)


def _language(language: str) -> str:
    return {"en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean"}.get(language, language)


def _plural(count: int) -> str:
    return "question" if count == 1 else "questions"


_SETS = {"slake": "SLAKE", "vqa_rad": "VQA-RAD", "path_vqa": "PathVQA"}
