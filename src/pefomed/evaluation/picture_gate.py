"""Which pictures of a run may be shown, on a page, in a spreadsheet, to a rater: those that were answered.

A run's folder names its pictures by path, and may come from somebody else: whoever wrote it could name any
picture of this machine, and get it with the page that is handed back. An answer carries the hash of what its
pictures held, which nobody knows who has not had them. Without one, a picture must lie in the run's folder or
in the data folder that the user names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pefomed.errors import ImageError
from pefomed.evaluation.staleness import answer_again
from pefomed.images.addresses import without_view
from pefomed.images.remembered import remembered_hash
from pefomed.machine_paths import short_name, without_paths
from pefomed.samples.question_hash import shown_of


class PictureGate:
    """The pictures of one run: which may be shown, and how many were left out."""

    def __init__(self, run: Path, data_folder: Path | None = None):
        """Ask nothing of the disk yet.

        Args:
            data_folder: where pictures may lie of which the run does not say what they held; by default
                PEFOMED_DATA. The working directory is none: it may be somebody's home.
        """
        named = data_folder or os.environ.get("PEFOMED_DATA")
        self._run = run
        self._folders = [run, *([Path(named).expanduser()] if named else [])]
        self._asked: set[str] = set()
        self._other: set[str] = set()
        self._outside: set[str] = set()

    def reasons(self, images: Sequence[str], shown: str) -> list[str]:
        """Return for each picture of an answer why it may not be shown; nothing where it may.

        Args:
            shown: the hash of what the pictures held together; empty if that is not known.
        """
        self._asked.update(images)
        if not shown:
            return [self._not_inside(path) for path in images]
        if shown_of(images) == shown:
            return [""] * len(images)
        return [_missing(path) or self._not_answered(path) for path in images]

    def check(self, images: Sequence[str], shown: str) -> None:
        """Check that all pictures of an answer may be shown.

        Raises:
            ImageError: one may not.
        """
        if reason := next(filter(None, self.reasons(images, shown)), ""):
            raise ImageError(reason, remedy="; ".join(self.left_out()) or None)

    def check_all(self) -> None:
        """Check that no picture was left out so far.

        Raises:
            ImageError: some were.
        """
        if said := self.left_out():
            raise ImageError("pictures of the run may not be shown", found="; ".join(said))

    def left_out(self) -> list[str]:
        """Return a sentence for each reason for which pictures were left out so far, and what to do."""
        said = []
        if self._other:
            said.append(
                f"{self._share(self._other)} left out: they do not hold what was answered about."
                f" Put the former pictures back, or {answer_again(self._run)}"
            )
        if self._outside:
            said.append(
                f"{self._share(self._outside)} left out: the run does not say what they held, and they lie"
                " neither in its folder nor in the data folder. If the run is yours, name the folder that"
                " holds them with --data DIR"
            )
        return said

    def _share(self, some: set[str]) -> str:
        pictures = "picture is" if len(self._asked) == 1 else "pictures are"
        return f"{len(some):,} of {len(self._asked):,} {pictures}"

    def _not_inside(self, path: str) -> str:
        # A file's own name may hold a `#`.
        if all(map(self._is_inside, {path, without_view(path)})):
            return ""
        self._outside.add(path)
        return f"{short_name(path)} is left out: it lies in no folder that was named"

    def _is_inside(self, path: str) -> bool:
        try:
            # Links are followed: one may lead out of the folder.
            file = Path(os.path.realpath(path))
        except ValueError:  # a NUL in it
            return False
        return any(file.is_relative_to(os.path.realpath(folder)) for folder in self._folders)

    def _not_answered(self, path: str) -> str:
        self._other.add(path)
        return f"{short_name(path)} is left out: it does not hold what was answered about"


def _missing(path: str) -> str:
    """Return why nothing can be read at `path`; nothing if something can."""
    try:
        remembered_hash(path)
    except ImageError as error:
        return without_paths(error.problem.replace(path, short_name(path)))
    except OSError:
        return f"{short_name(path)} cannot be read"
    return ""
