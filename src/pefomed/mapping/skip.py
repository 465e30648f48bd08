"""Rows that the recipe leaves out: counted with the reason, and told by the audit.

    skip = ["empty answer", { column = "Target", is = 0 }, { column = "view", is_not = ["PA", "AP"] }]

Without a rule such a row is an error that says which rule leaves it out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator

from pefomed.checked import Checked
from pefomed.errors import DataError, PefomedError, nearest
from pefomed.mapping.paths import ABSENT, at, known_paths
from pefomed.samples.left_out import LeftOut

Kind = Literal[
    "empty answer", "empty reference", "empty question", "no image", "missing image", "no box", "wrong box",
    "no category",
    "no conversation", "image count", "image in answer", "other medium", "other role", "wrong order",
    "no answer", "placeholders",
]  # fmt: skip
"""What a row may lack: a text, the name of an image, its file, a box, a box that can be used, a category.
The last eight are of conversations (`datasets/conversations/unfit.py`)."""

TABLE: tuple[Kind, ...] = (
    "empty answer", "empty question", "no image", "missing image", "no box", "wrong box"
)  # fmt: skip
"""What rows of tables are left out for."""


class Where(Checked):
    """Rows whose column has, or has not, one of some values."""

    called = "rule for leaving out"
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    column: str = Field(min_length=1)
    """A column, or a path into one."""
    is_: tuple[str, ...] | None = Field(None, alias="is")
    """Rows with this value, or one of these, are left out; `""` is an empty cell."""
    is_not: tuple[str, ...] | None = None
    """Rows with any other value are left out."""

    def matches(self, value: Any) -> bool:
        """Return whether a cell is meant; of a list, whether any of it is."""
        told = [_told(each) for each in (value if isinstance(value, list) else [value])] or [""]
        if self.is_not is not None:
            return not any(_same(each, other) for each in told for other in self.is_not)
        return any(_same(each, other) for each in told for other in self.is_ or ())

    def __str__(self) -> str:
        values = self.is_not if self.is_not is not None else self.is_ or ()
        verb = "is" if self.is_not is None else "is not"
        return f"{self.column} {verb} {' or '.join(value or 'empty' for value in values)}"


class Unusable(DataError):
    """A row that a rule may leave out."""

    def __init__(
        self, problem: str, kind: Kind, correct: str, found: str | None = None, or_else: str | None = None
    ):
        """Make the error of a row.

        Args:
            correct: how the row itself would be mended.
            or_else: what else may be done with such rows.
        """
        self.kind: Kind = kind
        self.mended = correct
        super().__init__(
            problem,
            found=found,
            remedy=f'{correct}, or leave such rows out: the option `skip = ["{kind}"]`'
            + (f"; or {or_else}" if or_else else ""),
        )


class Rules(tuple[Kind | Where, ...]):
    """The rules of a data set."""

    __slots__ = ()

    def of_row(self, row: Mapping[str, Any], place: str) -> LeftOut | None:
        """Return that a row is left out for a value of a column, None if it is not.

        Raises:
            DataError: there is no such column.
        """
        for rule in self:
            if not isinstance(rule, Where):
                continue
            value = at(row, rule.column)
            if value is ABSENT:
                raise DataError(
                    f"{place}: no column {rule.column!r}",
                    remedy=f"correct the option `skip`; {nearest(rule.column, known_paths(row))}",
                )
            if rule.matches(value):
                return LeftOut(place, str(rule), "" if rule.is_not is None else _told(value))
        return None


def columns_of(rules: Rules) -> list[str]:
    """Return the columns that rules are about."""
    return [rule.column for rule in rules if isinstance(rule, Where)]


def rules_of(value: Any, kinds: tuple[Kind, ...] = TABLE) -> Rules:
    """Return what a recipe's `skip` says: a rule, or a list of rules.

    Args:
        kinds: those that there are, beside values of columns.

    Raises:
        ValueError: one is none; pydantic's own words for this.
    """
    if isinstance(value, Rules):
        return value
    return Rules(_rule(each, kinds) for each in (value if isinstance(value, list | tuple) else [value]))


Skip = Annotated[Rules, PlainValidator(rules_of)]
"""Which rows are left out."""

NOTHING = Rules()


def _rule(value: Any, kinds: tuple[Kind, ...]) -> Kind | Where:
    if isinstance(value, str):
        if value not in kinds:
            raise ValueError(f"there is no rule {value!r}: {nearest(value, kinds)}; or {_EXAMPLE}")
        return value
    if isinstance(value, Where):
        return value
    if not isinstance(value, Mapping) or "column" not in value:
        raise ValueError(f"a rule is one of {', '.join(map(repr, kinds))}, or {_EXAMPLE}")
    if unknown := [str(key) for key in value if key not in _KEYS]:
        raise ValueError(
            f"{unknown[0]!r} is no part of a rule: {nearest(unknown[0], _KEYS)}; e.g. {_EXAMPLE}"
        )
    if ("is" in value) == ("is_not" in value):
        raise ValueError(f"a rule about a column says `is` or `is_not`, e.g. {_EXAMPLE}")
    key = "is" if "is" in value else "is_not"
    several = value[key] if isinstance(value[key], list | tuple) else [value[key]]
    if not several or any(isinstance(each, list | dict) for each in several):
        raise ValueError(f"`{key}` takes a value or a list of values, e.g. {_EXAMPLE}")
    try:
        return Where(column=value["column"], **{key: tuple(_told(each) for each in several)})
    except PefomedError as error:
        raise ValueError(error.problem) from None


_KEYS = ("column", "is", "is_not")
_EXAMPLE = '`{ column = "Target", is = 0 }`, `{ column = "view", is_not = ["PA", "AP"] }`'
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")


def _told(value: Any) -> str:
    if value is None or value != value:
        return ""
    return str(value).strip()


def _same(one: str, other: str) -> bool:
    """Return whether two texts differ at most in case, or are the same number (`0` and `0.0`)."""
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return float(one) == float(other)
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
