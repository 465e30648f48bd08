"""What in a table of answers may not be meant as it is scored: several answers in one cell, boxes as text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from pefomed.mapping.references import listed_in
from pefomed.schema import Prediction, Sample
from pefomed.tasks import MARKED, TEXTS

_BOX = re.compile(r"[\[({<\s]*\d+(?:\.\d+)?(?:[\s,;<>]+\d+(?:\.\d+)?){3}[\])}>\s]*")


def doubts(samples: Sequence[Sample], predictions: Sequence[Prediction], where: str) -> list[str]:
    """Return a sentence for each kind of cell that is scored as one text and may be something else."""
    short = [sample.task not in (*TEXTS, *MARKED) for sample in samples]
    references = [
        (text, is_short)
        for sample, is_short in zip(samples, short, strict=True)
        for text in sample.references
        if text
    ]
    answers = [(each.text, is_short) for each, is_short in zip(predictions, short, strict=True)]
    return [f"{where}: {note}" for note in (*_of(references, "reference"), *_of(answers, "answer"))]


def _of(texts: Sequence[tuple[str, bool]], what: str) -> Iterator[str]:
    """Yield notes about texts, each with whether it is a few words."""
    how = (
        "if these are several references, name it with --columns 'separator=...'"
        if what == "reference"
        else "give one answer a row if these are several"
    )
    for mark in ("|", ";"):
        doubtful = [
            text
            for text, short in texts
            # Without `;` of HTML: `&lt;5 mm`.
            if mark in html.unescape(text).strip(mark) and (short or mark == "|")
        ]
        if doubtful:
            yield _note(doubtful, what, f"with `{mark}`", f"each is scored as one text; {how}")
    lists = [text for text, _ in texts if isinstance(listed_in(text), list)]
    if lists:
        yield _note(lists, what, "written as a list", "each is scored as one text")
    boxes = [text for text, _ in texts if _BOX.fullmatch(text)]
    if boxes:
        rest = "they are scored as text; `pefomed.score_boxes` scores lists of boxes"
        yield _note(boxes, what, "that may be a box", rest)


def _note(texts: Sequence[str], what: str, which: str, rest: str) -> str:
    return f"{len(texts):,} {what}{'s' if len(texts) > 1 else ''} {which}, e.g. {texts[0][:60]!r}: {rest}"
