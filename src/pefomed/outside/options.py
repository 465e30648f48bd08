"""How somebody else's table of answers is read, as a file says it: the options of the loader `table`.

    columns = { id = "study_id", reference = ["findings", "impression"], answer = "generated" }
    skip = ["empty reference", { column = "view", is_not = "PA" }]
    header = ["study_id", "findings", "impression", "generated", "view"]

`answer` is what was answered, and `reference` what a recipe calls `answer`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict

from pefomed.checked import Checked
from pefomed.errors import DataError, PefomedError, RecordError, nearest
from pefomed.files.files import read_text
from pefomed.files.format import Format
from pefomed.files.storage import usable_paths
from pefomed.mapping import columns
from pefomed.mapping.skip import NOTHING
from pefomed.outside.box_columns import checked_columns
from pefomed.outside.boxes import BoxTable
from pefomed.outside.columns import AnswerColumns, Skip
from pefomed.schema import TaskName
from pefomed.tasks import BOXES


class AnswerTable(Checked):
    """How a table of answers is read."""

    called = "table of answers"
    model_config = ConfigDict(frozen=True, extra="forbid")
    mistake: ClassVar[type[PefomedError]] = DataError

    columns: AnswerColumns = AnswerColumns()
    """Which column holds what."""
    skip: Skip = NOTHING
    """Which rows are left out, and counted."""
    task: TaskName = "vqa"
    """Of every row, unless a column says it."""
    images: str | None = None
    """Folder of the pictures, relative to that of the file that names them, which it is by default."""
    separator: str = ";"
    """What stands between several image paths in one cell."""
    view: str = ""
    """Frame, slice or window of every picture that does not say its own."""
    numbers_as_text: bool = False
    """Take answers and references that are numbers as text."""
    boxes: dict[str, Any] | None = None
    """Which columns hold the right boxes, where the answers are boxes."""
    answer_boxes: dict[str, Any] = {}  # noqa: RUF012 - frozen
    """Which columns hold the given ones, as far as it differs."""
    format: Format = Format()
    """What the file does not say itself."""

    def box_table(self, images: Path | None) -> BoxTable | None:
        """Return how boxes are read, None where the answers are texts.

        Args:
            images: the folder of the pictures, if it is not that of the table.

        Raises:
            DataError: it is not said where boxes are, or wrongly.
        """
        if self.boxes is None and not self.answer_boxes and self.task not in BOXES:
            return None
        if self.task not in BOXES or self.boxes is None or not self.answer_boxes:
            raise DataError(
                "for boxes say the task, and where the right and the given ones are",
                found=f"task {self.task}; boxes {'given' if self.boxes else 'missing'};"
                f" answer_boxes {'given' if self.answer_boxes else 'missing'}",
                remedy=f'--task {" or ".join(BOXES)}, --boxes \'columns = ["x", "y", "w", "h"],'
                ' form = "xywh", unit = "pixel"\', --answer-boxes \'columns = ["px", ..]\'',
            )
        shared = {**self.boxes, "tasks": (self.task,)}
        # The right mask is no answer, and the right boxes are not those of an answered mask.
        own = ("mask", "runs", "threshold", "parts", *(("columns",) if "mask" in self.answer_boxes else ()))
        given = {name: value for name, value in shared.items() if name not in own}
        names = {name for name in self.columns.model_fields_set if name in columns.Columns.model_fields}
        mapped = {name: getattr(self.columns, name) for name in names - {"answer"}}
        return BoxTable(
            boxes=checked_columns(shared, "--boxes"),
            answers=checked_columns({**given, **self.answer_boxes, "without": "absent"}, "--answer-boxes"),
            columns=columns.Columns(**mapped),
            images=images,
            separator=self.separator,
            view=self.view,
            skip=self.skip,
            how=self.format,
        )


@usable_paths()
def answer_table(path: Path | None, options: Mapping[str, Any]) -> AnswerTable:
    """Return how a table is read by what the file `path` says, and by `options`, which count more.

    Raises:
        DataError: the file cannot be read or is not TOML, or an option is unknown or wrong.
    """
    said = {**_read(path), **options}
    # As the recipe has them: beside the other options.
    form = {name: said.pop(name) for name in Format.model_fields if name in said}
    where = str(path) if path is not None else "--option"
    try:
        columns = said.pop("columns", {})
        if isinstance(columns, Mapping):
            columns = AnswerColumns(**columns)
        if unknown := [key for key in said if key not in AnswerTable.model_fields or key == "format"]:
            known = {*AnswerTable.model_fields, *Format.model_fields} - {"format"}
            raise DataError(f"there is no option {unknown[0]!r}", remedy=nearest(unknown[0], known))
        return AnswerTable(columns=columns, format=Format(**form), **said)
    except (RecordError, DataError) as error:
        raise DataError(f"{where}: {error.problem}", found=error.found, remedy=error.remedy) from None


def join_columns(first: AnswerColumns, more: AnswerColumns) -> AnswerColumns:
    """Return a column map with what another one says in its place."""
    return first.model_copy(update={name: getattr(more, name) for name in more.model_fields_set})


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            f"{path} is not TOML", found=str(error), remedy='write e.g. `columns = { answer = "text" }`'
        ) from None
