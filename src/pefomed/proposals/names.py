"""What the columns of published data sets are called, each kind with the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

QUESTION = "question questiontext querytext query q prompt instruction input questionen".split()
PHRASE = (
    "labeltext phrase sentence sentenceen expression text findinglabel findinglabels findingname finding"
    " classname findingcategories"
    " categoryname category label labelname class objectscategory objectslabel name disease pathology"
).split()
ANSWER = (
    "multiplechoiceanswer answer answertext response a output groundtruth gt gtanswer correctanswer reference"
    " target solution answeren answers answertexts groundtruths references"
).split()
IMAGE = "image imagepath imagename imagefile imageid img filename".split()
"""First in tables that are recognised by nothing but the names in their first line."""
REPORT = "report reporttext fullreport text reporten sectionfindings".split()
FINDINGS = "findings finding sectionfindings findingstext".split()
IMPRESSION = "impression impressions sectionimpression conclusion".split()
CAPTION = "caption captions captiontext description title".split()
ID = "id qid questionid sampleid uid itemid pairid".split()
READER = "radid readerid reader rater raterid annotator annotatorid radiologist observer".split()
VIEWS = (
    ("frontal", "front", "pa", "ap", "antero"), ("lateral", "lat", "side"),
    ("current", "main", "study", "after", "followup"),
    ("prior", "previous", "ref", "reference", "before", "baseline"),
    ("left", "l"), ("right", "r"), ("cc",), ("mlo",), ("axial",), ("sagittal",), ("coronal",),
)  # fmt: skip
"""What says in a column's name which image it is, each with its other names; in the order to be shown in."""
VIEW = "view viewposition projection frontallateral viewname".split()
"""Columns that say of a row which image it has."""
CATEGORY = (
    "categoryname category classname findinglabel findingname label labelname class disease pathology".split()
)
SIZE = (
    ("imagewidth", "imageheight"), ("imgwidth", "imgheight"), ("originalimagewidth", "originalimageheight"),
    ("imagesizewidth", "imagesizeheight"),
)  # fmt: skip
"""Width and height of the image."""

CORNERS = {
    "xyxy": ("xmin ymin xmax ymax", "x0 y0 x1 y1", "x1 y1 x2 y2", "left top right bottom"),
    "xywh": ("x y w h", "x y width height", "left top width height", "xmin ymin width height", "x0 y0 w h"),
    "cxcywh": (
        "xcenter ycenter width height",
        "cx cy w h",
        "xcentre ycentre width height",
        "centerx centery width height",
    ),
}
"""Form of boxes -> what its four columns are called, a common beginning left away."""

BOXES = "bbox bboxes boxes box boundingbox boundingboxes objectsbbox coordinates bboxcoordinates".split()
"""Columns with all four numbers."""

SPLIT = re.compile(r"(?:split|subset|fold|partition|phase)(?:name)?\Z|\A(?:data)?set\Z|\Ausage\Z")
"""A column that says the split; in others each value must be nothing but the name of one."""

CHOICE = re.compile(r"(?:answer\W*)?(?:choice|option|opt|candidate)s?[\W_]*(?:[a-h]|\d)?", re.IGNORECASE)
"""A choice of a question, or all of them."""

FORM_IN_NAME = (
    ("xywh", re.compile(r"x\W*y\W*w(?:idth)?\W*h", re.IGNORECASE)),
    ("xyxy", re.compile(r"x\W*(?:[01]|min)\W*y\W*(?:[01]|min)\W*x\W*(?:[12]|max)|xyxy", re.IGNORECASE)),
)  # fmt: skip
"""`Bbox [x,y,w,h]` says it itself."""


def plain(column: str) -> str:
    """Return a column's name without case, marks and underscores."""
    return re.sub(r"[\W_]+", "", column).casefold()


def matching_columns(columns: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """Yield the columns that are called one of `names`, or whose path ends so, in the order of the names."""
    columns = list(columns)
    for name in names:
        yield from (each for each in columns if name in (plain(each), plain(each.rpartition(".")[2])))


def view_of(column: str) -> str | None:
    """Return which image a column's name says that it holds, as `VIEWS` calls it; None if it says nothing."""
    parts = [part for part in re.split(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])", column) if part]
    return next((one[0] for part in parts for one in VIEWS if part.casefold() in one), None)


def view_rank(text: str) -> int:
    """Return the place of a view among others."""
    found = view_of(text)
    return next((number for number, one in enumerate(VIEWS) if one[0] == found), len(VIEWS))
