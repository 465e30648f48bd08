"""What the audit says about boxes, and about rows that a loader knows to be unusable."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pefomed.boxes.samples import is_absent
from pefomed.errors import ImageError
from pefomed.images.images import turn_of
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

EXAMPLES = 5


def box_counts(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return how many samples have boxes, how many several, and what is odd about the boxes.

    `thin` boxes are narrower or lower than a hundredth of the image, and written a step wide; `whole`
    ones cover it; `repeated` ones occur twice in a sample; `turned` ones are on a picture with an EXIF turn.
    `absent`, where there are such: samples whose answer is that there is no box.
    """
    turns = functools.cache(_turns)
    with_boxes = [sample for sample in samples if sample.boxes]
    boxes = [box for sample in with_boxes for box in sample.boxes]
    absent = sum(map(is_absent, samples))
    return {
        "samples": len(with_boxes),
        "several": sum(len(sample.boxes) > 1 for sample in with_boxes),
        "boxes": len(boxes),
        "thin": sum(min(box.x1 - box.x0, box.y1 - box.y0) < 0.01 for box in boxes),
        "whole": sum((box.x1 - box.x0) * (box.y1 - box.y0) > 0.99 for box in boxes),
        "turned": sum(len(sample.boxes) for sample in with_boxes if turns(sample.images[0])),
        "repeated": sum(len(sample.boxes) - len(set(sample.boxes)) for sample in with_boxes),
        **({"absent": absent} if absent else {}),
    }


def reasons(rows: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Return how many rows were left out for each reason, the most frequent first, with examples."""
    counts = Counter(row.reason for row in rows)
    return [
        {
            "reason": reason,
            "count": count,
            "examples": [
                f"{row.place}{f': {row.found}' if row.found else ''}" for row in rows if row.reason == reason
            ][:EXAMPLES],
        }
        for reason, count in counts.most_common()
    ]


def sentences(result: Mapping[str, Any]) -> list[str]:
    """Return the boxes and the rows left out of an audit's result as sentences."""
    told = []
    for split, counts in result["boxes"].items():
        if counts["samples"]:
            each = (
                f"in {counts['samples']:,} samples, {counts['several']:,} of which have several"
                if counts["several"]
                else "one in each sample"
            )
            told.append(f"{split}: {counts['boxes']:,} boxes, {each}{_odd(counts)}.")
        if absent := counts.get("absent"):
            are = "phrase that is" if absent == 1 else "phrases that are"
            told.append(f"{split}: {absent:,} {are} nowhere in the image: the answer is no box.")
    for split, found in result["left_out"].items():
        told += [
            f"{split}: left out {each['count']:,}, {each['reason']}, e.g. {each['examples'][0]}."
            for each in found
        ]
    return told


def _turns(path: str) -> bool:
    try:
        return turn_of(path) != 1
    except ImageError:  # the audit names it
        return False


def _odd(counts: Mapping[str, Any]) -> str:
    words = {
        "thin": "thinner than a hundredth of the image",
        "whole": "as large as the image",
        "repeated": "twice in one sample",
        "turned": "on a picture with an EXIF turn, taken as counted on the turned picture",
    }
    found = [f"{counts[key]:,} {text}" for key, text in words.items() if counts[key]]
    return f"; {', '.join(found)}" if found else ""
