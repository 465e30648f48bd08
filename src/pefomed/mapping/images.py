"""The images that a row names: paths in one folder, and pictures that a reader unpacked of the table itself.

Whoever wrote a table chose the names, and pictures leave with pages and rating sessions. A name stays in the
folder of the images: relative to it, or absolute and inside. Links in it are followed where they lead for
data of one's own; for somebody else's answers they may not lead out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pefomed.cache import cache_folder
from pefomed.errors import DataError
from pefomed.files.unpacked import ImageFile, image_of
from pefomed.images.addresses import with_view, within, without_view
from pefomed.mapping.cells import cell, is_empty, is_nothing, said
from pefomed.mapping.skip import Unusable
from pefomed.mapping.source import One, formed, is_template, parts_of

_CONTENT_NAME = 64  # digits


class Picture(NamedTuple):
    """A picture that a row shows."""

    path: str
    name: str
    """The same wherever the cache and the data lie."""
    role: str = ""


@dataclass(frozen=True)
class ImageColumns:
    """Where a table's pictures are, and how their names are read."""

    folder: Path
    separator: str = ";"
    """What stands between several names in one cell."""
    view: str = ""
    """Frame, slice or window of every picture that does not say its own."""
    links_out: bool = True
    """Whether a link in the folder may lead out of it."""
    option: str = "the option `images`"
    """What names another folder."""

    def of(
        self, row: Mapping[str, Any], sources: Iterable[tuple[str, One]], place: str
    ) -> tuple[Picture, ...]:
        """Return the pictures of a row; `sources` are each a role and where its pictures are named.

        Raises:
            DataError: a name is none, or leads out of the folder.
        """
        return tuple(
            found._replace(role=role)
            for role, source in sources
            for name in self._names(row, source, place)
            if (found := self.picture(name, place)) is not None
        )

    def written(self, value: Any, pictures: Sequence[Picture]) -> Any:
        """Return a single column's cell as an id takes it: as it is written, wherever the pictures lie."""
        names = [each.name for each in pictures]
        if isinstance(value, list) and all(isinstance(one, str) and not _is_absolute(one) for one in value):
            kept = [
                _content_name(one, self.folder) if isinstance(one, ImageFile) else one.strip()
                for one in value
            ]
            return kept if set(names) <= set(kept) else names
        if isinstance(value, str) and not isinstance(value, ImageFile):
            parts = {
                part.strip() for part in (value, *(value.split(self.separator) if self.separator else ()))
            }
            if parts.issuperset(names):
                return value.strip()
        if isinstance(value, int | float):
            return value
        return names[0] if len(names) == 1 else names

    def picture(self, value: Any, place: str) -> Picture | None:
        """Return the picture of a name or of what `image_of` returned, None for an empty one.

        Raises:
            DataError: it is none, a URL, a path of Windows, or leads out of the folder.
        """
        if isinstance(value, ImageFile):  # its name was looked at where it was unpacked
            self._check_links(value, (self.folder, cache_folder() / "images"), value, place)
            return Picture(with_view(str(value), self.view), _content_name(value, self.folder))
        if is_empty(value):
            return None
        if isinstance(value, bool | list | dict):
            raise DataError(f"{place}: the name of a picture must be text", found=repr(value)[:60])
        name = str(value).strip()
        if is_nothing(name) and not os.path.isfile(self.folder / name):
            return None
        own = self.own_name(name, place)
        path = within(self.folder, own, place, self._remedy)
        self._check_links(path, (self.folder,), name, place)
        return Picture(with_view(path, self.view), own)

    def own_name(self, name: str, place: str) -> str:
        """Return a name relative to the folder, which it may be already.

        Raises:
            DataError: it is a URL, a path of Windows, or leads out of the folder.
        """
        own = self._relative(name, place)
        within(self.folder, own, place, self._remedy)
        return own

    def check_no_url(self, name: str, place: str) -> None:
        """Check that a name is a path.

        Raises:
            DataError: it is a URL.
        """
        if _SCHEME.match(name) and not os.path.isfile(self.folder / without_view(name)):
            here = name.lower().startswith("file:")
            raise DataError(
                f"{place}: a picture's name is a URL, not a path",
                found=repr(name)[:80],
                remedy=f"write the path without `file://`; {self._remedy}"
                if here
                else f"download the pictures and write their paths; {self.option} names their folder",
            )

    def _names(self, row: Mapping[str, Any], source: One, place: str) -> list[Any]:
        if isinstance(source, str) and source not in row and is_template(source):
            return _filled_in(row, source, place)
        value = image_of(cell(row, source, place), place)
        if isinstance(value, list):
            return value
        if isinstance(value, ImageFile) or not isinstance(value, str) or self.separator not in value:
            return [value]
        # What is a file's name as a whole is one, whatever it holds; `isfile` says no to what no file can be.
        whole = not value.strip() or os.path.isfile(self.folder / value.strip())
        return [value] if whole else value.split(self.separator)

    @property
    def _remedy(self) -> str:
        return f"give it relative to the folder of the images; {self.option} names another folder"

    def _relative(self, name: str, place: str) -> str:
        """Return a name relative to the folder, if it is a path inside it."""
        self.check_no_url(name, place)
        if "\\" in name and not os.path.isfile(self.folder / without_view(name)):
            self._check_windows(name, place)
        return relative_in(self.folder, name)

    def _check_windows(self, name: str, place: str) -> None:
        plain = name.replace("\\", "/")
        out = re.match(r"(?:[A-Za-z]:)?/|[A-Za-z]:", plain) or ".." in plain.split("/")
        raise DataError(
            f"{place}: a file name must stay inside {self.folder}"
            if out
            else f"{place}: a path with backslashes, as Windows writes it",
            found=f"{name!r}, a path of Windows" if out else repr(name),
            remedy=f"replace each `\\` by `/`; {self._remedy}"
            if out
            else f"replace each `\\` by `/`, here {plain!r}",
        )

    def _check_links(self, path: str, folders: Sequence[Path], name: str, place: str) -> None:
        if self.links_out:
            return
        # `realpath` follows what exists, and says nothing of loops and of names too long: opening them does.
        homes = [os.path.realpath(folder) for folder in folders]
        for file in (path, without_view(path)):  # a file's own name may hold a `#`
            if not any(Path(os.path.realpath(file)).is_relative_to(home) for home in homes):
                raise DataError(
                    f"{place}: a picture must stay inside {os.path.abspath(folders[0])}",
                    found=f"{name!r}, a link that leads out of it",
                    remedy=f"put the picture itself there, or name its folder with {self.option}",
                )


