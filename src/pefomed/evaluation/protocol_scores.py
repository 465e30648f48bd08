"""A split's answers scored as each protocol would, with intervals and floors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pefomed import __version__
from pefomed.evaluation.answered_split import AnsweredSplit, System
from pefomed.evaluation.protocol_records import ProtocolRow, ProtocolSplit, Unfit
from pefomed.evaluation.score import Questions, made_score
from pefomed.evaluation.verdicts import RaterVerdicts, labels_by_sample
from pefomed.metrics.statistics.interval import mean_interval
from pefomed.protocols.known import PROTOCOLS
from pefomed.protocols.protocol import Protocol
from pefomed.protocols.question import Question, language_of
from pefomed.protocols.scored import DoesNotFit, Scored, score
from pefomed.schema import Sample, Score

_JUDGES = ("llm-judge", "offline-judge")
_NO_JUDGE = "no judge has labelled these answers; `pefomed judge` does"


def protocol_split(
    answered: AnsweredSplit, samples: Sequence[Sample], systems: Sequence[System]
) -> ProtocolSplit:
    """Return what every protocol makes of the answers in words; what does not fit says why.

    Args:
        samples: those answered in words, in the order of each system's answers.
        systems: the model first.
    """
    recipe = answered.run.recipe
    # Published test splits are known by what reads them; somebody else's answers say which they are of.
    loader = recipe.data[answered.dataset].loader if recipe else answered.dataset
    asked = [_question(sample) for sample in samples]
    rows, unfit, columns = [], [], []
    for protocol in PROTOCOLS.values():
        judges = [one for one in answered.run.raters if one.kind in _JUDGES] if protocol.judged else [None]
        if not judges:
            unfit.append(Unfit(name=protocol.name, why=_NO_JUDGE))
        for judge in judges:
            labelled = _labelled(asked, samples, judge)
            try:
                row, model = _row(answered, protocol, labelled, systems, samples, loader)
            except DoesNotFit as error:
                unfit.append(Unfit(name=protocol.name, why=str(error)))
                continue
            rows.append(row.model_copy(update={"judge": judge.name if judge else ""}))
            columns.append([model.value(place) for place in range(len(samples))])
    why: dict[str, list[str]] = {}
    for one in unfit:
        why.setdefault(one.why, []).append(one.name)
    for reason, names in why.items():
        answered.run.events.append(f"{answered.name}: no protocol {', '.join(names)}: {reason}")
    return ProtocolSplit(
        dataset=answered.dataset,
        split=answered.split,
        loader=loader,
        rows=tuple(rows),
        unfit=tuple(unfit),
        values={
            sample.id: tuple(column[place] for column in columns) for place, sample in enumerate(samples)
        },
    )


def _question(sample: Sample) -> Question:
    return Question(
        id=sample.id,
        references=sample.references,
        answer="",
        answer_type=sample.meta.get("answer_type", "").strip(),
        language=language_of(sample.question, sample.references[0], sample.meta),
    )


def _labelled(
    asked: Sequence[Question], samples: Sequence[Sample], judge: RaterVerdicts | None
) -> list[Question]:
    if judge is None:
        return list(asked)
    labels = labels_by_sample(judge, majority=False)
    return [replace(one, label=labels.get(sample.id)) for one, sample in zip(asked, samples, strict=True)]


def _row(
    answered: AnsweredSplit,
    protocol: Protocol,
    asked: Sequence[Question],
    systems: Sequence[System],
    samples: Sequence[Sample],
    loader: str,
) -> tuple[ProtocolRow, Scored]:
    """Return a protocol's scores of all systems, and what it makes of each of the model's answers.

    A judge has seen the model's answers alone.
    """
    found: list[Scored] = []
    scores: list[Score] = []
    about = answered.questions(samples)
    for system in systems[:1] if protocol.judged else systems:
        questions = [replace(one, answer=text) for one, text in zip(asked, system.answers, strict=True)]
        found.append(score(protocol, questions, loader))
        scores += _scores(about, protocol, system, found[-1])
    row = ProtocolRow(
        name=protocol.name,
        scores=tuple(scores),
        printed=dict(found[0].printed),
        left_out=found[0].left_out,
        differs=_differs(protocol, asked, found[0], loader, answered.split),
    )
    return row, found[0]


def _scores(about: Questions, protocol: Protocol, system: System, scored: Scored) -> list[Score]:
    made = []
    for group, values in scored.values.items():
        places = np.array(list(values), dtype=np.int64)
        worth = np.array(list(values.values()), dtype=np.float64)
        interval = mean_interval(worth, about.clusters[places], draws=about.draws, by=about.by)
        how = f"pefomed {__version__}, protocol {protocol.name}: {protocol.definition}"
        how += f"; {system.how}" if system.how else ""
        name = f"protocol:{protocol.name}"
        made.append(
            made_score(about, name, system.name, group, float(worth.mean()), interval, len(worth), how)
        )
    return made


def _differs(protocol: Protocol, asked: Sequence[Question], scored: Scored, loader: str, split: str) -> str:
    """Return why published figures of the protocol are of other questions than these."""
    known = (protocol.sets or {}).get(loader)
    if known is None:
        return "no published test split of this data set goes with it"
    if split != "test":
        return f"this is the split {split!r}, published is test"
    languages = Counter(one.language for one in asked if one.language in protocol.languages)
    wanted = ("en", "zh") if known.language == "both" else (known.language,)
    lacking = [each for each in wanted if not languages[each]]
    if lacking:
        names = {"en": "English", "zh": "Chinese"}
        return (
            f"published is English and Chinese, {known.n:,} questions; nothing {names[lacking[0]]} was asked"
        )
    counts = {"overall": known.n, "open": known.open, "closed": known.closed}
    for group, values in scored.values.items():
        if len(values) != counts[group]:
            kind = "" if group == "overall" else f"{group} "
            return f"{len(values):,} {kind}questions, published are {counts[group]:,}"
    return ""
