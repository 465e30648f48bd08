"""Numbers with their signs and units, each as one token: what differs in any of them is another quantity.

`2 cm` = `20 mm`, `1.50` = `1.5`, `5 to 10 mm` = `5-10 mm`, `50 percent` = `50 %`, `less than 5` = `< 5`.
Converted exactly, and within lengths, areas, volumes, masses, short times, and years and months; ratios and
powers are never worked out (`1/2` is not `2/4`). A comma is decimal (`1,5`), but between a leading group that
does not begin with 0 and groups of three (`1,500`) it parts thousands. `about`, `~`, `=` and `+` before a
number say nothing.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

MARK = "\N{DAGGER}"
"""Begins a quantity's token, which ends at the next space; no word begins so."""


def with_quantities(text: str, unit: str = "") -> str:
    """Return `text`, readable and in lower case, with each quantity as its token.

    Args:
        unit: of numbers that have none, as `unit_named` returns it.
    """
    text = _SPELLED.sub(_in_digits, text.replace(MARK, " "))
    text = _SIGNED.sub(lambda found: "-" if found[1] in ("minus", "negative") else "+", text)
    text = _COUNTED.sub(lambda found: str(_COUNTS.index(found[1] or found[2])), text)
    parts, place = [], 0
    while start := _START.search(text, place):
        parts.append(text[place : start.start()])
        token, place = _read(text, start, unit)
        parts.append(f" {token} ")
    return "".join([*parts, text[place:]])


@lru_cache(maxsize=1 << 12)
def unit_named(question: str) -> str:
    """Return the unit that a question in lower case names (`how many cm`, `how old`), if it is one."""
    named = {_UNITS[word]: word for word in _NAMED_UNIT.findall(question) if len(word) > 1}
    if re.search(r"\bhow old\b|\bage\b", question):
        named[_UNITS["years"]] = "years"
    return next(iter(named.values())) if len(named) == 1 else ""


def _in_digits(found: re.Match[str]) -> str:
    said = {name: word for name, word in found.groupdict().items() if word}
    return str(sum(_NAMED[word] * (100 if name == "hundreds" else 1) for name, word in said.items()))


def _read(text: str, start: re.Match[str], unit: str) -> tuple[str, int]:
    """Return the token of the quantity that starts there, and where it ends."""
    numbers, units, joints, place = [], [], [], start.end()
    number = _NUMBER.match(text, place)
    while number:
        numbers.append(re.sub(r"\s", "", number["number"]))
        units.append(number["unit"])
        place = number.end()
        joint = _JOINT.match(text, place)
        if number := _NUMBER.match(text, joint.end()) if joint else None:
            assert joint is not None
            joints.append(_JOINTS.get(joint["joint"], joint["joint"]))
    # 2 x 3 cm: a unit at the end is everybody's.
    units = [own or units[-1] or unit for own in units]
    behind = _BEHIND.match(text, place)
    before = " ".join((start["before"] or "").split())
    sign = _COMPARED[behind["behind"]] if behind else _COMPARED.get(before, "")
    exact = not set(joints) & set("/:^")
    written = [_with_unit(number, own, exact) for number, own in zip(numbers, units, strict=True)]
    bases = [base for _, base in written]
    one = len(set(bases)) == 1
    values = [value if one else value + base for value, base in written]
    token = values[0] + "".join(joint + value for joint, value in zip(joints, values[1:], strict=True))
    return f"{MARK}{sign}{token}{bases[0] if one else ''}", behind.end() if behind else place


def _with_unit(number: str, unit: str | None, exact: bool) -> tuple[str, str]:
    """Return the number in the base unit, and that unit."""
    first, per, second = (unit or "").partition("/")
    scale, base = _UNITS.get(" ".join(first.split()), (Decimal(1), ""))
    base = f"{base}/{second.replace(' ', '')}" if per else base
    if not exact and scale != 1:
        scale, base = Decimal(1), f"*{scale}{base}"
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number.lstrip("+"))
    if digits.count(".") > 1:
        return sign + digits, base
    digits = digits.replace(",", "") if _THOUSANDS.fullmatch(digits) else digits.replace(",", ".")
    value = Decimal(digits) * scale
    plain = f"{value:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return f"{sign if value else ''}{plain}", base


