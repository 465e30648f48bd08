"""Fetches the data sets that the Hugging Face hub offers freely; of others it says how to get them."""

from __future__ import annotations

import shutil
from pathlib import Path

from pefomed.datasets import card
from pefomed.datasets.card import DataCard, Hub
from pefomed.errors import DataError, StorageError
from pefomed.files.unzip import unzip

_SECONDS = 10.0  # for the hub to answer at all


def folder_of(name: str) -> str:
    """Return the folder within the data folder that the data set of the loader `name` is put into.

    Loaders of the same files share it.

    Raises:
        RecipeError: there is no such loader.
    """
    about = card(name)
    return about.hub.folder if about and about.hub else name


def get(name: str, folder: Path) -> DataCard:
    """Fetch the data set of the loader `name` into `folder`, as it reads it; return the card of what came.

    What is there already is not fetched again, and a stopped download goes on.

    Raises:
        RecipeError: there is no such loader.
        DataError: no hub offers it (how to get it is said), or the hub cannot be reached.
        StorageError: the disk is full.
    """
    about = card(name)
    if about is None or about.hub is None:
        raise _not_offered(name, about, folder)
    archives = [folder / archive for archive in about.hub.archives]
    # Archives and what they hold are both on the disk for a while.
    _check_space(folder, about.hub.megabytes * (2 if archives else 1))
    _download(about.hub, folder)
    for archive in archives:
        unzip(archive, folder)
    return card(name, folder) or about


def _not_offered(name: str, about: DataCard | None, folder: Path) -> DataError:
    if about is None or not about.access:
        where = f" from {about.link}" if about and about.link else ""
        return DataError(f"{name} is not fetched{where}", remedy="see `pefomed data list`")
    files = "".join(f"\n    - {file}" for file in about.files)
    return DataError(
        f"{about.title} cannot be fetched for you",
        found=f"{about.licence}{' (credentialed access)' if about.restricted else ''}",
        remedy=f"{about.access}; see {about.link}. Then put into {folder}{files}",
    )


def _check_space(folder: Path, megabytes: int) -> None:
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free // 10**6
    if free < megabytes:
        raise StorageError(
            f"{folder} has too little space: {megabytes:,} MB are needed",
            found=f"{free:,} MB",
            remedy="free space, or choose another data folder with --data",
        )


def _download(hub: Hub, folder: Path) -> None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.errors import HTTPError as ClientError  # type: ignore[attr-defined]  # its client's

    patterns = " ".join(f"--include '{pattern}'" for pattern in hub.files)
    elsewhere = (
        f"where there is a network, run `hf download --repo-type dataset {hub.repository} {patterns}"
        f" --local-dir DIR`, and copy DIR to {folder}"
    )
    try:
        HfApi().dataset_info(hub.repository, timeout=_SECONDS)
        snapshot_download(
            hub.repository, repo_type="dataset", allow_patterns=list(hub.files), local_dir=folder
        )
    except HfHubHTTPError as error:
        raise DataError(f"the hub refuses {hub.repository}", found=_line(error), remedy=elsewhere) from None
    except (OSError, ClientError) as error:
        raise DataError(
            f"the hub cannot be reached for {hub.repository}", found=_line(error), remedy=elsewhere
        ) from None


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
