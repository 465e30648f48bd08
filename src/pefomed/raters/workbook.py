"""One spreadsheet per rater, for those who prefer them: locked but for label and comment."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.drawing.image import Image as Drawing
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from pefomed import progress
from pefomed.errors import DataError
from pefomed.files.storage import usable_paths, write
from pefomed.images.images import from_image
from pefomed.raters.pictures import encode, shrunk
from pefomed.raters.request import file_name
from pefomed.raters.scale import CANNOT, RatingScale
from pefomed.raters.session import Rater, RatingItem, Session
from pefomed.raters.verdicts import states

RATING, RUBRIC, ABOUT = "rating", "rubric", "about"
"""Names of the sheets."""

_SIDE = 200  # longest side of an embedded image in pixels; the row is as high
_MOST_TEXT = 32_767  # characters a cell holds
_EMU = 9525  # the format's unit of length, in a pixel
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

_HEAD = PatternFill("solid", fgColor="1F3A5F")
_INPUT = PatternFill("solid", fgColor="FFF8DC")
_LINE = Side(style="thin", color="D0D0D0")
_RULE = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_TOP = Alignment(wrap_text=True, vertical="top")
_WIDTHS = {"id": 11, "image": 30, "question": 34, "comment": 36}


def columns(scale: RatingScale) -> tuple[str, ...]:
    """Return the header of the rating sheet."""
    texts = ("text A", "text B") if scale.sides else ("reference", "answer")
    question = () if scale.sides else ("question",)
    return ("id", "image", *question, *texts, "label", "comment")


def words(scale: RatingScale) -> tuple[str, ...]:
    """Return what the label column's drop-down offers."""
    named = [str(level.label) if scale.sides else level.word for level in reversed(scale.levels)]
    return (*named, CANNOT)


def item_code(session: Session, rater: Rater, item: RatingItem) -> str:
    """Return the item's id in this rater's spreadsheet: it says nothing, and fits no other session."""
    text = f"sheet:{session.id}:{rater.name}:{item.sample_id}"
    return hmac.new(session.secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:8]


@usable_paths()
def write_workbooks(session: Session, folder: Path) -> list[Path]:
    """Write `folder/<rater>.xlsx` for each rater, with what they have rated so far filled in.

    Of a session that grew a rater's further answers stand in `<rater> part 2.xlsx` and so on: a file that was
    given out before stays the one they fill in.

    Raises:
        DataError: a text is longer than a cell can hold.
        ImageError: an image is missing, damaged, or not what was answered about.
        StorageError: the folder cannot be written.
    """
    small: dict[str, bytes] = {}
    paths = []
    for rater in progress.track(session.raters(), "spreadsheets", unit="raters"):
        for number, items in enumerate(session.parts(rater), 1):
            book = _workbook(session, rater, items, number, small)
            buffer = io.BytesIO()
            book.save(buffer)
            # No rater's file name has a space.
            part = f" part {number}" if number > 1 else ""
            path = folder / f"{file_name(rater.name)}{part}.xlsx"
            write(path, buffer.getvalue())
            paths.append(path)
    return paths


def _workbook(
    session: Session, rater: Rater, items: Sequence[RatingItem], number: int, small: dict[str, bytes]
) -> Workbook:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # a new workbook has one
    sheet.title = RATING
    _fill_rating(sheet, session, rater, items, small)
    _fill_rubric(book.create_sheet(RUBRIC), session.scale)
    part = {"part": str(number)} if number > 1 else {}
    _fill_about(book.create_sheet(ABOUT), {"session": session.id, "rater": rater.name, **part})
    return book


