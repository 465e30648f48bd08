"""Likely names, dates and numbers in free text, found by what the file itself says and by their form.

What the same file gives as a name, number, date or place is the surest: it is looked for word by word.
Forms find the rest; they miss some and take some that are harmless. This is a help for a person who
reads the texts, not a proof that nobody is named in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MONTHS = (
    "jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[eé]vrier|mar(?:ch|s)?|m[aä]rz|apr(?:il)?|avril|ma[iy]|jun[ei]?|juin"
    "|jul[iy]?|juillet|aug(?:ust)?|ao[uû]t|sep(?:t|tember|tembre)?|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?"
    "|de[cz](?:ember)?|d[eé]cembre"
)
TITLES = (
    "dr|prof|pd|mr|mrs|ms|miss|herrn?|frau|mme|mlle|monsieur|madame|sr|sra|se[nñ]ora?|dipl\\.-?med|m\\.?d"
)
_NAME = r"[A-ZÀ-ÖØ-Þ][\wÀ-ÿ'’-]+"  # noqa: RUF001

FORMS: dict[str, re.Pattern[str]] = {
    "mail": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|https?://\S+|www\.\S+"),
    "date": re.compile(
        r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b(?:19|20)\d{2}[01]\d[0-3]\d\b"
        rf"|\b\d{{1,2}}\.?\s*(?:{MONTHS})\b\.?,?\s*(?:\d{{2,4}}\b)?|\b(?:{MONTHS})\.?\s+\d{{1,2}},?\s+\d{{4}}\b",
        re.IGNORECASE,
    ),
    "time": re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b"),
    "number": re.compile(r"\+?\b\d(?:[\s/()-]{0,2}\d){5,}\b|\b[A-Z]{1,4}[-_]?\d{5,}\b"),
    "name": re.compile(
        rf"\b(?:(?i:{TITLES})\b\.?\s*)+(?:{_NAME}(?:\s+|\b)){{1,3}}|\b{_NAME}\^{_NAME}(?:\^\w*)*|\b[A-Z]+\^[A-Z]+\b"
    ),
    # Also "Thorax, Abdomen": noted for the reader, left in the text.
    "name?": re.compile(rf"\b{_NAME}, {_NAME}\b"),
}
"""Kind -> what it looks like. A kind with a question mark is noted and not masked."""


@dataclass(frozen=True)
class Finding:
    """One place in a text."""

    kind: str
    text: str


def searched(text: str, known: Iterable[str] = ()) -> tuple[str, tuple[Finding, ...]]:
    """Return the text with what was found masked, as `[name]` or `[date]`, and what it was.

    Args:
        known: names, numbers and places that the same file gives elsewhere.
    """
    findings: list[Finding] = []

    def masked(kind: str) -> str:
        return f"[{kind}]"

    words = sorted({word for word in known if len(word) > 2}, key=len, reverse=True)
    if words:
        pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.IGNORECASE)
        findings += [Finding("known", found) for found in pattern.findall(text)]
        text = pattern.sub(masked("known"), text)
    for kind, pattern in FORMS.items():
        findings += [Finding(kind, found.group()) for found in pattern.finditer(text)]
        if not kind.endswith("?"):
            text = pattern.sub(masked(kind), text)
    return text, tuple(findings)
