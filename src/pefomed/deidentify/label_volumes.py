"""Volumes of labels beside the volumes that they are of: which belong together, and what they draw.

`{volume}` in a pattern is the name of a volume without its ending, `{folder}` that of its folder; without a
slash the labels lie beside their volume, with one they are looked for from the folder that is read::

    labelsTr/{volume}        imagesTr/a.nii.gz and labelsTr/a.nii.gz; also of imagesTr/a_0000.nii.gz
    {volume}_seg             a.nii.gz and a_seg.nii.gz
    {folder}_seg             case1/case1_t1.nii.gz, case1/case1_t2.nii.gz and case1/case1_seg.nii.gz

Labels need the voxels of their volume (size, place, axes). They are no images themselves.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pefomed.annotations.label_maps import boxes_of, value_of
from pefomed.annotations.mask_slices import check_grid
from pefomed.annotations.rle import rle_text
from pefomed.annotations.split_folders import stem_of
from pefomed.deidentify.convert import ImportSettings
from pefomed.deidentify.placing import FrameBox
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.regions import REGION_LIMIT, Region, bounds_of
from pefomed.errors import DataError, ImageError, listed
from pefomed.images.volume_values import all_slices

MADE_BY = "MASK"
_CHANNEL = re.compile(r"_[0-9]{4}$")
"""What nnU-Net writes behind the name of an image's channel, and not behind that of its labels."""


def labels_of(volumes: Iterable[str], pattern: str) -> tuple[dict[str, str], list[str]]:
    """Return the labels of each volume that has some, and all volumes that are labels.

    Args:
        volumes: paths from the folder that is read on, parted by slashes.

    Raises:
        DataError: the pattern would take every volume, or none is of labels.
    """
    there = list(volumes)
    if not pattern:
        return {}, []
    if not re.search(r"\{(volume|folder)\}", pattern) or pattern.strip("./") in ("{volume}", "{folder}"):
        raise DataError(
            f"{pattern!r} does not tell labels from their volumes",
            remedy="write how labels are called, e.g. 'labelsTr/{volume}' or '{volume}_seg'",
        )
    by_name: dict[str, list[str]] = {}
    for source in there:
        by_name.setdefault(_stem(source), []).append(source)
    expression = _expression(pattern)
    labels = [source for source in there if expression.fullmatch(_stem(source))]
    found = {}
    for source in there:
        own = [name for path in _called(source, pattern) for name in by_name.get(path, ()) if name in labels]
        own = list(dict.fromkeys(name for name in own if name != source))
        if source not in labels and own:
            if len(own) > 1:
                raise DataError(f"{source} has several volumes of labels", found=listed(own))
            found[source] = own[0]
    if not found:
        raise DataError(
            f"no volume has labels that are called {pattern!r}",
            found=f"{len(there):,} volumes: {listed(there, most=4)}" if there else "no volume",
            remedy="write how labels are called, from the folder that is read on, e.g. 'labelsTr/{volume}',"
            " or without a slash beside their volume, e.g. '{volume}_seg'",
        )
    return found, labels


def label_regions(
    image: Path, mask: Path, count: int, settings: ImportSettings
) -> tuple[dict[int, list[Region]], Counter[str]]:
    """Return what a volume of labels draws on each axial slice of its volume, and what has no name.

    Args:
        image, mask: the files.
        count: volumes of the image, each of which it is drawn on.

    Raises:
        DataError: they have other voxels.
        ImageError: one cannot be read, or holds too many regions.
    """
    check_grid(image, mask)
    names = {value_of(number): name for number, name in settings.labels.items()}
    faults: Counter[str] = Counter()
    found: dict[int, list[Region]] = {}
    total = 0
    slices = 0
    for index, values in all_slices(mask, 2):
        slices = index + 1
        for value in np.unique(values[np.isfinite(values)]).tolist():
            name = names.get(value) if names else f"label {value:g}"
            if value and name is None:
                faults["a label without a name"] += 1
            elif value:
                own = list(_of_label(values == value, str(name), settings.parts, index))
                found.setdefault(index, []).extend(own)
                total += len(own)
        if total * count > REGION_LIMIT:
            raise ImageError(f"{mask} has too many regions", found=f"more than {REGION_LIMIT:,}")
    return {
        index: [
            region.model_copy(update={"frame": number * slices + index})
            for number in range(count)
            for region in regions
        ]
        for index, regions in found.items()
    }, faults


def drawn_on(records: Iterable[ImportRecord]) -> list[FrameBox]:
    """Return the boxes that labels draw on volumes that were brought in."""
    return [
        FrameBox(record.source, region.frame, bounds_of(region.shape, region.points), region)
        for record in records
        for region in record.regions
        if region.made_by == MADE_BY and region.frame is not None
    ]


def checked_labels(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names of labels, by their whole numbers.

    Raises:
        DataError: a number is none, or a name is empty.
    """
    for number, name in names.items():
        if not re.fullmatch(r"-?[0-9]{1,9}", number.strip()) or not name.strip():
            raise DataError(f"{number}={name!r} names no label", remedy="write e.g. --label 1=liver")
    return {number.strip(): name.strip() for number, name in names.items()}


def _of_label(inside: NDArray[np.bool_], name: str, parts: bool, index: int) -> Iterable[Region]:
    height, width = inside.shape
    mask = json.dumps({"size": [height, width], "counts": rle_text(inside)})
    for (left, top, right, bottom), _ in boxes_of(inside, "component" if parts else "label"):
        yield Region(
            made_by=MADE_BY,
            phrase=name,
            label=name,
            frame=index,
            shape="RECTANGLE",
            points=((left, top), (right, top), (right, bottom), (left, bottom)),
            matrix=(width, height),
            mask=mask,
        )


def _stem(source: str) -> str:
    path = PurePosixPath(source)
    return path.with_name(stem_of(path)).as_posix()


def _called(source: str, pattern: str) -> list[str]:
    """Return what the labels of a volume may be called, without their ending."""
    path = PurePosixPath(source)
    stem = stem_of(path)
    found = []
    for name in dict.fromkeys((stem, _CHANNEL.sub("", stem))):
        own = pattern.replace("{volume}", name).replace("{folder}", path.parent.name)
        written = own if "/" in pattern else (path.parent / own).as_posix()
        found.append(_stem(PurePosixPath(written.removeprefix("./")).as_posix()))
    return found


def _expression(pattern: str) -> re.Pattern[str]:
    """Return what the labels' paths look like, without their ending."""
    own = pattern.removeprefix("./")
    own = _stem(own) if not own.endswith("}") else own
    written = "".join(
        r"[^/]+" if part in ("{volume}", "{folder}") else re.escape(part)
        for part in re.split(r"(\{volume\}|\{folder\})", own)
    )
    return re.compile(written if "/" in pattern else rf"(?:.*/)?{written}")
