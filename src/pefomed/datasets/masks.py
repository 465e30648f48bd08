"""Boxes from masks: a picture or volume beside each image or volume, whose pixels say what is where.

Link, licence, counts: the owner's. Layout: `images/` and `masks/`, in each the folders of the splits or
none; other
names are said in the recipe, see `mask_files`::

    [data.mine]
    loader = "masks"
    root = "mine"
    options = { labels = { 1 = "mass", 2 = "rib" } }

    [data.lungs]
    loader = "masks"
    root = "lungs"
    options = { masks = "masks/{label}/{image}.png", threshold = 128, parts = "component" }

Masks are PNG, TIFF and the like (a palette's numbers, grey of 8 or 16 bits, a colour a label) or NIfTI. The
phrase is the label's name. Of a volume each slice that the mask touches is an image. An image whose mask is
empty or missing has no box, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pefomed.annotations.absent_phrases import Undrawn
from pefomed.annotations.box_readers import FUSION_IOU, Choice
from pefomed.annotations.box_rows import BoxRow
from pefomed.annotations.box_samples import Making, Skip, box_samples
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.label_maps import Naming, Parts, boxes_of, regions
from pefomed.annotations.mask_bounds import Bounds
from pefomed.annotations.mask_files import alone_error, masked_images
from pefomed.annotations.mask_slices import Layer, Slices, layers_of
from pefomed.annotations.sample_masks import kept_mask
from pefomed.annotations.split_folders import SplitFolder, has_pictures, of_split, parts_of
from pefomed.datasets.card import DataCard
from pefomed.datasets.reader_folders import reader_folders, reader_option
from pefomed.errors import DataError, listed
from pefomed.images.addresses import with_view
from pefomed.images.volume_files import is_volume
from pefomed.images.volume_values import grid_of
from pefomed.mapping.skip import NOTHING, Unusable
from pefomed.progress import track
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Mask, Sample

CARD = DataCard(
    title="Masks of one's own",
    licence="the owner's",
    link="",
    citation="",
    files=("images/ and masks/, files of the same name",),
)

LAYOUTS = ("images/{split}", "{split}/images", "images", "imagesTr", "imgs")


def load(
    root: Path,
    split: str,
    *,
    tasks: tuple[BoxTask, ...] = ("refer",),
    boxes: Literal["all", "one", "several"] = "all",
    images: str | None = None,
    masks: str | None = None,
    labels: dict[str, str] | None = None,
    phrase: str | None = None,
    ignore: tuple[str, ...] = (),
    threshold: float | None = None,
    parts: Parts = "label",
    least: int = 1,
    scaled_masks: bool = False,
    axis: Literal[0, 1, 2] = 2,
    slices: Slices = "touched",
    view: str = "",
    reader: str | None = None,
    readers: Choice | None = None,
    fusion_iou: float = FUSION_IOU,
    without: Undrawn = "left out",
    asked_slices: Literal["touched", "all"] = "touched",
    skip: Skip = NOTHING,
) -> Iterator[Sample | LeftOut]:
    """Yield a sample for each task, image and label of `split`, and what images have no mask.

    Args:
        tasks: `refer` and `detection` (where is it?), `identify` (what is it?).
        boxes: only the phrases with `one` or with `several` boxes.
        images: folder of the images, relative to `root` or absolute; `{split}` stands for the split.
        masks: how the masks are called, likewise: a folder, or a pattern with `{image}` and `{label}`.
        labels: value or colour (`"#ff0000"`) of a mask -> name. Without it a mask is of one thing, whose
            name is what `{label}` stands for, or `phrase`.
        phrase: name of what all masks are of.
        ignore: values or colours that mean nothing, beside 0.
        threshold: of soft masks: the least value that is inside.
        parts: `label` is one box around all of a label, `component` one around each connected part.
        least: pixels that a part must have; smaller ones are left out and counted.
        scaled_masks: masks are smaller or larger than their images, in the same proportions.
        axis: of volumes: slices are sagittal (0), coronal (1) or axial (2).
        slices: of volumes: those that a label touches, or for each label the one with the `largest` area.
        view: window of every image, e.g. `window=lung`.
        reader: `""` if what the folders of `{reader}` in `masks` hold is one answer.
        readers: of `{reader}` in `masks`: `apart` (a sample for each) or `fused` (the boxes of all as one
            answer); without either an error.
        fusion_iou: boxes of several readers that overlap by more are one.
        without: what labels are that a mask does not hold: `left out`, or samples whose answer is that there
            is no box, in the `images` whose mask is empty or missing, or all labels that an image lacks
            (`categories`). Of a volume `asked_slices` are images.
        asked_slices: of volumes, with `without`: only the slices that a mask touches, or `all`.
        skip: which masks are left out and counted: `"missing image"` (of no image), `"wrong box"` (it does
            not fit its image, or has a value without a name: its image is left out, too), or a value of
            `label` or `reader`, `{ column = "label", is = "rib" }`.

    Raises:
        DataError: a mask has no image, does not fit it, or has a value without a name; the file is named.
        ImageError: a file cannot be read.
    """
    naming = Naming(labels or {}, ignore, threshold)
    how = _Reading(naming, parts, least, scaled_masks, axis, slices, view)
    all_parts = _parts(root, images)
    drawn_by = reader_option(reader, masks, readers, "masks")
    alone: list[Path] = []
    found = _read_by(root, all_parts, of_split(all_parts, split, str(root)), masks, alone)
    if alone and "missing image" not in skip:
        raise alone_error(alone, root)
    yield from (LeftOut(str(file), "missing image") for file in alone)
    rows: list[BoxRow] = []
    asked: list[BoxRow] = []
    there: list[BoxRow] = []
    for each in track(found, f"reading masks of {root.name}", unit="images"):
        regions_of: list[_Region] = []
        try:
            for own_reader, label, mask in each.masks:
                name = _name(label, phrase, naming, mask)
                regions_of += (
                    region._replace(row=_by(own_reader, region.row))
                    for region in _regions(each, mask, name, how)
                )
        except DataError as error:
            if "wrong box" not in skip:
                raise Unusable(error.problem, "wrong box", error.remedy or "", found=error.found) from None
            yield LeftOut(str(mask), error.problem.removeprefix(f"{mask}").lstrip(": ,"), error.found or "")
            continue
        there += [region.row for region in regions_of]
        yield from (region.left for region in regions_of if region.left)
        own = [region.row for region in regions_of if region.chosen and not region.left]
        rows += own
        new = _asked(each, own, bool(regions_of), how, without, asked_slices)
        asked += new
        if not own and not new:
            reason = "an image with an empty mask" if each.masks else "an image without a mask"
            yield LeftOut(str(each.image), reason)
    making = Making(tasks, boxes, "xyxy", "pixel", scaled_masks, drawn_by, readers, fusion_iou, without, skip)
    known = _labels(naming, phrase, found)
    yield from box_samples(rows, f"{root.name}-{split}", making, asked, known, there)


def splits(root: Path, *, images: str | None = None, **_: Any) -> dict[str, int | None]:
    """Return the splits as the folders of images call them.

    Raises:
        DataError: there are no images.
    """
    return dict.fromkeys(part.split for part in _parts(root, images))


@dataclass(frozen=True)
class _Reading:
    naming: Naming
    parts: Parts
    least: int
    scaled: bool
    axis: int
    slices: Slices
    view: str


def _parts(root: Path, images: str | None) -> list[SplitFolder]:
    found = parts_of(root, (images,) if images else LAYOUTS, has_pictures)
    if not found:
        raise DataError(
            f"{root} has no images",
            found=listed([path.name for path in sorted(root.iterdir())]) if root.is_dir() else "no folder",
            remedy="put them into `images`, or say in `images` where they are",
        )
    return found


class _Read(NamedTuple):
    """An image with the masks of all readers."""

    name: str
    image: Path
    masks: tuple[tuple[str, str, Path], ...]
    """Who drew it, what `{label}` stands for, and the file."""


def _read_by(
    root: Path,
    parts: Sequence[SplitFolder],
    chosen: Sequence[SplitFolder],
    masks: str | None,
    alone: list[Path],
) -> list[_Read]:
    """Return the images of the chosen parts, and add masks of none to `alone`."""
    found: dict[Path, _Read] = {}
    for own in reader_folders(root, masks, "masks"):
        for each in masked_images(root, parts, chosen, own.pattern, alone):
            before = found.get(each.image, _Read(each.name, each.image, ()))
            new = tuple((own.reader, label, mask) for label, mask in each.masks)
            found[each.image] = before._replace(masks=before.masks + new)
    return list(found.values())


def _name(label: str, phrase: str | None, naming: Naming, mask: Path) -> str:
    name = phrase or label
    if not name and not naming.labels:
        raise DataError(
            f"{mask}: what is in the mask has no name",
            remedy='say it: `phrase = "lung"`, `labels = { 1 = "mass", 2 = "rib" }`, or {label} in `masks`',
        )
    return name


class _Region(NamedTuple):
    row: BoxRow
    left: LeftOut | None
    """Why it is left out."""
    chosen: bool
    """Whether its slice is one that its label is asked in."""


def _regions(each: _Read, mask: Path, name: str, how: _Reading) -> Iterator[_Region]:
    found: dict[str, list[tuple[int, list[tuple[BoxRow, LeftOut | None]]]]] = {}
    for layer in layers_of(each.image, mask, how.naming.meant, how.axis, how.scaled):
        for label, inside in regions(layer.values, how.naming, name, layer.place):
            least = how.least if how.parts == "component" else 1
            kept = kept_mask(f"{mask}{layer.view}", layer.values, inside, how.naming, least)
            made = [
                _row(each, layer, label, how, kept, *part)
                for part in enumerate(boxes_of(inside, how.parts), 1)
            ]
            found.setdefault(label, []).append((int(inside.sum()), made))
    for layers in found.values():
        # The first of several that are equal: `max` keeps it.
        largest = max(range(len(layers)), key=lambda number: layers[number][0])
        for number, (_, made) in enumerate(layers):
            chosen = how.slices == "touched" or number == largest
            yield from (_Region(row, left if chosen else None, chosen) for row, left in made)


def _row(
    each: _Read, layer: Layer, label: str, how: _Reading, kept: Mask, number: int, part: tuple[Bounds, int]
) -> tuple[BoxRow, LeftOut | None]:
    box, pixels = part
    place = f"{layer.place}, {label}" + (f", part {number}" if how.parts == "component" else "")
    small = pixels < how.least
    row = BoxRow(
        place=place,
        image=Path(with_view(layer.image, how.view)),
        phrase=label,
        category=label,
        numbers=box,
        size=layer.size,
        name=each.name + layer.view,
        mask=kept,
    )
    left = LeftOut(place, f"a part of fewer than {how.least} pixels", f"{pixels} pixels") if small else None
    return row, left


def _asked(
    each: _Read, rows: Sequence[BoxRow], touched: bool, how: _Reading, without: Undrawn, slices: str
) -> list[BoxRow]:
    """Return a row without phrase for each picture that is asked about what its mask does not hold."""
    view = how.view
    if without != "left out" and slices == "all" and is_volume(each.image):
        drawn = {row.image for row in rows} if without == "images" else set()
        views = [f"#axis={how.axis}&index={index}" for index in range(grid_of(each.image)[0][how.axis])]
        pairs = [(Path(with_view(f"{each.image}{own}", view)), own) for own in views]
        return [
            BoxRow(str(image), image, "", "", (), name=each.name + own)
            for image, own in pairs
            if image not in drawn
        ]
    if without == "left out" or (without == "images" and touched):
        return []
    if is_volume(each.image):
        pictures = {row.image: row for row in rows}
        return [
            replace(row, phrase="", category="", numbers=(), size=None, mask=None)
            for row in pictures.values()
        ]
    image = Path(with_view(str(each.image), view))
    return [BoxRow(str(each.image), image, "", "", (), name=each.name)]


def _by(reader: str, row: BoxRow) -> BoxRow:
    fields = {"label": row.category, **({"reader": reader} if reader else {})}
    return replace(row, reader=reader, fields=fields)


def _labels(naming: Naming, phrase: str | None, found: Sequence[_Read]) -> list[str]:
    """Return the names of all that masks may hold."""
    if naming.labels and naming.threshold is None:
        return list(naming.labels.values())
    return [phrase] if phrase else [label for each in found for _, label, _ in each.masks if label]
