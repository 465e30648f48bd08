"""What a report, segmentation or structure set draws on images: shapes, and their boxes.

Coordinates on an image are columns and rows from the outer corner of its first pixel (0, 0) to that of its
last (columns, rows), as DICOM PS3.3 C.18.6 has them; those in the body are millimetres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pefomed.schema import Record

REGION_LIMIT = 100_000
"""Most regions of a file."""

Point = tuple[float, ...]
Bounds = tuple[float, float, float, float]


class Region(Record):
    """One thing that is drawn, on one image or in the body."""

    made_by: str
    """`SR`, `SEG` or `RTSTRUCT`."""
    phrase: str
    """What it is, of a coded concept where there is one; searched for names."""
    label: str = ""
    """What who drew it called it; searched for names."""
    code: str = ""
    site: str = ""
    reader: str = ""
    """The pseudonym of who drew it."""
    instance: str = ""
    """The image it is drawn on, by its unique number."""
    frame: int | None = None
    """Of that image; None is each one."""
    frame_of_reference: str = ""
    series: tuple[str, ...] = ()
    """The series it is drawn on, if the file names them."""
    shape: str
    """`POLYLINE`, `CIRCLE`, `ELLIPSE` ..., as DICOM has them, or `RECTANGLE`."""
    points: tuple[Point, ...]
    """(column, row) on the image, or (x, y, z) in the body."""
    matrix: tuple[int, int] | None = None
    """Columns and rows that points on an image are counted in; None is the image's own."""
    body: tuple[Point, ...] = ()
    """The same in the body, for a shape that has both."""
    thickness: float = 0.0
    mask: str = ""
    """All that it is the box of, or of a part of, on its image: COCO's run-length code as JSON."""
    group: str = ""
    """Regions of one group on one image are one thing, and have one box."""


def fault_of(shape: str, points: Sequence[Point]) -> str:
    """Return why a shape has no box, nothing if it has one."""
    if not points or any(not math.isfinite(value) for point in points for value in point):
        return "a shape without points"
    if shape == "POINT":
        return "a point, which has no area"
    if shape == "ELLIPSOID":
        return "an ellipsoid, which is on no single image"
    if shape in ("POLYLINE", "MULTIPOINT") and len(set(points)) < 3:
        return "a line, which has no area"
    needed = {"CIRCLE": 2, "ELLIPSE": 4}.get(shape)
    if needed is not None and len(points) != needed:
        return f"{shape.lower()} of {len(points)} points"
    known = ("POLYLINE", "POLYGON", "MULTIPOINT", "RECTANGLE", "CIRCLE", "ELLIPSE", "CLOSED_PLANAR")
    return "" if shape in known else f"a shape {shape[:20]!r}"


def bounds_of(shape: str, points: Sequence[Point]) -> Bounds:
    """Return left, top, right, bottom of a shape on an image.

    A circle is its centre and a point on it. An ellipse is the ends of its long axis and of its short one: of
    the half axes u and v it reaches sqrt(u_x^2 + v_x^2) to the left and the right of its centre.
    """
    (x0, y0), *_ = points
    if shape == "CIRCLE":
        (x1, y1) = points[1]
        radius = math.hypot(x1 - x0, y1 - y0)
        return x0 - radius, y0 - radius, x0 + radius, y0 + radius
    if shape == "ELLIPSE":
        (a, b), (c, d) = points[:2], points[2:]
        x, y = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        wide = math.hypot((b[0] - a[0]) / 2, (d[0] - c[0]) / 2)
        high = math.hypot((b[1] - a[1]) / 2, (d[1] - c[1]) / 2)
        return x - wide, y - high, x + wide, y + high
    columns, rows = [point[0] for point in points], [point[1] for point in points]
    return min(columns), min(rows), max(columns), max(rows)
