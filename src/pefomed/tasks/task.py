"""One kind of question: what it is asked with, what an answer is, and how people and judges label one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

AnswerKind = Literal["words", "text", "boxes", "marked text"]
"""`words`: few, right or wrong. `text`: a caption or report. `boxes`: and nothing else but, maybe, their
phrase. `marked text`: a text with boxes behind its phrases."""

Asked = Literal["question", "phrase", "boxes", ""]
"""What of a sample the instruction holds; nothing for captions and reports."""

Scale = Literal["binary", "level"]
"""`binary`: 1 or 0, right or wrong. `level`: 0 to 4, how far two texts agree."""

HIGHEST: dict[Scale, int] = {"binary": 1, "level": 4}
"""The best label of each scale; the worst is 0."""


@dataclass(frozen=True)
class Task:
    """A task; `[name]` stands before its instruction in every prompt."""

    name: str
    answer: AnswerKind
    asked: Asked
    instructions: Mapping[str, tuple[str, ...]]
    """Name of a pool -> its wordings; `{question}` stands for what is asked. `paper` is the default."""
    scale: Scale | None = None
    """How judges and people label an answer; None where they are not asked."""
    names_phrase: bool = False
    """Of boxes: the answer repeats the phrase before them."""
    needs_place: bool = False
    """An instruction of the user's own without `{question}` is an error."""

    @property
    def has_boxes(self) -> bool:
        """Whether samples have boxes, in the answer or in the question."""
        return self.answer in ("boxes", "marked text") or self.asked == "boxes"
