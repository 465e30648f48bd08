"""Boxes that somebody else's model gave, as a run folder: scored like ours, in the numbers as they stand.

One table holds both, or the right boxes stand in a file of their own, joined by id::

    image,phrase,x,y,w,h,px,py,pw,ph
    scans/0001.png,left basal opacity,1601,1492,771,652,1588,1500,760,640
    scans/0002.png,pleural effusion,,,,,,,,

Rows of the same picture and phrase are one sample with the boxes of all. Cells without numbers, in all rows
of a phrase, answer that there is no box; of the right ones they say so where `boxes.without` is `absent`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pefomed.annotations.table_masks import is_nothing
from pefomed.boxes.plain import plain_text
from pefomed.datasets import table
from pefomed.datasets.box_columns import BoxColumns
from pefomed.errors import DataError, listed
from pefomed.files.format import Format
from pefomed.files.rows import read_table
from pefomed.files.tables import form_of
from pefomed.images.addresses import without_view
from pefomed.mapping.cells import cell, has, is_empty
from pefomed.mapping.columns import Columns
from pefomed.mapping.images import ImageColumns
from pefomed.mapping.rows import Placed, RowReading
from pefomed.mapping.skip import NOTHING, Rules, Where
from pefomed.outside.folder import outside_answer
from pefomed.samples.content_ids import ContentIds
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Prediction, Sample


@dataclass(frozen=True)
class BoxTable:
    """How tables of boxes are read."""

    boxes: BoxColumns
    """The right ones."""
    answers: BoxColumns
    """Those that were given."""
    columns: Columns = field(default_factory=Columns)
    """Picture, phrase, id, and what results are grouped by."""
    images: Path | None = None
    """The folder of the pictures, which no name may leave; by default that of the file that names them."""
    separator: str = ";"
    view: str = ""
    skip: Rules = NOTHING
    how: Format = field(default_factory=Format)

    def samples(
        self, file: Path, references: Path | None = None, dataset: str = ""
    ) -> tuple[list[Sample], list[LeftOut]]:
        """Return the phrases of `file` with the right boxes, and the rows that are left out.

        Args:
            references: the file of the right boxes, if it is one of its own.
            dataset: what ids without a column begin with, by default the file's name: two files of
                answers to the same have the same ids.

        Raises:
            DataError: a row cannot be read, or a box lies outside of its picture; the row is named.
        """
        about = references or file
        name = self._name(file, references, dataset)
        return self._read(self._rows(about), self.boxes, about, self.skip, name)

    def answered(
        self, file: Path, references: Path | None = None, dataset: str = ""
    ) -> tuple[list[Sample], list[Prediction], list[LeftOut]]:
        """Return the phrases with the right boxes, an answer to each, and the rows that are left out.

        Args:
            references, dataset: see `samples`.

        Raises:
            DataError: a row cannot be read, a box lies outside of its picture, answers of several systems
                stand in the file, or an id is on one side only; the rows or the ids are named.
        """
        rows = self._rows(file)
        _check_one_system(rows, self.skip, file)
        samples, left_out = self.samples(file, references, dataset)
        if references is not None:
            rows = self._joined(rows, self._rows(references), file, references)
        only_rows = Rules(rule for rule in self.skip if isinstance(rule, Where))
        of_answers, _ = self._read(
            rows, self.answers, references or file, only_rows, self._name(file, references, dataset)
        )
        given = {sample.id: sample.boxes for sample in of_answers}
        without = [sample.id for sample in samples if sample.id not in given]
        if without:
            raise DataError(
                "every phrase needs an answer",
                found=f"{len(without)} phrases without: {listed(without)}",
                remedy="give each a row; cells without numbers answer that there is no box",
            )
        predictions = [outside_answer(sample, plain_text(given[sample.id]), file) for sample in samples]
        return samples, predictions, left_out

    @staticmethod
    def _name(file: Path, references: Path | None, dataset: str) -> str:
        return references.stem if references is not None else dataset or file.stem

    def _rows(self, file: Path) -> list[Placed]:
        rows: list[Placed] = list(read_table(file, self.how.fitting(form_of(file))))
        if not rows:
            raise DataError(f"{file} holds no row", remedy="give a table with one row per box or phrase")
        return rows

    def _read(
        self, rows: Sequence[Placed], boxes: BoxColumns, file: Path, skip: Rules, name: str
    ) -> tuple[list[Sample], list[LeftOut]]:
        pictures = ImageColumns(
            self.images or file.parent, self.separator, self.view, False, "--images FOLDER"
        )
        if "sizes" not in boxes.model_fields_set and (boxes.width or boxes.unit != "pixel"):
            place, row = rows[0]
            shown = pictures.of(row, self.columns.images, place)
            if shown and not Path(without_view(shown[0].path)).is_file():
                boxes = boxes.model_copy(update={"sizes": "table"})
        reading = RowReading(ContentIds(name), file.name, pictures, self.columns, "refer", False, skip)
        told = self._told(rows, boxes)
        read = list(table.read([(reading, told)], self.columns, boxes, skip))
        samples = [each for each in read if isinstance(each, Sample)]
        doubled = [name for name in {one.id for one in samples} if sum(s.id == name for s in samples) > 1]
        if doubled:
            raise DataError(
                f"{file}: an id stands for several phrases",
                found=listed(sorted(doubled)),
                remedy="give each phrase of a picture an id of its own, or none",
            )
        return samples, [each for each in read if isinstance(each, LeftOut)]

    def _told(self, rows: Sequence[Placed], boxes: BoxColumns) -> list[Placed]:
        """Return the rows but those without numbers whose phrase has some in another row."""
        keys = [self._key(row, place) for place, row in rows]
        empty = [
            all(is_empty(cell(row, name, place, "boxes")) for name in boxes.columns)
            and (
                boxes.mask is None or bool(boxes.columns) or is_nothing(cell(row, boxes.mask, place, "boxes"))
            )
            for place, row in rows
        ]
        drawn = {key for key, nothing in zip(keys, empty, strict=True) if not nothing}
        return [
            row for row, key, nothing in zip(rows, keys, empty, strict=True) if not (nothing and key in drawn)
        ]

    def _key(self, row: Mapping[str, Any], place: str) -> tuple[str, ...]:
        reader = self.boxes.reader if self.boxes.readers == "apart" else None
        sources = [*(source for _, source in self.columns.images), self.columns.question]
        sources += [source for source in (self.boxes.category, reader) if source]
        return tuple(str(cell(row, source, place)).strip() for source in sources)

    def _joined(
        self, rows: Sequence[Placed], described: Sequence[Placed], file: Path, references: Path
    ) -> list[Placed]:
        """Return the answers' rows with what the row of the same id in the other file says of them."""
        column = self.columns.id or "id"
        for name, some in ((file, rows), (references, described)):
            if not has(some[0][1], column):
                raise DataError(
                    f"{name}: no column of ids, by which answers and right boxes are joined",
                    remedy="name it with --columns 'id=...'",
                )
        # Each reader of a phrase is held against the same answer, unless the answers say whose they are.
        known: dict[str, dict[str, Mapping[str, Any]]] = {}
        for place, row in described:
            own_id = str(cell(row, column, place)).strip()
            known.setdefault(own_id, {}).setdefault(self._reader(row, place), row)
        ids = [str(cell(row, column, place)).strip() for place, row in rows]
        foreign = list(dict.fromkeys(name for name in ids if name not in known))
        if foreign:
            raise DataError(
                f"{file}: ids that {references} does not have",
                found=f"{len(foreign)} ids: {listed(foreign)}",
                remedy="complete the references, or take these rows out",
            )
        own = {*self.answers.columns, self.answers.width, self.answers.height, self.answers.mask}
        return [
            (place, {**about, **{key: row[key] for key in row if key in own or key not in about}})
            for name, (place, row) in zip(ids, rows, strict=True)
            for reader, about in known[name].items()
            if self._reader(row, place) in ("", reader)
        ]

    def _reader(self, row: Mapping[str, Any], place: str) -> str:
        reader = self.boxes.reader if self.boxes.readers == "apart" else None
        return str(cell(row, reader, place)).strip() if reader and has(row, reader) else ""


_SYSTEM = re.compile(r"(?:model|system|method|algorithm|network|run)s?(?:[ _.-]?(?:id|name))?", re.IGNORECASE)


def _check_one_system(rows: Iterable[Placed], skip: Rules, file: Path) -> None:
    """Refuse a table with the answers of several systems: their boxes would be one answer."""
    chosen = [row for place, row in rows if skip.of_row(row, place) is None]
    for column in (name for name in (chosen[0] if chosen else ()) if _SYSTEM.fullmatch(str(name).strip())):
        names = list(dict.fromkeys(str(row.get(column)) for row in chosen))
        if len(names) > 1:
            raise DataError(
                f"{file}: the answers of several systems would be one",
                found=f"column {column!r}: {listed(names)}",
                remedy="take one at a time, e.g. --option"
                f' \'skip={{ column = "{column}", is_not = "{names[0]}" }}\'',
            )
