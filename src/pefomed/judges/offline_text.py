"""A text as it reads: HTML, Markdown and Unicode's many forms of one sign are taken off, meaning is not.

Nothing that carries meaning goes: `<`, `>`, `±`, a minus, a raised 2, a fraction stay what they are. Two
texts that are equal after this and without case are the same text, in whatever language.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

from pefomed.metrics.bare_answer import answer_in


@lru_cache(maxsize=1 << 14)
def readable(text: str) -> str:
    """Return `text` in its own case, one space between words, with plain marks (NFKC, `'`, `"`, `-`)."""
    text = _HTML.sub(_what_html_means, html.unescape(html.unescape(answer_in(text))))
    text = _BACKTICK.sub("'", text).replace("`", "").translate(_FORMS)
    text = _RAISED.sub(
        lambda found: f"{'^' if found[1] is None else ''}{unicodedata.normalize('NFKC', found[2])}", text
    )
    # One and a half is no 11/2.
    text = _FRACTION.sub(lambda found: f" {unicodedata.normalize('NFKC', found[0])}", text)
    text = unicodedata.normalize("NFKC", text).translate(_FORMS)
    text = "".join(_digit(letter) for letter in text)
    text = _DASH_BETWEEN_WORDS.sub(", ", text).translate(_DASHES)
    for _ in range(2):  # **_bold and slanted_**
        text = _EMPHASIS.sub(r"\2", text)
    text = _HEADING_OR_BULLET.sub("", text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


@lru_cache(maxsize=1 << 14)
def key_of(text: str) -> str:
    """Return what is equal for the same text: without case, quotes around it and a full stop at its end."""
    flat = " ".join(readable(text).split()).casefold()
    bare = flat.rstrip(".!\u3002 ")
    while len(bare) > 2 and bare[0] == bare[-1] and bare[0] in "\"'":
        bare = bare[1:-1].strip().rstrip(".!\u3002 ")
    return bare or flat


def _what_html_means(found: re.Match[str]) -> str:
    name = found[1].lower()
    return {"sup": "^" if not found[0].startswith("</") else "", "sub": ""}.get(name, " ")


def _digit(letter: str) -> str:
    """Return 3 for a three of another script's digits."""
    return str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter


_HTML = re.compile(
    r"</?(p|br|b|i|u|s|em|strong|div|span|sub|sup|code|pre|ul|ol|li|h[1-6]|table|tr|td|th|tbody|thead|font|small"
    r"|big|mark|blockquote|a|hr|answer|final|response|html|body|center)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""Only what is HTML beyond doubt: `x <5 and y> 3` holds no tag."""

_FORMS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f", '"'),
        **dict.fromkeys("\u2264\u2266\u2a7d\u2272", "\u2264"),
        **dict.fromkeys("\u2265\u2267\u2a7e\u2273", "\u2265"),
        **dict.fromkeys("\u2044\u2215\u29f8", "/"),
        **dict.fromkeys("\u2236\ua789", ":"),
        **dict.fromkeys("\u00b5", "\u03bc"),
        **dict.fromkeys("\u00d7\u2715\u2a09", "\u00d7"),
        **dict.fromkeys("\u223c\u02dc\u2248\u2243\u2245", "~"),
        # Seen by nobody: byte order marks, soft hyphens, joiners, directions.
        **dict.fromkeys("\ufeff\u200b\u2060\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e", None),
        **dict.fromkeys("\u2066\u2067\u2068\u2069\ufe0e\ufe0f", None),
    }
)
_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u2796\ufe58\ufe63\uff0d", "-")
)
_RAISED = re.compile(
    "(?:(?<=[^\\W\\d_])()(?![\u207b]))?([\u207a\u207b]?[\u00b2\u00b3\u00b9\u2070\u2074-\u2079]+)"
)
_FRACTION = re.compile("[\u00bc-\u00be\u2150-\u215e\u2189]")
_DASH_BETWEEN_WORDS = re.compile(
    r"(?<=[^\W\d])\s*[\u2014\u2015]\s*(?=[^\W\d])|(?<=[^\W\d])\s+\u2013\s+(?=[^\W\d])"
)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=\S)([^*_\n]+?)(?<=\S)\1(?![\w*])")
_BACKTICK = re.compile(r"(?<=[^\W\d])`(?=[^\W\d])")
_HEADING_OR_BULLET = re.compile(r"^[ \t]*(?:#{1,6}|[-*\u2022\u25cf\u25aa])[ \t]+(?=[^\W\d])", re.MULTILINE)
