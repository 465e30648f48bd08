"""Which column of a table of answers holds what, as a file or an option says it; which rows are left out."""

from __future__ import annotations

import functools
import tomllib
from typing import Annotated, Any

from pydantic import ConfigDict, PlainValidator, field_validator

from pefomed.errors import DataError, RecordError, nearest
from pefomed.mapping import columns
from pefomed.mapping.skip import Kind, Rules, rules_of
from pefomed.mapping.source import AnySource, Source

KINDS: tuple[Kind, ...] = ("empty reference", "empty question", "no image", "missing image")
"""What rows are left out for. An empty answer is no reason: it is a wrong one."""

Skip = Annotated[Rules, PlainValidator(functools.partial(rules_of, kinds=KINDS))]
"""Which rows are left out."""

OPTION = "--columns"
"""Where a user says it."""


class AnswerColumns(columns.Columns):
    """Which column holds what: as for the loader `table`, but that `answer` is what was answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Source = "id"
    reference: Source = "reference"
    """The right answer, or the first of several; by default also `references`, or `reference_1` and so on."""
    answer: Source = "answer"
    """What is to be scored."""
    # By default `image`, `task`, `question` are read if there are such columns, and all others are `meta`.

    @field_validator("further", "meta", mode="before")
    @classmethod
    def _several(cls, names: Any) -> Any:
        # As `--columns` writes several: a column's name may hold spaces.
        return [name.strip() for name in names.split("+")] if isinstance(names, str) else names

    @property
    def truth(self) -> AnySource:
        """Where the right answer is."""
        return self.reference


def columns_of(*texts: str) -> AnswerColumns:
    """Return a column map from `id=qid, answer=text`, or from TOML as in recipes: `{ id = "qid" }`.

    Args:
        texts: one or several, each with columns of its own.

    Raises:
        DataError: one is neither, a column is named twice, or of an unknown kind.
    """
    named: dict[str, Any] = {}
    for text in texts:
        try:
            if text.strip().startswith("{"):
                pairs = [*tomllib.loads(f"columns = {text}")["columns"].items()]
            else:
                parts = [part.partition("=") for part in text.split(",") if part.strip()]
                pairs = [(key.strip(), value.strip()) for key, _, value in parts]
            AnswerColumns(**dict(pairs))
        except (tomllib.TOMLDecodeError, RecordError) as error:
            fault = error.problem if isinstance(error, RecordError) else str(error)
            raise DataError(
                "the column map cannot be read",
                found=f"{text}: {fault}",
                remedy='write e.g. `id=qid, answer=prediction`, or `{ id = "qid", meta = ["organ"] }`; '
                + nearest(text.partition("=")[0].strip(), AnswerColumns.model_fields),
            ) from None
        for key, value in pairs:
            if key in named:
                raise DataError(
                    f"--columns names {key!r} twice",
                    found=f"{named[key]!r} and {value!r}",
                    remedy="name each once; several columns of meta are joined by `+`",
                )
            named[key] = value
    return AnswerColumns(**named)