def relative_in(folder: Path, name: str) -> str:
    """Return an absolute path inside a folder relative to it, and any other name as it is."""
    if os.path.isabs(name):
        path = Path(os.path.normpath(name))
        for root in (os.path.abspath(folder), os.path.realpath(folder)):
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
    return name


def no_image(sources: Iterable[tuple[str, One]], place: str) -> Unusable:
    """Return the error of a row that names no picture."""
    names = " and ".join(repr(said(source)) for _, source in sources)
    return Unusable(f"{place}: no image in column {names}", "no image", "give a path")


def roles_of(pictures: Iterable[Picture]) -> dict[str, str]:
    """Return what `meta` says of the roles of a sample's pictures, `frontal+lateral`; nothing without any."""
    roles = dict.fromkeys(each.role for each in pictures if each.role)
    return {"views": "+".join(roles)} if roles else {}


def missing_image(paths: Sequence[str]) -> str:
    """Return the first of the paths at which there is no file; empty if all are there."""
    absent = (path for path in paths if not (os.path.isfile(path) or os.path.isfile(without_view(path))))
    return next(absent, "")


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|file:", re.IGNORECASE)


def _is_absolute(name: Any) -> bool:
    return isinstance(name, str) and not isinstance(name, ImageFile) and os.path.isabs(name.strip())


def _content_name(image: ImageFile, folder: Path) -> str:
    """Return what a picture is called wherever the cache and the data lie."""
    path, here = Path(image), folder.absolute()
    # In the cache files are named by what they hold.
    is_outside = len(path.stem) != _CONTENT_NAME and path.is_relative_to(here)
    return path.relative_to(here).as_posix() if is_outside else path.name


def _filled_in(row: Mapping[str, Any], template: str, place: str) -> list[str]:
    """Return the names that a template makes: none if a field is empty, several if one is a list."""
    fields = {name: cell(row, name, place) for _, name, _ in parts_of(template) if name}
    several = max((len(value) for value in fields.values() if isinstance(value, list)), default=1)
    return [name for number in range(several) if (name := _name(template, fields, number, place))]


def _name(template: str, fields: Mapping[str, Any], number: int, place: str) -> str:
    found = ""
    for before, field, form in parts_of(template):
        found += before
        if field:
            value = fields[field]
            value = value[number] if isinstance(value, list) else value
            if is_empty(value) or is_nothing(str(value).strip()):
                return ""
            found += formed(str(value).strip(), form)
    return found
