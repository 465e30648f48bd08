"""Which frozen weights a model stands on, by what they hold: the same in another folder, others by one bit.

Of each part: the hash of its weights, and of what else decides the numbers, its configuration and tokenizer
(`folder_hashes`). `base.json` beside an adapter says which base it was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pefomed.errors import WeightsError
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.recipe import Model
from pefomed.recipe.family import family_of
from pefomed.startup.processes import is_main
from pefomed.weights.base import FAMILY, Base, FrozenPart, base_of_json
from pefomed.weights.folder_hashes import (
    config_hash,
    file_hash,
    folder_hash,
    tokenizer_hash,
    weights_hash,
    wheel_hash,
)
from pefomed.weights.known import Kind
from pefomed.weights.lookup import on_disk, resolve, source_of

if TYPE_CHECKING:
    from peft import PeftConfig

FILE = "base.json"


def base_at(recipe: Model, vision: Path | None, language: Path | None) -> Base:
    """Return the base of a recipe whose parts lie in these folders; of a part without one the name alone.

    Raises:
        WeightsError: a configuration or tokenizer cannot be read.
    """
    return Base(
        _part(recipe.vision_encoder, recipe.vision_revision, vision, "vision"),
        _part(recipe.language_model, recipe.language_revision, language, "language"),
    )


def base_fetched(recipe: Model) -> Base:
    """Return the base of a recipe, its parts fetched if they are not on this disk.

    Raises:
        WeightsError: a part cannot be had or read.
    """
    if recipe.family is not None:
        return base_on_disk(recipe)
    return base_at(
        recipe,
        resolve(recipe.vision_encoder, "vision", recipe.vision_revision),
        resolve(recipe.language_model, "language", recipe.language_revision),
    )


def base_on_disk(recipe: Model) -> Base:
    """Return the base of a recipe as far as its parts are on this disk; asks no network.

    Raises:
        WeightsError: as `base_at`; or a name means nothing.
    """
    if recipe.family is not None:
        files = family_of(recipe).files()
        return Base(
            **{FAMILY: FrozenPart(recipe.family, origin="family")},
            **{name: _file_part(path) for name, path in files.items()},
        )
    return base_at(
        recipe,
        on_disk(recipe.vision_encoder, "vision", recipe.vision_revision),
        on_disk(recipe.language_model, "language", recipe.language_revision),
    )


def read_base(folder: Path) -> Base | None:
    """Return the base that an adapter folder names; None if it does not.

    Raises:
        WeightsError: its `base.json` cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return base_of_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{path} cannot be read",
            found=str(error),
            remedy="copy the adapter again; or delete the file, and the base is not compared",
        ) from None


def check_base(
    now: Callable[[], Base] | None, trained_on: Base | None, what: str, named: str | None = None
) -> None:
    """Compare the base that `what` was trained on with the one it is put on, in the main process.

    What cannot be compared is said in one line.

    Args:
        now: tells the other base; None where a model was not built from files.
        named: what PEFT's own configuration says of it.

    Raises:
        WeightsError: it was trained on other weights.
    """
    if now is None or not is_main():
        return
    if trained_on is None or not trained_on.is_hashed():
        name = f", {named!r} but for its hash" if named else ""
        say_once(f"{what} does not say which base weights it was trained on{name}; they are not compared")
    if trained_on is not None and (found := trained_on.differences(now())):
        raise WeightsError(
            f"{what} was trained on another base",
            found="; ".join(found),
            remedy="name the weights it was trained on in [model], with their revision, or put them back",
        )


def name_base(config: PeftConfig, base: Base, folder: Path) -> None:
    """Write the base into PEFT's own fields, which have room for one part alone, and into a file.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    main = base.main
    config.base_model_name_or_path = main.source if main.origin == "hub" else main.name
    config.revision = main.revision or None
    write(folder / FILE, base.dumps())


def _part(name: str, revision: str | None, folder: Path | None, kind: Kind) -> FrozenPart:
    if folder is None:
        return FrozenPart(name, revision or "")
    facts = source_of(folder)
    return FrozenPart(
        name,
        str(facts.get("revision", revision or "")),
        str(facts.get("origin", "folder")),
        str(facts.get("repository") or facts.get("package") or ""),
        weights_hash(folder),
        config_hash(folder, kind),
        tokenizer_hash(folder) if kind == "language" else "",
        wheel_hash(folder, facts),
    )


def _file_part(path: Path) -> FrozenPart:
    """Return a part of a family's: a file, or a folder as transformers has it."""
    if path.is_file():
        return FrozenPart(str(path), origin="file", weights=file_hash(path))
    return FrozenPart(
        str(path),
        origin="folder",
        weights=folder_hash(path),
        config=config_hash(path, "language"),
        tokenizer=tokenizer_hash(path),
    )


@cache
def say_once(text: str) -> None:
    """Say something on the error stream, in a process once."""
    note(text)
