"""The kinds of token of the Penn Treebank tokenizer, as patterns and what becomes of each match."""

# ruff: noqa: RUF001 - the marks are what it is about

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pefomed.metrics.captions import ptb_words as words


class Pattern(NamedTuple):
    """A kind of token: its group 1 is the token, what is matched behind it is context that must follow."""

    regex: re.Pattern[str]
    tokens: Callable[[str], Iterable[str]]


def longest(patterns: tuple[Pattern, ...], line: str, place: int) -> tuple[Iterable[str], int]:
    """Return the tokens at `place` and where they end."""
    best: re.Match[str] | None = None
    make: Callable[[str], Iterable[str]] = _nothing
    for regex, tokens in patterns:
        match = regex.match(line, place)
        if match is not None and (best is None or match.end() > best.end()):
            best, make = match, tokens
    if best is None:  # what the program has no token for, e.g. a control character or an emoji
        return (), place + 1
    return make(best[1]), best.end(1)


def _itself(text: str) -> Iterable[str]:
    return (text,)


def _nothing(text: str) -> Iterable[str]:
    return ()


def _split_word(text: str) -> Iterable[str]:
    first = words.SPLIT_WORDS[text.lower().replace("’", "'").replace("\x92", "'")]
    return text[:first], text[first:]


def _plain_apostrophe(text: str) -> Iterable[str]:
    return (re.sub("[\x92’]|&apos;", "'", text),)


def _bracketed(text: str) -> Iterable[str]:
    """Return the text with its brackets as words, and its spaces as no-break spaces."""
    return (text.replace("(", "-lrb-").replace(")", "-rrb-").replace(" ", "\xa0"),)


def _joined(text: str) -> Iterable[str]:
    return (text.replace(" ", "\xa0").replace("\u2044", "/"),)


def _hyphens(text: str) -> Iterable[str]:
    return ("-" if len(text) == 1 else "--" if len(text) <= 4 else text,)


def _quotes(text: str) -> Iterable[str]:
    return ("".join(_QUOTES.get(char, char) for char in text),)


_QUOTES = {
    "\x91": "`", "\x92": "'", "\x93": "``", "\x94": "''", "‘": "`", "’": "'", "‛": "`", "“": "``", "”": "''",
    "‹": "`", "›": "'", "«": "``", "»": "''",
}  # fmt: skip


def _mark(text: str) -> Iterable[str]:
    return (_MARKS[text],)


_MARKS = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
    "£": "#", "€": "$", "¢": "cents", "\x80": "$", "¤": "$", "₠": "$",
    "½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3",
    "&amp;": "&", "&lt;": "<", "&gt;": ">",
}  # fmt: skip


