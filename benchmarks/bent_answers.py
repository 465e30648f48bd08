"""Answers to test questions, made of their references by fixed rules: right, wrong, and said in other ways.

So that rules of scoring part: other case and marks, sentences, repetitions, hedges, numerals, wrong ones, and
in Chinese full width and other words for yes and no. No chance is involved.
"""

from __future__ import annotations

from collections.abc import Sequence


def bent_answers(references: Sequence[str]) -> list[str]:
    """Return an answer for each reference, by its place."""
    return [_bent(place, text, references) for place, text in enumerate(references)]


def _bent(place: int, text: str, references: Sequence[str]) -> str:
    other = references[(place * 7 + 3) % len(references)]
    ways = (
        text, text.upper(), f"{text}.", other, f"The answer is {text}", f"{text}, {other}", text.lower(),
        "normal", f"the {text.replace(',', ', ')}", f"{text} {text}", f"{text} (probably)", "it is not", text,
        f"<answer>{text}</answer>", f"\\boxed{{{text}}}", text.replace(" ", "-"), text.replace("-", " "),
        _NUMBERS.get(text, text),
        _YES_AND_NO.get(text.lower(), text), _wide(text), f"{text}\u3002", "true", text.split(" ")[0],
    )  # fmt: skip
    return ways[place % len(ways)]


def bent_labels(count: int) -> list[int]:
    """Return what a judge says of each answer: every third is wrong."""
    return [int(place % 3 != 0) for place in range(count)]


def _wide(text: str) -> str:
    """Return a text in full-width letters and digits."""
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


_NUMBERS = {"0": "none", "1": "one", "2": "two", "3": "three"}
_YES_AND_NO = {
    "yes": "yeah", "no": "nope", "\u662f": "\u6709", "\u662f\u7684": "\u6b63\u5e38",
    "\u4e0d\u662f": "\u6ca1\u6709",
    "\u5305\u542b": "\u6709", "\u4e0d\u5305\u542b": "\u5426",
}  # fmt: skip
