r"""MedEvalKit's rules of SLAKE, VQA-RAD and PathVQA, and what its code adds up where a judge is asked.

Of a reply counts what stands in `\boxed{}` or `<answer>`, lower case, and behind the last `answer is`,
`answer:` and the like. An open answer is right if it is equal to the reference. A closed one whose reference
is `yes` or `no`, in lower case, is right if it holds the letters of one of the two and not the other; any
other closed one if it is equal without full stops: the rule of SLAKE, which writes `Yes` and `No`.

With a judge, SLAKE's answers are all judged, of VQA-RAD and PathVQA the open ones. Its sums besides:

    SLAKE     right = closed by rule + closed by judge + open by judge
    VQA-RAD   right = closed by rule + open by rule + open by judge
"""

from __future__ import annotations

from collections.abc import Callable

_PATTERNS = (
    "**answer**:", "**answer**", "*answer*:", "**answer:**", "answer is", "answer:", "\u7b54\u6848:",
    "final answer", "final answer is",
)  # fmt: skip
_OPENED, _CLOSED = "<answer>", "</answer>"
_BOXED = "\\boxed{"


def slake_open(reference: str, answer: str) -> bool:
    """Return whether an open answer is the reference, spaces and marks included."""
    return _parsed(_inner(answer)) == reference.lower() != ""


def slake_closed(reference: str, answer: str) -> bool:
    """Return whether a closed answer says the reference."""
    rule = _yes_or_no if reference in ("yes", "no") else _equal
    return rule(reference, _inner(answer))


def radiology_open(reference: str, answer: str) -> bool:
    """Return the same of VQA-RAD and PathVQA, where spaces around both are dropped first."""
    return _parsed(_inner(answer).lower().strip()) == reference.lower().strip() != ""


def radiology_closed(reference: str, answer: str) -> bool:
    """Return whether an answer to a question of yes and no says the reference."""
    return _yes_or_no(reference.lower().strip(), _inner(answer).lower().strip())


Rule = Callable[[str, str], float]

RULES: dict[str, tuple[Rule, Rule]] = {
    "slake": (slake_open, slake_closed),
    "vqa_rad": (radiology_open, radiology_closed),
    "path_vqa": (radiology_open, radiology_closed),
}
"""Loader -> the rules of open and of closed questions."""

JUDGES_ALL = frozenset({"slake"})
"""Where its judge is asked about closed questions too."""


def _yes_or_no(reference: str, answer: str) -> bool:
    said = _flat(answer)
    return (("yes" in said) ^ ("no" in said)) and reference.lower() in said


def _equal(reference: str, answer: str) -> bool:
    return _flat(answer) == reference.lower() != ""


def _flat(answer: str) -> str:
    return _parsed(answer).replace("\n", "").replace(".", "")


def _inner(reply: str) -> str:
    """Return what stands in a box or in tags, the whole reply where nothing does."""
    boxed = _in_box(reply)
    if boxed is not None:
        return boxed
    found = " ".join(_tagged(reply)).strip()
    return found or reply


def _parsed(reply: str) -> str:
    text = _inner(reply.lower())
    for pattern in _PATTERNS:
        text = text.split(pattern)[-1]
    return text


def _in_box(reply: str) -> str | None:
    """Return what the last box holds, braces within it matched; None without a closed box."""
    start = reply.rfind(_BOXED)
    if start < 0:
        return None
    depth = 0
    for place in range(start + len(_BOXED) - 1, len(reply)):
        depth += {"{": 1, "}": -1}.get(reply[place], 0)
        if not depth:
            return reply[start + len(_BOXED) : place]
    return None


def _tagged(reply: str) -> list[str]:
    found, start = [], reply.find(_OPENED)
    while start >= 0:
        start += len(_OPENED)
        end = reply.find(_CLOSED, start)
        if end < 0:
            break
        found.append(reply[start:end])
        start = reply.find(_OPENED, end)
    return found
