"""Further right answers of a question in a conversation: a list beside the messages, or joined in a text.

{"messages": [...], "further_answers": ["a mass", "a lump"]}                  one question
{"messages": [...], "further_answers": [["a mass"], [], ["on the left"]]}     a list for each of three
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pefomed.datasets.conversations.pairs import Exchange
from pefomed.errors import DataError
from pefomed.mapping import references
from pefomed.mapping.cells import is_empty
from pefomed.mapping.paths import ABSENT, at, unpacked_text


def answers_of(
    pair: Exchange, row: Mapping[str, Any], field: str, separator: str, place: str
) -> tuple[str, ...]:
    """Return the different right answers to a question, at least the one of the conversation.

    Args:
        field: what holds further ones, or a path into it; a record may have none, empty for none at all.
        separator: what stands between several answers in one text; empty for nothing.

    Raises:
        DataError: the field holds no texts, or not a list for each question.
    """
    found: list[Any] = [pair.answer, *_beside(pair, row, field, separator, place)]
    return references.references([(field, each) for each in found], separator, lambda value, _: str(value))


def _beside(pair: Exchange, row: Mapping[str, Any], field: str, separator: str, place: str) -> list[Any]:
    value = unpacked_text(at(row, field)) if field else ABSENT
    if value is ABSENT or is_empty(value) or value == []:
        return []
    each = [value] if isinstance(value, str) and separator else value
    if not isinstance(each, list):
        raise _no_texts(value, field, place)
    if each and all(isinstance(one, list) for one in each):
        if pair.of > 1 and len(each) != pair.of:
            raise DataError(
                f"{place}: field {field!r} must hold a list for each of {pair.of} questions",
                found=f"{len(each)} lists",
            )
        each = each[pair.number - 1] if len(each) >= pair.number else []
    elif pair.of > 1:
        raise DataError(
            f"{place}: field {field!r} holds answers to one question, and the conversation has {pair.of}",
            found=f"{value!r:.80}",
            remedy='give a list for each question, or take no field: `columns.further = ""`',
        )
    each = [one for one in each if not is_empty(one)]
    if not all(isinstance(one, str) for one in each):
        raise _no_texts(value, field, place)
    return each


def _no_texts(value: Any, field: str, place: str) -> DataError:
    objects = any(isinstance(one, dict) for one in value) if isinstance(value, list) else False
    return DataError(
        f"{place}: field {field!r} must be a list of texts",
        found=f"{value!r:.80}",
        remedy=f'name a field of its entries, e.g. `columns.further = "{field}.answer"`'
        if objects
        else "write a list, or name what joins several texts: `columns.separator`",
    )
