"""Which mask files belong to which images: by their names, in which `{image}` and `{label}` may stand.

    masks                        the mask of images/a.png is masks/a.png (or .tif, .nii.gz, ...)
    masks/{image}_mask.png       masks/a_mask.png
    masks/{label}/{image}        masks/lung/a.png and masks/heart/a.png
    {image}_{label}              beside the images: a_lung.png

A `*` stands for anything but a slash. `{split}` is the split, as its folder of images writes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pefomed.annotations.split_folders import SplitFolder, pictures_in, stem_of
from pefomed.errors import DataError, listed
from pefomed.mapping.skip import Unusable

BESIDE = ("masks", "mask", "Masks", "labels", "segmentations", "annotations", "masks_png")
"""Folders that are looked for where nothing else is said."""


@dataclass(frozen=True)
class MaskedImage:
    """An image with its masks."""

    name: str
    """Of the image, from its split's folder on."""
    image: Path
    masks: tuple[tuple[str, Path], ...]
    """What `{label}` stands for, empty where it is not said, and the file."""


def masked_images(
    root: Path,
    parts: Sequence[SplitFolder],
    chosen: Sequence[SplitFolder],
    masks: str | None,
    alone: list[Path],
) -> list[MaskedImage]:
    """Return the images of the chosen parts with their masks, in order; an image may have none.

    Args:
        parts: all there are: a folder may hold the masks of several.
        masks: the pattern, relative to `root` or absolute; by default a folder of `BESIDE`.
        alone: gets the masks that are of no image.

    Raises:
        DataError: there is no folder of masks.
    """
    images = {part: {_stem(path, part.folder): path for path in pictures_in(part.folder)} for part in parts}
    patterns = {part: _pattern(root, part, masks) for part in parts}
    found: dict[SplitFolder, dict[str, list[tuple[str, Path]]]] = {part: {} for part in parts}
    used, looked_at = set(), dict.fromkeys(above for above, _ in patterns.values())
    everywhere = [file for above in looked_at for file in pictures_in(root / above)]
    for file in everywhere:
        for part, (above, behind) in patterns.items():
            if file.is_relative_to(root / above):
                stem, label = _image_of(file.relative_to(root / above), behind, images[part])
                if stem is not None and file != images[part][stem]:
                    found[part].setdefault(stem, []).append((label, file))
                    used.add(file)
    pictures = {path for each in images.values() for path in each.values()}
    alone += [file for file in everywhere if file not in used and file not in pictures]
    for part in chosen:
        if not found[part] and not alone:
            raise DataError(f"{root / patterns[part][0]} has no masks of {part.folder}", remedy=_HOW)
    return [
        MaskedImage(stem, path, tuple(found[part].get(stem, ())))
        for part in chosen
        for stem, path in images[part].items()
        if path not in used
    ]


def alone_error(alone: Sequence[Path], root: Path) -> Unusable:
    """Return the error for masks that are of no image."""
    return Unusable(
        f"{root}: {len(alone):,} masks without an image",
        "missing image",
        "give each its image, remove it, say in `masks` how masks are called, e.g. 'masks/{image}_mask.png'",
        found=listed([str(file) for file in alone], most=5),
    )


def _pattern(root: Path, part: SplitFolder, masks: str | None) -> tuple[str, str]:
    """Return the folder in which a part's masks are looked for, and the pattern of the names in it."""
    pattern = (masks if masks is not None else _beside(root, part)).replace("{split}", part.split)
    return _parted(pattern if "{image}" in pattern else f"{pattern.rstrip('/')}/{{image}}")


_HOW = "say in `masks` where they are, e.g. 'masks/{image}' or 'masks/{label}/{image}'"
_FIRST = "_0000"
"""What nnU-Net writes behind the name of the first channel of an image, and not behind that of its mask."""


def _beside(root: Path, part: SplitFolder) -> str:
    for name in BESIDE:
        for way in (root / name / part.split, part.folder.parent / name, root / name):
            if way.is_dir() and way != part.folder:
                return str(way)
    there = listed([path.name for path in sorted(root.iterdir())]) if root.is_dir() else "no folder"
    raise DataError(f"{root} has no folder of masks", found=there, remedy=_HOW)


def _parted(pattern: str) -> tuple[str, str]:
    """Return the folders of a pattern before the first part that stands for something, and the rest."""
    parts = PurePath(pattern).parts
    first = next(number for number, part in enumerate(parts) if re.search(r"[{*]", part))
    return str(PurePath(*parts[:first])) if first else ".", "/".join(parts[first:])


def _image_of(file: Path, pattern: str, images: dict[str, Path]) -> tuple[str | None, str]:
    """Return the image a mask is of, and its label; None where it is of none."""
    if not re.search(r"(?<![A-Za-z.])[A-Za-z]*\.[A-Za-z.]+$", pattern):
        file = file.with_name(stem_of(file))
    name = file.as_posix()
    match = _expression(pattern, r".+").fullmatch(name)
    if match is None:
        return None, ""
    for stem in (match["image"], f"{match['image']}{_FIRST}"):
        if stem in images:
            return stem, _label(match)
    if "{label}" not in pattern and "*" not in pattern:
        return None, ""
    # `a_b_lung` may be the image `a_b` or `a`: the longest that is there.
    for stem in sorted((stem for stem in images if stem in name), key=len, reverse=True):
        if match := _expression(pattern, re.escape(stem)).fullmatch(name):
            return stem, _label(match)
    return None, ""


def _expression(pattern: str, image: str) -> re.Pattern[str]:
    parts = re.split(r"(\{image\}|\{label\}|\*)", pattern)
    stand_for = {"{image}": f"(?P<image>{image})", "{label}": r"(?P<label>[^/]+)", "*": r"[^/]*"}
    seen: set[str] = set()
    written = []
    for part in parts:
        if part in seen:
            written.append(f"(?P={part[1:-1]})")
        else:
            written.append(stand_for.get(part, re.escape(part)))
        if part in ("{image}", "{label}"):
            seen.add(part)
    return re.compile("".join(written))


def _label(match: re.Match[str]) -> str:
    return (match.groupdict().get("label") or "").strip()


def _stem(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_name(stem_of(path)).as_posix()
