"""The offline judge's words: synonyms, words that mean nothing of their own, and what excludes what."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pefomed.judges.offline_quantities import MARK

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
    (r"([ctl]\d{1,2}) ?[-/] ?([tls]\d{1,2})", r"\1 \2"),
    (r"t([3-9]|1[0-2]) ?[-/] ?t?(\d{1,2})", r"t\1 t\2"),
    (r"(?:on |in )?both(?: the)? sides?|bilateral(?:ly)?|left and right|right and left", "both"),
    (r"antero[ -]?posterior", "ap"),
    (r"postero[ -]?anterior", "pa"),
    (r"(?:transverse|axial|horizontal)(?=$| plane| section| view| slice| cut)", "axial"),
    (r"enlarged heart|enlargement of (?:the )?heart|heart (?:is |appears )?enlarged", "cardiomegaly"),
    (r"(?:cardiac|heart) enlargement", "cardiomegaly"),
    (r"air[ -]?space", "airspace"),
    (r"(bi|pi|li|ti|ni|lung)[ -]?rads(?:[ -](?:category|score|class|grade))?", r"\1rads"),
    # T2 N0 M0
    (r"([cpyr]{0,2}t(?:[0-4][a-d]?|is|x))[ ,]*(n[0-3x][a-c]?)[ ,]*(m[01x][a-c]?)", r"\1\2\3"),
    (r"(hyper|hypo|iso|intra|extra|supra|infra|sub|epi|peri|retro|pre|post)-([a-z]{4,})", r"\1\2"),
    (r"(?:l|lt)(?= (?:upper|lower) (?:lobe|quadrant)| kidney| lung| hip| knee| breast)", "left"),
    (r"(?:r|rt)(?= (?:upper|middle|lower) (?:lobe|quadrant)| kidney| lung| hip| knee| breast)", "right"),
    (r"rul", "right upper lobe"), (r"rml", "right middle lobe"), (r"rll", "right lower lobe"),
    (r"lul", "left upper lobe"), (r"lll", "left lower lobe"),
    (r"ruq", "right upper quadrant"), (r"rlq", "right lower quadrant"),
    (r"luq", "left upper quadrant"), (r"llq", "left lower quadrant"),
    (r"non(?=[ -]+[a-z])", "no"),
    (r"non(?!etheless)([a-z]{5,})", r"no \1"),
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
        "no": "none nil nope unlikely lack lacks lacking"
        " without absent absence never negative nothing neither nor not cannot",
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
        "hemorrhagic": "haemorrhagic",
        "ischemia": "ischaemia",
        "ischaemic": "ischemic",
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
        "way": "ascending descending",
        "amount": "high low",
        "vessel": "artery vein",
        "blood": "arterial venous",
        "chamber": "ventricle atrium",
        "beat": "systole systolic diastole diastolic",
        "depth below": "superficial deep",
        "end": "cranial caudal",
        "opposite": "ipsilateral contralateral",
        "tip": "apex base apical basal",
        "closing": "open closed",
        "warmth": "hot cold warm",
        "width": "wide narrow",
        "thickness": "thick thin",
        "length": "long short",
        "lying": "supine prone upright erect decubitus",
        "breath": "inspiration expiration",
        "cause": "ischaemic hemorrhagic",
        "filling": "solid cystic",
        "turn": "better worse improved worsened",
        "bend": "varus valgus",
        "outline": "well ill",
        "jaw": "maxilla mandible",
        "shin": "tibia fibula",
        "forearm": "radius ulna",
        "upper leg": "femur humerus",
        "duct": "ureter urethra",
        "gut": "ilium ileum jejunum duodenum",
        "month": "january february march april june july august september october november december",
        "weekday": "monday tuesday wednesday thursday friday saturday sunday",
        "airway": "bronchitis bronchiolitis",
        "nerve": "perineal peroneal",
        "border": "intra extra supra infra inter sub epi pre post peri retro",
        "region": "chest abdomen pelvis head neck stomach",
    }.items()
}
MAY_BE_ADDED = frozenset({"method", "sequence", "plane", "view"})
"""Classes an answer may name though the reference does not: `T2` and `T2 MRI` say the same."""

ONLY_BETWEEN = frozenset(
    """severity distance bearing inside rank ordinal code organ region way amount vessel blood chamber beat
    end opposite tip closing warmth width thickness length lying breath cause filling turn bend outline month
    weekday airway jaw shin forearm duct gut nerve
    border""".split()
) | {"depth below", "upper leg"}
"""Classes that exclude where both texts name one, and say nothing where only one does."""

OPPOSED: tuple[frozenset[str], ...] = (
    frozenset(
        (
            "intra",
            "extra",
            "inter",
            "infra",
            "supra",
            "sub",
            "epi",
            "peri",
            "retro",
            "trans",
            "pre",
            "post",
            "ante",
        )
    ),
    frozenset(("endo", "exo", "ecto", "epi", "peri", "sub")),
    frozenset(("hyper", "hypo", "iso", "normo")),
    frozenset(("micro", "macro")),
    frozenset(("poly", "oligo", "mono", "pan")),
    frozenset(("brady", "tachy")),
    frozenset(("ipsi", "contra", "uni", "bi")),
    frozenset(("", "un", "non", "in", "im", "ir", "il", "a", "an", "dis")),
)
"""Beginnings that exclude each other: `intradural`, `extradural`; none is one of the last."""
