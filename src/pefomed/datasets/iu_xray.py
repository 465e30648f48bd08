"""IU-Xray: chest radiographs of Indiana University with their reports, frontal and mostly lateral.

Link: https://openi.nlm.nih.gov/faq#collection. Licence: CC BY-NC-ND 4.0. Counts: 7,470 images, 3,955 reports;
R2Gen's split, of studies with two images and findings, has 2,069 / 296 / 590 train, validate, test. Layouts:

- R2Gen: `annotation.json` and `images/CXR2384_IM-0942/{0,1}.png`; holds the findings, and its own split
- Kaggle: `indiana_reports.csv`, `indiana_projections.csv` and `images/images_normalized/*.png`
- Open-i: `ecgen-radiology/*.xml` and the unpacked `NLMCXR_png.tgz`, in `images` or `NLMCXR_png`

One record of each::

    {"id": "CXR2384_IM-0942", "report": "The heart size and ...", "split": "train",
     "image_path": ["CXR2384_IM-0942/0.png", "CXR2384_IM-0942/1.png"]}
    uid,MeSH,Problems,image,indication,comparison,findings,impression  /  uid,filename,projection
    1,normal,normal,Xray Chest PA and Lateral,Positive TB test,None.,The cardiac ...,Normal chest x-XXXX.
    <AbstractText Label="FINDINGS">The cardiac ...</AbstractText> ... <parentImage id="CXR1_1_IM-0001-3001">

Traps: words that might identify the patient are `XXXX`; every seventh report has no findings; scores on
findings and on findings + impression are not comparable, so the recipe says which; only R2Gen's layout has
a split (its validate of 296 is called test elsewhere), so the two others are split here by a hash of the
study; a study may have one image or up to five; R2Gen and Open-i do not say which view an image is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pefomed.annotations.seeded_draws import rank_of
from pefomed.datasets.card import DataCard, Published
from pefomed.datasets.iu_xray_layouts import IuImage, Study, kaggle, openi, r2gen
from pefomed.errors import RecipeError
from pefomed.files.files import missing_layout, unknown_split
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

Text = Literal["findings", "impression", "findings+impression"]
Views = Literal["two", "one", "each"]

CARD = DataCard(
    title="IU-Xray (R2Gen's split)",
    licence="CC BY-NC-ND 4.0",
    link="https://openi.nlm.nih.gov/faq#collection",
    citation=(
        "Demner-Fushman, Kohli, Rosenman, Shooshan, Rodriguez, Antani, Thoma, McDonald: Preparing a"
        " collection of radiology examinations for distribution and retrieval. JAMIA 23(2), 2016"
    ),
    splits={
        "train": Published(samples=2069, images=4138),
        "validate": Published(samples=296, images=592),
        "test": Published(samples=590, images=1180),
    },
    access=(
        "NLMCXR_png.tgz and NLMCXR_reports.tgz of https://openi.nlm.nih.gov/faq#collection; or Kaggle's"
        " raddar/chest-xrays-indiana-university; or the archive that the README of"
        " github.com/cuhksz-nlp/R2Gen links to"
    ),
    files=(
        "annotation.json and images/ (R2Gen)",
        "indiana_reports.csv, indiana_projections.csv and images/images_normalized/ (Kaggle)",
        "ecgen-radiology/*.xml and images/*.png (Open-i)",
    ),
)

_LAYOUTS = {
    "r2gen": ("annotation.json", r2gen),
    "kaggle": ("indiana_reports.csv", kaggle),
    "openi": ("ecgen-radiology", openi),
}
_PLACEHOLDER = re.compile(r"(?:(?<!\s)\s+)?\bX{4,}\b")


def load(
    root: Path,
    split: str,
    *,
    text: Text,
    views: Views = "two",
    layout: Literal["auto", "r2gen", "kaggle", "openi"] = "auto",
    placeholders: Literal["keep", "drop"] = "keep",
    validate_share: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    test_share: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    split_seed: int = 0,
) -> Iterator[Sample | LeftOut]:
    """Yield the reports of `split` (`train`, `validate`, `test`); one without image or `text` is left out.

    Args:
        text: what of the report is the reference; R2Gen's layout has the findings only.
        views: `two`: a study's first frontal and first lateral image (or its first two) in one sample;
            `one`: the frontal image (or the first); `each`: a sample for every image, as the paper counts.
        layout: which of the layouts at `root` to read; by default the first that is there.
        placeholders: keep the `XXXX` of the reports, or drop them.
        validate_share, test_share, split_seed: the split of the Kaggle and Open-i layouts, by study.

    Raises:
        RecipeError: `text` is not in this layout.
        DataError: a file or field is missing or damaged, or the split does not exist.
    """
    for study in _studies(root, split, text, layout, (validate_share, test_share), split_seed):
        reference = _reference(study, text, placeholders)
        if not study.images:
            yield LeftOut(study.place, "a report without an image")
            continue
        if not reference:
            yield LeftOut(study.place, f"a report without {text}")
            continue
        for number, images in enumerate(_views(study.images, views)):
            yield Sample(
                id=f"iu_xray-{split}-{study.id}" + (f"-{number}" if views == "each" else ""),
                images=tuple(image.path for image in images),
                task="report",
                reference=reference,
                meta={
                    "study": study.id,
                    **({"condition": study.condition} if study.condition else {}),
                    **({"view": images[0].view} if images[0].view and views != "two" else {}),
                },
            )


def card_at(root: Path) -> DataCard:
    """Return the card of the layout at `root`; only R2Gen's has counts."""
    first = next((name for name, (file, _) in _LAYOUTS.items() if (root / file).exists()), "r2gen")
    return CARD if first == "r2gen" else replace(CARD, title="IU-Xray", splits=dict.fromkeys(CARD.splits))


