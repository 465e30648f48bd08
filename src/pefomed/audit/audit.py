"""Audit of a data set: counts against the published ones, faults, and leakage between its splits.

Two images are the same if they decode to the same pixels, whatever the files are called, and near each
other if they only look the same. Two texts are the same if question and answer agree but for case and
spaces; how many more agree if punctuation is ignored too is counted beside it. See docs/audit.md.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.audit.boxes import box_counts, reasons
from pefomed.audit.finding import finding
from pefomed.audit.groups import unchecked
from pefomed.audit.leakage import leakage, of_one_data_set
from pefomed.audit.summary import summarise
from pefomed.audit.text import triplet_key
from pefomed.boxes.samples import has_answer
from pefomed.datasets.card import DataCard, Published
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample


def audit(
    splits: Mapping[str, Sequence[Sample]],
    card: DataCard | None = None,
    left_out: Mapping[str, Sequence[LeftOut]] | None = None,
    *,
    cache: Path | None = None,
    ids: Sequence[str] | None = None,
    one_data_set: bool = True,
    further: Mapping[str, int | None] | None = None,
    unusable: Mapping[str, str] | None = None,
    written: Mapping[str, Mapping[str, int | None]] | None = None,
) -> dict[str, Any]:
    """Return what is wrong or worth knowing about a data set, as plain JSON values.

    Args:
        splits: name -> samples, the training split first.
        card: the published counts, if there are any.
        left_out: split -> rows that the loader knows to be unusable.
        cache: the cache folder, which keeps what is computed of each image; None keeps nothing.
        ids: keys of `meta` and `owners` that name patients, studies and the like; by default all so called.
        one_data_set: False if the splits come from different ones, whose patients are numbered apart and
            whose answers differ anyway.
        further: splits that are there and not audited, with their rows.
        unusable: which of these cannot be read, and why.
        written: splits that the files call otherwise: what they call them, with the rows.

    Returns:
        `title`; `summary`, a list of sentences; `counts` per split, with `published` and `matches`
        (None where nothing was published); `unreadable` images with the reason; `same_image`, files
        with equal content; per split `duplicates` (same image, question and answer) and
        `empty_answers`; `shared_ids`; `unchecked`, key -> why owners so called were not compared; `boxes`,
        counts per split; `left_out`, per split the reasons with their counts; `further_splits`,
        `unusable_splits` and `written_as`; and
        `leakage`, a list over pairs of splits (`in`, `of`) with `images`, `near_images`, `texts`
        and `triplets`: how many of the later split's occur in the earlier one, and, within one data set,
        `groups` (patients, studies) and `answers` (how far their distributions differ).
        Each finding has `count` and some `examples`.

    Raises:
        StorageError: the cache cannot be written.
    """
    known = Fingerprints(cache)
    try:
        known.read(path for samples in splits.values() for sample in samples for path in sample.images)
        pairs = [
            {
                "in": earlier,
                "of": later,
                **leakage(splits[earlier], splits[later], known),
                **(of_one_data_set(splits[earlier], splits[later], ids) if one_data_set else {}),
            }
            for earlier, later in itertools.combinations(splits, 2)
        ]
    finally:
        known.close()
    pixels = known.pixels
    result: dict[str, Any] = {
        "title": card.title if card else "",
        "counts": {
            name: _counts(samples, pixels, card.splits.get(name) if card else None)
            for name, samples in splits.items()
        },
        "unreadable": _unreadable(splits, known),
        "same_image": _same_image(pixels),
        "duplicates": {name: _duplicates(samples, pixels) for name, samples in splits.items()},
        "empty_answers": {
            name: finding(sample.id for sample in samples if not has_answer(sample))
            for name, samples in splits.items()
        },
        "shared_ids": _shared_ids(splits),
        "unchecked": unchecked(splits, ids) if one_data_set else {},
        "boxes": {name: box_counts(samples) for name, samples in splits.items()},
        "left_out": {name: reasons(rows) for name, rows in (left_out or {}).items()},
        "leakage": pairs,
        "further_splits": dict(further or {}),
        "unusable_splits": dict(unusable or {}),
        "written_as": {split: dict(names) for split, names in (written or {}).items()},
    }
    return {**result, "summary": summarise(result)}


def _counts(
    samples: Sequence[Sample], hashes: Mapping[str, str], published: Published | None
) -> dict[str, Any]:
    types = Counter(sample.meta.get("answer_type", "").upper() for sample in samples)
    counts = {
        "samples": len(samples),
        "images": len({path for sample in samples for path in sample.images}),
        "open": types["OPEN"],
        "closed": types["CLOSED"],
    }
    expected = (
        {name: getattr(published, name) for name in counts if getattr(published, name) is not None}
        if published
        else None
    )
    matches = None if expected is None else all(counts[name] == value for name, value in expected.items())
    distinct = len({hashes[path] for sample in samples for path in sample.images if path in hashes})
    return {**counts, "distinct_images": distinct, "published": expected, "matches": matches}


def _unreadable(splits: Mapping[str, Sequence[Sample]], known: Fingerprints) -> dict[str, Any]:
    used: defaultdict[str, list[str]] = defaultdict(list)
    for samples in splits.values():
        for sample in samples:
            for path in sample.images:
                if path in known.unreadable:
                    used[path].append(sample.id)
    return finding(
        {"image": path, "problem": str(known.unreadable[path]), "samples": len(ids), "sample": ids[0]}
        for path, ids in used.items()
    )


def _same_image(hashes: Mapping[str, str]) -> dict[str, Any]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path, value in hashes.items():
        paths[value].append(path)
    return finding(group for group in paths.values() if len(group) > 1)


def _duplicates(samples: Sequence[Sample], hashes: Mapping[str, str]) -> dict[str, Any]:
    first: dict[Hashable, str] = {}
    repeated = []
    for sample in samples:
        earlier = first.setdefault(triplet_key(sample, hashes), sample.id)
        if earlier != sample.id:
            repeated.append({"sample": sample.id, "same_as": earlier})
    return finding(repeated)


def _shared_ids(splits: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    found: Counter[str] = Counter()
    for samples in splits.values():
        found.update({sample.id for sample in samples})
    return finding(sample_id for sample_id, count in found.items() if count > 1)
