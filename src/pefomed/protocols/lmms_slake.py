"""Exact match of lmms-eval's SLAKE tasks, English and Chinese.

Lower case, what stands in round brackets deleted, marks of punctuation (ASCII and Chinese) to spaces. A whole
text of `x ray` is `xray`; a whole text that says yes or no in its lists is that, in either language: 是, 有,
包含 and also 正常 (normal) are yes, 否, 没有, 不包含 and also 异常 (abnormal) no.
"""

from __future__ import annotations

import string

_YES = frozenset("yes yeah yep true 是 是的 有 包含 可以 能 会 正常".split())
_NO = frozenset("no nope false 否 不是 没有 无 不包含 不能 不会 不可以 不正常 异常".split())
_BRACKETS = {"(": ")", "\uff08": "\uff09"}
_CHINESE_MARKS = (
    "\uff01\uff1f\uff61\u3002\uff02\uff03\uff04\uff05\uff06\uff07\uff08\uff09\uff0a\uff0b\uff0c\uff0d\uff0f\uff1a"
    "\uff1b\uff1c\uff1d\uff1e\uff20\uff3b\uff3c\uff3d\uff3e\uff3f\uff40\uff5b\uff5c\uff5d\uff5e\u3001\u300a\u300b"
    "\u3010\u3011"
)
_MARKS = str.maketrans(dict.fromkeys(string.punctuation + _CHINESE_MARKS, " "))


def slake_equal(reference: str, answer: str) -> bool:
    """Return whether both are equal after the tasks' normalisation; nothing is never right."""
    return normalised(reference) == normalised(answer) != ""


def normalised(text: str) -> str:
    """Return `text` as the tasks compare it."""
    bare = " ".join(_without_brackets(text.strip().lower()).translate(_MARKS).split())
    if bare in ("x ray", "xray"):
        return "xray"
    return "yes" if bare in _YES else "no" if bare in _NO else bare


def _without_brackets(text: str) -> str:
    """Return `text` with a space for each bracket and what it holds, up to the first that closes it."""
    closing, kept, start = dict(_BRACKETS), [], 0
    for place, mark in enumerate(text):
        if place < start or mark not in closing:
            continue
        end = text.find(closing[mark], place)
        if end < 0:  # nor does any later one of its kind close
            del closing[mark]
            continue
        kept.append(text[start:place])
        start = end + 1
    return " ".join([*kept, text[start:]])
