"""A folder of a hospital's DICOM studies as a table and images that name nobody.

OUT/table.csv, OUT/images/<patient>/<study>/<instance>.png, OUT/report.json and OUT/report.md can be
given on. Beside it `OUT.secret/` holds the key of the pseudonyms, what they stand for, every source
file's outcome and what was found in free text: it stays where the patients are.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pefomed import jsonl
from pefomed.data.imports.convert import Settings, convert
from pefomed.data.imports.free_text import SEARCH
from pefomed.data.imports.profile import checked
from pefomed.data.imports.pseudonyms import Pseudonyms, key_in
from pefomed.data.imports.records import Imported
from pefomed.data.imports.summary import summary, text_of
from pefomed.errors import DataError
from pefomed.progress import line
from pefomed.storage import write

__all__ = ["Settings", "import_folder", "secret_folder"]

_PORTION = 32
_REMEDY = "free space, then run the same command again; it goes on where it stopped"


def import_folder(folder: Path, out: Path, settings: Settings) -> dict[str, Any]:
    """Convert every DICOM file below `folder`; what an earlier call has done is not done again.

    Returns:
        what is in `report.json`.

    Raises:
        DataError: there is no such folder, it holds no DICOM image, or `out` was made with other settings.
        StorageError: the disk is full; what is done stays.
    """
    folder, out = folder.expanduser().absolute(), out.expanduser().absolute()
    _check(folder, out)
    checked(settings.keep)
    secret = secret_folder(out)
    names = Pseudonyms(key_in(secret))
    _check_settings(secret / "settings.json", settings)
    journal = secret / "journal.jsonl"
    done = {record.source: record for record in jsonl.read(journal, Imported)}
    files = [
        path for path in _files(folder) if not path.is_relative_to(out) and not path.is_relative_to(secret)
    ]
    sources = {path.relative_to(folder).as_posix(): path for path in files}
    waiting = [source for source, path in sources.items() if not _is_done(done.get(source), path, out)]

    def one(source: str) -> Imported:
        path = sources[source]
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            return Imported(
                source=source, size=0, changed=0, outcome="link", detail="leads out of the folder"
            )
        return convert(path, source, out, settings, names)

    with (
        line("importing", len(sources), "files", done=len(sources) - len(waiting)) as shown,
        jsonl.writer(journal) as note,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as threads,
    ):
        os.chmod(journal, 0o600)
        # In portions: a stopped import has at most one portion to do again.
        for start in range(0, len(waiting), _PORTION):
            for record in threads.map(one, waiting[start : start + _PORTION]):
                note(record)
                done[record.source] = record
                shown.advance()
    records = [done[source] for source in sources]
    return _finish(folder, out, secret, settings, records)


def secret_folder(out: Path) -> Path:
    """Return the folder of the key: beside `out`, never inside."""
    return out.with_name(out.name + ".secret")


def _check(folder: Path, out: Path) -> None:
    if not folder.is_dir():
        raise DataError(f"no folder at {folder}", remedy="name the folder that holds the DICOM files")
    if out == folder or folder.is_relative_to(out):
        raise DataError(
            f"{out} is the folder that is read, or holds it", remedy="give another place with --out"
        )


def _check_settings(path: Path, settings: Settings) -> None:
    now = json.loads(
        json.dumps(asdict(settings) | {"windows": {k: str(v) for k, v in settings.windows.items()}})
    )
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [
            f"{key}: {before.get(key)} before, {now[key]} now" for key in now if before.get(key) != now[key]
        ]
        if changed:
            raise DataError(
                "this import was begun with other settings",
                found="; ".join(changed),
                remedy="give them again, or another --out",
            )
    write(path, json.dumps(now, indent=2) + "\n", _REMEDY)


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(
        folder
    ):  # links to folders are not followed: they may lead in circles
        folders.sort()
        yield from (Path(place) / name for name in sorted(files))


def _is_done(record: Imported | None, path: Path, out: Path) -> bool:
    if record is None:
        return False
    if record.outcome == "link":
        return True
    if record.rows and record.search < SEARCH:
        return False
    try:
        state = path.stat()
    except OSError:
        return False
    same = (record.size, record.changed) == (state.st_size, state.st_mtime_ns)
    return same and all((out / row["image"]).is_file() for row in record.rows)


def _finish(
    folder: Path, out: Path, secret: Path, settings: Settings, records: list[Imported]
) -> dict[str, Any]:
    rows: dict[str, dict[str, str]] = {}
    repeated = 0
    for record in records:
        repeated += any(row["id"] in rows for row in record.rows)
        rows |= {row["id"]: row for row in record.rows if row["id"] not in rows}
    if not rows:
        counts = summary(records, rows.values(), repeated, settings)["files"]
        raise DataError(
            f"{folder} holds no DICOM image that can be imported",
            found=", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no file",
            remedy=f"{secret / 'left_out.csv'} says why" if records else "name the folder of the DICOM files",
        )
    table = sorted(rows.values(), key=_order)
    result = summary(records, table, repeated, settings)
    write(out / "table.csv", _csv(list(table[0]), (row.values() for row in table)), _REMEDY)
    write(out / "report.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n", _REMEDY)
    write(out / "report.md", text_of(result, out), _REMEDY)
    links = {(kind, *pair) for record in records for kind, pair in record.links.items() if kind != "instance"}
    left = [(r.source, r.outcome, r.detail) for r in records if r.outcome != "image"]
    found = [(r.source, r.rows[0]["id"], *each) for r in records if r.rows for each in r.findings]
    for name, header, lines in (
        ("links.csv", ["kind", "pseudonym", "stands for"], sorted(links)),
        ("left_out.csv", ["file", "outcome", "why"], left),
        ("found_in_text.csv", ["file", "id", "column", "kind", "text"], found),
    ):
        write(secret / name, _csv(header, lines), _REMEDY)
        os.chmod(secret / name, 0o600)
    return result


def _order(row: dict[str, str]) -> tuple[str, str, str, float, str, int]:
    number = row["number"]
    place = float(number) if number.lstrip("-").isdigit() else 0.0
    return row["patient"], row["study"], row["series"], place, row["id"].split("-")[0], int(row["frame"])


def _csv(header: list[str], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
