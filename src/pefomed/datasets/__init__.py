"""Data sets as samples: each loader reads one published layout, `load_samples` reads what a recipe names."""

from __future__ import annotations

import importlib
import inspect
import os
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pefomed.datasets.card import DataCard, Published
from pefomed.datasets.loaded import checked_records
from pefomed.datasets.read_once import cached_records
from pefomed.errors import DataError, RecipeError, nearest
from pefomed.files.storage import usable_paths
from pefomed.recipe import Dataset
from pefomed.samples.left_out import LeftOut
from pefomed.schema import Sample

__all__ = [
    "LOADERS",
    "DataCard",
    "LeftOut",
    "Loader",
    "Published",
    "card",
    "data_folder",
    "load_samples",
    "load_split",
    "loader",
    "stream_samples",
]

Loader = Callable[..., Iterator[Sample | LeftOut]]
"""`load(root: Path, split: str, **options) -> Iterator[Sample]`, rows it has to leave out among them"""

LOADERS: dict[str, str] = {
    "chexlocalize": "pefomed.datasets.chexlocalize:load",
    "coco": "pefomed.datasets.coco:load",
    "conversations": "pefomed.datasets.conversations:load",
    "derived": "pefomed.datasets.derived.load:load",
    "hugging_face": "pefomed.datasets.hugging_face:load",
    "imageclef": "pefomed.datasets.imageclef:load",
    "iu_xray": "pefomed.datasets.iu_xray:load",
    "labelme": "pefomed.datasets.labelme:load",
    "masks": "pefomed.datasets.masks:load",
    "medicat": "pefomed.datasets.medicat:load",
    "mimic_cxr": "pefomed.datasets.mimic_cxr:load",
    "ms_cxr": "pefomed.datasets.ms_cxr:load",
    "ms_cxr_medrpg": "pefomed.datasets.ms_cxr_medrpg:load",
    "path_vqa": "pefomed.datasets.path_vqa:load",
    "phantom": "pefomed.datasets.phantom.samples:load",
    "roco": "pefomed.datasets.roco:load",
    "slake": "pefomed.datasets.slake:load",
    "slake_boxes": "pefomed.datasets.slake_boxes:load",
    "slake_captions": "pefomed.datasets.slake_captions:load",
    "slake_derived": "pefomed.datasets.slake_derived:load",
    "table": "pefomed.datasets.table:load",
    "voc": "pefomed.datasets.voc:load",
    "vqa_rad": "pefomed.datasets.vqa_rad:load",
    "yolo": "pefomed.datasets.yolo:load",
}


@usable_paths()
def load_samples(dataset: Dataset, split: str, data_folder: Path | None = None) -> list[Sample]:
    """Return the samples of one split of a recipe's data set, at most `dataset.limit`.

    Args:
        data_folder: folder that `dataset.root` is relative to; by default see `data_folder()`.

    Raises:
        RecipeError: the loader or one of its options is unknown or has a wrong value.
        DataError: the data is missing or not as its layout says, an id occurs twice, or the split
            is empty.
    """
    return list(stream_samples(dataset, split, data_folder))


def stream_samples(dataset: Dataset, split: str, data_folder: Path | None = None) -> Iterator[Sample]:
    """Yield the samples of `load_samples` as they are read: a manifest may be larger than the memory.

    Raises:
        RecipeError, DataError: see `load_samples`; ids that occur twice, and an empty split, at the end.
    """
    with usable_paths():
        yield from (each for each in _stream(dataset, split, data_folder) if isinstance(each, Sample))


@usable_paths()
def load_split(
    dataset: Dataset, split: str, data_folder: Path | None = None
) -> tuple[list[Sample], list[LeftOut]]:
    """Return the samples of `load_samples`, and the rows that the loader knows to be unusable.

    Raises:
        RecipeError, DataError: see `load_samples`.
    """
    samples: list[Sample] = []
    left_out: list[LeftOut] = []
    for each in _stream(dataset, split, data_folder):
        if isinstance(each, LeftOut):
            left_out.append(each)
        else:
            samples.append(each)
    return samples, left_out


def _stream(dataset: Dataset, split: str, data_folder: Path | None) -> Iterator[Sample | LeftOut]:
    key = f"{_folder(data_folder)}\n{split}\n{dataset.model_dump_json()}"
    return cached_records(key, lambda: _read(dataset, split, data_folder))