def _studies(
    root: Path, split: str, text: Text, layout: str, shares: tuple[float, float], seed: int
) -> Iterator[Study]:
    if split not in CARD.splits:
        raise unknown_split("IU-Xray", split, CARD.splits)
    names = [name for name, (file, _) in _LAYOUTS.items() if (root / file).exists()]
    if layout == "auto" and not names:
        raise missing_layout("IU-Xray", root, CARD.files, "iu_xray")
    name = names[0] if layout == "auto" else layout
    if name == "r2gen" and text != "findings":
        raise RecipeError(
            f"the option 'text' of the loader 'iu_xray' is {text!r}, and R2Gen's annotation.json has the"
            " findings only",
            remedy='text = "findings", or the Kaggle or Open-i layout',
        )
    studies = list(_LAYOUTS[name][1](root))
    if name != "r2gen":
        studies = _split_by_hash(studies, shares, seed)
    return (study for study in studies if study.split == split)


def _split_by_hash(studies: Sequence[Study], shares: tuple[float, float], seed: int) -> list[Study]:
    """Return the studies with a split each, in file order: the same for any reading of the same studies."""
    drawn = sorted(studies, key=lambda study: rank_of(study.id, seed))
    validate, test = (round(share * len(studies)) for share in shares)
    splits = {study.id: "validate" for study in drawn[:validate]}
    splits |= {study.id: "test" for study in drawn[validate : validate + test]}
    return [replace(study, split=splits.get(study.id, "train")) for study in studies]


def _reference(study: Study, text: Text, placeholders: str) -> str:
    parts = (study.sections.get(name, "") for name in text.split("+"))
    joined = " ".join(" ".join(parts).split())
    return _PLACEHOLDER.sub("", joined).strip() if placeholders == "drop" else joined


def _views(images: Sequence[IuImage], views: Views) -> list[tuple[IuImage, ...]]:
    if views == "each":
        return [(image,) for image in images]
    frontal = next((image for image in images if image.view == "frontal"), images[0])
    if views == "one":
        return [(frontal,)]
    others = [image for image in images if image is not frontal]
    lateral = next((image for image in others if image.view == "lateral"), others[0] if others else None)
    return [(frontal, lateral) if lateral else (frontal,)]
