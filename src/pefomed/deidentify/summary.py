"""What an import did, as counts: for machines in `report.json`, for people in `report.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pefomed.deidentify.convert import ImportSettings
from pefomed.deidentify.planning import SourceSeries
from pefomed.deidentify.profile import EDITION, identifying
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.table_columns import COLUMNS

_NONE: Mapping[str, int] = {}


def summary(
    records: Iterable[ImportRecord],
    rows: Iterable[Mapping[str, str]],
    repeated: int,
    settings: ImportSettings,
    series: Sequence[SourceSeries] = (),
    boxes: Sequence[Mapping[str, str]] = (),
    no_box: Mapping[str, int] = _NONE,
) -> dict[str, Any]:
    """Return the counts of an import; they name no file, patient or value.

    Args:
        repeated: files whose image another file had already given.
        boxes: the rows of `boxes.csv`.
        no_box: regions without a box, by reason.
    """
    records, rows = list(records), list(rows)
    dropped: Counter[str] = Counter()
    for record in records:
        dropped.update(record.dropped.keys())
    return {
        "files": dict(Counter(record.outcome for record in records).most_common()),
        "repeated": repeated,
        "images": len(rows),
        "patients": len({row["patient"] for row in rows}),
        "studies": len({row["study"] for row in rows}),
        "patients_without_number": len(
            {r.links["patient"][0] for r in records if r.rows and r.links["patient"][1].startswith("study ")}
        ),
        "volumes_without_patient": len(
            {r.links["patient"][0] for r in records if r.rows and r.links["patient"][1].startswith("volume ")}
        ),
        "slices": str(settings.slices),
        "series": len(series),
        "stacks": sum(not stack.scout for each in series for stack in each.stacks),
        "series_with": dict(Counter(fault for each in series for fault in each.faults).most_common()),
        "boxes": dict(Counter(row["made_by"] for row in boxes).most_common()),
        "regions_without_box": dict((Counter(no_box) + _counted(records)).most_common()),
        "splits": dict(Counter(row["split"] for row in rows)),
        "modalities": dict(Counter(row["modality"] for row in rows).most_common()),
        "burned_in": dict(Counter(row["burned_in"] for row in rows).most_common()),
        "warnings": dict(Counter(text for record in records for text in record.warnings).most_common()),
        "profile": f"DICOM PS3.15 Basic Application Confidentiality Profile ({EDITION})",
        "dropped": dict(dropped.most_common()),
        "columns": [*COLUMNS, *settings.keep],
        "kept_against_the_profile": [name for name in settings.keep if _is_identifying(name)],
        "found_in_text": dict(
            Counter(f"{column}: {kind}" for r in records for column, kind, _ in r.findings).most_common()
        ),
    }


def text_of(result: Mapping[str, Any], out: Path) -> str:
    """Return the summary for people, in Markdown."""
    files = ", ".join(f"{count:,} {outcome}" for outcome, count in result["files"].items())
    lines = [
        "# Import",
        "",
        f"{result['images']:,} images of {result['patients']:,} patients in {result['studies']:,} studies.",
        f"Files: {files}.",
        *([f"{result['repeated']:,} files repeated an image of another."] if result["repeated"] else []),
        f"Splits, by patient: {_counts(result['splits'])}. Modalities: {_counts(result['modalities'])}.",
        "",
        *_pictures(result),
        "## Look at before giving it on",
        "",
        *_concerns(result),
        "",
        "## Dropped",
        "",
        f"By the {result['profile']};",
        "counted are the files that had the attribute. Every other attribute that is not a column",
        f"({', '.join(result['columns'])}) was left behind, too.",
        "",
        *(f"- {name}: {count:,}" for name, count in result["dropped"].items()),
        "",
        "## Use",
        "",
        "Add the columns `question` and `answer` (or one with reports) to `table.csv`, then:",
        "",
        "```toml",
        "[data.hospital]",
        'loader = "table"',
        f'root = "{out.name}/table.csv"',
        'options.columns = { id = "id", image = "image", question = "question", answer = "answer",',
        '                    split = "split", meta = ["modality", "body_part", "patient"] }',
        "```",
        "",
    ]
    return "\n".join(lines)


def _counted(records: Iterable[ImportRecord]) -> Counter[str]:
    found: Counter[str] = Counter()
    for record in records:
        found.update(record.faults)
    return found


def _pictures(result: Mapping[str, Any]) -> list[str]:
    """Return the lines on series and boxes."""
    if not result["stacks"] and not result["boxes"] and not result["regions_without_box"]:
        return []
    lines = ["## Series and boxes", ""]
    if result["stacks"]:
        lines.append(
            f"- {result['stacks']:,} stacks of slices in {result['series']:,} series;"
            f" taken: {result['slices']}."
        )
    lines += [
        f"- {count:,} series with {fault} (see `series.csv`)."
        for fault, count in result["series_with"].items()
    ]
    if result["boxes"]:
        lines.append(f"- Boxes in `boxes.csv`: {_counts(result['boxes'])}.")
    lines += [
        f"- {count:,} regions without a box: {why}." for why, count in result["regions_without_box"].items()
    ]
    return [*lines, ""]


def _concerns(result: Mapping[str, Any]) -> list[str]:
    found = []
    left = result["files"].get("burned in", 0)
    if left:
        found.append(f"- {left:,} files say that names or dates are burned into the picture: left out.")
    for kind, sentence in (
        ("yes", "images say so of themselves and were kept as you asked: look at each."),
        ("suspect", "images are of a kind that often carries names or dates in the picture: look at each."),
        ("unknown", "images do not say whether anything is burned in."),
    ):
        if count := result["burned_in"].get(kind, 0):
            found.append(f"- {count:,} {sentence}")
    for text, count in result["warnings"].items():
        if "burned-in" not in text:
            found.append(f"- {count:,} files: {text}.")
    for where, count in result["found_in_text"].items():
        action = "noted, not masked" if where.endswith("?") else "masked"
        found.append(f"- {count:,} times in the column {where} ({action}).")
    for name in result["kept_against_the_profile"]:
        found.append(f"- The column {name} is identifying under the profile and was kept as you asked.")
    if count := result["patients_without_number"]:
        found.append(f"- {count:,} studies have no patient number: each counts as a patient of its own.")
    if count := result["volumes_without_patient"]:
        found.append(
            f"- {count:,} volumes do not say whose they are: each counts as a patient of its own. Put all"
            " of a patient below a folder called `sub-NUMBER`."
        )
    found.append("- Heads in CT and MR slices: a face can be rebuilt from a whole series.")
    return found


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'none'} {count:,}" for name, count in counts.items())


def _is_identifying(keyword: str) -> bool:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    return tag is not None and identifying(tag >> 16, tag & 0xFFFF)
