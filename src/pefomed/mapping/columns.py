"""Which column of a user's table holds what: the option `columns` of a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainValidator, model_validator

from pefomed.checked import Checked
from pefomed.mapping.cells import JOINED_BY
from pefomed.mapping.source import (
    AnySource,
    One,
    OptionalSource,
    OptionalSourceOrNone,
    Source,
    SourceOrNone,
    columns_in,
    filled_source,
    source_of,
)


def _images_of(value: Any) -> AnySource | dict[str, One]:
    # A table that is no source of its own has a name for each image.
    if isinstance(value, Mapping) and not {"constant", "column", "words"} & value.keys():
        if not value:
            raise ValueError("name at least one column")
        return {str(role): _single(source) for role, source in value.items()}
    return filled_source(value)


def _meta_of(value: Any) -> dict[str, AnySource]:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple) and all(isinstance(name, str) and name for name in value):
        return {name: name for name in value}
    if isinstance(value, Mapping):
        return {str(name): source_of(source) for name, source in value.items()}
    raise ValueError('give columns\' names, or a table: `meta = { organ = "metadata.organ" }`')


def _single(value: Any) -> One:
    found = filled_source(value)
    if isinstance(found, tuple):
        raise ValueError("give one column for each image")
    return found


Meta = Annotated[dict[str, AnySource], PlainValidator(_meta_of)]
"""What results are grouped by -> where it is taken from."""


class Columns(Checked):
    """Which column holds what; each is a source: a column, a path, a template, a constant, several joined."""

    called = "table of columns"
    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Annotated[
        AnySource | dict[str, One],
        PlainValidator(_images_of),
        Field(json_schema_extra={"kind": "source, list or table of sources"}),
    ] = "image"
    """A column with one path or several. A list of sources, or a table of them with the images' roles
    (`{ frontal = "frontal_path", lateral = "lateral_path" }`), is an image each; empty ones are left away."""
    question: Source = "question"
    """The question, or the phrase that has boxes. Not read for captions and reports."""
    answer: OptionalSource = "answer"
    """The reference; empty if the table has none, and is for prediction only."""
    further: tuple[str, ...] | None = None
    """Columns with further right answers; by default `answer_2`, `answer_3` and so on. A list in a cell holds
    several, too. Training uses the first."""
    separator: str = ""
    """What stands between several answers in one cell; by default a cell is one."""
    joined_by: str = JOINED_BY
    """What stands between the texts of several columns that are joined."""
    id: OptionalSourceOrNone = None
    """By default the column `id`, if there is one, or else a hash of image, task and question
    (`content_ids`): rows may be sorted and removed. `""` takes no column."""
    choices: tuple[str, ...] = ()
    """Columns with the choices of a question, or the one with a list of them: they are put behind it."""
    task: SourceOrNone = None
    """By default the option `task`."""
    split: str | None = None
    """By default the column `split`, if a single file has one and `only_split` is not said; or else the
    file's name, or `only_split`, is the split. `""` takes none. If named, all tables of a folder are read."""
    group_by: SourceOrNone = None
    """Rows that say the same here are one sample with the images of all, e.g. a study; their texts agree."""
    role: SourceOrNone = None
    """With `group_by`: what says which image a row has, e.g. `view`."""
    roles: tuple[str, ...] = ()
    """With `role`: all that it says, in the order that images are shown in."""
    meta: Meta = Field({})
    """Columns to group results by, or a table of names and sources. What names patients or studies is audited
    without being among them."""

    @model_validator(mode="after")
    def _belong_together(self) -> Columns:
        if self.role is not None and (self.group_by is None or not self.roles):
            raise ValueError("`role` needs `group_by` and, in the order to be shown in, `roles`")
        if self.roles and self.role is None:
            raise ValueError("`roles` needs `role`, the column that says which one a row has")
        if len(set(self.roles)) != len(self.roles):
            raise ValueError("`roles` names one twice")
        return self

    @property
    def truth(self) -> AnySource:
        """Where the right answer is; empty for nowhere."""
        return self.answer

    @property
    def images(self) -> tuple[tuple[str, One], ...]:
        """Each image's role, empty for none, and its source."""
        if isinstance(self.image, dict):
            return tuple(self.image.items())
        return tuple(
            ("", source) for source in (self.image if isinstance(self.image, tuple) else (self.image,))
        )

    def used(self) -> set[str]:
        """Return every name of a column that is read."""
        return {name for source in self._sources() for name in columns_in(source)}

    def _sources(self) -> Iterator[AnySource | None]:
        yield from (source for _, source in self.images)
        yield from (
            self.question,
            self.answer,
            self.truth,
            self.id,
            self.task,
            self.split,
            self.group_by,
            self.role,
        )
        yield from (*(self.further or ()), *self.choices, *self.meta.values())
