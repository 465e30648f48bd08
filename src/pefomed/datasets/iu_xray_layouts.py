"""The three layouts IU-Xray is published in, each read as studies; see `iu_xray`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pefomed.datasets.openi_xml import read_report
from pefomed.errors import DataError
from pefomed.files.files import checked_rows, inside, read_json
from pefomed.files.rows import read_published


@dataclass(frozen=True)
class IuImage:
    """One radiograph."""

    path: str
    view: str = ""
    """`frontal`, `lateral`, or empty where the layout does not say."""


@dataclass(frozen=True)
class Study:
    """One report with its images."""

    id: str
    place: str
    sections: Mapping[str, str]
    """`findings`, `impression`, ... with their text."""
    images: tuple[IuImage, ...]
    split: str = ""
    condition: str = ""
    """`normal` or `abnormal`, or empty where the layout does not say."""


_R2GEN_SPLITS = {"train": "train", "val": "validate", "test": "test"}
_REPORTS = ("uid", "Problems", "findings", "impression")
_PROJECTIONS = ("uid", "filename", "projection")


def r2gen(root: Path) -> Iterator[Study]:
    """Yield the studies of `annotation.json`, with its split."""
    path = root / "annotation.json"
    annotation = read_json(path)
    for name, split in _R2GEN_SPLITS.items():
        if not isinstance(annotation, dict) or name not in annotation:
            raise DataError(f"{path}: expected an object with the lists train, val and test")
        rows = checked_rows(annotation[name], ("id", "report", "image_path"), f"{path}, {name!r}")
        for number, row in enumerate(rows, 1):
            place = f"{path}, {name!r}, entry {number}"
            if not isinstance(row["image_path"], list):
                raise DataError(f"{place}: image_path must be a list", found=repr(row["image_path"]))
            images = (IuImage(str(inside(root / "images", str(one), place))) for one in row["image_path"])
            yield Study(str(row["id"]), place, {"findings": str(row["report"])}, tuple(images), split)


def kaggle(root: Path) -> Iterator[Study]:
    """Yield the studies of the two CSV files."""
    folder = root / "images" / "images_normalized"
    folder = folder if folder.is_dir() else root / "images"
    images: defaultdict[str, list[IuImage]] = defaultdict(list)
    for place, row in read_published(root / "indiana_projections.csv", _PROJECTIONS):
        image = IuImage(str(inside(folder, row["filename"], place)), row["projection"].strip().lower())
        images[row["uid"]].append(image)
    for place, row in read_published(root / "indiana_reports.csv", _REPORTS):
        yield Study(
            row["uid"],
            place,
            {"findings": row["findings"], "impression": row["impression"]},
            tuple(images[row["uid"]]),
            condition=_condition(row["Problems"].strip()),
        )


def openi(root: Path) -> Iterator[Study]:
    """Yield the studies of the XML reports, by number."""
    folder = root / "NLMCXR_png"
    folder = folder if folder.is_dir() else root / "images"
    reports = (root / "ecgen-radiology").glob("*.xml")
    for path in sorted(reports, key=lambda path: (len(path.stem), path.stem)):
        report = read_report(path)
        yield Study(
            path.stem,
            str(path),
            report.sections,
            tuple(IuImage(str(inside(folder, f"{name}.png", str(path)))) for name in report.images),
            condition=_condition(report.major),
        )


def _condition(problem: str) -> str:
    if not problem:
        return ""
    return "normal" if problem.casefold() == "normal" else "abnormal"
