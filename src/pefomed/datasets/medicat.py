"""MEDICAT: figures of open-access articles with their captions, ROCO's left out by its authors.

Link: https://github.com/allenai/medicat. Licence: each article's own (`oa_info`). Counts: 217,060 figures of
131,410 articles; most are compound. Layout, in the root or in its folder `release`:
`s2_full_figures_oa_nonroco_combined_medical_top4_public.jsonl` and `figures/{pdf_hash}_{fig_uri}`.

One record::

    {"pdf_hash": "26491ab76c6e8d6acc582e71bb6b3b5f5601ccc2", "fig_key": "Figure4",
     "fig_uri": "3-Figure4-1.png", "s2_caption": "Figure 4. Nuclear magnetic resonance ...",
     "s2orc_caption": "Figure 4. Nuclear magnetic resonance ...",
     "s2orc_references": ["Findings from ..."], "radiology": true, "scope": false,
     "predicted_type": "Medical images", "oa_info": {"doi": "10.1001/...", "oa": {"license": null, ...}}}

Traps: `radiology` is a classifier's guess; either caption may be null; captions begin with the figure's
number ("Fig. 2. ..."); `roco_references/` holds text about ROCO's figures and is not read; there is no
split: `validate_share` holds out whole articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pefomed.annotations.seeded_draws import draw
from pefomed.datasets.card import DataCard, Published
from pefomed.errors import DataError
from pefomed.files.files import inside, missing_layout, unknown_split
from pefomed.files.rows import read_published
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

FILE = "s2_full_figures_oa_nonroco_combined_medical_top4_public.jsonl"

CARD = DataCard(
    title="MEDICAT (all figures)",
    licence="each article's own",
    link="https://github.com/allenai/medicat",
    citation=(
        "Subramanian, Wang, Mehta, Bogin, van Zuylen, Parasa, Singh, Gardner, Hajishirzi: MedICaT: a dataset"
        " of medical images, captions, and textual references. Findings of EMNLP 2020"
    ),
    splits={"train": Published(samples=217060, images=217060), "validate": None},
    access="fill in the form that the repository's README links to; the archive has 104 GB",
    files=(f"{FILE} and figures/*.png, or both in release/",),
)

_FIELDS = ("pdf_hash", "fig_uri", "s2_caption", "s2orc_caption", "radiology")
_NUMBER = re.compile(r"(?i:fig(?:ure|ures|s)?)\.?\s*(?:S?\d+[A-Za-z]?|[IVX]+)\b\s*[.:|)]?\s*")


def load(
    root: Path,
    split: str,
    *,
    radiology: bool = True,
    figure_numbers: Literal["keep", "drop"] = "keep",
    missing_images: Literal["keep", "leave_out"] = "keep",
    validate_share: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    validate_seed: int = 0,
) -> Iterator[Sample | LeftOut]:
    """Yield the captions of `split` (`train`, or `validate` if `validate_share` > 0).

    Args:
        radiology: only figures that the authors' classifier takes for radiology.
        figure_numbers: keep the "Figure 4." a caption begins with, or drop it.
        missing_images: `leave_out` looks for every file and leaves captions without one out.
        validate_share: share of the articles held out as the split `validate`.
        validate_seed: seed of the hash that chooses them.

    Raises:
        DataError: a file or field is missing, a row is malformed, or the split does not exist.
    """
    for place, row, image in _figures(root, split, radiology, validate_share, validate_seed):
        caption = _caption(row, figure_numbers)
        if not caption:
            yield LeftOut(place, "no caption")
        elif missing_images == "leave_out" and not image.is_file():
            yield LeftOut(place, "no image file", str(image))
        else:
            yield Sample(
                id=f"medicat-{row['pdf_hash']}_{row['fig_uri']}",
                images=(str(image),),
                task="caption",
                reference=caption,
                meta={"article": str(row["pdf_hash"]), "radiology": str(bool(row["radiology"])).lower()},
            )


def _figures(
    root: Path, split: str, radiology: bool, share: float, seed: int
) -> Iterator[tuple[str, dict[str, Any], Path]]:
    if split == "validate" and not share:
        raise DataError(
            "MEDICAT has no validation split",
            remedy="set the loader's option `validate_share`, e.g. 0.01, to hold out articles",
        )
    if split not in CARD.splits:
        raise unknown_split("MEDICAT", split, CARD.splits)
    base = next((folder for folder in (root, root / "release") if (folder / FILE).is_file()), None)
    if base is None:
        raise missing_layout("MEDICAT", root, CARD.files, "medicat")
    for place, row in read_published(base / FILE, _FIELDS):
        if radiology and not row["radiology"]:
            continue
        held_out = draw(str(row["pdf_hash"]), seed) < share
        if held_out == (split == "validate"):
            yield place, row, inside(base / "figures", f"{row['pdf_hash']}_{row['fig_uri']}", place)


def _caption(row: dict[str, Any], figure_numbers: str) -> str:
    text = " ".join(str(row["s2_caption"] or row["s2orc_caption"] or "").split())
    return text[match.end() :] if figure_numbers == "drop" and (match := _NUMBER.match(text)) else text
