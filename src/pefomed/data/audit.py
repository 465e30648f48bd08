"""Audit of a data set: counts against the published ones, faults, and leakage between its splits.

Two images are the same if they decode to the same pixels, whatever the files are called. Two texts
are the same if question and answer agree but for case and spaces; how many more agree if punctuation
is ignored too is counted beside it.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pefomed.data.audit_summary import summarise
from pefomed.data.card import Card, Published
from pefomed.data.images import pixel_hash
from pefomed.errors import ImageError
from pefomed.progress import track
from pefomed.schema import Sample

EXAMPLES = 20
"""Most examples named for each finding."""

_Key = Callable[[Sample], Hashable]
_BOX_TASKS = ("refer", "grounding", "detection")


def audit(splits: Mapping[str, Sequence[Sample]], card: Card | None = None) -> dict[str, Any]:
    """Return what is wrong or worth knowing about a data set, as plain JSON values.

    Args:
        splits: name -> samples, the training split first.
        card: the published counts, if there are any.

    Returns:
        `title`; `summary`, a list of sentences; `counts` per split, with `published` and `matches`
        (None where nothing was published); `unreadable` images with the reason; `same_image`, files
        with equal content; per split `duplicates` (same image, question and answer) and
        `empty_answers`; `shared_ids`; and `leakage`, a list over pairs of splits (`in`, `of`) with
        `images`, `texts` and `triplets`: how many of the later split's occur in the earlier one.
        Each finding has `count` and up to `EXAMPLES` `examples`.
    """
    hashes, unreadable = _hashes(splits)
    result: dict[str, Any] = {
        "title": card.title if card else "",
        "counts": {
            name: _counts(samples, hashes, card.splits.get(name) if card else None)
            for name, samples in splits.items()
        },
        "unreadable": unreadable,
        "same_image": _same_image(hashes),
        "duplicates": {name: _duplicates(samples, hashes) for name, samples in splits.items()},
        "empty_answers": {
            name: _finding(sample.id for sample in samples if _is_empty(sample))
            for name, samples in splits.items()
        },
        "shared_ids": _shared_ids(splits),
        "leakage": [
            {"in": earlier, "of": later, **_leakage(splits[earlier], splits[later], hashes)}
            for earlier, later in itertools.combinations(splits, 2)
        ],
    }
    return {**result, "summary": summarise(result)}


def normalised(text: str) -> str:
    """Return the text without case and superfluous spaces."""
    return " ".join(text.casefold().split())


def bare(text: str) -> str:
    """Return the text without case, punctuation and superfluous spaces."""
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def _hashes(splits: Mapping[str, Sequence[Sample]]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the content hash of every readable image by path, and the finding of the others."""
    used: defaultdict[str, list[str]] = defaultdict(list)
    for samples in splits.values():
        for sample in samples:
            for path in sample.images:
                used[path].append(sample.id)

    def hash_of(path: str) -> str | ImageError:
        try:
            return _content(path)
        except ImageError as error:
            return error

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        outcomes = track(threads.map(hash_of, used), "reading images", total=len(used), unit="images")
        found = dict(zip(used, outcomes, strict=True))
    unreadable = [
        {"image": path, "problem": str(error), "samples": len(used[path]), "sample": used[path][0]}
        for path, error in found.items()
        if isinstance(error, ImageError)
    ]
    return {path: value for path, value in found.items() if isinstance(value, str)}, _finding(unreadable)


def _content(path: str) -> str:
    """Return the hash of an image's pixels; a recipe's data sets share images, and decoding takes long."""
    try:
        state = os.stat(path)
    except OSError:
        return pixel_hash(path)  # which says what is wrong
    return _hash_of_file(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=1_000_000)
def _hash_of_file(path: str, size: int, changed: int) -> str:
    return pixel_hash(path)


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


def _same_image(hashes: Mapping[str, str]) -> dict[str, Any]:
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for path, value in hashes.items():
        paths[value].append(path)
    return _finding(group for group in paths.values() if len(group) > 1)


def _duplicates(samples: Sequence[Sample], hashes: Mapping[str, str]) -> dict[str, Any]:
    first: dict[Hashable, str] = {}
    repeated = []
    for sample in samples:
        earlier = first.setdefault(_triplet(sample, hashes), sample.id)
        if earlier != sample.id:
            repeated.append({"sample": sample.id, "same_as": earlier})
    return _finding(repeated)


def _shared_ids(splits: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    found: Counter[str] = Counter()
    for samples in splits.values():
        found.update({sample.id for sample in samples})
    return _finding(sample_id for sample_id, count in found.items() if count > 1)


def _leakage(
    earlier: Sequence[Sample], later: Sequence[Sample], hashes: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    known_images, images = _by_image(earlier, hashes), _by_image(later, hashes)
    return {
        "images": {
            "of": len(images),
            **_finding(
                {"image": path, "same_as": known_images[value]}
                for value, path in images.items()
                if value in known_images
            ),
        },
        "texts": _occurring(earlier, later, _text),
        "triplets": {
            **_occurring(earlier, later, lambda sample: _triplet(sample, hashes)),
            "ignoring_punctuation": _occurring(earlier, later, lambda sample: _triplet(sample, hashes, bare))[
                "count"
            ],
        },
    }


def _by_image(samples: Sequence[Sample], hashes: Mapping[str, str]) -> dict[str, str]:
    return {hashes[path]: path for sample in samples for path in sample.images if path in hashes}


def _occurring(earlier: Sequence[Sample], later: Sequence[Sample], key: _Key) -> dict[str, Any]:
    known = {key(sample): sample.id for sample in earlier}
    found = ((sample, known[key(sample)]) for sample in later if key(sample) in known)
    return {
        "of": len(later),
        **_finding(
            {"sample": sample.id, "same_as": same, "question": sample.question, "answer": sample.reference}
            for sample, same in found
        ),
    }


def _text(sample: Sample, normalise: Callable[[str], str] = normalised) -> Hashable:
    return sample.task, normalise(sample.question), normalise(sample.reference)


def _triplet(
    sample: Sample, hashes: Mapping[str, str], normalise: Callable[[str], str] = normalised
) -> Hashable:
    # An unreadable image is only the same as itself.
    return (*(hashes.get(path, path) for path in sample.images), _text(sample, normalise), sample.boxes)


def _is_empty(sample: Sample) -> bool:
    return not sample.boxes if sample.task in _BOX_TASKS else not sample.reference.strip()


def _finding(examples: Iterable[Any]) -> dict[str, Any]:
    found = list(examples)
    return {"count": len(found), "examples": found[:EXAMPLES]}
