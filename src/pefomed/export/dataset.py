"""A data set written as other trainers read it: its splits as files, its pictures beside them."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pefomed.boxes.samples import has_answer
from pefomed.datasets import card, data_folder, load_split
from pefomed.datasets.provenance import provenance_of_loader
from pefomed.errors import DataError, RunError
from pefomed.export.about import about, llamafactory
from pefomed.export.folder import whole_folder
from pefomed.export.pictures import ExportedPictures, pictures
from pefomed.export.rows import ExportedTexts, Shape, conversation, messages, shape_of, table_row
from pefomed.files.storage import safe_stem, storage_errors, usable_paths
from pefomed.progress import track
from pefomed.recipe import Dataset, Prompt
from pefomed.schema import Sample

Form = Literal["llava", "messages", "parquet", "jsonl"]

FORMS: Mapping[Form, str] = {"llava": ".json", "messages": ".jsonl", "parquet": ".parquet", "jsonl": ".jsonl"}
"""What can be written, and how its files end."""

_TALKS = ("llava", "messages")


@dataclass(frozen=True)
class Exported:
    """What was written of one split."""

    split: str
    file: Path
    samples: int
    images: int
    left_out: Mapping[str, int]
    """Reason -> rows that are not there."""


@usable_paths()
def export(
    dataset: Dataset,
    splits: Sequence[str],
    out: Path,
    form: Form,
    *,
    name: str,
    prompt: Prompt | None = None,
    instruct: bool = False,
    copy_images: bool = False,
    allow_restricted: bool = False,
    folder: Path | None = None,
) -> tuple[list[Exported], Path]:
    """Write the splits of a data set into the folder `out`; return what was written and where pictures are.

    Args:
        name: what the data set is called.
        prompt: of the recipe, which says how answers and boxes are written; by default the papers'.
        instruct: put the prompt's instructions around questions; what has no question always has one.
        copy_images: copy the pictures into `out`, as PNG what others do not read.
        allow_restricted: write data whose licence is restricted, too.
        folder: the data folder; see `data_folder`.

    Raises:
        RecipeError, DataError: the data cannot be read, or `out` is there.
        ImageError: a picture is damaged, or would have to be written as PNG and is not to be copied.
        RunError: the data is restricted.
        StorageError: the disk is full; nothing is left of the export.
    """
    _check_allowed(dataset, allow_restricted)
    texts = ExportedTexts(prompt or Prompt(), instruct)
    with whole_folder(out) as part:
        loaded: dict[str, list[Sample]] = {}
        left: dict[str, Counter[str]] = {}
        for split in splits:
            samples, rows = load_split(dataset, split, folder)
            left[split] = Counter(row.reason for row in rows)
            loaded[split] = [each for each in samples if form not in _TALKS or has_answer(each)]
            left[split]["no answer to train on"] += len(samples) - len(loaded[split])
            if not loaded[split]:
                raise DataError(
                    f"no sample of the split {split!r} of {name} has an answer",
                    remedy="leave the split out, or write questions alone with `--to jsonl`",
                )
        everything = [sample for samples in loaded.values() for sample in samples]
        root = data_folder(folder) / dataset.root
        inside = form == "parquet"
        shown = pictures(everything, root, None if inside or not copy_images else part, inside=inside)
        shape = shape_of(everything, texts)
        files = _files(splits, FORMS[form])
        for split, samples in loaded.items():
            _write(part / files[split], samples, form, texts, shape, shown, split)
        with storage_errors(out):
            facts = about(name, card(dataset.loader, root), form, files, loaded, texts, shown)
            (part / "README.md").write_text(facts, encoding="utf-8")
            if form == "llava":
                info = llamafactory(name, files)
                (part / "dataset_info.json").write_text(info, encoding="utf-8")
    written = [
        Exported(
            split, out / files[split], len(samples), len({one for each in samples for one in each.images}),
            {reason: count for reason, count in left[split].items() if count},
        )
        for split, samples in loaded.items()
    ]  # fmt: skip
    return written, shown.base or out


def _check_allowed(dataset: Dataset, allowed: bool) -> None:
    # Of derived questions, what they are derived from.
    loaders = [dataset.loader, *([str(dataset.options["of"])] if "of" in dataset.options else [])]
    restricted = [name for name in loaders if provenance_of_loader(name) == "restricted"]
    if allowed or not restricted:
        return
    known = card(restricted[0])
    raise RunError(
        f"{restricted[0]} is restricted: an export is made to be handed to another program",
        found=known.licence if known else None,
        remedy="if its licence permits that, and the export stays where it does, add --allow-remote",
    )


def _files(splits: Sequence[str], ending: str) -> dict[str, str]:
    """Return the file of each split: named as it, with a number where two would be the same."""
    files: dict[str, str] = {}
    for split in splits:
        stem = safe_stem(split) or "split"
        names = (f"{stem}{f'-{number}' if number > 1 else ''}{ending}" for number in itertools.count(1))
        taken = {name.lower() for name in files.values()}
        files[split] = next(name for name in names if name.lower() not in taken)
    return files


def _write(
    path: Path,
    samples: Sequence[Sample],
    form: Form,
    texts: ExportedTexts,
    shape: Shape,
    shown: ExportedPictures,
    split: str,
) -> None:
    if form == "parquet":
        from pefomed.export.parquet import write_parquet

        write_parquet(path, samples, texts, shape, shown)
        return
    row = {"llava": conversation, "messages": messages, "jsonl": table_row}[form]
    before, between, after = ("[\n", ",\n", "\n]\n") if form == "llava" else ("", "\n", "\n")
    with storage_errors(path), path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(before)
        for number, sample in enumerate(track(samples, f"writing {split}", unit="samples")):
            file.write(
                (between if number else "") + json.dumps(row(sample, texts, shape, shown), ensure_ascii=False)
            )
        file.write(after)
