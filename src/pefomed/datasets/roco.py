"""ROCO: radiology images of open-access articles with their captions.

Link: https://github.com/razorx89/roco-dataset. Licence: each article's own (`licences.txt`). Counts: 65,460 /
8,183 / 8,182 train, validate, test radiology images, and 6,127 of other kinds. Layouts:

- the authors': `data/{train,validation,test}/{radiology,non-radiology}/captions.txt`, a line is
  `ROCO_id<TAB>caption`, and `images/` beside it, `ROCO_00001.jpg` or, as `fetch.py` now names them after
  `dlinks.txt`, `PMC4083729_AMHSR-4-14-g002.jpg`
- Kaggle: `all_data/{train,validation,test}/radiology{train,val,test}data.csv` (`id,name,caption`) and
  `radiology/images/<name>`
- ROCOv2, another and larger choice of images: Parquet with `image, image_id, caption, cui`, as on the hub in
  `eltorio/ROCOv2-radiology` (59,962 / 9,904 / 9,927; CC BY-NC-SA 4.0)

One record of each::

    ROCO_00016\\t Axial source image from an intracranial magnetic resonance angiogram reveals ...
    ROCO_00002,PMC4083729_AMHSR-4-14-g002.jpg," Computed tomography scan in axial view showing ..."
    {"image": {...}, "image_id": "ROCOv2_2023_train_000001", "caption": "Head CT ...", "cui": ["C0040405"]}

Traps: a caption begins with a space, and some end with a line break; some are in French or Spanish; images
whose article has moved cannot be fetched any more, so files are missing (`missing_images`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pefomed.datasets.card import DataCard, Hub, Published
from pefomed.errors import DataError
from pefomed.files.files import inside, missing_layout, unknown_split
from pefomed.files.lines import binary_lines
from pefomed.files.rows import read_published
from pefomed.files.shards import has_shards, read_shards, shards_of
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

Kind = Literal["radiology", "non-radiology", "both"]

CARD = DataCard(
    title="ROCO (radiology)",
    licence="each article's own",
    link="https://github.com/razorx89/roco-dataset",
    citation=(
        "Pelka, Koitka, Rueckert, Nensa, Friedrich: Radiology Objects in COntext (ROCO): a multimodal image"
        " dataset. LABELS at MICCAI 2018"
    ),
    splits={
        "train": Published(samples=65460, images=65460),
        "validate": Published(samples=8183, images=8183),
        "test": Published(samples=8182, images=8182),
    },
    access="clone the repository and run its scripts/fetch.py; or Kaggle's virajbagal/roco-dataset",
    files=(
        "data/{train,validation,test}/radiology/captions.txt and images/ (the authors')",
        "all_data/{train,validation,test}/radiology{train,val,test}data.csv and radiology/images/ (Kaggle)",
        "data/{train,validation,test}-*.parquet (ROCOv2 on the Hugging Face hub)",
    ),
    hub=Hub("eltorio/ROCOv2-radiology", ("data/*.parquet",), 18621, "roco", differs="ROCOv2"),
)

_V2 = replace(
    CARD,
    title="ROCOv2",
    licence="CC BY-NC-SA 4.0",
    link="https://huggingface.co/datasets/eltorio/ROCOv2-radiology",
    citation=(
        "Rueckert, Bloch, Bruengel, et al.: ROCOv2: Radiology Objects in COntext version 2, an updated"
        " multimodal image dataset. Scientific Data 11, 688 (2024)"
    ),
    splits={
        "train": Published(samples=59962),
        "validate": Published(samples=9904),
        "test": Published(samples=9927),
    },
)

_FOLDERS = {"train": "train", "validate": "validation", "test": "test"}
_LINE = re.compile(r"(ROCO_\d+)\t(.*)", re.DOTALL)
_Found = tuple[str, str, str, str, str]  # place, id, image, caption, kind


def load(
    root: Path, split: str, *, kind: Kind = "radiology", missing_images: Literal["keep", "leave_out"] = "keep"
) -> Iterator[Sample | LeftOut]:
    """Yield the captions of `split` (`train`, `validate`, `test`), of whichever layout is at `root`.

    Args:
        kind: radiology images, the others, or both; ROCOv2 has radiology only.
        missing_images: `leave_out` looks for every file and leaves captions without one out.

    Raises:
        DataError: a file is missing or malformed, or the split does not exist.
    """
    for place, name, image, caption, of_kind in _captions(root, split, kind):
        if not caption:
            yield LeftOut(place, "an empty caption")
        elif missing_images == "leave_out" and not Path(image).is_file():
            yield LeftOut(place, "no image file", image)
        else:
            yield Sample(
                id=f"roco-{split}-{name}", images=(image,), task="caption", reference=caption,
                meta={"kind": of_kind},
            )  # fmt: skip


def card_at(root: Path) -> DataCard:
    """Return the card of the layout at `root`."""
    return _V2 if has_shards(root) else CARD


def _captions(root: Path, split: str, kind: Kind) -> Iterator[_Found]:
    if split not in CARD.splits:
        raise unknown_split("ROCO", split, CARD.splits)
    kinds = ("radiology", "non-radiology") if kind == "both" else (kind,)
    folder = _FOLDERS[split]
    for base in (root / "data" / folder, root / folder, root / "all_data" / folder):
        if (base / kinds[0] / "captions.txt").is_file():
            for each in kinds:
                yield from _published(base / each, each)
            return
        if tables := [table for each in kinds for table in _kaggle_tables(base, each)]:
            for each, table in tables:
                yield from _kaggle(base, each, table)
            return
    shards = shards_of(root, split)
    if not shards:
        raise missing_layout("ROCO", root, CARD.files, "roco")
    yield from _parquet(shards)


def _published(folder: Path, kind: str) -> Iterator[_Found]:
    path = folder / "captions.txt"
    links = _links(folder)
    for number, line in enumerate(binary_lines(path), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        match = _LINE.fullmatch(line)
        if match is None:
            raise DataError(f"{place}: expected ROCO_id, a tab, the caption", found=repr(line[:80]))
        name = match[1]
        image = folder / "images" / f"{name}.jpg"
        if name in links and not image.is_file():
            image = inside(folder / "images", links[name], place)
        yield place, name, str(image), match[2].strip(), kind


def _links(folder: Path) -> dict[str, str]:
    """Return the names `fetch.py` gives the images: the article's number, then the file's name in it.

    A line of `dlinks.txt` is the id, `wget -r ftp://.../PMC4083729.tar.gz`, and the file's name, by tabs.
    """
    path = folder / "dlinks.txt"
    names = {}
    for number, line in enumerate(binary_lines(path) if path.is_file() else (), 1):
        cells = line.rstrip("\r").split("\t")
        words = cells[1].split() if len(cells) > 2 else []
        if len(words) < 3:
            raise DataError(f"{path}, line {number}: expected an id, a command and a file", found=line[:80])
        article = words[2].rsplit("/", 1)[-1].removesuffix(".tar.gz")
        names[cells[0]] = f"{article}_{cells[-1].strip()}"
    return names


def _kaggle_tables(base: Path, kind: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(base.glob("*data.csv")):
        if path.name.startswith("radiology") == (kind == "radiology"):
            yield kind, path


def _kaggle(base: Path, kind: str, table: Path) -> Iterator[_Found]:
    for place, row in read_published(table, ("id", "name", "caption")):
        image = inside(base / kind / "images", row["name"], place)
        yield place, row["id"], str(image), row["caption"].strip(), kind


def _parquet(shards: list[Path]) -> Iterator[_Found]:
    for place, row in read_shards(shards, ("image", "image_id", "caption")):
        yield place, str(row["image_id"]), row["image"], str(row["caption"] or "").strip(), "radiology"
