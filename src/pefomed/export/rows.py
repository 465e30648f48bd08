"""One sample as a record of another trainer: LLaVA's, `messages`, or a row of a table.

Boxes of an answer are text, `{<x0><y0><x1><y1>}` in steps of the picture's own sides, as this project trains
on them; a table has them as shares of the sides besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pefomed import prompts
from pefomed.recipe import Prompt
from pefomed.schema import Sample
from pefomed.tasks import TASKS

IMAGE = "<image>"
"""LLaVA's mark of a picture."""

_OWN = frozenset(
    "id image images conversations messages question prompt answer further_answers task boxes split"
    " system tools label objects videos audios query response history channel".split()
)
"""Names that a record's own fields have, here or in other trainers."""


class PictureNames(Protocol):
    """What gives the path of a picture that a record holds."""

    def name(self, path: str) -> str: ...


@dataclass(frozen=True)
class ExportedTexts:
    """What is asked and answered."""

    prompt: Prompt
    instruct: bool
    """Whether the prompt's instruction stands around every question."""

    def asked(self, sample: Sample) -> str:
        """Return the question as another trainer asks it; what has none of its own gets its instruction."""
        return prompts.instruction(sample, self.prompt) if self.has_prompt(sample) else sample.question

    def has_prompt(self, sample: Sample) -> bool:
        """Return whether the sample's instruction is more than its question."""
        return self.instruct or TASKS[sample.task].asked != "question"

    def answer(self, sample: Sample) -> str:
        """Return the answer to train on."""
        return prompts.target(sample, self.prompt)


@dataclass(frozen=True)
class Shape:
    """What all records of an export have alike, so that they have the same fields of the same types."""

    one_image: bool
    further: bool
    prompted: bool
    boxes: bool
    meta: Mapping[str, str]
    """Key -> the name of its field, which no other field has."""


def shape_of(samples: Sequence[Sample], texts: ExportedTexts) -> Shape:
    """Return the shape that fits all of `samples`."""
    return Shape(
        one_image=all(len(sample.images) == 1 for sample in samples),
        further=any(sample.further_references for sample in samples),
        prompted=any(texts.has_prompt(sample) for sample in samples),
        boxes=any(sample.boxes for sample in samples),
        meta=_field_names(dict.fromkeys(key for sample in samples for key in sample.meta)),
    )


def conversation(sample: Sample, texts: ExportedTexts, shape: Shape, names: PictureNames) -> dict[str, Any]:
    """Return LLaVA's record, which is ShareGPT's with pictures as LlamaFactory and ms-swift read it."""
    files = [names.name(path) for path in sample.images]
    said = [
        {"from": "human", "value": f"{IMAGE}\n" * len(files) + _unmarked(texts.asked(sample))},
        {"from": "gpt", "value": _unmarked(texts.answer(sample))},
    ]
    return {
        "id": sample.id,
        "image": files[0] if shape.one_image else files,
        "conversations": said,
        **_more(sample, shape),
    }


def messages(sample: Sample, texts: ExportedTexts, shape: Shape, names: PictureNames) -> dict[str, Any]:
    """Return the record of TRL and ms-swift: typed parts, the pictures beside them in order."""
    parts: list[dict[str, str]] = [{"type": "image"} for _ in sample.images]
    answer = [{"type": "text", "text": _unmarked(texts.answer(sample))}]
    return {
        "id": sample.id,
        "images": [names.name(path) for path in sample.images],
        "messages": [
            {"role": "user", "content": [*parts, {"type": "text", "text": _unmarked(texts.asked(sample))}]},
            {"role": "assistant", "content": answer},
        ],
        **_more(sample, shape),
    }


def table_row(sample: Sample, texts: ExportedTexts, shape: Shape, names: PictureNames) -> dict[str, Any]:
    """Return one row a question: the question by itself, and the instruction around it in `prompt`."""
    files = [names.name(path) for path in sample.images]
    return {
        "id": sample.id,
        "image": files[0] if shape.one_image else files,
        **texts_of(sample, texts, shape),
    }


def texts_of(sample: Sample, texts: ExportedTexts, shape: Shape) -> dict[str, Any]:
    """Return a row of a table without its pictures."""
    answers = [texts.answer(sample), *sample.further_references]
    found: dict[str, Any] = {
        "question": sample.question,
        "answer": answers if shape.further else answers[0],
        "task": sample.task,
    }
    if shape.prompted:
        found["prompt"] = texts.asked(sample)
    if shape.boxes:
        found["boxes"] = [[box.x0, box.y0, box.x1, box.y1] for box in sample.boxes]
    return found | _meta(sample, shape)


def _field_names(keys: Iterable[str]) -> dict[str, str]:
    names = {key: key for key in keys if key not in _OWN}
    for key in keys:
        name = key
        while name in _OWN or (key not in names and name in names.values()):
            name = f"meta_{name}"
        names.setdefault(key, name)
    return names


def _more(sample: Sample, shape: Shape) -> dict[str, Any]:
    further = {"further_answers": list(sample.further_references)} if shape.further else {}
    return {**further, **_meta(sample, shape)}


def _meta(sample: Sample, shape: Shape) -> dict[str, str]:
    return {name: sample.meta.get(key, "") for key, name in shape.meta.items()}


_MARK = re.compile(r"<(image|video|audio)>")


def _unmarked(text: str) -> str:
    # In a user's text these would be taken for pictures.
    return _MARK.sub(r"<\1 >", text)
