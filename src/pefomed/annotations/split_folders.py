"""Where the files of a split lie: in folders named by a pattern, in which `{split}` stands for the split."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from pefomed.errors import DataError, listed
from pefomed.files.split_names import meant, seems_split
from pefomed.images.given import ENDINGS

MARK = "{split}"
WHOLE = "train"
"""What a folder is that says nothing of splits."""


@dataclass(frozen=True)
class SplitFolder:
    """A folder of a split."""

    split: str
    """As the folder writes it."""
    folder: Path
    fault: DataError | None = field(default=None, compare=False)
    """Why it cannot be read: it is an error for whoever asks for this split."""


def parts_of(root: Path, patterns: Sequence[str], holds: Callable[[Path], bool]) -> list[SplitFolder]:
    """Return the folders that the first pattern that has any is about; none if there is no such pattern.

    Args:
        patterns: relative to `root`, or absolute. Of several only those folders count whose name is that of
            a split; a single one is the user's own, and takes all.
        holds: whether a folder has what is looked for.
    """
    for pattern in patterns:
        found = [
            SplitFolder(split, folder)
            for split, folder in _expanded(root, pattern)
            if (len(patterns) == 1 or seems_split(split)) and folder.is_dir() and holds(folder)
        ]
        if found:
            return found
    return []


def of_split(parts: Iterable[SplitFolder], split: str, what: str) -> list[SplitFolder]:
    """Return the parts of a split; `what` names the data set for the error.

    Raises:
        DataError: there is none, or several synonyms of it, or one of its folders is not there.
    """
    there = list(parts)
    names = meant(split, dict.fromkeys(part.split for part in there))
    if not names:
        raise DataError(
            f"{what} has no split {split!r}",
            found=listed([repr(part.split) for part in there]) or "no split",
            remedy="use one of these; a folder that says nothing of splits is 'train'",
        )
    found = [part for part in there if part.split in names]
    if fault := next((part.fault for part in found if part.fault), None):
        raise fault
    return found


def pictures_in(folder: Path) -> list[Path]:
    """Return the image files in a folder and the folders within, in order of their paths."""
    return files_in(folder, ENDINGS)


def files_in(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the files in a folder and the folders within that end so; hidden ones are no one's data."""
    return sorted(
        Path(here) / name
        for here, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(endings) and not name.startswith(".")
    )


def has_pictures(folder: Path) -> bool:
    """Return whether there is an image file in a folder or in one within."""
    return any(name.lower().endswith(ENDINGS) for _, _, names in os.walk(folder) for name in names)


def stem_of(path: PurePath) -> str:
    """Return the name of an image file without its ending: `ct` of `ct.nii.gz`."""
    name = path.name
    longest = max((ending for ending in ENDINGS if name.lower().endswith(ending)), key=len, default="")
    return name[: len(name) - len(longest)]


def picture_called(folder: Path, name: str) -> Path | None:
    """Return the image file of that name, which may lack its ending; None if there is none."""
    if (folder / name).is_file():
        return folder / name
    found = [folder / f"{name}{ending}" for ending in ENDINGS if (folder / f"{name}{ending}").is_file()]
    return found[0] if len(found) == 1 else None


def _expanded(root: Path, pattern: str) -> list[tuple[str, Path]]:
    if MARK not in pattern:
        return [(WHOLE, root / pattern)]
    names = PurePath(pattern).parts
    place = next(number for number, name in enumerate(names) if MARK in name)
    above = root.joinpath(*names[:place])
    before, _, behind = names[place].partition(MARK)
    there = sorted(child.name for child in above.iterdir()) if above.is_dir() else []
    splits = [
        name[len(before) : len(name) - len(behind)]
        for name in there
        if name.startswith(before) and name.endswith(behind) and len(name) > len(before) + len(behind)
    ]
    return [(split, root / pattern.replace(MARK, split)) for split in splits]
