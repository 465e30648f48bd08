"""The Hugging Face hub: what of a repository is cached, and a download that fails fast without a network."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pefomed.errors import WeightsError

_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]  # never pickles, never code
_SUBFOLDERS = ["*/*"]
_SECONDS = 3.0  # to answer at all
_unreachable: str | None = None  # asked once per process


def cached_snapshot(repository: str, revision: str | None = None) -> Path | None:
    """Return the folder of a complete snapshot in the hub's own cache, or None; asks no network.

    Raises:
        WeightsError: the hub cannot have a repository of this name.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        folder = Path(
            snapshot_download(
                repository,
                revision=revision,
                allow_patterns=_FILES,
                ignore_patterns=_SUBFOLDERS,
                local_files_only=True,
            )
        )
    except HFValidationError as error:
        raise WeightsError(
            f"the hub has no such names as {repository!r}", found=str(error), remedy="correct it"
        ) from None
    except OSError:
        return None
    return folder if _is_complete(folder) else None


def configuration(repository: str, revision: str | None = None) -> Path:
    """Fetch a repository's config.json alone; return the snapshot's folder.

    Raises:
        WeightsError: the hub cannot be reached, or refuses, or there is no config.json.
    """
    folder = _fetch(repository, revision, ["config.json"])
    if not (folder / "config.json").is_file():
        raise WeightsError(f"{repository} has no config.json", remedy="choose a transformers model")
    return folder


def download(repository: str, revision: str | None = None) -> Path:
    """Fetch a repository's safetensors, configuration and tokenizer files; return the snapshot's folder.

    Raises:
        WeightsError: the hub cannot be reached, or refuses, or the repository has no safetensors.
    """
    folder = _fetch(repository, revision, _FILES)
    if not _is_complete(folder):
        raise WeightsError(
            f"{repository} has no config.json with safetensors",
            found=", ".join(sorted(file.name for file in folder.iterdir())),
            remedy="choose a revision with safetensors; pickled weights are not read",
        )
    return folder


def hashes(snapshot: Path) -> dict[str, str]:
    """Return the SHA-256 of a snapshot's large files as the hub states them (its cache names blobs by it)."""
    found = {}
    for file in sorted(snapshot.iterdir()):
        if file.is_symlink() and re.fullmatch(r"[0-9a-f]{64}", file.resolve().name):
            found[file.name] = file.resolve().name
    return found


def identity(folder: Path) -> dict[str, str] | None:
    """Return the repository and commit of a folder inside the hub's cache, else None."""
    match = re.search(r"(?:^|[/\\])models--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})$", str(folder))
    if match is None:
        return None
    return {"origin": "hub", "repository": match[1].replace("--", "/", 1), "revision": match[2]}


def _fetch(repository: str, revision: str | None, patterns: list[str]) -> Path:
    global _unreachable
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError
    from huggingface_hub.errors import HTTPError as ClientError  # type: ignore[attr-defined]  # its client's

    remedy = "download it elsewhere with `hf download` and give the folder's path as the name"
    if _unreachable is not None:
        raise WeightsError(f"the hub cannot be reached for {repository}", found=_unreachable, remedy=remedy)
    try:
        HfApi().repo_info(repository, revision=revision, timeout=_SECONDS)
        return Path(
            snapshot_download(
                repository, revision=revision, allow_patterns=patterns, ignore_patterns=_SUBFOLDERS
            )
        )
    except GatedRepoError:
        raise WeightsError(
            f"{repository} asks to accept its licence",
            remedy=f"accept it at https://huggingface.co/{repository} and log in with `hf auth login`",
        ) from None
    except HfHubHTTPError as error:
        raise WeightsError(f"the hub refuses {repository}", found=_first_line(error), remedy=remedy) from None
    except (OSError, ClientError) as error:
        _unreachable = _first_line(error)
        raise WeightsError(
            f"the hub cannot be reached for {repository}", found=_unreachable, remedy=remedy
        ) from None


def _is_complete(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            return all((folder / shard).is_file() for shard in shards)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False  # a damaged index: what should be there is not known
    return (folder / "model.safetensors").is_file()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
