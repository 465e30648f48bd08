"""What an answer says, apart from how it is written: Unicode forms, Markdown, HTML, case and spaces.

`cleaned` takes away what a chat model's output or a file's encoding adds and what no reader would call a
different answer: `**Yes**`, `<p>Yes</p>`, an `X-ray` with U+2011, curly quotes, a composed or decomposed é,
ligatures, full-width letters, zero-width characters. Unicode's own NFKC and full case folding (Unicode
Standard, section 3.13) do most of it. They would also change what is said, and are kept from that: `10⁶`
becomes `10^6` and not 106, `1½` becomes `1 1/2` and not 11/2. Marks of punctuation stay: metrics differ in
what they do with them.
"""

from __future__ import annotations

import html
import re
import unicodedata

from pefomed.metrics.bare_answer import answer_in


def cleaned(text: str) -> str:
    """Return `text` in case-folded NFKC, one kind of dash and quote, no Markdown, HTML or surplus spaces."""
    shown = _folded(plain_characters(text))
    text, line = answer_in(text), shown
    for _ in range(_PASSES):  # `&amp;lt;` takes two
        after = _folded(unmarked(plain_characters(text)))
        if after == line:
            break
        line = text = after
    # A text of marks alone (`---`) is what it shows: it must not equal every other such text.
    return line or shown


def unmarked(text: str) -> str:
    """Return `text` without Markdown and HTML, its case and line breaks as they were."""
    for pattern, becomes in _HTML:
        text = pattern.sub(becomes, text)
    text = _ESCAPED_ENTITY.sub("&", text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _HEADING.sub(_without_closing, text)
    for pattern, becomes in _MARKDOWN:
        text = pattern.sub(becomes, text)
    return text


def plain_characters(text: str) -> str:
    """Return `text` in NFKC with one kind of dash, quote and space, without characters that show nothing."""
    if text.isascii():
        return text
    for pattern, becomes in _RAISED:
        text = pattern.sub(becomes, text)
    text = unicodedata.normalize("NFKC", text.translate(_ONE_KIND))
    return "".join(each for each in text.translate(_ONE_KIND) if not _is_hidden(each))


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())


def _is_hidden(character: str) -> bool:
    # Zero-width spaces and joiners, byte-order marks, soft hyphens, directions; variation selectors.
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


# Before NFKC, which makes a space and an accent of \u00b4, `no` of `№`, and a fraction slash in `½`.
_ONE_KIND = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc\uff07", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u300c\u300d\u300e\u300f\uff02", '"')
    | {"\u2116": "nr", "\u2044": "/", "\u2215": "/", "\u00d7": "x"}
)

_RAISED = (
    (re.compile("(?<=\\d)([⁺⁻]?)([⁰¹²³⁴-⁹]+)"), r"^\1\2"),
    (re.compile("(?<=\\d)(?=[¼-¾⅐-⅞])"), " "),
)

_PASSES = 8
_ESCAPED_ENTITY = re.compile(r"&(?:amp;)+(?=\w+;)")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")

# Known tags only, and attributes only with `=`: `a <b and c> d` compares.
_ATTRIBUTES = r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>\"']+))*\s*/?>"
_BLOCKS = "p|br|div|ul|ol|li|h[1-6]|pre|tr|td|th|table|tbody|thead|hr|blockquote|html|body|answer|section"
_INLINE = "b|i|em|strong|u|span|a|s|small|mark|font|center|code|sub|tt"
_HTML = (
    (re.compile(r"<!--(?:(?!<!--).)*?-->", re.DOTALL), " "),
    (re.compile(rf"(?<=\d)<sup{_ATTRIBUTES}", re.IGNORECASE), "^"),
    (re.compile(rf"</?(?:{_BLOCKS}){_ATTRIBUTES}", re.IGNORECASE), "\n"),
    (re.compile(rf"</?(?:{_INLINE}|sup){_ATTRIBUTES}", re.IGNORECASE), ""),
)

_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+(.*)$", re.MULTILINE)


def _without_closing(match: re.Match[str]) -> str:
    """Return a heading's text without the `#` that may close it."""
    text = match[1].rstrip(" \t")
    bare = text.rstrip("#")
    return bare.rstrip(" \t") if bare != text and bare[-1:] in ("", " ", "\t") else text


_MARKDOWN = (
    (re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"```"), " "),
    (re.compile(r"(?<=\w)`(?=\w)"), "'"),  # Crohn`s
    (re.compile(r"`+"), ""),
    (re.compile(r"!?\[([^\[\]]*)\]\((?:https?:|/|\.|#|mailto:)[^()\s]*(?:\s+\"[^\"]*\")?\)"), r"\1"),
    # A list's mark, but not the sign of a number: `- 600`.
    (re.compile(r"^[ \t]*[-*+\u2022\u2023\u25e6\u2043][ \t]+(?=[^\s\d.,])", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE), ""),
    (re.compile(r"(?<!\d)\*{2,}|\*{2,}(?!\d)"), ""),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)(_{1,3})(?=[^\s_])([^\n]{0,300}?[^\s_])\1(?!\w)"), r"\2"),
    (re.compile(r"(?<!\\)\\+([*_`#\[\]()<>~+\-.!|%$&])"), r"\1"),
)
