"""Left and right in an English text exchanged, as a mirrored picture needs it.

A text is refused (None) where that cannot be decided: sides in other words (`RUL`, `dextrocardia`, what only
one side of people has), `right` and `left` that mean something else, a side in another language or another
script.
"""

from __future__ import annotations

import re
import unicodedata


def exchanged(text: str) -> str | None:
    """Return `text` with left and right exchanged, each in its own case; None if that cannot be decided."""
    if _UNDECIDED.search(text) or any(_is_foreign(letter) for letter in _SYMBOL.sub("", text)):
        return None
    return _SIDE.sub(lambda found: _cased(found[1], _OTHER[found[1].casefold()]) + found[2], text)


_OTHER = {"left": "right", "right": "left"}
_SIDE = re.compile(r"\b(left|right)(most|wards?|hand|sided|side|)\b", re.IGNORECASE)

_NO_SIDE = (
    r"all right|right (?:away|now|angles?|answers?|diagnos\w+|treatment)|right[ -]?angled?"
    r"|(?:left|right)[- ]?(?:handed|footed|eyed)\w*|(?:is|it|that|this)(?:'s)? right *[?.!]?\s*$"
    r"|left (?:out|over|alone|behind|untreated|unchanged|intact|open|in place|in situ)|leftovers?"
    r"|(?:has|have|had|been|was|were) left|rights"
)
_OTHER_WORDS = (
    r"[lr]|[lr]t|[rl](?:ul|ll|ml|uq|lq|if|uz|mz|lz|v|a|ca|cc|lo|ao|po|mlo|so|ad|bb)|lad|lcx|rcx"
    r"|dextr\w*|la?evo\w*|situs|mirror\w*|marker\w*|(?:anti|counter)?-?clockwise|o'?clock|lingul\w*"
    r"|middle lobes?|starboard|port side|orientation"
    r"|(?:correct|wrong|normal|usual|expected|anatomic\w*) (?:side|position|place|location)"
)
# Common languages in Latin letters; of others a text of questions names its sides in these words rarely.
_OTHER_LANGUAGES = (
    r"link(?:s|e[nrsm]?)|recht(?:s|e[nrsm]?)?|gauches?|droite?s?|izquierd\w*|derech\w*|sinistr\w*|destr[aoie]"
    r"|esquerd\w*|direit\w*|vänst\w*|höger|högra|venstre|højre|høyre|vasen|vasemm\w*|oikea\w*|lew[aeyi]\w*"
    r"|praw[aeyi]\w*|levo?[áéýou]\w*|prav[áéýaou]\w*|stâng\w*|dreapt\w*|bal|jobb|sol|sağ|kiri|kanan|trái|phải"
)
_UNDECIDED = re.compile(
    rf"(?<!\w)(?:{_NO_SIDE}|{_OTHER_WORDS}|{_OTHER_LANGUAGES})(?!\w)|, *right *\?", re.IGNORECASE
)
_SYMBOL = re.compile(r"(?<!\w)[\u0391-\u03c9\u00b5](?!\w)")
"""A Greek letter alone is no language."""


def _is_foreign(letter: str) -> bool:
    return letter.isalpha() and not letter.isascii() and not unicodedata.name(letter, "").startswith("LATIN")


def _cased(like: str, word: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
