"""Medical wording made comparable: synonyms, plurals, and the words that exclude each other.

A text becomes parts (`left lung, heart` has two), a part its telling words. Words of one class (left, right;
CT, MRI; 1, 2) exclude each other: no similarity of meaning can make up for another one of its class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pefomed.evaluate.normalise import plain

_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern if pattern.startswith("n['") else rf"(?<!\w)(?:{pattern})(?!\w)"), replacement)
    for pattern, replacement in (
    (r"magnetic resonance(?: imag(?:e|ing))?|mr(?: imag(?:e|ing)| scan)?|mri scan", "mri"),
    (r"comput(?:ed|erized|erised) tomograph\w*|cat scan|ct scan", "ct"),
    (r"x[ -]?rays?(?: film| image)?|plain films?|radiographs?|radiography|roentgenograms?", "xray"),
    (r"ultrasonograph\w*|sonogra\w*|ultrasounds?", "ultrasound"),
    (r"t ?([12])(?:[ -]?weighted| weighting|w)?", r"t\1"),
    (r"(?:on |in )?both(?: the)? sides?|bilateral(?:ly)?|left and right|right and left", "both"),
    (r"antero[ -]?posterior", "ap"),
    (r"postero[ -]?anterior", "pa"),
    (r"(?:transverse|axial|horizontal)(?=$| plane| section| view| slice| cut)", "axial"),
    (r"enlarged heart|enlargement of (?:the )?heart|heart (?:is |appears )?enlarged", "cardiomegaly"),
    (r"(?:cardiac|heart) enlargement", "cardiomegaly"),
    (r"air[ -]?space", "airspace"),
    (r"non(?=[ -]+[a-z])", "no"),
    (r"n['`]t\b", " not"),
    (r"patient(?:'?s)?", ""),
    )
)  # fmt: skip

_WORDS: Mapping[str, str] = {
    word: meant
    for meant, words in {
        "no": "none nil nope without absent absence never negative nothing neither nor not cannot",
        "0": "zero",
        "1": "one single",
        "2": "two",
        "3": "three",
        "4": "four",
        "5": "five",
        "6": "six",
        "7": "seven",
        "8": "eight",
        "9": "nine",
        "10": "ten",
        "yes": "yeah yep",
        "left": "lt leftsided leftmost",
        "right": "rt rightsided rightmost",
        "center": "midline middle central centre",
        "upper": "superior top above",
        "lower": "inferior bottom below",
        "anterior": "front ventral",
        "posterior": "back dorsal",
        "gray": "grey",
        "tumor": "tumour",
        "edema": "oedema",
        "hemorrhage": "haemorrhage",
        "esophagus": "oesophagus",
        "ischemia": "ischaemia",
        "ischemic": "ischaemic",
        "anemia": "anaemia",
        "kidney": "renal",
        "liver": "hepatic",
        "lung": "pulmonary",
        "heart": "cardiac",
        "stomach": "gastric",
        "spleen": "splenic",
        "pancreas": "pancreatic",
        "chest": "thorax thoracic",
        "abdomen": "abdominal",
        "pelvis": "pelvic",
        "bone": "osseous bony",
        "colon": "colonic",
        "large": "enlarged big bigger larger biggest largest",
        "small": "smaller smallest",
        "normal": "healthy",
        "male": "man",
        "female": "woman",
        "increased": "increase raised elevated",
        "decreased": "decrease reduced lowered",
    }.items()
    for word in words.split()
}

_SILENT = frozenset(
    """a an the of in on at to from with for and as by is are was were be been it its this that these those
    there here image picture scan photo film seen see shown show visible present appear appears located side
    sided area region evidence noted most likely probably can could may might will consistent suggest
    suggestive
    suggesting compatible represent representing""".split()
)
"""Words that carry no meaning of their own in an answer."""

CLASSES: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "side": "left right both center",
        "height": "upper lower",
        "depth": "anterior posterior",
        "method": "ct mri xray ultrasound pet angiogram mammogram fluoroscopy",
        "sequence": "t1 t2 flair dwi adc",
        "plane": "axial coronal sagittal oblique",
        "view": "ap pa lateral",
        "size": "large small",
        "health": "normal abnormal",
        "course": "acute chronic",
        "kind": "benign malignant",
        "sex": "male female",
        "change": "increased decreased",
        "colour": "black white gray",
        "tone": "dark light bright",
        "lobe": "frontal parietal temporal occipital",
    }.items()
}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DENSITY = re.compile(r"(hyper|hypo|iso)(?=\w{4})")

MAY_BE_ADDED = frozenset({"method", "sequence", "plane", "view"})
"""Classes an answer may name though the reference does not: `T2` and `T2 MRI` say the same."""


@dataclass(frozen=True)
class Text:
    """A text taken apart."""

    parts: tuple[tuple[str, ...], ...]
    """Each part's telling words, in order."""
    denials: int
    """How often something is denied (`no`, `not`, `without`)."""
    listed: Mapping[str, tuple[str, ...]]
    """Class -> its words in order, numbers among them."""

    @property
    def words(self) -> frozenset[str]:
        """All telling words, denials left out."""
        return frozenset(word for part in self.parts for word in part) - {"no"}


def taken_apart(text: str) -> Text:
    """Return `text` as parts, denials, and words that exclude others."""
    text = plain(_TAG.sub(" ", text.replace("\u2019", "'")))
    for pattern, replacement in _PHRASES:
        text = re.sub(pattern, replacement, text)
    parts = tuple(filter(None, (_words(part) for part in _LIST.split(text))))
    everything = [word for part in parts for word in part]
    listed = {
        name: tuple(word for word in everything if word in members) for name, members in CLASSES.items()
    }
    listed["number"] = tuple(word for word in everything if _NUMBER.fullmatch(word))
    listed["density"] = tuple(found[1] for word in everything if (found := _DENSITY.match(word)))
    return Text(parts, everything.count("no"), {name: words for name, words in listed.items() if words})


_TAG = re.compile(r"\[/?[A-Za-z_]+\]")  # of a prompt, said again by a model: `[vqa] No`


def listed_in(text: str) -> list[str]:
    """Return the things a text lists, in its own words: `colon, small bowel` lists two."""
    return [part for part in (" ".join(part.split()) for part in _LIST.split(text.lower())) if part]


_LIST = re.compile(r"[,;/&+\n]|\band\b|\bor\b|\bplus\b|\.(?!\d)")


def _words(part: str) -> tuple[str, ...]:
    # What something is stands last: an x-ray of the chest is a chest x-ray.
    before, of, behind = part.partition(" of ")
    part = f"{behind} {before}" if of else part
    words = (_singular(word) for word in re.findall(r"[a-z0-9.]+(?:'[a-z]+)?", part))
    return tuple(word for word in (_WORDS.get(word, word) for word in words) if word not in _SILENT)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("sses"):
        return word[:-2]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