def _units() -> dict[str, tuple[Decimal, str]]:
    """Return every name of a unit -> how many of which base unit it is."""
    found = {}
    for base, scales in _BASES.items():
        for scale, names in scales.items():
            for name in names.split("|"):
                found[name] = (Decimal(scale), base)
    return found


_BASES: dict[str, dict[str, str]] = {
    "mm": {
        "0.000001": "nm|nanometer|nanometers|nanometre|nanometres",
        "0.001": "\u03bcm|um|micrometer|micrometers|micrometre|micrometres|micron|microns",
        "1": "mm|millimeter|millimeters|millimetre|millimetres",
        "10": "cm|cms|centimeter|centimeters|centimetre|centimetres",
        "1000": "m|meter|meters|metre|metres",
    },
    "mm2": {"1": "mm2|mm^2|sq mm", "100": "cm2|cm^2|sq cm"},
    "mm3": {
        "1": "mm3|mm^3|\u03bcl|ul|microliter|microliters",
        "1000": "cm3|cm^3|ml|cc|milliliter|milliliters|millilitre|millilitres|cubic cm",
        "100000": "dl|deciliter|deciliters|decilitre|decilitres",
        "1000000": "l|liter|liters|litre|litres",
    },
    "mg": {
        "0.000001": "ng|nanogram|nanograms",
        "0.001": "\u03bcg|ug|mcg|microgram|micrograms",
        "1": "mg|milligram|milligrams",
        "1000": "g|gram|grams",
        "1000000": "kg|kilogram|kilograms",
    },
    "s": {
        "0.001": "ms|msec|millisecond|milliseconds",
        "1": "s|sec|secs|second|seconds",
        "60": "min|mins|minute|minutes",
        "3600": "h|hr|hrs|hour|hours",
        "86400": "day|days",
        "604800": "week|weeks|wk|wks",
    },
    "": {"1000": "thousand", "1000000": "million|millions", "1000000000": "billion|billions"},
    "month": {
        "1": "month|months|mo|mos",
        "12": "year|years|yr|yrs|y|yo|y/o|years old|year old|year-old|years-old",
    },
    **{
        names.split("|")[0]: {"1": names}
        for names in (
            "%|percent|per cent|pct", "\u2030", "hu|hounsfield unit|hounsfield units|hounsfield",
            "\u00b0|deg|degree|degrees",
            "\u00b0c|celsius|degrees celsius", "\u00b0f|fahrenheit", "inch|inches", "ft|foot|feet",
            "mmhg|mm hg", "tesla|t",
            "bpm|beats per minute", "kv|kvp", "ma", "mas", "kev", "hz", "mhz", "khz", "gy", "mgy", "sv",
            "msv", "mci", "mbq",
            "kbq", "mmol", "\u03bcmol", "meq", "iu", "dpi", "px|pixel|pixels",
            "pack-years|pack years|pack-year", "decade|decades",
        )
    },
}  # fmt: skip
_UNITS = _units()

