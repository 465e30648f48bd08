"""What a split shares with another: images, pictures that look alike, texts, patients; how answers differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from pefomed.audit.answers import answer_shift
from pefomed.audit.finding import finding, some_examples
from pefomed.audit.groups import shared_groups
from pefomed.audit.near_duplicates import near_duplicates
from pefomed.audit.text import bare, text_key, triplet_key
from pefomed.images.fingerprint_store import Fingerprints
from pefomed.samples.question_hash import shown_of
from pefomed.schema import Sample
from pefomed.tasks import BOXES

PAIRS = 60
"""Most pairs of pictures named, at even steps from the most to the least alike."""


def leakage(earlier: Sequence[Sample], later: Sequence[Sample], known: Fingerprints) -> dict[str, Any]:
    """Return `images`, `near_images`, `texts`, `triplets`: how many of `later`'s occur in `earlier`.

    `texts` and `triplets` also count those that are equal only if punctuation is ignored, and near images
    the `samples` that ask about them. Images in both are not near images too.
    """
    first, second = _by_image(earlier, known), _by_image(later, known)
    return {
        "images": {
            "of": len(second),
            **finding(
                {"image": path, "same_as": first[value], "shown": _shown(first[value], path)}
                for value, path in second.items()
                if value in first
            ),
        },
        "near_images": _near(first, second, later, known),
        # Where boxes are asked for, the text alone is the phrase and gives no answer away.
        "texts": _occurring(_answered_in_words(earlier), _answered_in_words(later), text_key),
        "triplets": _occurring(
            earlier, later, lambda sample, *normalise: triplet_key(sample, known.pixels, *normalise)
        ),
    }


def of_one_data_set(
    earlier: Sequence[Sample], later: Sequence[Sample], ids: Sequence[str] | None
) -> dict[str, Any]:
    """Return what only splits of the same data set have in common: `groups` (patients) and `answers`."""
    return {"groups": shared_groups(earlier, later, ids), "answers": answer_shift(earlier, later)}


def _by_image(samples: Sequence[Sample], known: Fingerprints) -> dict[str, str]:
    """Return a path for each distinct image."""
    return {known.pixels[path]: path for sample in samples for path in sample.images if path in known.pixels}


def _near(
    earlier: Mapping[str, str], later: Mapping[str, str], samples: Sequence[Sample], known: Fingerprints
) -> dict[str, Any]:
    asked = {pixels: known.bits[pixels] for pixels in later if pixels not in earlier}
    found = near_duplicates({pixels: known.bits[pixels] for pixels in earlier}, asked, known.thumbnails)
    near = {each.image for each in found}
    return {
        "of": len(later),
        "empty": sum(not bits for bits in asked.values()),
        "samples": sum(any(known.pixels.get(path) in near for path in sample.images) for sample in samples),
        "of_samples": len(samples),
        **some_examples(
            (
                {
                    "image": later[each.image],
                    "like": earlier[each.like],
                    "bits": each.bits,
                    "correlation": each.correlation,
                    "shown": _shown(earlier[each.like], later[each.image]),
                }
                for each in found
            ),
            PAIRS,
        ),
    }


def _shown(earlier: str, later: str) -> list[str]:
    """Return what the two pictures of a pair hold, by which a report knows them again."""
    return [shown_of([earlier]), shown_of([later])]


def _answered_in_words(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.task not in BOXES]


def _occurring(
    earlier: Sequence[Sample], later: Sequence[Sample], key: Callable[..., Hashable]
) -> dict[str, Any]:
    known = {key(sample): sample.id for sample in earlier}
    loosely = {key(sample, bare) for sample in earlier}
    found = ((sample, known[key(sample)]) for sample in later if key(sample) in known)
    return {
        "of": len(later),
        **finding(
            {"sample": sample.id, "same_as": same, "question": sample.question, "answer": sample.reference}
            for sample, same in found
        ),
        "ignoring_punctuation": sum(key(sample, bare) in loosely for sample in later),
    }
