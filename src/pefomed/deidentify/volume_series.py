"""A volume (NIfTI, MetaImage, NRRD) as slices of one series; nothing but its name says who it is."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from pefomed.deidentify.choice import choose_slices
from pefomed.deidentify.convert import ImportSettings, split_of
from pefomed.deidentify.free_text import SEARCH
from pefomed.deidentify.label_volumes import label_regions
from pefomed.deidentify.planning import COLUMNS as PLACE
from pefomed.deidentify.pseudonyms import Pseudonyms
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.table_columns import COLUMNS
from pefomed.errors import DataError, ImageError
from pefomed.files.storage import write
from pefomed.images.addresses import ImageAddress
from pefomed.images.hounsfield import looks_like_ct
from pefomed.images.images import content_hash
from pefomed.images.png import png
from pefomed.images.volume_files import opened_slice
from pefomed.images.volumes import slice_picture
from pefomed.images.windows import AUTO, Window

AXIAL = 2
_SUBJECT = re.compile(r"(?:^|/)sub-([A-Za-z0-9]+)(?=[_/])")
VOLUME_LIMIT = 4096
"""Most volumes of a file that are brought in."""


def convert_volume(
    path: Path,
    source: str,
    out: Path,
    settings: ImportSettings,
    names: Pseudonyms,
    labels: Path | None = None,
) -> ImportRecord:
    """Write the chosen axial slices of a volume below `out` and return what is to be noted.

    Args:
        labels: what is drawn on it, a volume too.

    Raises:
        StorageError: the disk is full.
    """
    state = path.stat()
    about: dict[str, Any] = {"source": source, "size": state.st_size, "changed": state.st_mtime_ns}
    about["beside"] = state_of(labels)
    try:
        return _converted(path, source, out, settings, names, about, labels)
    except (DataError, ImageError) as error:
        detail = f"{error.problem}; found: {error.found}".replace(str(path), source)
        if labels is not None:
            detail = detail.replace(str(labels), "its labels")
        return ImportRecord(**about, outcome="unreadable", detail=detail)


def state_of(labels: Path | None) -> str:
    """Return by what it is noticed that labels have changed; empty for none."""
    if labels is None:
        return ""
    state = labels.stat()
    return f"{state.st_size} {state.st_mtime_ns}"


def _converted(
    path: Path,
    source: str,
    out: Path,
    settings: ImportSettings,
    names: Pseudonyms,
    about: dict[str, Any],
    labels: Path | None,
) -> ImportRecord:
    # Of its patient nothing is known but what BIDS calls the folder: else each file is one of its own.
    name = content_hash(path)
    subject = _SUBJECT.search(source)
    patient = f"subject {subject[1]}" if subject else f"volume {name}"
    links = {
        "patient": (names("patient", patient), patient if subject else f"volume {source}"),
        "study": (names("study", f"volume {name}"), f"volume {source}"),
        "series": (names("series", f"volume {name}"), f"volume {source}"),
    }
    patient, study, series = (links[kind][0] for kind in ("patient", "study", "series"))
    instance = names("instance", name)
    with opened_slice(ImageAddress(path)) as cut:
        volume = cut.volume
        is_ct = looks_like_ct(ImageAddress(path), volume.shape, cut.slices, volume.read)
        count = math.prod(volume.shape[3:])
        slices = cut.shape[AXIAL]
    if count > VOLUME_LIMIT:
        raise ImageError(f"{path} has {count:,} volumes", found=f"more than {VOLUME_LIMIT:,}")
    window = _window(settings, is_ct)
    drawn, faults = label_regions(path, labels, count, settings) if labels is not None else ({}, Counter())
    rows = []
    for index in choose_slices(settings.slices, slices, drawn):
        for number in range(count):
            where = ImageAddress(path, axis=AXIAL, index=index, volume=number, window=window)
            with opened_slice(where) as cut:
                image = slice_picture(where, cut, square=False)
                spacing, distance = cut.spacing, cut.distance
            identifier = f"{instance}-{number * slices + index}"
            place = Path("images") / patient / study / f"{identifier}.png"
            write(out / place, png(image, spacing))
            rows.append(
                {
                    "id": identifier,
                    "image": place.as_posix(),
                    "split": split_of(names.share("split", patient), settings.shares),
                    "patient": patient,
                    "study": study,
                    "series": series,
                    "number": "",
                    "frame": str(number * slices + index),
                    "width": str(image.width),
                    "height": str(image.height),
                    "window": str(window),
                    "burned_in": "unknown",
                    **dict.fromkeys((*COLUMNS, *settings.keep), ""),
                    **dict.fromkeys(PLACE, ""),
                    "stack": "1",
                    "slice": str(index),
                    "slices": str(slices),
                    "volume": str(number),
                    "slice_distance": f"{distance:.6g}",
                    "spacing": "/".join(f"{side:.6g}" for side in spacing),
                }
            )
    if not rows:
        why = "its labels are empty" if labels is not None else "no labels say which of its slices"
        return ImportRecord(**about, outcome="not chosen", detail=why, faults=dict(faults))
    regions = tuple(region for at in drawn.values() for region in at)
    return ImportRecord(
        **about, outcome="image", rows=tuple(rows), regions=regions, faults=dict(faults), links=links,
        search=SEARCH,
    )  # fmt: skip


def _window(settings: ImportSettings, is_ct: bool) -> Window:
    if is_ct and "CT" in settings.windows:
        return settings.windows["CT"]
    other = settings.windows.get("", AUTO)
    # What only DICOM stores, or only a CT has, is for other files of the same import.
    stored = any(each.stored is not None for each in (other, *other.channels))
    return AUTO if stored or (other.in_hounsfield and not is_ct) else other