_UNIT = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))
_NAMED_UNIT = re.compile(rf"(?<![\w.])(?:{_UNIT})(?!\w)")
_COUNTS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NAMED = {
    "a": 1,
    **{name: value for value, name in enumerate(_COUNTS)},
    **{name: value for value, name in enumerate(_TEENS, 13)},
    **{name: 10 * value for value, name in enumerate(_TENS, 2)},
}
# A bare `one` to `twelve` is a word of its own: `the left one`. `twenty-first` is no number.
_SPELLED = re.compile(
    r"(?<![\w-])(?:(?P<hundreds>{0}|a) hundred"
    r"(?:(?: and)? (?:(?P<tens>{1})(?:[- ](?P<ones>{0}))?|(?P<small>{2})))?"
    r"|(?P<only_tens>{1})(?:[- ](?P<only_ones>{0}))?|(?P<teen>{3}))(?!\w|-\w)".format(
        "|".join(_COUNTS[1:10]), "|".join(_TENS), "|".join([*_COUNTS[1:], *_TEENS]), "|".join(_TEENS)
    )
)
_SIGNED = re.compile(rf"(?<![\w-])(minus|plus|negative|positive) (?=\d|(?:{'|'.join(_COUNTS)})(?![\w-]))")
_COUNTED = re.compile(
    rf"(?<![\w-])({'|'.join(_COUNTS)})(?=[ -](?:{_UNIT})(?!\w))|(?<=[-+])({'|'.join(_COUNTS)})(?!\w)"
)
"""`three days`; a bare `one` is no number yet (the left one)."""

_COMPARED = {
    **dict.fromkeys(("<", "less than", "smaller than", "fewer than", "under", "below", "shorter than",
    "younger than"), "<"),
    **dict.fromkeys((">", "more than", "greater than", "larger than", "over", "above", "exceeding",
    "older than"), ">"),
    **dict.fromkeys(("\u2264", "<=", "=<", "at most", "up to", "no more than", "not more than",
    "maximum of"), "\u2264"),
    **dict.fromkeys(("\u2265", ">=", "=>", "at least", "no less than", "not less than",
    "minimum of"), "\u2265"),
    **dict.fromkeys(("or less", "or smaller", "or below", "or fewer", "or younger", "and below"), "\u2264"),
    **dict.fromkeys(("or more", "or larger", "or greater", "or above", "or older", "and above"), "\u2265"),
    **{sign: sign for sign in ("\u226e", "\u226f", "\u2260", "\u00b1", "<<", ">>", "\u226a", "\u226b")},
    **dict.fromkeys(("+/-", "+-"), "\u00b1"),
}  # fmt: skip
_DIGITS = (
    r"(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?![\d,])|(?<!\d,)\d+[.,]\d+(?![.,]?\d)|\d+(?:\.\d+){2,}|\d+|\.\d+)"
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
# Letters behind that are no unit make it a word: 2nd, 3a.
_NUMBER = re.compile(
    rf"(?P<number>(?:[-+]\s*)?{_DIGITS})(?:(?:\s*|-)(?P<unit>(?:{_UNIT})(?:/(?:{_UNIT}))?)(?![\w^])|(?![^\W\d_]))"
)
_BEFORE = "|".join(
    re.escape(name)
    for name in sorted(_COMPARED, key=len, reverse=True)
    if not name.startswith(("or ", "and "))
)
_ABOUT = r"~|about |approximately |approx\.? |around |circa |ca\.? |="
# A hyphen behind a word is no minus: covid-19.
_START = re.compile(
    rf"(?:(?<![^\W_])(?<![\d)])(?:(?P<before>{_BEFORE})|{_ABOUT})?\s*(?<![\w.])(?=[-+]?\s*{_DIGITS})"
    rf"|(?<=[^\W_]-)(?=\d))(?={_NUMBER.pattern.replace('P<number>', ':').replace('P<unit>', ':')})"
)
_JOINTS = {"to": "..", "-": "..", "by": "x", "\u00d7": "x", "+/-": "\u00b1", "+-": "\u00b1"}
_JOINT = re.compile(rf"\s*(?P<joint>-|to\b|/|:|x|by\b|\u00d7|\u00b1|\+/-|\+-|\^)\s*(?=[-+]?{_DIGITS})")
_BEHIND = re.compile(
    r"\s*(?P<behind>(?:or|and) (?:less|smaller|below|fewer|younger|more|larger|greater|above|older))\b"
)