@functools.cache
def patterns() -> tuple[Pattern, ...]:
    # A soft hyphen is part of a word, and dropped.
    alnum, others = "0-9A-Za-z\xad" + _inside(words.LETTERS_AND_DIGITS), _characters(words.LETTERS_AND_DIGITS)
    digit = "0-9" + "".join(char for char in others if char.isdecimal())
    letter = f"(?:(?![{digit}])[{alnum}]|&[aeiouAEIOU](?:acute|grave|uml);)"
    alnum, digit = f"[{alnum}]", f"[{digit}]"
    hyphen = "[-\u058a\u2010\u2011]"
    apos = "(?:['\x92’]|&apos;)"
    tick = "(?:['\x91\x92‘’`]|&apos;)"
    word = f"{letter}(?:{letter}|{digit})*(?:[.!?]{letter}(?:{letter}|{digit})*)*"
    number = r"(?:[0-9]*(?:[.:,\xad\u066b\u066c][0-9]+)+|[0-9]+)".replace("[0-9]", digit)
    ends = f"{apos}(?:[msdMSD]|[rR][eE]|[vV][eE]|[lL][lL])"
    any_case = functools.partial(_one_of, flags="(?i:{})")
    capital = "|".join(f"[{w[0].upper()}](?i:{w[1:]})" for w in sorted(words.CAPITAL_ABBREVIATIONS))
    starts = "|".join(sorted({re.escape(form) for w in words.SENTENCE_STARTS for form in (w, w.upper())}))
    spaces = r"[ \t\xa0\n]"
    rows: list[tuple[str, Callable[[str], Iterable[str]]]] = [
        # Contractions and words of two tokens.
        (
            f"((?i:{'|'.join(w for w in words.SPLIT_WORDS if w[0] != chr(39))}))(?!{alnum})[\\s\\S]",
            _split_word,
        ),
        (f"({apos}[tT](?:[iI][sS]|[wW][aA][sS]))", _split_word),
        (f"({word}){ends}", _itself),
        (f"([A-Za-z]+?)[nN](?:{apos}|`)[tT]", _itself),
        (f"([nN](?:{apos}|`)[tT])", _plain_apostrophe),
        (f"({ends})[^A-Za-z]", _plain_apostrophe),
        # Words with apostrophes, which stay as they are written.
        (f"({apos}[nN]{apos}?|[lLdDjJ]{apos})", _itself),
        (f"([yY]{apos}){letter}", _itself),
        (f"([dDoOlL]{tick}{alnum}{{2,}}|[A-HJ-XZn]{tick}{letter}{{2,}})", _itself),
        (f"({letter}+[aeiouyAEIOUY]{tick}[aeiouA-Z]{letter}*)", _itself),
        (f"({apos}[2-9]0s|{apos}[0-9][0-9](?={spaces}))", _itself),
        ("(" + "|".join(f"(?i:{re.escape(w)})".replace("'", apos) for w in words.LITERALS) + ")", _itself),
        (r"(')[A-Za-z][^ \t\n]", _nothing),
        (f"({ends})", _plain_apostrophe),
        # Abbreviations.
        (f"((?:{any_case(words.FINAL_ABBREVIATIONS)}|(?i:ph\\.d))\\.)[\\s\\S]", _itself),
        (f"((?:{any_case(words.ABBREVIATIONS)}|{capital})\\.)", _itself),
        (f"({any_case(words.BEFORE_NUMBERS)}\\.)[ \\t]?{digit}", _itself),
        (f"([A-Za-z])\\.{spaces}+(?:(?:{starts}){spaces}|{_TAG})", _itself),
        (r"([A-Za-z](?:\.[A-Za-z])*\.)", _itself),
        (f"((?:{word}|{alnum}+(?:[_-]{alnum}+)*)\\.)[,;:\u3001]", _itself),
        # Addresses and file names.
        (r"(https?://[^ \t\n\f\r\"<>|(){}]+[^ \t\n\f\r\"<>|.!?(){},-])", _itself),
        (
            r"((?:www\.(?:[^ \t\n\f\r\"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}|(?:[^ \t\n\f\r\"`'<>|.!?(){}$,-_]+\.)+"
            r"(?:com|net|org|edu))(?:/[^ \t\n\f\r\"<>|()]+[^ \t\n\f\r\"<>|.!?(){},-])?)",
            _itself,
        ),
        (
            r"(<?[A-Za-z0-9][^ \t\n\f\r\"<>|(){}\xa0]*@(?:[^ \t\n\f\r\"<>|(){}.\xa0]+\.)*"
            r"[^ \t\n\f\r\"<>|(){}.\xa0]+>?)",
            _itself,
        ),
        (f"(@[A-Za-z_][A-Za-z0-9_]*|#{letter}+|[CcFf]#|[Cc]\\+\\+)", _itself),
        (f"({alnum}+(?:\\.{alnum}+)*\\.(?i:{'|'.join(words.FILE_ENDINGS)}))(?:[ \\t\\xa0\\n.?!,])", _itself),
        # Words and numbers with hyphens and slashes.
        (f"({word})", _itself),
        (r"((?:[0-9]{1,4}[- \xa0])?[0-9]{1,4}(?:\\?/|\u2044)[0-9]{1,4})", _joined),
        (r"([0-9]{1,2}[-/][0-9]{1,2}[-/][0-9]{2,4})", _itself),
        (
            r"((?:\([0-9]{2,3}\)[ \xa0]?|(?:\+\+?)?(?:[0-9]{2,4}[- \xa0])?[0-9]{2,4}[- \xa0])"
            r"[0-9]{3,4}[- \xa0]?[0-9]{3,5}|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})",
            _bracketed,
        ),
        (f"({alnum}(?:{alnum}|\\.|,(?={alnum}|-[A-Za-z0-9]))*(?:{hyphen}{alnum}+)+)", _itself),
        (r"([A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2})", _itself),
        (r"([A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+)", lambda text: (text.replace("&amp;", "&"),)),
        (f"({alnum}+(?:[_-]{alnum}+)*)", _itself),
        (f"([-+]?{number})", _itself),
        (r"([\u207a\u207b\u208a\u208b]?(?:[\u2070\xb9\xb2\xb3\u2074-\u2079]+|[\u2080-\u2089]+))", _itself),
        (r"([A-Z]*\$)", _itself),
        # Marks.
        (f"({_TAG})", _joined),
        (r"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])(?=[^A-Za-z0-9])", _bracketed),
        (r"([-^x=~<>']_[-^x=~<>'])", _itself),
        (r"(-+)", _hyphens),
        (r"(-(?i:[LR][RCS]B)-|<<|>>)", _itself),
        (r"(\.{3,5}|(?:\.[ \xa0]){2,4}\.|[\x85\u2026])", lambda text: ("...",)),
        (r"([?!]+|\*+|(?:\\\*){1,3}|_+|@+|#+)", _itself),
        (r"(&(?:[mn]dash|MD);|[\x96\x97\u2013\u2014\u2015])", lambda text: ("--",)),
        ("(" + "|".join(map(re.escape, _MARKS)) + ")", _mark),
        ("(&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);)", _itself),
        ("([`\x91-\x94\u2018-\u201d‹›«»]{1,2})", _quotes),
        ("(&nbsp;|&quot;|&apos;|''|[\"'.,:;])", _nothing),
        (f"([!-~{_inside(words.SYMBOLS)}])", _itself),
    ]
    return tuple(Pattern(re.compile(regex), tokens) for regex, tokens in rows)


_TAG = (
    r"<(?:[!?][A-Za-z-][^>\r\n]*|/?[A-Za-z][A-Za-z0-9_:.-]*"
    r"(?: +(?:[A-Za-z][A-Za-z0-9_:.-]*(?: *= *(?:'[^'\n]*'|\"[^\"\n]*\"))?))* */? *)>"
)


def _one_of(items: Iterable[str], flags: str) -> str:
    return flags.format("|".join(sorted(items, key=lambda item: (-len(item), item))))


def _inside(ranges: str) -> str:
    """Return ranges of code points, `c0-d6 d8`, as the inside of a character class."""
    return (
        re.sub("[0-9a-f]+", lambda code: f"\\u{int(code[0], 16):04x}", ranges)
        .replace(" ", "")
        .replace("\n", "")
    )


def _characters(ranges: str) -> str:
    """Return the characters of ranges of code points, `c0-d6 d8`."""
    characters: list[str] = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        characters += map(chr, range(int(first, 16), int(last or first, 16) + 1))
    return "".join(characters)