def _fill_rating(
    sheet: Worksheet, session: Session, rater: Rater, items: Sequence[RatingItem], small: dict[str, bytes]
) -> None:
    scale, names = session.scale, columns(session.scale)
    place = {name: number for number, name in enumerate(names, 1)}
    for name, column in place.items():
        _put(sheet, 1, column, name).font = Font(bold=True, color="FFFFFF")
        sheet.cell(1, column).fill = _HEAD
        texts = 34 if not scale.sides else 52
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS.get(
            name, 14 if name == "label" else texts
        )
    said = states(session, rater)
    for row, item in enumerate(items, 2):
        texts_of = (item.text, item.reference) if item.swapped else (item.reference, item.text)
        asked = () if scale.sides else (item.question,)
        state = said.get(item.id)
        word: str | None = None
        if state is not None and state.rated:
            word = CANNOT if state.cannot else _word(scale, state.label)
        values = (
            item_code(session, rater, item),
            "",
            *asked,
            *texts_of,
            word,
            state.comment if state else "",
        )
        for column, value in enumerate(values, 1):
            _put(sheet, row, column, value)
        if scale.sides and word is not None and word != CANNOT:
            sheet.cell(row, place["label"]).value = int(word)
        for name in ("label", "comment"):
            cell = sheet.cell(row, place[name])
            cell.protection, cell.fill = Protection(locked=False), _INPUT
        session.gate.check(item.images, item.shown)
        _put_images(sheet, row, place["image"], item, small)
    last = max(2, len(items) + 1)
    _restrict(sheet, scale, f"{get_column_letter(place['label'])}2:{get_column_letter(place['label'])}{last}")
    sheet.freeze_panes = "B2"
    # Without a password: it is there against slips. What was changed all the same is found on import.
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False


def _word(scale: RatingScale, label: int | None) -> str:
    level = next(level for level in scale.levels if level.label == label)
    return str(level.label) if scale.sides else level.word


def _restrict(sheet: Worksheet, scale: RatingScale, cells: str) -> None:
    allowed = DataValidation(type="list", formula1=f'"{",".join(words(scale))}"', allow_blank=True)
    allowed.errorTitle, allowed.error = "Not on the scale", f"Choose one of: {', '.join(words(scale))}"
    allowed.promptTitle, allowed.prompt = scale.question, f"See the sheet {RUBRIC!r}."
    allowed.showErrorMessage = allowed.showInputMessage = True
    sheet.add_data_validation(allowed)
    allowed.add(cells)


def _put_images(sheet: Worksheet, row: int, column: int, item: RatingItem, small: dict[str, bytes]) -> None:
    left = 0
    for path in item.images:
        if path not in small:
            small[path] = from_image(path, lambda image: encode(shrunk(image, _SIDE), quality=80)[0])
        drawing = Drawing(io.BytesIO(small[path]))
        if left:
            # Further images stand to the right, over the empty rest of the row's text.
            sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS["image"] * len(item.images)
        drawing.anchor = _anchor(row, column, left, drawing.width, drawing.height)
        sheet.add_image(drawing)
        left += drawing.width + 6
    sheet.row_dimensions[row].height = _SIDE * 0.75 + 4  # points


def _anchor(row: int, column: int, left: int, width: int, height: int) -> OneCellAnchor:
    marker = AnchorMarker(col=column - 1, colOff=_EMU * (left + 3), row=row - 1, rowOff=_EMU * 2)
    return OneCellAnchor(_from=marker, ext=XDRPositiveSize2D(_EMU * width, _EMU * height))


def _fill_rubric(sheet: Worksheet, scale: RatingScale) -> None:
    rows = [(scale.question, ""), ("", "")]
    rows += [(_word(scale, level.label), level.when) for level in reversed(scale.levels)]
    rows += [(CANNOT, "The image or the texts do not allow a judgement. Say why in the comment."), ("", "")]
    rows += [("", advice) for advice in scale.advice]
    for row, (name, text) in enumerate(rows, 1):
        _put(sheet, row, 1, name).font = Font(bold=True)
        _put(sheet, row, 2, text)
        for column in (1, 2):
            sheet.cell(row, column).border = Border()
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 30, 90
    sheet.protection.sheet = True


def _fill_about(sheet: Worksheet, values: Mapping[str, str]) -> None:
    for row, (name, value) in enumerate(values.items(), 1):
        _put(sheet, row, 1, name)
        _put(sheet, row, 2, value)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 12, 40
    sheet.protection.sheet = True


def _put(sheet: Worksheet, row: int, column: int, value: str | None):  # type: ignore[no-untyped-def]
    """Write text as text: one that begins with `=` is no formula."""
    cell = sheet.cell(row, column)
    if value:
        if len(value) > _MOST_TEXT:
            raise DataError(
                f"a text has {len(value):,} characters; a spreadsheet's cell holds {_MOST_TEXT:,}",
                found=f"{value[:60]}...",
                remedy="rate on the page instead: pefomed rate RUN",
            )
        cell.value = _ILLEGAL.sub("\ufffd", value)
        cell.data_type = "s"
        cell.quotePrefix = True
    cell.alignment, cell.border = _TOP, _RULE
    return cell
