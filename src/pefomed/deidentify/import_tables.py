"""The tables and reports that an import leaves, made anew from all that it has noted."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.deidentify.convert import ImportSettings
from pefomed.deidentify.placing import FrameBox
from pefomed.deidentify.planning import COLUMNS, Plan
from pefomed.deidentify.pseudonyms import Pseudonyms
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.series_table import HEADER as SERIES_HEADER
from pefomed.deidentify.series_table import series_rows
from pefomed.deidentify.summary import summary, text_of
from pefomed.errors import DataError
from pefomed.files.storage import write

REMEDY = "free space, then run the same command again; it goes on where it stopped"

Row = dict[str, str]

BOXES = (
    "image", "phrase", "x0", "y0", "x1", "y1", "width", "height", "split", "patient", "study", "image_id",
    "label", "code", "site", "reader", "made_by", "mask",
)  # fmt: skip


def finish(
    folder: Path,
    out: Path,
    secret: Path,
    settings: ImportSettings,
    records: Sequence[ImportRecord],
    former: Collection[str],
    plan: Plan,
    boxes: Sequence[FrameBox],
    faults: Counter[str],
    names: Pseudonyms,
) -> dict[str, Any]:
    """Write tables and reports and return what is in `report.json`.

    Args:
        former: images of files that are no longer chosen; they are removed.

    Raises:
        DataError: there is no image.
        StorageError: the disk is full.
    """
    rows: dict[str, Row] = {}
    at: dict[tuple[str, int], str] = {}
    repeated = 0
    stale = set(former)
    for record in records:
        own = [_placed(record, row, plan) for row in record.rows]
        stale |= {row["image"] for row, placed in zip(record.rows, own, strict=True) if placed is None}
        taken = [row for row in own if row is not None]
        repeated += any(row["id"] in rows for row in taken)
        for row in taken:
            rows.setdefault(row["id"], row)
            at[record.source, int(row["frame"])] = row["id"]
    if not rows:
        counts = summary(records, rows.values(), repeated, settings, plan.series, [], faults)["files"]
        _write_secret(secret, records)
        raise DataError(
            f"{folder} holds no DICOM image that can be imported",
            found=", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no file",
            remedy=f"{secret / 'left_out.csv'} says why" if records else "name the folder of the DICOM files",
        )
    for image in stale - {row["image"] for row in rows.values()}:
        (out / image).unlink(missing_ok=True)
    table = sorted(rows.values(), key=_order)
    drawn = _boxes(boxes, rows, at, faults)
    result = summary(records, table, repeated, settings, plan.series, drawn, faults)
    write(out / "table.csv", _csv(list(table[0]), (row.values() for row in table)), REMEDY)
    write(out / "series.csv", _csv(SERIES_HEADER, series_rows(plan.series, at, rows, names)), REMEDY)
    if settings.masks or any(record.outcome == "annotation" for record in records):
        write(out / "boxes.csv", _csv(BOXES, (row.values() for row in drawn)), REMEDY)
    write(out / "report.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n", REMEDY)
    write(out / "report.md", text_of(result, out), REMEDY)
    _write_secret(secret, records)
    return result


def _placed(record: ImportRecord, row: Mapping[str, str], plan: Plan) -> Row | None:
    """Return a row with its place in its series, nothing if the frame is no longer chosen."""
    if record.source not in plan.frames:
        # A volume says itself where its slices are; a header that could not be looked at says nothing.
        return {**row, **{column: row.get(column, "") for column in COLUMNS}}
    columns = plan.frames[record.source].get(int(row["frame"]))
    return None if columns is None else {**row, **columns}


def _boxes(
    boxes: Sequence[FrameBox],
    rows: Mapping[str, Row],
    at: Mapping[tuple[str, int], str],
    faults: Counter[str],
) -> list[Row]:
    found: dict[tuple[str, ...], Row] = {}
    for box in boxes:
        image = rows.get(at.get((box.source, box.frame), ""))
        if image is None:
            faults["its image is left out, or its slice not chosen"] += 1
            continue
        if not box.of.phrase:
            faults["a region that nothing names"] += 1
            continue
        x0, y0, x1, y1 = (f"{value:.3f}".rstrip("0").rstrip(".") for value in box.bounds)
        row = {
            "image": image["image"], "phrase": box.of.phrase, "x0": x0, "y0": y0, "x1": x1, "y1": y1,
            "width": image["width"], "height": image["height"], "split": image["split"],
            "patient": image["patient"], "study": image["study"], "image_id": image["id"],
            "label": box.of.label, "code": box.of.code, "site": box.of.site, "reader": box.of.reader,
            "made_by": box.of.made_by, "mask": box.of.mask,
        }  # fmt: skip
        if tuple(row.values()) in found:
            faults["a box that is there twice"] += 1
        found.setdefault(tuple(row.values()), row)
    order = {row["id"]: place for place, row in enumerate(sorted(rows.values(), key=_order))}
    return sorted(
        found.values(),
        key=lambda row: (
            order[row["image_id"]],
            *(row[key] for key in ("made_by", "phrase", "label", "reader")),
            *(float(row[side]) for side in ("y0", "x0", "y1", "x1")),
        ),
    )


def _write_secret(secret: Path, records: Sequence[ImportRecord]) -> None:
    links = {(kind, *pair) for record in records for kind, pair in record.links.items() if kind != "instance"}
    links |= {("reader", *pair) for record in records for pair in record.readers.items()}
    left: list[tuple[str, str, str]] = [
        (r.source, r.outcome, r.detail) for r in records if r.outcome not in ("image", "annotation")
    ]
    left += [(r.source, "no box", f"{count} x {why}") for r in records for why, count in r.faults.items()]
    found = [
        (r.source, r.rows[0]["id"] if r.rows else "", *each)
        for r in records
        if r.rows or r.regions
        for each in r.findings
    ]
    for name, header, lines in (
        ("links.csv", ["kind", "pseudonym", "stands for"], sorted(links)),
        ("left_out.csv", ["file", "outcome", "why"], left),
        ("found_in_text.csv", ["file", "id", "column", "kind", "text"], found),
    ):
        write(secret / name, _csv(header, lines), REMEDY)
        os.chmod(secret / name, 0o600)


def _order(row: Mapping[str, str]) -> tuple[str, str, str, int, int, int, float, str, int]:
    """Return the key by which rows stand in the order of the body; what lies nowhere, by its number."""
    number = row["number"]
    placed = row["slice"] != ""
    stack = int(row["stack"]) if row["stack"].isdigit() else 10**6
    return (
        row["patient"],
        row["study"],
        row["series"],
        stack,
        int(row["slice"]) if placed else -1,
        int(row["volume"] or 0),
        float(number) if not placed and number.lstrip("-").isdigit() else 0.0,
        row["id"].split("-")[0],
        int(row["frame"]),
    )


def _csv(header: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
