"""The command that brings in a hospital's own images: `pefomed data import`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pefomed.cli.options import Json
from pefomed.cli.output import print_json

if TYPE_CHECKING:
    from pefomed.images.windows import Window


class Frames(StrEnum):
    """Which frames of a file with several."""

    first = "first"
    middle = "middle"
    all = "all"


class Scouts(StrEnum):
    """What becomes of scouts."""

    leave_out = "leave-out"
    keep = "keep"


class BoxesOf(StrEnum):
    """What a box of a mask or structure is around."""

    segment = "segment"
    part = "part"


class BurnedIn(StrEnum):
    """What becomes of images that say names are burned in."""

    leave_out = "leave-out"
    keep = "keep"


def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder of DICOM files and volumes, however deep.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder that gets the table and the images.")],
    window: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[MODALITY=]WINDOW",
            help="auto, range, robust, stored:N, CENTRE:WIDTH, or for CT e.g. lung, or three joined by +"
            " (wide+soft+brain, or medgemma for these); may be repeated.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="KEYWORD", help="A DICOM attribute as a further column, e.g. PatientSex."),
    ] = None,
    frames: Annotated[Frames, typer.Option(help="Of a file with several frames.")] = Frames.all,
    slices: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Of each stack, by position: all, middle, every:N, count:N, or touched (with a box on it).",
        ),
    ] = "all",
    scouts: Annotated[
        Scouts, typer.Option(help="Scouts and localizers, which are no slices of their series.")
    ] = Scouts.leave_out,
    boxes_of: Annotated[
        BoxesOf, typer.Option(help="Boxes are around a whole segment or structure, or each part of it.")
    ] = BoxesOf.segment,
    masks: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="How volumes of labels are called, e.g. labelsTr/{volume}, {volume}_seg or {folder}_seg;"
            " each label gives boxes.",
        ),
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER=NAME", help="What a label of --masks is; others are left out."),
    ] = None,
    burned_in: Annotated[
        BurnedIn, typer.Option(help="Images that say names or dates are drawn into them.")
    ] = BurnedIn.leave_out,
    split: Annotated[
        str, typer.Option(metavar="A:B:C", help="Shares of patients in train, validate and test.")
    ] = "80:10:10",
    json_: Json = False,
) -> None:
    """Make a table and images that name nobody out of a hospital's DICOM studies."""
    from pefomed.deidentify import ImportSettings, import_folder, secret_folder
    from pefomed.deidentify.choice import rule_of

    result = import_folder(
        folder,
        out,
        ImportSettings(
            windows=_windows(window or []),
            keep=tuple(dict.fromkeys(keep or [])),
            frames=frames.value,
            slices=rule_of(slices),
            scouts=scouts.value,
            parts=boxes_of is BoxesOf.part,
            masks=masks,
            labels=_labels(label or [], masks),
            burned_in=burned_in.value,
            shares=_shares(split),
        ),
    )
    if json_:
        print_json(result)
        return
    typer.echo((out / "report.md").read_text(encoding="utf-8"))
    typer.echo(f"table:   {out / 'table.csv'}")
    typer.echo(f"series:  {out / 'series.csv'}")
    if (out / "boxes.csv").is_file():
        typer.echo(f"boxes:   {out / 'boxes.csv'}")
    typer.echo(f"report:  {out / 'report.json'}, {out / 'report.md'}")
    typer.echo(f"secret:  {secret_folder(out.absolute())} (the key and what leads back; do not give it on)")


def _windows(words: list[str]) -> dict[str, Window]:
    from pefomed.images.windows import window as window_of

    found = {}
    for word in words:
        modality, equals, text = word.rpartition("=")
        of = window_of(text)
        if equals and of.in_hounsfield and modality != "CT":
            raise typer.BadParameter(
                f"the window {text!r} is in Hounsfield units, for CT and not for {modality}"
            )
        found[modality] = of
    return found


def _labels(words: list[str], masks: str) -> dict[str, str]:
    from pefomed.deidentify.label_volumes import checked_labels

    if words and not masks:
        raise typer.BadParameter(
            "--label names what volumes of labels hold: say with --masks how these are called"
        )
    return checked_labels({number: name for number, _, name in (word.partition("=") for word in words)})


def _shares(text: str) -> tuple[float, float, float]:
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or min(numbers) < 0 or not 0 < sum(numbers) < float("inf"):
        raise typer.BadParameter(f"{text!r} is not three shares, e.g. --split 80:10:10")
    return numbers[0] / sum(numbers), numbers[1] / sum(numbers), numbers[2] / sum(numbers)
