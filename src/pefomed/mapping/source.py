"""What a field of a sample is taken from: a column, a path into one, several joined, a template, a constant.

In the recipe::

    question = "Question"                          a column; a name that is there exactly counts first
    question = "Description.Question"              a path into objects and lists, `conversations.0.value`
    answer = ["findings", "impression"]            several, joined; empty parts are left away
    image = "images/{patientId}.dcm"               a template; `{id:06}` fills with zeros, `{id:.2}` cuts
    question = { constant = "Describe the image." }    the same in every row
    answer = { column = "Target", words = { 0 = "no", 1 = "yes" } }    words for class numbers
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainValidator

from pefomed.checked import Checked
from pefomed.errors import PefomedError, nearest


class ConstantSource(Checked):
    """The same text in every row."""

    called = "constant text"
    model_config = ConfigDict(frozen=True, extra="forbid")

    constant: str = Field(min_length=1)
    """The text, of every row."""


class Words(Checked):
    """A column whose values stand for words."""

    called = "column of words"
    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str = Field(min_length=1)
    """A column, or a path into one."""
    words: dict[str, str] = Field(min_length=1)
    """A cell's text -> what it means."""

    def __hash__(self) -> int:
        return hash((self.column, tuple(self.words.items())))


One = str | ConstantSource | Words
"""One part: a column's name, a path, a template, a constant, or words for a column's values."""

AnySource = One | tuple[One, ...]


def source_of(value: Any) -> AnySource:
    """Return what a recipe says of a field as a source; an empty text is none.

    Raises:
        ValueError: it is none; pydantic's own words for this.
    """
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("name at least one column")
        return tuple(_one(each) for each in value)
    return _one(value)


def filled_source(value: Any) -> AnySource:
    """Return a source that may not be left away.

    Raises:
        ValueError: see `source_of`, or it is empty.
    """
    if isinstance(value, str) and not value.strip():
        raise ValueError("name a column")
    return source_of(value)


_KIND = Field(json_schema_extra={"kind": "source"})

Source = Annotated[AnySource, PlainValidator(filled_source), _KIND]
"""Where a field is taken from."""

OptionalSource = Annotated[AnySource, PlainValidator(source_of), _KIND]
"""As `Source`; an empty text takes none."""

SourceOrNone = Annotated[AnySource | None, PlainValidator(filled_source), _KIND]
"""As `Source`, where there is none by default."""

OptionalSourceOrNone = Annotated[AnySource | None, PlainValidator(source_of), _KIND]
"""As `OptionalSource`, where by default one may be found."""


def parts_of(template: str) -> Iterator[tuple[str, str, str]]:
    """Yield the parts of a template: text before a field, the field (empty behind the last), its form."""
    text, end = "", 0
    for found in _FIELD.finditer(template):
        text += template[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            text += found[0][0]
            continue
        name, form = found[1], _FORM.search(found[1])
        yield text, (name[: form.start()] if form else name).strip(), form[1] if form else ""
        text = ""
    yield text + template[end:], "", ""


def formed(value: str, form: str) -> str:
    """Return a field's text in its form: `06` fills up with zeros, `.2` are the first characters."""
    if form.startswith("."):
        return value[: int(form[1:])]
    return value.zfill(int(form)) if form else value


def is_template(text: str) -> bool:
    """Return whether a text has fields in braces."""
    return any(name for _, name, _ in parts_of(text))


def columns_in(source: AnySource | None) -> Iterator[str]:
    """Yield the names that a source may mean: of columns, of paths, and of what paths begin with."""
    for each in source if isinstance(source, tuple) else (source,):
        if isinstance(each, Words):
            each = each.column
        if isinstance(each, str):
            for name in (each, *(name for _, name, _ in parts_of(each) if name)):
                yield name
                yield name.partition(".")[0]


_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_FORM = re.compile(r":(0?\d{1,2}|\.\d{1,2})$")


def _one(value: Any) -> One:
    if isinstance(value, str | ConstantSource | Words):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{_EXPECTED}, not {value!r:.60}")
    known = ("constant",) if "constant" in value else ("column", "words")
    unknown = [str(key) for key in value if key not in known]
    if unknown or not all(key in value for key in known):
        wrong = f"{unknown[0]!r} is none of its keys, {nearest(unknown[0], known)}; " if unknown else ""
        raise ValueError(f"{wrong}{_EXPECTED}")
    try:
        if "constant" in value:
            return ConstantSource(**value)
        words = value["words"]
        if not isinstance(words, Mapping):
            raise ValueError(f"`words` says what each value means, {_WORDS}")
        return Words(column=value["column"], words={str(key): word for key, word in words.items()})
    except PefomedError as error:
        raise ValueError(f"{error.problem}: {error.remedy}") from None


_WORDS = '`{ column = "Target", words = { 0 = "no", 1 = "yes" } }`'
_EXPECTED = (
    "expected a column's name, a path into one, a template `images/{id}.jpg`, a list of these,"
    f' `{{ constant = "text" }}` or {_WORDS}'
)
