"""A chat completion taken out of a reply's body, which is kept verbatim elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pefomed.endpoint.failures import BadBody

Finish = Literal["stop", "length", "filtered", "unknown"]

_FINISH: dict[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


@dataclass(frozen=True)
class Completion:
    """What one reply says.

    `refusal` is the server's or the model's own declared refusal, None where it declares none.
    """

    text: str
    refusal: str | None
    finish: Finish
    model: str | None
    tokens_in: int | None
    tokens_out: int | None


def completion(body: str) -> Completion:
    """Return the first choice of a chat completion.

    The body of an error that says the prompt was filtered is a completion too: one that refuses.

    Raises:
        BadBody: the body is no JSON, or has no choice with a message.
    """
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody("an empty body" if not body.strip() else "a body that is cut or no JSON") from None
    if refused := _filtered(whole):
        return Completion("", refused, "filtered", None, None, None)
    try:
        choice = whole["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise BadBody("JSON without choices[0].message") from None
    finish = _FINISH.get(str(choice.get("finish_reason")), "unknown")
    usage = whole.get("usage") if isinstance(whole.get("usage"), dict) else {}
    model = whole.get("model")
    return Completion(
        text=_as_text(text),
        refusal=str(refusal) if refusal else ("filtered by the server" if finish == "filtered" else None),
        finish=finish,
        model=model if isinstance(model, str) and model else None,
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
    )


def is_filtered(body: str) -> bool:
    """Return whether an error's body says that the prompt or the answer was filtered."""
    try:
        return _filtered(json.loads(body)) is not None
    except (ValueError, RecursionError):
        return False


def same_model(asked: str, replied: str) -> bool:
    """Return whether a reply's model is the one asked for.

    Servers add a date or a revision (`gpt-4o` -> `gpt-4o-2024-08-06`, `name@main`) or drop the owner
    (`owner/name` -> `name`); nothing else passes.
    """
    short, found = (name.rsplit("/", 1)[-1].lower() for name in (asked.rstrip("/"), replied.rstrip("/")))
    return bool(re.fullmatch(re.escape(short) + r"(-\d{4}(-?\d\d){0,2}|-\d{3,8}|@[\w.-]+|:latest)?", found))


def _filtered(whole: Any) -> str | None:
    error = whole.get("error") if isinstance(whole, dict) else None
    if isinstance(error, dict) and error.get("code") in ("content_filter", "content_policy_violation"):
        return str(error.get("message") or "filtered by the server")
    return None


def _as_text(content: Any) -> str:
    if isinstance(content, list):  # parts, as some servers give them
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
