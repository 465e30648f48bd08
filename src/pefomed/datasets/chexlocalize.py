"""CheXlocalize: radiologists' outlines of ten findings on CheXpert's validation and test images.

Link: https://stanfordaimi.azurewebsites.net/datasets/23c56a0d-15de-405b-87c8-99c30138950c (Saporta et al.,
Nature Machine Intelligence 4, 2022). Licence: Stanford University Dataset Research Use Agreement. Layout:
`CheXlocalize/` with `gt_annotations_val.json` (outlines) or `gt_segmentations_val.json` (run-length codes),
the same of `test`, and `CheXpert/val`, `CheXpert/test` with `patient64541/study1/view1_frontal.jpg` ...

One record of the annotations, its points x and y in pixels, its size height and width::

    {"patient64541_study1_view1_frontal": {"img_size": [2320, 2828], "Edema": [[[310.7, 194.5], [320.1,
    200.2], ...]]}}

The phrase is the finding; each outline of it is a box, or with `parts = "label"` all of them are one. The
run-length codes name every finding, those that are not there with an empty mask: these are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.box_numbers import Fault
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_samples import Making, Skip, box_samples
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.label_maps import Parts, boxes_of
from pefomed.annotations.outlines import Corners, around, around_all
from pefomed.annotations.rle import is_rle, rle_mask
from pefomed.annotations.sample_outlines import counted_on, of_mask, of_polygons
from pefomed.annotations.split_folders import picture_called
from pefomed.datasets.card import DataCard
from pefomed.errors import DataError, nearest
from pefomed.files.files import missing_layout, read_json, unknown_split
from pefomed.mapping.skip import NOTHING, Unusable
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Outline, Sample

CARD = DataCard(
    title="CheXlocalize",
    licence="Stanford University Dataset Research Use Agreement",
    link="https://stanfordaimi.azurewebsites.net/datasets/23c56a0d-15de-405b-87c8-99c30138950c",
    citation="Saporta et al., Benchmarking saliency methods for chest X-ray interpretation, Nature Machine"
    " Intelligence 4, 2022",
    restricted=True,
    splits={"validate": None, "test": None},
    access="register at Stanford AIMI and accept the agreement",
    files=("CheXlocalize/gt_annotations_val.json, ..._test.json and CheXpert/val, CheXpert/test",),
)

FINDINGS = (
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Lesion", "Airspace Opacity", "Edema", "Consolidation",
    "Atelectasis", "Pneumothorax", "Pleural Effusion", "Support Devices",
)  # fmt: skip

_SPLITS = {"validate": "val", "test": "test"}
_KINDS = ("annotations", "segmentations")


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    kind: Literal["annotations", "segmentations"] | None = None,
    parts: Parts = "component",
    images: str | None = None,
    without: Undrawn = "left out",
    skip: Skip = NOTHING,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and finding of `split` (`validate`, `test`).

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the findings with `one` or with `several` boxes.
        kind: the outlines as they were drawn (`annotations`), or their masks; by default what is there.
        parts: a box for each outline or connected part (`component`), or one around all (`label`).
        images: folder of the images, relative to `root` or absolute; by default CheXpert's.
        without: findings without a box: `left out`, or samples whose answer is that there is no box, in
            the `images` of the file without any finding, or all of the ten (`categories`) that an
            image of the file lacks.

        skip: which records are left out and counted: `"missing image"`, `"wrong box"` (an outline that cannot
            be read), or a value of `finding` or `view`, `{ column = "view", is = "view2_lateral" }`.

    Raises:
        DataError: a file is missing or not as published, or an image is.
    """
    if split not in _SPLITS:
        raise unknown_split("CheXlocalize", split, _SPLITS)
    path = _file(root, _SPLITS[split], kind)
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(each, dict) for each in content.values()):
        raise DataError(f"{path}: expected an object for each image", remedy="download the file again")
    rows: list[BoxRow] = []
    asked: list[BoxRow] = []
    for name, findings in content.items():
        try:
            image = _image(root, name, _SPLITS[split], images, path)
        except Unusable as error:
            if error.kind not in skip:
                raise
            yield LeftOut(f"{path}, {name}", error.kind)
            continue
        own, missing = [], []
        for finding, drawn in findings.items():
            if finding == "img_size":
                continue
            place = f"{path}, {name}, {finding}"
            if finding not in FINDINGS:
                raise DataError(f"{place}: no finding of CheXlocalize", remedy=nearest(finding, FINDINGS))
            found = _boxes(drawn, findings, parts)
            if isinstance(found, Fault):
                own.append(replace(_row((), place, image, name, finding, None), fault=found))
                continue
            corners, size, outline = found
            if not corners:
                missing.append(LeftOut(place, "a finding that is not there"))
            own += [_row(each, place, image, name, finding, size, outline) for each in corners]
        rows += own
        if without == "categories" or (without == "images" and not own):
            asked.append(_row((), f"{path}, {name}", image, name, "", None))
        else:
            yield from missing
    making = Making(tasks, boxes, "xyxy", "pixel", without=without, skip=skip)
    yield from box_samples(rows, f"chexlocalize-{split}", making, asked, FINDINGS)


