"""ImageCLEFmedical Caption 2022: radiology images of open-access articles, a choice from extended ROCO.

Link: https://www.imageclef.org/2022/medical/caption. Licence: the organisers' end-user agreement. Counts:
83,275 / 7,645 train and validate captions; the test captions were not published. Layout: `train/*.jpg`,
`valid/*.jpg`, `caption_prediction_train.csv` and `caption_prediction_valid.csv`, in any longer name such as
`ImageCLEFmedCaption_2022_caption_prediction_train.csv`.

One record, **tab** separated in spite of the ending, under the header `ID<TAB>caption`::

    ImageCLEFmedCaption_2022_train_000001\\tFluoroscopic cholangiogram showing the dilated duct.

Traps: captions hold commas and quotation marks; an ID has no suffix; its images are in part ROCO's, so
training on both sees some images twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pefomed.datasets.card import DataCard, Published
from pefomed.errors import DataError
from pefomed.files.files import inside, missing_layout, unknown_split
from pefomed.files.lines import binary_lines
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

CARD = DataCard(
    title="ImageCLEFmedical Caption 2022",
    licence="the organisers' end-user agreement",
    link="https://www.imageclef.org/2022/medical/caption",
    citation=(
        "Rueckert, Ben Abacha, Garcia Seco de Herrera, Bloch, Bruengel, Idrissi-Yaghir, Schaefer, Mueller,"
        " Friedrich: Overview of ImageCLEFmedical 2022 - caption prediction and concept detection. CLEF 2022"
    ),
    splits={
        "train": Published(samples=83275, images=83275),
        "validate": Published(samples=7645, images=7645),
    },
    access="register for the task as the page says, sign its end-user agreement, and download the archives",
    files=("train/*.jpg, valid/*.jpg, *caption_prediction_train.csv and *caption_prediction_valid.csv",),
)

_FOLDERS = {"train": "train", "validate": "valid"}


def load(
    root: Path, split: str, *, missing_images: Literal["keep", "leave_out"] = "keep"
) -> Iterator[Sample | LeftOut]:
    """Yield the captions of `split` (`train`, `validate`).

    Args:
        missing_images: `leave_out` looks for every file and leaves captions without one out.

    Raises:
        DataError: a file is missing or malformed, or the split does not exist.
    """
    for place, name, image, caption in _captions(root, split):
        if not caption:
            yield LeftOut(place, "an empty caption")
        elif missing_images == "leave_out" and not image.is_file():
            yield LeftOut(place, "no image file", str(image))
        else:
            yield Sample(id=name, images=(str(image),), task="caption", reference=caption)


def _captions(root: Path, split: str) -> Iterator[tuple[str, str, Path, str]]:
    if split not in _FOLDERS:
        raise unknown_split("ImageCLEFmedical Caption 2022", split, _FOLDERS)
    folder = _FOLDERS[split]
    files = sorted(root.glob(f"*caption_prediction_{folder}.csv"))
    if len(files) != 1:
        if files:
            raise DataError(
                f"{root} has several caption files of {split!r}", found=", ".join(path.name for path in files)
            )
        raise missing_layout("ImageCLEFmedical Caption 2022", root, CARD.files, "imageclef")
    lines = binary_lines(files[0])
    header = next(lines, "").rstrip("\r").split("\t")
    if [name.strip().lower() for name in header] != ["id", "caption"]:
        raise DataError(
            f"{files[0]}: expected the header ID, a tab, caption", found=repr("\t".join(header))[:80]
        )
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        place = f"{files[0]}, line {number}"
        name, tab, caption = line.partition("\t")
        if not tab:
            raise DataError(f"{place}: expected an ID, a tab, the caption", found=repr(line[:80]))
        yield (
            place,
            name.strip(),
            inside(root / folder, f"{name.strip()}.jpg", place),
            _unquoted(caption.strip()),
        )


def _unquoted(caption: str) -> str:
    """Return a caption without the quotation marks that a CSV writer puts around one, and only those."""
    if len(caption) < 2 or caption[0] != '"' or caption[-1] != '"':
        return caption
    inner = caption[1:-1]
    # A mark of the text itself is doubled by such a writer.
    return inner.replace('""', '"').strip() if '"' not in inner.replace('""', "") else caption
