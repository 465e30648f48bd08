"""Several people who annotated the same images, each in a folder of their own: `{reader}` in its pattern.

labels/{reader}          labels/anna/0.txt and labels/ben/0.txt
masks_{reader}/{image}   masks_anna/0.png and masks_ben/0.png
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from pefomed.annotations.annotation_folder import annotation_files
from pefomed.annotations.box_readers import Choice
from pefomed.annotations.split_folders import SplitFolder
from pefomed.errors import DataError, listed

READER = "{reader}"


class Own(NamedTuple):
    """What one person annotated."""

    reader: str
    pattern: str | None


def reader_folders(root: Path, pattern: str | None, option: str) -> list[Own]:
    """Return each reader with the pattern of what is theirs; one without a name where nothing says readers.

    Args:
        pattern: of folders or files, relative to `root` or absolute.
        option: how the option of the pattern is called.

    Raises:
        DataError: there is no such folder.
    """
    if pattern is None or READER not in pattern:
        return [Own("", pattern)]
    parts = PurePath(pattern).parts
    place = next(number for number, part in enumerate(parts) if READER in part)
    if parts[place].count(READER) > 1 or re.search(r"\{(image|label)\}", "/".join(parts[: place + 1])):
        raise DataError(
            f"`{option}`: {pattern!r} does not say whose a folder is",
            remedy="give each reader a folder, and write its name once, e.g. 'labels/{reader}'",
        )
    expression = re.compile(
        "".join(
            "(?P<reader>.+)" if part == READER else ".+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", parts[place])
        )
    )
    above = re.sub(r"\{\w+\}", "*", "/".join(parts[:place]))
    full = root / above
    within = str(full.relative_to(full.anchor)) if full.anchor else str(full)
    homes = sorted(Path(full.anchor).glob(within)) if "*" in above else [full]
    names = {
        match["reader"]
        for home in homes
        if home.is_dir()
        for child in home.iterdir()
        if child.is_dir() and not child.name.startswith(".") and (match := expression.fullmatch(child.name))
    }
    if not names:
        raise DataError(
            f"{root} has no folder of a reader, {pattern!r}",
            found=listed([child.name for home in homes if home.is_dir() for child in sorted(home.iterdir())])
            or "no folder",
            remedy=f"correct `{option}`",
        )
    return [Own(name, pattern.replace(READER, name)) for name in sorted(names)]


def files_by_reader(
    root: Path, annotations: str | None, split: str, ending: str
) -> Iterator[tuple[str, SplitFolder, Path]]:
    """Yield the annotation files of a split: whose each is, empty where nothing says it, its part, its path.

    Raises:
        DataError: see `reader_folders` and `annotation_files`.
    """
    for own in reader_folders(root, annotations, "annotations"):
        for part, file in annotation_files(root, own.pattern, split, ending):
            yield own.reader, part, file


def reader_option(field: str | None, folders: str | None, readers: Choice | None, option: str) -> str | None:
    """Return who says who drew a box: the field, `{reader}` of the folders, or nobody.

    Raises:
        DataError: folders of readers are there and nothing says what is to be done with them, or both are.
    """
    if folders is None or READER not in folders:
        return field
    if field:
        raise DataError(f"`reader` and {{reader}} in `{option}` both say who drew a box", remedy="keep one")
    if readers is None and field is None:
        raise DataError(
            "the boxes of several readers would be one answer",
            found=f"{{reader}} in `{option}`",
            remedy="say what they are: readers = 'apart' (each a sample) or 'fused' (one box of all), or"
            ' reader = "" to take them together',
        )
    return READER if readers else ""
