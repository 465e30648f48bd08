"""Published data sets that have a loader of their own, by the names of their files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pefomed.datasets import LOADERS
from pefomed.errors import DataError
from pefomed.files.files import read_json
from pefomed.proposals.proposal import Proposal, ProposedChoice


@dataclass(frozen=True)
class PublishedLayout:
    """A layout that a data set is published in."""

    loader: str
    title: str
    marks: tuple[str, ...]
    """Patterns of files and folders, each of which is there."""
    holds: Callable[[Path], bool] = lambda _: True
    """What else is so of a folder with these marks; others may have files of the same names."""


def layout_of(folder: Path) -> PublishedLayout | None:
    """Return the published layout that a folder is in; None for none."""
    return next(
        (one for one in LAYOUTS if all(_any(folder, mark) for mark in one.marks) and one.holds(folder)), None
    )


def folder_of(path: Path) -> tuple[Path, PublishedLayout] | None:
    """Return the folder in a published layout that `path` is, holds alone, or is a file of.

    Of a folder those in it are looked at, of a file those above it.
    """
    if path.is_file():
        for folder in reversed(list(path.parents)[:4]):  # the longest mark counts
            found = layout_of(folder)
            if found and any(path in folder.glob(mark) for mark in found.marks):
                return folder, found
        return None
    if found := layout_of(path):
        return path, found
    inside = [(each, found) for each in _folders(path) if (found := layout_of(each))]
    return inside[0] if len(inside) == 1 else None


def add_published(proposal: Proposal, layout: PublishedLayout) -> None:
    """Say in a proposal what of a published data set has to be decided, and what reads it besides."""
    if layout.loader == "iu_xray" and "annotation.json" in layout.marks:
        proposal.set("text", "findings", "R2Gen's layout has the findings alone")
    elif layout.loader in ("iu_xray", "mimic_cxr"):
        proposal.ask(
            "text", "scores on findings, on impressions and on both are not comparable",
            ProposedChoice("findings", "reports without findings are left out and counted"),
            ProposedChoice("impression", "reports without an impression are left out and counted"),
            ProposedChoice("findings+impression", "both, the impression behind the findings"),
        )  # fmt: skip
    if layout.loader == "ms_cxr" and "1.1" not in layout.marks[0]:
        proposal.ask(
            "test_share", "this release has no splits",
            ProposedChoice(0.2, "the share of the patients that are `test`; what is left is `train`"),
        )  # fmt: skip
    if others := _BESIDE.get(layout.loader):
        known = ", ".join(f"`{name}` ({what})" for name, what in others.items() if name in LOADERS)
        proposal.notes.append(f"the same folder is read by {known}")
    proposal.notes.append(f"all that is known of it: `pefomed data list {layout.loader}`")


def _first_image(folder: Path) -> str:
    """Return the first path of an image in the annotation of R2Gen's layout."""
    try:
        content: Any = read_json(folder / "annotation.json")
    except DataError:  # whoever reads it says so
        return ""
    rows = [row for part in content.values() if isinstance(part, list) for row in part[:1]] if isinstance(
        content, Mapping
    ) else []  # fmt: skip
    paths = rows[0].get("image_path") if rows and isinstance(rows[0], Mapping) else None
    return str(paths[0]) if isinstance(paths, list) and paths else ""


LAYOUTS = (
    PublishedLayout("slake", "SLAKE", ("*.json", "imgs/xmlab*")),
    PublishedLayout("slake", "SLAKE", ("train.json", "validat*.json", "imgs.zip")),
    PublishedLayout("vqa_rad", "VQA-RAD", ("trainset.json", "images")),
    PublishedLayout("vqa_rad", "VQA-RAD", ("testset.json", "images")),
    PublishedLayout("vqa_rad", "VQA-RAD", ("VQA_RAD Dataset Public.json",)),
    PublishedLayout("path_vqa", "PathVQA", ("qas/*/*_qa.pkl",)),
    # MIMIC-CXR's annotation in this layout has paths as p10/p10000032/...
    PublishedLayout("iu_xray", "IU-Xray in R2Gen's layout", ("annotation.json", "images"),
           lambda folder: _first_image(folder).startswith("CXR")),
    PublishedLayout("iu_xray", "IU-Xray in Kaggle's layout",
           ("indiana_reports.csv", "indiana_projections.csv")),
    PublishedLayout("iu_xray", "IU-Xray in Open-i's layout", ("ecgen-radiology/*.xml",)),
    PublishedLayout("mimic_cxr", "MIMIC-CXR", ("mimic-cxr-2.*-split.csv*",)),
    PublishedLayout("ms_cxr", "MS-CXR", ("MS_CXR_Local_Alignment_v1.1*.csv",)),
    PublishedLayout("ms_cxr", "MS-CXR", ("MS_CXR_Local_Alignment_v1.1*.json",)),
    PublishedLayout("ms_cxr", "MS-CXR", ("MS_CXR_Local_Alignment_v1.0*.csv",)),
    PublishedLayout("ms_cxr", "MS-CXR", ("MS_CXR_Local_Alignment_v1.0*.json",)),
    PublishedLayout("ms_cxr_medrpg", "MS-CXR as MedRPG divides it", ("MS_CXR_*.pth",)),
    PublishedLayout("roco", "ROCO", ("data/*/radiology/captions.txt",)),
    PublishedLayout("roco", "ROCO", ("*/radiology/captions.txt",)),
    PublishedLayout("roco", "ROCO in Kaggle's layout", ("all_data/*/radiology/*data.csv",)),
    PublishedLayout("imageclef", "ImageCLEFmedical Caption", ("*caption_prediction_*.csv",)),
    PublishedLayout("medicat", "MEDICAT", ("s2_full_figures_oa_nonroco_*.jsonl",)),
    PublishedLayout("medicat", "MEDICAT", ("release/s2_full_figures_oa_nonroco_*.jsonl",)),
    PublishedLayout("chexlocalize", "CheXlocalize", ("CheXlocalize/gt_*.json",)),
    PublishedLayout("chexlocalize", "CheXlocalize", ("gt_*_*.json",)),
)  # fmt: skip
"""The layouts of the loaders' own `CARD.files`."""

_BESIDE = {
    "slake": {"slake_captions": "captions", "slake_boxes": "boxes of organs and diseases"},
    "ms_cxr": {"ms_cxr_medrpg": "MedRPG's split, from its own files"},
}


def _any(folder: Path, mark: str) -> bool:
    return any(True for _ in folder.glob(mark))


def _folders(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        names = sorted(
            one.name
            for _, one in zip(range(_SEEN), entries, strict=False)
            if not one.name.startswith(".") and one.is_dir()
        )
    yield from (folder / name for name in names[:20])


_SEEN = 2000
