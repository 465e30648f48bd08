"""The offline judge's words: synonyms, words that mean nothing of their own, and what excludes what."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pefomed.evaluate.judges.offline_quantities import MARK

PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern if pattern.startswith("n['") else rf"(?<!\w)(?:{pattern})(?!\w)"), replacement)
    for pattern, replacement in (
    (r"magnetic resonance(?: imag(?:e|ing))?|mr(?: imag(?:e|ing)| scan)?|mri scan", "mri"),
    (r"comput(?:ed|erized|erised) tomograph\w*|cat scan|ct scan", "ct"),
    (r"x[ -]?rays?(?: film| image)?|plain films?|radiographs?|radiography|roentgenograms?", "xray"),
    (r"ultrasonograph\w*|sonogra\w*|ultrasounds?", "ultrasound"),
    (r"t ?([12])(?:[ -]?weighted| weighting|w)?(?![.,]\d)", r"t\1"),
    # L4/5 and L4-L5 are one disc.
    (r"([cls])(\d{1,2}) ?[-/] ?\1?(\d{1,2})", r"\1\2 \1\3"),
    (r"t([3-9]|1[0-2]) ?[-/] ?t?(\d{1,2})", r"t\1 t\2"),
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
    (r"w/o", "without"),
    (r"[csw]/[pw]|w/(?= )", " "),
    (r"n/a", "na"),
    )
)  # fmt: skip

_COUNT_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()

WORDS: Mapping[str, str] = {
    word: meant
    for meant, words in {
        "no": "none nil nope without absent absence never negative nothing neither nor not cannot",
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
} | {
    **{word: f"{MARK}{number}" for number, word in enumerate(_COUNT_WORDS)},
    "single": f"{MARK}1",
    **dict(zip(_ORDINALS, "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th".split(), strict=True)),
}  # fmt: skip

SILENT = frozenset(
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
        "severity": "mild moderate severe",
        "distance": "proximal distal",
        "bearing": "medial lateral",
        "inside": "internal external",
        "rank": "primary secondary",
        "organ": "heart liver kidney spleen stomach bladder gallbladder pancreas brain lung colon rectum"
        " esophagus trachea",
        "region": "chest abdomen pelvis head neck stomach",
    }.items()
}
MAY_BE_ADDED = frozenset({"method", "sequence", "plane", "view"})
"""Classes an answer may name though the reference does not: `T2` and `T2 MRI` say the same."""

ONLY_BETWEEN = frozenset(
    {"severity", "distance", "bearing", "inside", "rank", "ordinal", "code", "organ", "region"}
)
"""Classes that exclude where both texts name one, and say nothing where only one does."""
