"""A hospital's folder imported: looked at, converted in portions, finished; what is done stays as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pefomed.deidentify.convert import ImportSettings, convert
from pefomed.deidentify.file_headers import SourceFile, look
from pefomed.deidentify.free_text import SEARCH
from pefomed.deidentify.import_tables import REMEDY, finish
from pefomed.deidentify.label_volumes import checked_labels, drawn_on, labels_of
from pefomed.deidentify.placing import place_regions
from pefomed.deidentify.planning import plan_import
from pefomed.deidentify.profile import check_keywords
from pefomed.deidentify.pseudonyms import Pseudonyms, key_in
from pefomed.deidentify.records import ImportRecord
from pefomed.deidentify.volume_series import convert_volume, state_of
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.files.storage import usable_paths, write
from pefomed.progress import line
from pefomed.schema import Record

_PORTION = 32
_Made = TypeVar("_Made", bound=Record)


@usable_paths()
def import_folder(folder: Path, out: Path, settings: ImportSettings) -> dict[str, Any]:
    """Convert every DICOM file and volume below `folder`; what an earlier call has done is not done again.

    Returns:
        what is in `report.json`.

    Raises:
        DataError: there is no such folder, it holds no image, or `out` was made with other settings.
        StorageError: the disk is full; what is done stays.
    """
    folder, out = folder.expanduser().absolute(), out.expanduser().absolute()
    _check(folder, out)
    check_keywords(settings.keep)
    checked_labels(settings.labels)
    secret = secret_folder(out)
    names = Pseudonyms(key_in(secret))
    _check_settings(secret / "settings.json", settings)
    files = [
        path for path in _files(folder) if not path.is_relative_to(out) and not path.is_relative_to(secret)
    ]
    sources = {path.relative_to(folder).as_posix(): path for path in files}
    links = {source for source, path in sources.items() if _leads_out(path, folder)}

    seen = {each.source: each for each in jsonl.read(secret / "looked.jsonl", SourceFile)}
    fresh = [s for s in sources if s not in links and not _is_seen(seen.get(s), sources[s])]
    look_at = _each(fresh, lambda source: look(sources[source], source))
    _noted("looking at headers", look_at, len(sources), secret / "looked.jsonl", seen)
    looked = {source: seen[source] for source in sources if source in seen}

    labels, masks = labels_of(
        (source for source, each in looked.items() if each.kind == "volume"), settings.masks
    )
    beside = {source: sources[name] for source, name in labels.items()}

    journal = secret / "journal.jsonl"
    done = {record.source: record for record in jsonl.read(journal, ImportRecord)}

    def one(source: str) -> ImportRecord:
        if source in links:
            return ImportRecord(
                source=source, size=0, changed=0, outcome="link", detail="leads out of the folder"
            )
        path = sources[source]
        if looked[source].kind == "volume":
            return convert_volume(path, source, out, settings, names, beside.get(source))
        return convert(path, source, out, settings, names, plan.frames.get(source))

    # What is drawn comes first: it may say which slices are wanted.
    plan = plan_import([])
    drawing = [source for source, each in looked.items() if each.kind == "annotation"]
    waiting = [source for source in drawing if not _is_done(done.get(source), sources[source], out, ())]
    _noted("reading reports and masks", _each(waiting, one), len(drawing), journal, done)
    first = {looked[source].instance or source: source for source in reversed(drawing)}
    regions = [each for source in sorted(first.values()) for each in done[source].regions]
    boxes, faults = place_regions(regions, looked.values())
    on = {(box.source, box.frame) for box in boxes}
    plan = plan_import(
        looked.values(),
        settings.slices,
        settings.frames,
        settings.scouts == "keep",
        lambda source, frame: (source, frame) in on,
    )
    plan.left |= dict.fromkeys(masks, "labels")
    others = [s for s in sources if s not in plan.left and s not in set(drawing)]
    waiting = [
        s
        for s in others
        if not _is_done(done.get(s), sources[s], out, plan.frames.get(s, ()), state_of(beside.get(s)))
    ]
    _noted("importing", _each(waiting, one), len(others), journal, done)
    left = {
        source: ImportRecord(
            source=source,
            size=looked[source].size,
            changed=looked[source].changed,
            outcome=outcome,
        )
        for source, outcome in plan.left.items()
    }
    records = [left.get(source) or done[source] for source in sources]
    boxes += drawn_on(records)
    former = {row["image"] for source in left if source in done for row in done[source].rows}
    return finish(folder, out, secret, settings, records, former, plan, boxes, faults, names)


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


def _check_settings(path: Path, settings: ImportSettings) -> None:
    windows = {key: str(window) for key, window in settings.windows.items()}
    now = json.loads(json.dumps(asdict(settings) | {"windows": windows, "slices": str(settings.slices)}))
    if path.exists():
        # A setting that an earlier version did not know is given for the first time now.
        before = now | json.loads(path.read_text(encoding="utf-8"))
        changed = [
            f"{key}: {before.get(key)} before, {now[key]} now" for key in now if before.get(key) != now[key]
        ]
        if changed:
            raise DataError(
                "this import was begun with other settings",
                found="; ".join(changed),
                remedy="give them again, or another --out",
            )
    write(path, json.dumps(now, indent=2) + "\n", REMEDY)


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(
        folder
    ):  # links to folders are not followed: they may lead in circles
        folders.sort()
        yield from (Path(place) / name for name in sorted(files))


def _leads_out(path: Path, folder: Path) -> bool:
    return path.is_symlink() and not path.resolve().is_relative_to(folder.resolve())


def _each(sources: Sequence[str], work: Callable[[str], _Made]) -> Iterator[_Made]:
    """Yield what is made of each source, in their order, many at once."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        # In portions: a stopped import has at most one portion to do again.
        for start in range(0, len(sources), _PORTION):
            yield from threads.map(work, sources[start : start + _PORTION])


def _noted(what: str, made: Iterable[Any], total: int, journal: Path, done: dict[str, Any]) -> None:
    with line(what, total, "files") as shown, jsonl.writer(journal) as note:
        os.chmod(journal, 0o600)
        for record in made:
            note(record)
            done[record.source] = record
            shown.advance()


def _is_seen(record: SourceFile | None, path: Path) -> bool:
    return record is not None and _is_same(record, path)


def _is_done(
    record: ImportRecord | None, path: Path, out: Path, frames: Iterable[int], beside: str = ""
) -> bool:
    if record is None or record.beside != beside:
        return False
    if record.outcome == "link":
        return True
    if (record.rows or record.regions) and record.search < SEARCH:
        return False
    there = {int(row["frame"]) for row in record.rows}
    if record.outcome == "image" and not there.issuperset(frames):
        return False
    return _is_same(record, path) and all((out / row["image"]).is_file() for row in record.rows)


def _is_same(record: SourceFile | ImportRecord, path: Path) -> bool:
    try:
        state = path.stat()
    except OSError:
        return False
    return (record.size, record.changed) == (state.st_size, state.st_mtime_ns)
