"""Two normalisations of an answer: `plain` (case and spaces) and `vqa_style` (the VQA challenge's).

`vqa_style` follows the official evaluation of the VQA challenge (Antol et al., ICCV 2015;
https://github.com/GT-Vision-Lab/VQA, PythonEvaluationTools/vqaEvaluation/vqaEval.py) as it behaves:
punctuation, full stops, number words, articles, contractions, in this order. Its table entries with
capitals are left out, as they never apply (words are lower-cased before they are looked up).
Three differences: every full stop goes, not the first 32 only, `x ray` = `x-ray` = `xray`, and composed and
decomposed letters are the same.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["ARTICLES", "CONTRACTIONS", "NUMBERS", "plain", "vqa_challenge", "vqa_style"]


def plain(text: str) -> str:
    """Return `text` in lower case and NFC, without surrounding and with single inner spaces."""
    # A letter and its accent are one character or two, as the keyboard had it.
    return " ".join(unicodedata.normalize("NFC", text.lower()).split())


def vqa_style(text: str) -> str:
    """Return `text` normalised as in the VQA challenge, and `x ray`, `x-ray` as `xray`.

    A text of articles and punctuation only becomes empty; `exact_match_vqa` sees to that.
    """
    return _X_RAY.sub("xray", vqa_challenge(text))


def vqa_challenge(text: str) -> str:
    """Return `text` normalised as in the VQA challenge; empty of articles and punctuation only."""
    words = _without_punctuation(plain(text)).split()
    words = [NUMBERS.get(word, word) for word in words]
    words = [CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES]
    return " ".join(words)


def _without_punctuation(text: str) -> str:
    joined = text
    # `1,000` is one number: where a comma stands between digits every mark is removed without a space.
    has_thousands = _THOUSANDS.search(text) is not None
    for mark in _PUNCTUATION:
        at_a_space = f"{mark} " in text or f" {mark}" in text
        joined = joined.replace(mark, "" if at_a_space or has_thousands else " ")
    return _FULL_STOP.sub("", joined)


ARTICLES = frozenset({"a", "an", "the"})

NUMBERS = {
    "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}  # fmt: skip

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'

_FULL_STOP = re.compile(r"\.(?!\d)")
_THOUSANDS = re.compile(r"\d,\d")
_X_RAY = re.compile(r"(?<!\S)x ray(?=s?(?:\s|$))")

_CONTRACTED = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't
    he'd he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've
    must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't
    shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll someone's
    something'd something'd've something'll that's there'd there'd've there're there's they'd they'd've
    they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's
    where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've
""".split()

# The official table is each of these with one apostrophe left out -> in full, and one odd entry.
CONTRACTIONS = {
    word[:place] + word[place + 1 :]: word
    for word in _CONTRACTED
    for place, letter in enumerate(word)
    if letter == "'"
} | {"somebody'd": "somebodyd"}
