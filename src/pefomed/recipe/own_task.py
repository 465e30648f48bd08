"""A task that a recipe defines: `[tasks.NAME]`, one entry more in the table of tasks.

[tasks.severity]
answer = "words"
asked = "question"
instructions = ["Rate the severity of {question}: none, mild, moderate or severe."]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from pefomed.recipe.section import Section
from pefomed.tasks import Task, add
from pefomed.tasks.task import AnswerKind, Asked, Scale


class OwnTask(Section):
    """A task of one's own. Its samples are those of a table whose `task` it is."""

    answer: AnswerKind = Field(
        description="What an answer is: few `words`, right or wrong; a `text`; `boxes`; or `marked text`,"
        " a text with boxes behind its phrases."
    )
    asked: Asked = Field(
        "question",
        description="What of a sample stands for `{question}` in the instruction: its `question`, the"
        " `phrase` to find, the `boxes` that are asked about; empty for nothing.",
    )
    instructions: tuple[str, ...] = Field(
        min_length=1, description="The wordings; of several each sample has one, drawn by its id."
    )
    scale: Literal["binary", "level", "none"] | None = Field(
        None,
        description="How judges and people label an answer: right or wrong, 0 to 4, or not at all; by"
        " default `binary` for words, `level` for a text, `none` where there are boxes.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> OwnTask:
        if self.answer == "boxes" and self.asked != "phrase":
            raise ValueError('the answer is boxes, so `asked` must be "phrase": whose boxes they are')
        places = ["{question}" in text for text in self.instructions]
        if self.asked and not all(places):
            raise ValueError("an instruction has no place for what is asked; write {question} there")
        if not self.asked and any(places):
            raise ValueError('nothing is asked (`asked = ""`), so no instruction may hold {question}')
        return self

    def task(self, name: str) -> Task:
        """Return the entry for the table of tasks."""
        by_answer: dict[str, Scale] = {"words": "binary", "text": "level"}
        scale = by_answer.get(self.answer) if self.scale is None else self.scale
        return Task(
            name,
            answer=self.answer,
            asked=self.asked,
            instructions={"paper": self.instructions},
            scale=None if scale == "none" else scale,
            needs_place=bool(self.asked),
        )


def add_all(tasks: Mapping[str, OwnTask]) -> None:
    """Add the tasks of a recipe to the table.

    Raises:
        ValueError: a name is odd, or is that of another task.
    """
    for name, own in tasks.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a task: use a-z, 0-9 and _, a letter first")
        add(own.task(name))


_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
