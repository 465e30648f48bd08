"""Where a phrase says that its finding is: side and zone, by the words of radiology reports.

`left lower lobe opacity` is left, lower; `bibasilar atelectasis` both, lower; `RUL mass` right, upper. A
phrase that names both sides is `both`, one that names several zones has them all, `lower upper`; one
that names none has an empty text. Sides are the patient's, as reports write them.
"""

from __future__ import annotations

import re

_LOBES = {
    "rul": ("right", "upper"),
    "rml": ("right", "middle"),
    "rll": ("right", "lower"),
    "lul": ("left", "upper"),
    "lll": ("left", "lower"),
}
_SIDES = {
    "left": ("left", "leftsided"),
    "right": ("right", "rightsided"),
    "both": ("both", "bilateral", "bilaterally", "biapical", "bibasilar", "bibasal", "bilaterality"),
}
_ZONES = {
    "upper": ("upper", "apex", "apices", "apical", "biapical", "superior"),
    "middle": ("mid", "middle", "midlung", "hilar", "hilum", "perihilar", "lingula", "lingular"),
    "lower": ("lower", "base", "bases", "basal", "basilar", "bibasilar", "bibasal", "inferior"),
}


def phrase_side(phrase: str) -> str:
    """Return `left`, `right`, `both` or an empty text."""
    words = _words(phrase)
    sides = {side for side, names in _SIDES.items() if words & set(names)}
    sides |= {side for lobe, (side, _) in _LOBES.items() if lobe in words}
    return "both" if "both" in sides or len(sides) > 1 else next(iter(sides), "")


def phrase_zone(phrase: str) -> str:
    """Return `upper`, `middle`, `lower`, several of them in alphabetical order, or an empty text."""
    words = _words(phrase)
    zones = {zone for zone, names in _ZONES.items() if words & set(names)}
    zones |= {zone for lobe, (_, zone) in _LOBES.items() if lobe in words}
    return " ".join(sorted(zones))


def _words(phrase: str) -> set[str]:
    return set(re.findall("[a-z]+", phrase.lower()))
