"""Where the boxes of a table are and what their numbers mean: the table `boxes` of a recipe's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from pefomed.annotations.absent_phrases import Without
from pefomed.annotations.box_numbers import Form, Unit
from pefomed.annotations.box_readers import FUSION_IOU, Choice
from pefomed.annotations.box_tasks import BoxTask
from pefomed.annotations.label_maps import Parts
from pefomed.annotations.table_masks import Runs
from pefomed.checked import Checked
from pefomed.mapping.source import OptionalSourceOrNone, SourceOrNone


class BoxColumns(Checked):
    """Which columns hold boxes, and what their numbers are; nothing of it is guessed."""

    called = "table of box columns"
    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...] = ()
    """Four names, or the one of a column with all boxes of the row; none where `mask` says what is where."""
    form: Form
    """`xywh`: left, top, width, height. `xyxy`: left, top, right, bottom; `yxyx` the same with y first.
    `cxcywh`: centre, width, height."""
    unit: Unit
    """`pixel` of the image file, or of its width and height fractions (`relative`), `percent`, or thousandths
    (`thousand`)."""
    tasks: tuple[BoxTask, ...] = Field(("refer",), min_length=1)
    """What is asked about each phrase, unless `columns.task` names a column."""
    category: SourceOrNone = None
    """Column to group results by, and to take floors from; by default the phrase."""
    categories: tuple[str, ...] = ()
    """The categories there are, if others are mistakes."""
    width: str | None = None
    """Column with the image's width in pixels, to be checked against the file."""
    height: str | None = None
    """Column with its height; `width` and `height` are named together."""
    scaled_images: bool = False
    """The images were scaled in proportion: boxes are pixels of the sizes in the table."""
    reader: OptionalSourceOrNone = None
    """Column with who drew the box; `""` for none. By default several readers of a phrase are an error."""
    readers: Choice | None = None
    """With `reader`: `apart`, a sample for each reader, or `fused`, the boxes of all as one answer."""
    fusion_iou: float = Field(FUSION_IOU, gt=0, lt=1)
    """Boxes of several readers that overlap by more are one."""
    sizes: Literal["files", "table"] = "files"
    """Images' sizes: of their files, or as the `table` says, whose files need not be there."""
    without: Without = "error"
    """What a phrase without a box is: `error`, or `absent`: what it names is nowhere in the image."""

    mask: str | None = None
    """Column with the mask: a file's path or picture, COCO's run-length code or polygons, or run lengths."""
    runs: Runs | None = None
    """What run lengths count: `starts` from 1 (Kaggle) or `gaps` (SIIM-ACR), each with the length, both down
    the columns; `starts across`."""
    threshold: float | None = None
    """Of files of soft masks: the least value that is inside."""
    parts: Parts = "label"
    """Without `columns`: `label` is one box around the mask, `component` one around each connected part."""

    @model_validator(mode="before")
    @classmethod
    def _of_masks(cls, said: Any) -> Any:
        # Boxes of masks are what we make them.
        alone = isinstance(said, Mapping) and said.get("mask") is not None and not said.get("columns")
        return {"form": "xyxy", "unit": "pixel", **said} if alone else said

    @field_validator("columns")
    @classmethod
    def _one_or_four(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(names) not in (0, 1, 4):
            raise ValueError("give four columns, or one with all boxes of the row")
        return names

    @model_validator(mode="after")
    def _has_choice(self) -> BoxColumns:
        if not self.columns and self.mask is None:
            raise ValueError("give four columns, one with all boxes of the row, or `mask`")
        if bool(self.reader) != (self.readers is not None):
            raise ValueError("`reader` needs `readers` ('apart' or 'fused'), and the other way round")
        return self
