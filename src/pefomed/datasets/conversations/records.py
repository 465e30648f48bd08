"""The messages of a record, whichever of the published forms it has.

    conversations: [{"from": "human", "value": ...}, {"from": "gpt", ...}]      LLaVA, ShareGPT, LlamaFactory
    messages: [{"role": "user", "content": ...}, {"role": "assistant", ...}]    TRL, ms-swift, LlamaFactory
    prompt: [{"role": ...}], completion: [{"role": ...}]                        TRL
    conversation: [{"human": ..., "assistant": ...}]                            ms-swift
    query, response, history: [[..., ...]]                                      ms-swift
    instruction, input, output, history                                         Alpaca, LlamaFactory

Each record is looked at by itself: a file may hold several forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pefomed.datasets.conversations.unfit import NO_CONVERSATION, OTHER_ROLE, Unfit
from pefomed.errors import DataError, listed
from pefomed.files.files import json_value
from pefomed.mapping.cells import cell, said
from pefomed.mapping.source import AnySource

Role = Literal["user", "assistant", "system"]

FIELDS = ("conversations", "messages", "conversation", "conversatons", "dialog", "dialogue")
"""What the field of a conversation is called; the fourth is LLaVA-Med's own spelling."""


@dataclass(frozen=True)
class Message:
    """Who says what, as the record has it."""

    role: Role
    content: Any


def messages_of(
    row: Mapping[str, Any], field: AnySource | None, roles: Mapping[str, Role], place: str
) -> list[Message]:
    """Return the messages of a record in order, the system prompt first.

    Args:
        field: what holds them; by default found.
        roles: what further names of roles mean.

    Raises:
        Unfit: there are none, or somebody else speaks.
        DataError: there is no such field, or it is no conversation.
    """
    found = list(_system(row))
    name = field or next((name for name in FIELDS if name in row), None)
    if name is not None:
        found += _listed(cell(row, name, place), said(name), roles, place)
    elif isinstance(unpacked(row.get("prompt")), list) and "completion" in row:
        for each in ("prompt", "completion"):
            found += _listed(row[each], each, roles, place)
    elif "query" in row and "response" in row:
        found += _exchanges(row, row["query"], row["response"], place)
    elif "instruction" in row and "output" in row:
        texts = [row["instruction"], row.get("input")]
        found += _exchanges(
            row, "\n".join(text for text in texts if isinstance(text, str) and text), row["output"], place
        )
    else:
        raise DataError(
            f"{place}: no field with a conversation",
            found=f"fields: {listed([str(key) for key in row], most=12)}",
            remedy="name it in `columns.messages`; the forms that are known are in docs/data.md",
        )
    if all(message.role == "system" for message in found):
        raise Unfit(NO_CONVERSATION, "the conversation is empty")
    return found


def unpacked(value: Any) -> Any:
    """Return the list that a text is as JSON, as tables keep one; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            return json_value(value)
        except (ValueError, RecursionError):
            return value
    return value


_ROLES: dict[str, Role] = {
    "user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant",
    "bot": "assistant", "model": "assistant", "system": "system", "developer": "system",
}  # fmt: skip


def _system(row: Mapping[str, Any]) -> Iterator[Message]:
    system = row.get("system", row.get("system_prompt"))
    if isinstance(system, str) and system.strip():
        yield Message("system", system)


def _listed(value: Any, name: str, roles: Mapping[str, Role], place: str) -> list[Message]:
    value = unpacked(value)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise DataError(
            f"{place}: field {name!r} holds no list of messages",
            found=f"{value!r:.80}",
            remedy="name the field that does in `columns.messages`",
        )
    return [each for message in value for each in _message(message, name, roles, place)]


def _message(message: Any, name: str, roles: Mapping[str, Role], place: str) -> Iterator[Message]:
    if not isinstance(message, Mapping):
        raise _no_message(message, name, place)
    speaker = message.get("role", message.get("from"))
    if speaker is None:
        if "human" not in message or "assistant" not in message:
            raise _no_message(message, name, place)
        yield Message("user", message["human"])
        yield Message("assistant", message["assistant"])
        return
    content = next((message[key] for key in ("content", "value", "text") if key in message), _NOTHING)
    role = roles.get(str(speaker), _ROLES.get(str(speaker).strip().lower()))
    if role is None:
        raise Unfit(
            OTHER_ROLE,
            f"a message of {speaker!r}, where user and assistant are known",
            f"what it says: {content!r:.60}" if content is not _NOTHING else "",
            f'say who it is, e.g. `roles = {{ "{speaker}" = "user" }}`',
        )
    if content is _NOTHING:
        raise _no_message(message, name, place)
    yield Message(role, content)


_NOTHING: Any = object()


def _exchanges(row: Mapping[str, Any], question: Any, answer: Any, place: str) -> list[Message]:
    history = unpacked(row.get("history")) or []
    if not isinstance(history, list) or not all(isinstance(one, list) and len(one) == 2 for one in history):
        raise DataError(
            f"{place}: `history` must hold pairs of a question and its answer", found=f"{history!r:.80}"
        )
    return [
        message
        for asked, answered in [*history, (question, answer)]
        for message in (Message("user", asked), Message("assistant", answered))
    ]


def _no_message(message: Any, name: str, place: str) -> DataError:
    found = (
        f"keys: {listed([str(key) for key in message])}" if isinstance(message, Mapping) else repr(message)
    )
    return DataError(
        f"{place}: an entry of {name!r} is no message: it needs `role` and `content`, or `from` and `value`",
        found=f"{found:.80}",
    )
