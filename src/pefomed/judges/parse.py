"""A judge's reply as a label: taken strictly, or not at all.

Two forms are read, each as the whole reply: the JSON object `{"label": N}` (also `N.0` and `"N"`), and the
number alone; thoughts in front of it, a code fence, answer tags, a box of LaTeX and the call of a tool around
it are taken off. A decimal, two numbers, a number off the scale or any prose beside it is
unparsable: the item stays unscored.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from pefomed.endpoint.completion import Completion
from pefomed.metrics.thoughts import without_thoughts
from pefomed.tasks import HIGHEST, Scale

REFUSED, UNPARSABLE = "refused", "unparsable"
"""How the reason of an unscored verdict begins."""


class Label(NamedTuple):
    """A label, or None and the reason."""

    label: int | None
    reason: str


def parse(reply: Completion, scale: Scale) -> Label:
    """Return the label of a judge's reply; nothing but the reply is looked at."""
    if reply.refusal is not None:
        return Label(None, f"{REFUSED}: {_short(reply.refusal)}")
    text = without_thoughts(reply.text).replace("\u2019", "'")
    # A label is short, whatever stands around it.
    while len(text) <= _LONGEST and (
        wrapped := next(filter(None, (form.fullmatch(text) for form in _WRAPPED)), None)
    ):
        text = wrapped[1].strip()
    value = None if len(text) > _LONGEST else int(text) if _NUMBER.fullmatch(text) else _labelled(text)
    if value is not None and 0 <= value <= HIGHEST[scale]:
        return Label(value, "")
    if value is None and _REFUSAL.match(text):
        return Label(None, f"{REFUSED}: {_short(text)}")
    cut = ", cut at the limit of tokens" if reply.finish == "length" else ""
    return Label(None, f"{UNPARSABLE}{cut}: {_short(reply.text) or 'an empty reply'}")


def _labelled(text: str) -> int | None:
    """Return the label of `{"label": N}`, None if the text is anything else."""
    try:
        # A float as it is written: 1.0 is whole, 0.99999999999999999999 only becomes so.
        found = json.loads(text, object_pairs_hook=lambda pairs: pairs, parse_float=_Written)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(found, list) and all(isinstance(each, tuple) for each in found)):
        return None
    if len(found) == 2 and found[0][0] == "name" and found[1][0] in ("arguments", "parameters"):
        found = found[1][1]  # the label given as a tool's argument
    if not (isinstance(found, list) and len(found) == 1 and isinstance(found[0], tuple)):
        return None
    name, value = found[0]
    return _whole(value) if name == "label" else None


class _Written(str):
    """A number with a point or an exponent, as written."""


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        written, text = isinstance(value, _Written), value.strip()
        if _WHOLE_FLOAT.fullmatch(text):
            value = int(text.partition(".")[0])
        else:
            value = int(text) if _NUMBER.fullmatch(text) and not written else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else flat[:117] + "..."


_LONGEST = 1000
_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
_WHOLE_FLOAT = re.compile(r"[0-9]{1,2}\.0+", re.ASCII)
_WRAPPED = (
    re.compile(
        r"(?:```|~~~)(?:(?:jsonc?|json5|text|txt|plaintext)\b)?\s*(.*?)\s*(?:```|~~~)",
        re.DOTALL | re.IGNORECASE,
    ),
    re.compile(r"`([^`]*)`"),
    re.compile(r"\*\*([^*]*)\*\*"),
    re.compile(
        r"<(?:answer|final|final_answer|output|response|json|tool_call)>(.*?)"
        r"</(?:answer|final|final_answer|output|response|json|tool_call)>",
        re.DOTALL | re.IGNORECASE,
    ),
    re.compile(r"<\|begin_of_box\|>(.*?)<\|end_of_box\|>", re.DOTALL),
    re.compile(r"\$*\\boxed\{([^{}]*)\}\$*"),
)
"""What may stand around a reply: a code fence, in upper case or on one line, and tags of an answer."""

_REFUSAL = re.compile(
    r"(?:i'?m sorry|i am sorry|sorry|i (?:cannot|can'?t|am unable|am not able|won'?t)"
    r"|i'm (?:unable|not able)|as an ai|unfortunately, i)\b",
    re.IGNORECASE,
)
