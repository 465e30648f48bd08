"""What a reply says once a model's thinking is taken off: tags, channels, and signs that nobody sees.

Only a thought that is closed is taken off, so that a cut one is never taken for the reply. A closing tag
alone ends a thought too: many prompts open it themselves.
"""

from __future__ import annotations

import re


def without_thoughts(text: str) -> str:
    """Return a reply without the thoughts in front of it, as it stands if they do not end."""
    text = _bare(text)
    if final := _CHANNELS.fullmatch(text) or _CHANNELS_BARE.fullmatch(text):
        return _bare(final["final"])
    while closed := _TAGGED.match(text) or _ONLY_CLOSED.match(text):
        text = _bare(text[closed.end() :])
    for begins, ends in _SPOKEN:
        if text.startswith(begins) and text.endswith(ends):
            text = _bare(text[len(begins) : -len(ends)])
    return text


def _bare(text: str) -> str:
    """Return `text` without the tokens that begin and end a turn, and without what nobody sees around it."""
    # By places, not by cutting: a text of nothing else is read once.
    start, end = 0, len(text)
    while start < end:
        if text[start] in _UNSEEN or text[start].isspace():
            start += 1
        elif beginning := _START_OF_TURN.match(text, start, end):
            start = beginning.end()
        else:
            break
    while end > start:
        if text[end - 1] in _UNSEEN or text[end - 1].isspace():
            end -= 1
        elif text[end - 1] == ">" and (
            ended := _END_OF_TURN.fullmatch(text, max(start, text.rfind("<", start, end)), end)
        ):
            end = ended.start()
        else:
            break
    return text[start:end]


_UNSEEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad"
_START_OF_TURN = re.compile(
    r"<\|im_start\|>(?:assistant\b\s*)?|<\|start_header_id\|>assistant<\|end_header_id\|>|<\|begin_of_text\|>|<\|assistant\|>"
    r"|<start_of_turn>(?:model\b\s*)?|<s>(?!.*</s>.)|<bos>",
    re.IGNORECASE,
)
_END_OF_TURN = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|end_of_text|endoftext|end_of_turn|end|return|eos|eos_token)\|>|</s>|<eos>"
    r"|<end_of_turn>|<end_of_utterance>|<\uff5cend\u2581of\u2581sentence\uff5c>|<\|end\u2581of\u2581sentence\|>|<seed:eos>",
    re.IGNORECASE,
)
_TAG = r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis)"
_PAIRS = (
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|think(?:ing)?\|>", r"<\|/think(?:ing)?\|>"),
    (r"<unused94>thought", r"<unused95>"),
)
_OPEN = rf"<{_TAG}\s*>|\[(?:{_TAG})\]|" + "|".join(opening for opening, _ in _PAIRS)
_CLOSE = rf"</{_TAG}\s*>|\[/(?:{_TAG})\]|" + "|".join(closing for _, closing in _PAIRS)
_TAGGED = re.compile(
    rf"<(?P<tag>{_TAG})\s*>.*?</(?P=tag)\s*>|\[(?P<square>{_TAG})\].*?\[/(?P=square)\]|<{_TAG}\s*/>|"
    + "|".join(f"{opening}.*?{closing}" for opening, closing in _PAIRS),
    re.DOTALL | re.IGNORECASE,
)
_ONLY_CLOSED = re.compile(rf"(?:(?!{_OPEN}).)*?(?:{_CLOSE})", re.DOTALL | re.IGNORECASE)
_SPOKEN = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
)
"""What stands around the reply itself, behind such thoughts."""

# OpenAI's Harmony: any number of channels that are not for the user, then one that is.
_CHANNELS = re.compile(
    r"(?:(?:<\|start\|>assistant)?(?:<\|channel\|>)?(?:analysis|commentary)[^<>]*<\|message\|>"
    r"(?:(?!<\|(?:end|channel|start)\|>).)*<\|end\|>\s*)*"
    r"(?:<\|start\|>assistant)?<\|channel\|>final[^<>]*(?:<\|constrain\|>\w+)?<\|message\|>"
    r"(?P<final>(?:(?!<\|(?:end|channel|start|message)\|>).)*)",
    re.DOTALL,
)
# The same where a server drops the tokens and keeps the channels' names.
_CHANNELS_BARE = re.compile(
    r"analysis(?:(?!assistantfinal).)*assistantfinal(?P<final>(?:(?!assistantfinal).)*)", re.DOTALL
)
