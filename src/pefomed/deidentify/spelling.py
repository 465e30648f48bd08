"""The ways one part of a name is written, as a pattern over folded letters, and where it may be parted.

Beyond doubt are the letters that writers and machines without them put in their place: ä, ae and a; ö, ø, oe
and o; ü, ue and u; å, aa and a; ō, ou, oo, oh and o; ū, uu and u; in names of six letters or more also ae, oe
and ue where the header has a, o or u, and the other way round (Muller and Mueller, but not Po and Poe).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pefomed.deidentify.folding import Edge, FoldedText, fold

_LONG = 6
_MARKED = {
    "ä": "ä|ae|[aå]", "ö": "ö|oe|[oō]", "ü": "ü|ue|[uū]", "å": "å|aa|[aä]", "ō": "ō|ou|oo|oh|[oö]",
    "ū": "ū|uu|[uü]",
}  # fmt: skip
_TWO = {"ae": "ae|ä", "oe": "oe|ö", "ue": "ue|ü", "aa": "aa|å", "ou": "ou|ō", "oo": "oo|ō", "uu": "uu|ū"}
_PLAIN = {"a": "[aäå]", "o": "[oöō]", "u": "[uüū]"}
# First syllables of names that are also written apart from the rest: Mac Donald, Van Dyke, Abd Allah.
_BEFORE = re.compile(
    "(?:mac|mc|van|von|de|de[lrn]|di|du|la|le|al|el|abu|abd|abdel|abdul|ben|bin|ibn|bar|fitz|saint|st|o|d|l|عبد|ابو|بن|ال|בן|בר|בת)"
)
_LAST = re.compile(r"\(\?:([^()]*)\)$")


@dataclass(frozen=True)
class NamePart:
    """One part of a name or place."""

    letters: str
    """As folded."""
    script: str
    patterns: tuple[re.Pattern[str], ...]
    """Each finds every place where it begins; each group is a piece that a gap may stand behind.

    Where the last letter is written with one or two, the first pattern prefers two and the second one.
    """


def spelling(part: str) -> NamePart | None:
    """Return how `part` is written; None if it has no letter."""
    word = fold(part)
    if not word.letters or all(script == "DIGIT" for script in word.scripts):
        return None
    pieces = _pieces(word)
    long = len(word.letters) >= _LONG
    written = [_written(piece, long) for piece in pieces]
    shorter = [
        *written[:-1],
        _LAST.sub(lambda last: f"(?:{'|'.join(reversed(last[1].split('|')))})", written[-1]),
    ]
    patterns = dict.fromkeys("".join(f"({piece})" for piece in each) for each in (written, shorter))
    scripts = [script for script in word.scripts if script != "DIGIT"]
    # A name of kanji and kana is found as one of kanji.
    script = "CJK" if "CJK" in scripts else max(scripts, key=scripts.count)
    return NamePart(word.letters, script, tuple(re.compile(f"(?={each})") for each in patterns))


def _pieces(word: FoldedText) -> list[str]:
    """Return the letters, parted where the name itself is, or may be."""
    cuts = [
        0,
        *(place for place in range(1, len(word.letters)) if word.edges[place] in (Edge.CASE, Edge.GAP)),
    ]
    if len(cuts) == 1:
        for end in range(6, 0, -1):
            if _BEFORE.fullmatch(word.letters[:end]) and len(word.letters) - end >= 4:
                cuts.append(end)
                break
    return [word.letters[start:end] for start, end in zip(cuts, [*cuts[1:], len(word.letters)], strict=True)]


def _written(letters: str, long: bool) -> str:
    """Return the pattern of one piece."""
    pattern, place = "", 0
    while place < len(letters):
        two, one = letters[place : place + 2], letters[place]
        if two in _TWO:
            plain = f"|{one}" if long and two in ("ae", "oe", "ue") else ""
            pattern += f"(?:{_TWO[two]}{plain})"
            place += 2
            continue
        if one in _MARKED:
            pattern += f"(?:{_MARKED[one]})"
        elif one in _PLAIN:
            pattern += f"(?:{one}e|{_PLAIN[one]})" if long else _PLAIN[one]
        else:
            pattern += re.escape(one)
        place += 1
    return pattern
