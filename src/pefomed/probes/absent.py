"""What is not in a picture asked for: phrases without a box, and names of other pictures of the data set.

Where a loader says what is not there (phrases whose right answer is no box; questions whether something is
there whose answer is no) nothing new is asked. Else a picture is asked for one name that the data set's boxes
have in pictures of its kind, and not in this one: true as far as the data set has marked all it names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pefomed import tasks
from pefomed.boxes.samples import NONE, is_absent
from pefomed.metrics.normalise import plain
from pefomed.probes.probed import Probed, changed
from pefomed.probes.swap import KEYS
from pefomed.samples.sample_hash import short_hash
from pefomed.schema import Sample

ENDING = "+absent"
"""What the id of an asked name ends in, behind that of a sample of its picture."""

MOST_NAMES = 200
"""With more different phrases than this they are descriptions, not names."""

_THERE = re.compile(
    r"(?:is|are) there\b.*|(?:does|do) (?:the|this|these) \w+ (?:contain|show|include|have|reveal)\b.*"
    r"|(?:is|are) .*\b(?:present|visible|seen|shown|evident|found)\b.*|can .*\bbe seen\b.*",
    re.IGNORECASE,
)


def asked_absent(samples: Sequence[Sample]) -> Probed:
    """Return a phrase for each picture that is not in it; none where the samples have such themselves."""
    phrases = [sample for sample in samples if sample.task in tasks.BOXES]
    if not phrases or any(map(is_absent, phrases)):
        return Probed([], {})
    names: dict[str, set[tuple[str, ...]]] = {}
    kinds: dict[str, set[tuple[str, ...]]] = {}
    for sample in phrases:
        names.setdefault(plain(sample.question), set()).add(sample.images)
        kinds.setdefault(plain(sample.question), set()).add(_kind(sample))
    words = {plain(sample.question): sample.question for sample in reversed(phrases)}
    repeated = sorted(name for name, pictures in names.items() if len(pictures) > 1)
    if len(names) > MOST_NAMES or len(repeated) < 2:
        return Probed([], {"its phrases are no names that return": [sample.id for sample in phrases]})
    made, left_out = [], []
    for sample in {sample.images: sample for sample in reversed(phrases)}.values():
        lacking = [name for name in repeated if sample.images not in names[name]]
        alike = [name for name in lacking if _kind(sample) in kinds[name]] or lacking
        if not alike:
            left_out.append(sample.id)
            continue
        name = min(alike, key=lambda one: short_hash(sample.id, one))
        meta = {
            **sample.meta,
            "boxes": NONE,
            **({"category": words[name]} if "category" in sample.meta else {}),
        }
        made.append(
            changed(
                sample, id=f"{sample.id}{ENDING}", question=words[name], boxes=(), reference="",
                further_references=(), meta=meta,
            )
        )  # fmt: skip
    return Probed(made[::-1], {"every name of the data set is in its picture": left_out} if left_out else {})


def is_denied(sample: Sample) -> bool:
    """Return whether a sample asks if something is there, and the right answer is that it is not."""
    return bool(_THERE.match(sample.question.strip())) and all(
        plain(reference) == "no" for reference in sample.references
    )


def _kind(sample: Sample) -> tuple[str, ...]:
    return tuple(sample.meta.get(key, "") for key in KEYS)