def _row(
    numbers: tuple[Any, ...],
    place: str,
    image: Path,
    name: str,
    finding: str,
    size: tuple[Any, Any] | None,
    outline: Outline | None = None,
) -> BoxRow:
    return BoxRow(
        place=place,
        image=image,
        phrase=finding,
        category=finding,
        numbers=numbers,
        size=size,
        name=name,
        meta={"view": name.rpartition("_")[2]},
        fields={"finding": finding, "view": name.partition("_")[2].partition("_")[2]},
        mask=outline,
        owners={"patient": name.partition("_")[0], "study": name.rpartition("_view")[0]},
    )


def _boxes(
    drawn: Any, findings: Mapping[str, Any], parts: Parts
) -> tuple[list[Corners], tuple[Any, Any] | None, Outline | None] | Fault:
    """Return the boxes of a finding, none if it is not there, the image's size, and its outline."""
    if is_rle(drawn):
        mask = rle_mask(drawn)
        if isinstance(mask, Fault):
            return mask
        found: list[Corners] = [box for box, _ in boxes_of(mask, parts)]
        return found, (mask.shape[1], mask.shape[0]), of_mask(mask)
    said = findings.get("img_size")
    if not isinstance(drawn, list) or not isinstance(said, list) or len(said) != 2:
        return Fault("expected outlines and `img_size`, or a run-length code", f"{drawn!r:.80}")
    outlines = []
    for points in drawn:
        corners = around(points)
        if isinstance(corners, Fault):
            return corners
        outlines.append(corners)
    whole = [around_all(outlines)] if outlines and parts == "label" else outlines
    size = counted_on((said[1], said[0]), "")
    drawn_all = of_polygons(drawn, size) if size and drawn else None
    return whole, (said[1], said[0]), drawn_all if isinstance(drawn_all, Outline) else None


def _file(root: Path, name: str, kind: str | None) -> Path:
    for each in (kind,) if kind else _KINDS:
        for folder in (root / "CheXlocalize", root):
            if (folder / f"gt_{each}_{name}.json").is_file():
                return folder / f"gt_{each}_{name}.json"
    raise missing_layout(
        "CheXlocalize", root, [f"CheXlocalize/gt_{each}_{name}.json" for each in _KINDS], "chexlocalize"
    )


def _image(root: Path, name: str, split: str, images: str | None, path: Path) -> Path:
    known = re.fullmatch(r"(patient\d+)_(study\d+)_(view\d+_\w+)", name)
    if known is None:
        raise DataError(
            f"{path}: an image is called as in patient64541_study1_view1_frontal", found=repr(name)[:80]
        )
    usual = [root / "CheXpert" / each for each in (split, "valid" if split == "val" else split)]
    folders = [root / images] if images else [*usual, root / split, root / "CheXpert", root]
    for folder in folders:
        inner = folder / known[1] / known[2]
        found = picture_called(inner, known[3]) or picture_called(folder, name)
        if found:
            return found
    raise Unusable(
        f"{path}: no image of {name}",
        "missing image",
        "put CheXpert's images there, name their folder in `images`",
        found=f"looked for {usual[0] / known[1] / known[2] / known[3]}.jpg",
    )
