"""What a reply says once a model's thinking is taken off: tags, channels, and signs that nobody sees.

Only a thought that is closed is taken off, so that a cut one is never taken for the reply. A closing tag
alone ends a thought too: many prompts open it themselves.
"""

from __future__ import annotations

import re


def without_thoughts(text: str) -> str:
    """Return a reply without the thoughts in front of it, as it stands if they do not end."""
    text = _bare(text)
    if final := _CHANNELS.fullmatch(text):
        return _bare(final["final"])
    while closed := _TAGGED.match(text) or _ONLY_CLOSED.match(text):
        text = _bare(text[closed.end() :])
    return text


def _bare(text: str) -> str:
    """Return `text` without what nobody sees around it, and without tokens that end a turn."""
    before = None
    while before != text:
        before = text
        text = _END_OF_TURN.sub("", text.strip().strip(_UNSEEN))
    return text


_UNSEEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad"
_END_OF_TURN = re.compile(
    r"(?:<\|(?:im_end|eot_id|end_of_text|endoftext|end|return)\|>|</s>|<eos>|<end_of_turn>)\Z", re.IGNORECASE
)
_TAG = r"think(?:ing)?|thought|reasoning"
_OPEN = rf"<(?:{_TAG})>|\[(?:{_TAG})\]|\u25c1think\u25b7"
_TAGGED = re.compile(
    rf"<(?P<tag>{_TAG})>.*?</(?P=tag)>|\[(?P<square>{_TAG})\].*?\[/(?P=square)\]|\u25c1think\u25b7.*?\u25c1/think\u25b7",
    re.DOTALL | re.IGNORECASE,
)
_ONLY_CLOSED = re.compile(
    rf"(?:(?!{_OPEN}).)*?(?:</(?:{_TAG})>|\[/(?:{_TAG})\]|\u25c1/think\u25b7)", re.DOTALL | re.IGNORECASE
)
# OpenAI's Harmony: any number of channels that are not for the user, then one that is.
_CHANNELS = re.compile(
    r"(?:(?:<\|start\|>assistant)?(?:<\|channel\|>)?(?:analysis|commentary)[^<>]*<\|message\|>"
    r"(?:(?!<\|(?:end|channel|start)\|>).)*<\|end\|>\s*)*"
    r"(?:<\|start\|>assistant)?<\|channel\|>final[^<>]*(?:<\|constrain\|>\w+)?<\|message\|>"
    r"(?P<final>(?:(?!<\|(?:end|channel|start|message)\|>).)*)",
    re.DOTALL,
)
