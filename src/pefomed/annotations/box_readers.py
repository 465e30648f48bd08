"""Several people who drew boxes of the same finding: each apart, or their boxes fused into one answer.

Weighted box fusion (Solovyev et al., Image and Vision Computing 107, 2021, 104117) is that of
`ensemble-boxes`: boxes that overlap by more than an IoU are one, the mean of all; others stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pefomed.errors import DataError, PackageError, listed
from pefomed.schema import Box

Choice = Literal["apart", "fused"]
"""`apart`: each reader's boxes are a sample of their own; `fused`: the boxes of all become one answer."""

META = "reader"
"""What `meta` calls the reader of a sample."""

FUSION_IOU = 0.5


def seems_reader(name: str) -> bool:
    """Return whether a column's name is that of who drew a box: `rad_id`, `reader`, `annotator`."""
    return _READER.fullmatch(name.strip()) is not None


def check_one_reader(rows: Sequence[tuple[str, Mapping[str, Any]]], option: str) -> None:
    """Refuse rows of one answer that several readers drew, if nobody has said what is to be done with them.

    Args:
        rows: place and cells of each row.
        option: how the loader's options are called in front of `reader`, e.g. `boxes.`.

    Raises:
        DataError: a column that seems a reader's differs between the rows.
    """
    (place, first), *_ = rows
    for name in (name for name in first if seems_reader(name)):
        found = list(dict.fromkeys(str(row.get(name)) for _, row in rows))
        if len(found) > 1:
            raise DataError(
                f"{place}: the boxes of several readers would be one answer",
                found=f"column {name!r}: {listed(found)}",
                remedy=f"say whose they are, `{option}reader = {name!r}`, and `{option}readers = 'apart'`"
                f" (each a sample) or 'fused' (one box of all); `{option}reader = \"\"` takes them together",
            )


def fuse_boxes(boxes: Iterable[tuple[str, Box]], iou: float = FUSION_IOU) -> tuple[Box, ...]:
    """Return the boxes of several readers, each with its reader, as one answer.

    Args:
        iou: boxes that overlap by more are one.

    Raises:
        DataError: ensemble-boxes is not installed.
    """
    by_reader: dict[str, list[tuple[float, float, float, float]]] = {}
    for reader, box in boxes:
        by_reader.setdefault(reader, []).append((box.x0, box.y0, box.x1, box.y1))
    if not by_reader:
        return ()
    everyone = list(by_reader.values())
    ones = [[1.0] * len(each) for each in everyone]
    zeros = [[0] * len(each) for each in everyone]
    found, scores, _ = _fusion()(everyone, ones, zeros, iou_thr=iou, skip_box_thr=0.0)
    # Ordered from the most agreed on; of equal ones from the left.
    order = sorted(range(len(found)), key=lambda place: (-scores[place], *found[place]))
    return tuple(
        Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in (map(float, found[place]) for place in order)
    )


_READER = re.compile(
    r"(?:reader|rad|radiologist|annotator|rater|observer|expert|doctor|physician|labell?er)s?"
    r"(?:[ _.-]?(?:id|no|nr|number|name|code))?",
    re.IGNORECASE,
)


def _fusion() -> Any:
    try:
        from ensemble_boxes import weighted_boxes_fusion
    except PackageError:
        raise
    except ImportError:
        raise DataError(
            "fusing the boxes of several readers needs ensemble-boxes, which is not installed",
            remedy="pip install 'pefomed[fusion]', or take readers = 'apart'",
        ) from None
    return weighted_boxes_fusion
