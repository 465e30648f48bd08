"""Which columns of a table are question and answer: by their names, by question marks, by what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pefomed.errors import listed
from pefomed.files.rows import is_number
from pefomed.mapping.references import joined_by
from pefomed.proposals import names
from pefomed.proposals.proposal import Proposal, ProposedChoice
from pefomed.proposals.table_sample import FEW, TableSample, first_value, is_empty, is_text, value_at
from pefomed.samples.owners import is_owner


def add_texts(proposal: Proposal, looked: TableSample, used: set[str]) -> set[str]:
    """Say in a proposal which of the columns that are not used are texts; return them."""
    free = [name for name in looked.columns if name not in used]
    report = [
        next(names.matching_columns(free, called), None) for called in (names.FINDINGS, names.IMPRESSION)
    ]
    question = next(names.matching_columns(free, names.QUESTION), None) or _asking(looked, free)
    if question is None:
        caption = next(names.matching_columns(free, names.CAPTION), None)
        whole = next(names.matching_columns(free, names.REPORT), None)
        if all(report):
            proposal.set("task", "report", "findings and impression, and no question")
            both = [name for name in report if name]
            choices: list[Any] = [both, *both]
            proposal.ask(
                "columns.answer",
                "scores on findings, on impressions and on both are not comparable",
                *(
                    ProposedChoice(
                        value, first_value(looked, *(value if isinstance(value, list) else [value]))
                    )
                    for value in choices
                ),
            )
            _add_empty(proposal, looked, both)
            _add_studies(proposal, looked, both)
            return set(both)
        text = next((name for name in (*report, whole, caption) if name), None)
        if text:
            task = "caption" if text == caption else "report"
            proposal.set("task", task, f"{text} is there, and no question")
            proposal.set("columns.answer", text, "by its name")
            _add_empty(proposal, looked, [text])
            _add_studies(proposal, looked, [text])
            return {text}
        several = [name for name in free if _is_texts(looked, name)]
        if len(several) == 1:
            proposal.set("columns.answer", several[0], _SEVERAL)
        choices = [ProposedChoice(name, first_value(looked, name)) for name in free if is_text(looked, name)]
        constant = ProposedChoice({"constant": "..."}, "the same question in every row: write it there")
        proposal.ask(
            "columns.question",
            "no column is called a question, and none ends in question marks",
            constant,
            *choices,
        )
        if len(several) == 1:
            return set(several)
        answers = [name for name in names.matching_columns(free, names.ANSWER) if is_text(looked, name)]
        if answers:
            proposal.set("columns.answer", answers[0], "by its name")
            return {answers[0]}
        if choices:
            proposal.ask("columns.answer", "no column is called an answer", *choices)
        return set()
    named = question in set(names.matching_columns(free, names.QUESTION))
    proposal.set("columns.question", question, "by its name" if named else "its texts end in question marks")
    rest = [name for name in free if name != question]
    answers = list(names.matching_columns(rest, names.ANSWER))
    options = [name for name in rest if names.CHOICE.fullmatch(name.rpartition(".")[2].strip())]
    letters = [name for name in rest if name in tuple("ABCDEFGH")]
    options = options or (letters if len(letters) > 1 else [])
    if options and not answers:
        answers = list(names.matching_columns(rest, ["label"]))
    answers = [name for name in answers if name not in options]
    texts = [name for name in rest if is_text(looked, name) and name not in options]
    answer = (
        answers[0]
        if answers
        else texts[0]
        if len(texts) == 1 == len([n for n in rest if not is_owner(n)])
        else None
    )
    several = [name for name in rest if _is_texts(looked, name)]
    if answer is None and len(several) == 1:
        proposal.set("columns.answer", several[0], _SEVERAL)
        return {question, several[0]}
    if answer is None:
        choices = [
            ProposedChoice("", "no answers: for prediction only"),
            *(ProposedChoice(n, first_value(looked, n)) for n in texts),
        ]
        proposal.ask("columns.answer", "no column is called an answer", *choices[1:], choices[0])
        return {question}
    proposal.set("columns.answer", answer, "by its name" if answers else "the only other text")
    further = [name for name in answers[1:] if _is_texts(looked, name)]
    if further:
        proposal.set("columns.further", further, "lists of answers: the best of them counts")
    others = [
        name
        for name in answers[1:]
        if name not in further and not names.plain(name).startswith(names.plain(answer))
    ]
    if others:
        proposal.notes.append(f"also called like answers: {listed(others)}")
    if options:
        proposal.set("columns.choices", options, "choices, which are put behind the question")
    if any(is_number(text) for text in looked.texts(answer)):
        first = next(text for text in looked.texts(answer) if is_number(text))
        choice = ProposedChoice(True, f"the first would be the text {first!r}")
        proposal.ask("numbers_as_text", f"{answer} holds numbers: are they text, or class numbers?", choice)
    _add_separator(proposal, looked, answer)
    _add_empty(proposal, looked, [answer])
    return {question, answer, *options, *further}


def _add_separator(proposal: Proposal, looked: TableSample, answer: str) -> None:
    """Ask whether a mark between texts of an answer joins several right ones."""
    texts = looked.texts(answer)
    mark = next((found for text in texts if (found := joined_by(text))), None)
    if mark:
        count = sum(joined_by(text) == mark for text in texts)
        text = next(text for text in texts if joined_by(text) == mark)
        parts = " or ".join(repr(part.strip()) for part in text.split(mark) if part.strip())
        why = f"{count} of {len(texts)} answers that were looked at hold {mark!r}"
        proposal.ask(
            "columns.separator", why, ProposedChoice(mark, f"right would be {parts:.90}"), needed=False
        )


def _add_studies(proposal: Proposal, looked: TableSample, texts: Sequence[str]) -> None:
    """Mention a column of which rows with the same value have the same text: the images of one study."""
    for name in looked.columns:
        said = looked.texts(name)
        if not is_owner(name) or len(said) != len(looked.rows) or len(set(said)) == len(said):
            continue
        pairs = {
            (key, str([value_at(row, t) for t in texts])) for key, row in zip(said, looked.rows, strict=True)
        }
        if len(pairs) == len(set(said)):
            why = f"rows with the same {name} have the same text"
            choice = ProposedChoice(name, "they are one sample with all their images")
            proposal.ask("columns.group_by", why, choice, needed=False)
            _add_views(proposal, looked)
            return


def _add_views(proposal: Proposal, looked: TableSample) -> None:
    """Mention the column that says which image of a study a row has, and the order to show them in."""
    for name in names.matching_columns(looked.columns, names.VIEW):
        views = sorted(dict.fromkeys(looked.texts(name)), key=names.view_rank)
        if 1 < len(views) <= FEW and len(looked.texts(name)) == len(looked.rows):
            why = "with `group_by`: says which image of a study a row has"
            proposal.ask("columns.role", why, ProposedChoice(name, "is told beside each image"), needed=False)
            why = "with `role`: all that it says, in the order to be shown in"
            proposal.ask(
                "columns.roles", why, ProposedChoice(views, f"{views[0]} is shown first"), needed=False
            )
            return


def _add_empty(proposal: Proposal, looked: TableSample, answers: Sequence[str]) -> None:
    empty = sum(all(is_empty(value_at(row, name)) for name in answers) for row in looked.rows)
    if empty:
        proposal.ask(
            "skip",
            f"{empty} of {len(looked.rows)} rows that were looked at have no answer",
            ProposedChoice(
                ["empty answer"], "these rows are left out and counted; without it they are an error"
            ),
        )


def _asking(looked: TableSample, columns: Sequence[str]) -> str | None:
    for name in columns:
        texts = looked.texts(name)
        if texts and sum(text.endswith(("?", "？", "؟")) for text in texts) > len(texts) / 2:  # noqa: RUF001
            return name
    return None


def _is_texts(looked: TableSample, column: str) -> bool:
    """Return whether a column holds lists of texts, and nothing else in its lists."""
    lists = [one for one in looked.values(column) if isinstance(one, list)]
    return bool(lists) and all(isinstance(each, str) or each is None for one in lists for each in one)


_SEVERAL = "holds several texts a row: the best of them counts"
