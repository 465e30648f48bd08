"""MIMIC-CXR: 377,110 chest radiographs of a Boston hospital with 227,835 reports.

Link: https://physionet.org/content/mimic-cxr-jpg/. Licence: PhysioNet Credentialed Health Data License 1.5.0;
restricted: nothing of it may leave the machine. Counts: 368,960 / 2,991 / 5,159 train, validate, test images
(222,758 / 1,808 / 3,269 studies), by patient. Layout: `mimic-cxr-2.0.0-split.csv.gz`,
`mimic-cxr-2.0.0-metadata.csv.gz` (needed for views), `files/p10/p10000032/s50414267/<dicom>.jpg`, and either
`mimic_cxr_sectioned.csv`, which the authors' `create_section_files.py` makes, or the raw reports
`files/p10/p10000032/s50414267.txt`. The CSV files may be gzipped or not.

One record of the split, of the metadata, and of the sections::

    dicom_id,study_id,subject_id,split
    02aa804e-bde0afdd-112c0b34-7bc16630-4e384014,50414267,10000032,train
    dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,...
    study,impression,findings,last_paragraph,comparison
    s50414267,No acute cardiopulmonary process.,There is no focal consolidation ...,,

Traps: a third of the studies have no findings, and some no impression; several images share one report, so
there are more samples than reports; names and dates are `___`; `ViewPosition` may be empty; the raw report
begins with headers (`FINAL REPORT  EXAMINATION: ...`), which a model then learns to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pefomed.datasets.card import DataCard, Published
from pefomed.errors import DataError
from pefomed.files.files import missing_layout, read_text, unknown_split
from pefomed.files.rows import read_published
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

Text = Literal["findings", "impression", "findings+impression", "report"]

CARD = DataCard(
    title="MIMIC-CXR-JPG (one sample an image)",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    link="https://physionet.org/content/mimic-cxr-jpg/",
    citation=(
        "Johnson, Pollard, Berkowitz, Greenbaum, Lungren, Deng, Mark, Horng: MIMIC-CXR, a de-identified"
        " publicly available database of chest radiographs with free-text reports. Scientific Data 6, 317"
        " (2019)"
    ),
    restricted=True,
    splits={
        "train": Published(samples=368960, images=368960),
        "validate": Published(samples=2991, images=2991),
        "test": Published(samples=5159, images=5159),
    },
    access=(
        "become a credentialed user of PhysioNet, complete the CITI training it names, and sign the data use"
        " agreements of mimic-cxr-jpg (images, split, metadata) and mimic-cxr (reports)"
    ),
    files=(
        "mimic-cxr-2.0.0-split.csv.gz, mimic-cxr-2.0.0-metadata.csv.gz and files/p1*/p*/s*/*.jpg of"
        " mimic-cxr-jpg",
        "with them mimic_cxr_sectioned.csv (made by github.com/MIT-LCP/mimic-cxr/tree/master/txt), or for"
        " text = report the files/p1*/p*/s*.txt of mimic-cxr-reports.zip",
    ),
)

_SPLIT = "mimic-cxr-2.0.0-split.csv"
_METADATA = "mimic-cxr-2.0.0-metadata.csv"
_SECTIONS = "mimic_cxr_sectioned.csv"


class _Image(NamedTuple):
    dicom: str
    study: str
    subject: str
    view: str


def load(
    root: Path,
    split: str,
    *,
    text: Text,
    samples: Literal["image", "study"] = "image",
    views: tuple[str, ...] = (),
    task: Literal["report", "caption"] = "report",
    images: str = "files",
    reports: str = "files",
) -> Iterator[Sample | LeftOut]:
    """Yield the samples of the official `split` (`train`, `validate`, `test`), study by study.

    Studies without `text` are left out.

    Args:
        text: what the reference is: sections of the report, or the whole raw `report`.
        samples: one sample for each image, or one for each study with all its images.
        views: only images of these ViewPositions, e.g. ["PA", "AP"]; empty takes all.
        task: `caption` for pre-training on captions.
        images: folder of the images within the root.
        reports: folder of the raw reports within the root.

    Raises:
        DataError: a file or column is missing, or the split does not exist.
    """
    chosen = _images(root, split, views)
    sections = {} if text == "report" else _sections(root, text, {image.study for image in chosen})
    studies: dict[str, list[_Image]] = {}
    for image in chosen:
        studies.setdefault(image.study, []).append(image)
    for study, members in studies.items():
        reference = _reference_of(members[0], text, sections, root / reports)
        if isinstance(reference, LeftOut):
            yield reference
            continue
        for together in [members] if samples == "study" else [[image] for image in members]:
            first = together[0]
            yield Sample(
                id=f"mimic_cxr-{split}-{first.dicom if samples == 'image' else study}",
                images=tuple(str(root / images / _folder(one) / f"{one.dicom}.jpg") for one in together),
                task=task,
                reference=reference,
                meta={
                    "patient": first.subject,
                    "study": study,
                    **({"view": first.view} if first.view and samples == "image" else {}),
                },
            )


def _reference_of(image: _Image, text: Text, sections: Mapping[str, str], reports: Path) -> str | LeftOut:
    if text == "report":
        path = reports / _folder(image).with_suffix(".txt")
        return " ".join(read_text(path).split()) or LeftOut(str(path), "an empty report")
    place = f"{_SECTIONS}, study {image.study}"
    if image.study not in sections:
        return LeftOut(place, "a study without sections")
    return sections[image.study] or LeftOut(place, f"a study without {text}")


def _images(root: Path, split: str, views: tuple[str, ...]) -> list[_Image]:
    """Return the images of `split` in file order, only those of `views` if there are any."""
    if split not in CARD.splits:
        raise unknown_split("MIMIC-CXR", split, CARD.splits)
    path = _file(root, _SPLIT)
    if path is None:
        raise missing_layout("MIMIC-CXR", root, CARD.files[:1], "mimic_cxr")
    metadata = _file(root, _METADATA)
    if views and metadata is None:
        raise DataError(
            f"{root}: `views` needs {_METADATA}.gz", remedy="get it from mimic-cxr-jpg, or take all views"
        )
    images = [
        _Image(row["dicom_id"], f"s{row['study_id']}", f"p{row['subject_id']}", "")
        for row in _rows(path, ("dicom_id", "study_id", "subject_id", "split"))
        if row["split"] == split
    ]
    if metadata is not None:
        wanted = {image.dicom for image in images}
        rows = _rows(metadata, ("dicom_id", "ViewPosition"))
        view = {row["dicom_id"]: row["ViewPosition"] for row in rows if row["dicom_id"] in wanted}
        images = [image._replace(view=view.get(image.dicom, "")) for image in images]
    chosen = [image for image in images if not views or image.view in views]
    if images and not chosen:
        known = sorted({image.view for image in images if image.view})
        raise DataError(
            f"{metadata}: no image of {split!r} has a view of {', '.join(views)}",
            remedy=f"the views there are: {', '.join(known)}",
        )
    return chosen


def _sections(root: Path, text: Text, studies: set[str]) -> dict[str, str]:
    path = _file(root, _SECTIONS)
    if path is None:
        raise missing_layout("MIMIC-CXR's sections", root, CARD.files[1:], "mimic_cxr")
    names = text.split("+")
    return {
        row["study"]: " ".join(" ".join(row[name] for name in names).split())
        for row in _rows(path, ("study", *names))
        if row["study"] in studies
    }


def _file(root: Path, name: str) -> Path | None:
    return next((path for path in (root / name, root / f"{name}.gz") if path.is_file()), None)


def _rows(path: Path, fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    return (row for _, row in read_published(path, fields))


def _folder(image: _Image) -> Path:
    """Return a study's folder: the first three characters of the patient, the patient, the study."""
    return Path(image.subject[:3]) / image.subject / image.study