def _read(dataset: Dataset, split: str, data_folder: Path | None) -> Iterator[Sample | LeftOut]:
    load = loader(dataset.loader)
    options = checked_options(dataset, load)
    root = _folder(data_folder) / dataset.root
    ids: set[str] = set()
    samples = left_out = 0
    twice = Counter[str]()
    for each in checked_records(
        lambda: load(root, split, **options), f"the split {split!r} of {dataset.loader} at {root}"
    ):
        yield each
        if isinstance(each, LeftOut):
            left_out += 1
            continue
        samples += 1
        if each.id in ids:
            twice[each.id] += 1
        ids.add(each.id)
        if samples == dataset.limit:
            break
    if not samples:
        published = card(dataset.loader)
        raise DataError(
            f"the split {split!r} of {dataset.loader} at {root} is empty",
            found=f"0 samples{f', {left_out:,} rows left out' if left_out else ''}",
            remedy=f"use one of its splits: {', '.join(published.splits)}"
            if published and published.splits
            else "check the split's name and the loader's options",
        )
    if twice:
        raise DataError(
            f"the split {split!r} of {dataset.loader}: every sample needs its own id",
            found=f"{len(twice)} ids occur more than once, e.g. {next(iter(twice))!r}",
            remedy="give each row its own id",
        )


def data_folder(explicit: Path | str | None = None) -> Path:
    """Return the absolute data folder: `explicit`, else PEFOMED_DATA, else the working directory.

    It need not exist yet: phantoms are drawn into it. A loader that finds no file there says so.
    """
    return Path(explicit or os.environ.get("PEFOMED_DATA") or ".").expanduser().absolute()


# `load_samples` has an argument of the same name.
_folder = data_folder


def loader(name: str) -> Loader:
    """Return the loader called `name`, or the function of `package.module:function`.

    Raises:
        RecipeError: there is no such loader.
    """
    module, function = _module_and_function(name)
    load = getattr(module, function, None)
    if not callable(load):
        functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise RecipeError(
            f"the loader {name!r} does not exist: {module.__name__} has no function {function!r}",
            remedy=nearest(function, functions),
        )
    return typing.cast(Loader, load)


def card(name: str, root: Path | None = None) -> DataCard | None:
    """Return the card beside the loader called `name`, or None where its module has none.

    Where a data set is published in several versions, `root` says which one is meant: the one in there.
    """
    module, _ = _module_and_function(name)
    at = getattr(module, "card_at", None)
    found = at(root) if root is not None and at is not None else getattr(module, "CARD", None)
    return found if isinstance(found, DataCard) else None


def _module_and_function(name: str) -> tuple[Any, str]:
    module_name, _, function = LOADERS.get(name, name).partition(":")
    if not function:
        raise RecipeError(
            f"unknown loader {name!r}", remedy=f"{nearest(name, LOADERS)}; or `package.module:function`"
        )
    try:
        return importlib.import_module(module_name), function
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        raise RecipeError(
            f"the loader {name!r} cannot be imported",
            found=str(error),
            remedy="check the spelling, and that the package is installed or on PYTHONPATH",
        ) from None


def checked_options(dataset: Dataset, load: Loader) -> dict[str, Any]:
    parameters = list(inspect.signature(load).parameters.values())[2:]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    known = {parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD}
    hints = typing.get_type_hints(load, include_extras=True)
    checked: dict[str, Any] = {}
    for name, value in dataset.options.items():
        if name not in known and not takes_any:
            raise RecipeError(
                f"the loader {dataset.loader!r} has no option {name!r}",
                remedy=nearest(name, known) if known else "remove it; this loader has no options",
            )
        checked[name] = _checked_value(dataset.loader, name, value, hints.get(name, Any))
    for parameter in parameters:
        if parameter.name in known - checked.keys() and parameter.default is parameter.empty:
            raise RecipeError(
                f"the loader {dataset.loader!r} needs the option {parameter.name!r}",
                remedy="add it to the data set's `options`",
            )
    return checked


def _checked_value(loader_name: str, name: str, value: Any, hint: Any) -> Any:
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join([name, *(str(part) for part in detail["loc"])])
        if detail["type"] == "extra_forbidden":
            kinds = (hint, *typing.get_args(hint))  # of `Columns | None` too
            fields = [field for kind in kinds for field in getattr(kind, "model_fields", {})]
            raise RecipeError(
                f"the loader {loader_name!r} has no option {where!r}",
                remedy=nearest(str(detail["loc"][-1]), fields),
            ) from None
        raise RecipeError(
            f"the option {where!r} of the loader {loader_name!r} has a wrong value",
            found=repr(detail["input"]),
            remedy=detail["msg"].removeprefix("Value error, "),
        ) from None
