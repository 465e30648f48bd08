"""The leakage audit in sentences, with the alarms that belong on top of the page.

An alarm: images, images that look alike, patients or whole samples of the split that was scored occur in a
split that was trained on.
Equal texts on other images are told, but raise no alarm: `Is this a CT?` may be asked twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pefomed.audit.finding import evenly
from pefomed.audit.show_pairs import ImagePair, picture_pairs
from pefomed.errors import DataError
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.machine_paths import all_without_paths
from pefomed.recipe import Recipe
from pefomed.report.thumbnails import Thumbnail, left_out, thumbnails

SHOWN = 8
"""Pairs of pictures shown for a data set."""

BUDGET = 1_000_000
"""Most characters of their thumbnails."""


@dataclass(frozen=True)
class Told:
    """One data set's audit as the page shows it."""

    name: str
    sentences: list[str]
    alarms: list[str]
    pairs: list[tuple[ImagePair, Thumbnail, Thumbnail]]
    """Pictures of a split that was trained on, and of the scored one, that are equal or look alike."""
    details: str
    """The whole result as JSON."""
    images: frozenset[str] = frozenset()
    """All images of such pairs."""
    others: tuple[str, ...] = ()
    """Those of `alarms` that are not about images."""


@dataclass(frozen=True)
class Leak:
    """One leak, told once for all audits that found it: those with most images first."""

    audits: list[Told]

    @property
    def first(self) -> Told:
        return self.audits[0]

    @property
    def alarms(self) -> list[str]:
        """What the first audit says, and what only others say of more than images."""
        further = [alarm for one in self.audits[1:] for alarm in one.others]
        return list(dict.fromkeys([*self.first.alarms, *further]))

    @property
    def names(self) -> list[str]:
        return [audit.name for audit in self.audits]


def tell_all(
    results: Mapping[str, Any], recipe: Recipe | None, gate: PictureGate | None = None
) -> tuple[list[Leak], list[Told]]:
    """Return what leaks, and the audits that found nothing.

    Where questions, captions and reports share their images, each audit finds the same leak, or a part of
    it: audits whose leaking images overlap are one leak.

    Raises:
        DataError: a result is not as `pefomed.audit.audit` makes it.
    """
    told = [tell(name, result, recipe, gate) for name, result in results.items()]
    groups: list[list[Told]] = []
    for each in (each for each in told if each.alarms):
        same = [group for group in groups if any(_same_leak(each, other) for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append([*(other for group in same for other in group), each])
    leaks = [Leak(sorted(group, key=lambda each: -len(each.images))) for group in groups]
    return leaks, [each for each in told if not each.alarms]


def _same_leak(one: Told, other: Told) -> bool:
    if one.images or other.images:
        return bool(one.images & other.images)
    return one.alarms == other.alarms


def tell(name: str, result: Any, recipe: Recipe | None, gate: PictureGate | None = None) -> Told:
    """Return the audit of the data set the recipe calls `name`.

    Raises:
        DataError: the result is not as `pefomed.audit.audit` makes it.
    """
    try:
        sentences = [str(sentence) for sentence in result["summary"]]
        pairs = [pair for pair in result["leakage"] if _matters(pair, name, recipe)]
        alarms = [alarm for pair in pairs for alarm in (*_of_images(pair), *_of_others(pair))]
        others = tuple(alarm for pair in pairs for alarm in _of_others(pair))
        paired = list(picture_pairs({"leakage": pairs}))
    except (KeyError, TypeError) as error:
        raise DataError(
            f"audit.json: the audit of {name!r} is damaged",
            found=f"{type(error).__name__}: {error}",
            remedy="delete audit.json and run the audit again",
        ) from None
    pictures = evenly(paired, SHOWN)
    shown = _drawn(pictures, gate)
    images = frozenset(path for pair in paired for path in pair.images)
    details = json.dumps(all_without_paths(result), indent=2, ensure_ascii=False)
    return Told(name, sentences, alarms, shown, details, images, others)


def _drawn(
    pairs: Sequence[ImagePair], gate: PictureGate | None
) -> list[tuple[ImagePair, Thumbnail, Thumbnail]]:
    """Return pairs with their pictures, or what stands for one that may not be shown."""
    sides = [(path, shown) for pair in pairs for path, shown in zip(pair.images, pair.shown, strict=True)]
    reasons = [gate.reasons([path], shown)[0] if gate else "" for path, shown in sides]
    opened = thumbnails(
        (path for (path, _), reason in zip(sides, reasons, strict=True) if not reason), BUDGET if gate else 0
    )
    small = [
        left_out(path, reason) if reason else opened[path]
        for (path, _), reason in zip(sides, reasons, strict=True)
    ]
    return list(zip(pairs, small[::2], small[1::2], strict=True))


def _matters(pair: Mapping[str, Any], name: str, recipe: Recipe | None) -> bool:
    scored = recipe.predict.data.get(name) if recipe else None
    stages = [stage for stage in recipe.stages if name in stage.data] if recipe else []
    trained = {split for stage in stages for split in (stage.split, *stage.also_train)}
    return (scored is None or pair["of"] == scored) and (not trained or pair["in"] in trained)


def _of_images(pair: Mapping[str, Any]) -> list[str]:
    alarms = []
    images = pair["images"]
    if images["count"]:
        which = "All" if images["count"] == images["of"] else f"{images['count']:,} of"
        alarms.append(f"{which} {images['of']:,} images of {pair['of']} also occur in {pair['in']}.")
    near = pair.get("near_images", {"count": 0})  # an older audit did not look for them
    if near["count"]:
        alarms.append(
            f"{near['count']:,} of {near['of']:,} images of {pair['of']}, with {near['samples']:,} of its"
            f" {near['of_samples']:,} samples, look like one of {pair['in']}."
        )
    return alarms


def _of_others(pair: Mapping[str, Any]) -> list[str]:
    samples = pair["triplets"]
    alarms = [
        f"{key}: {value['count']:,} of {value['of']:,} of {pair['of']} also occur in {pair['in']}."
        for key, value in pair.get("groups", {}).items()
        if value["count"]
    ]
    if samples["count"]:
        alarms.append(
            f"{samples['count']:,} of its {samples['of']:,} samples occur there with the same image,"
            " question and answer."
        )
    return alarms
