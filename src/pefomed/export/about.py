"""What an export says of itself: a README that `datasets` reads, and LlamaFactory's `dataset_info.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from pefomed.datasets.card import DataCard
from pefomed.export.pictures import FOLDER, ExportedPictures
from pefomed.export.rows import ExportedTexts
from pefomed.schema import Sample

_HUB = {"validate": "validation"}
_FORMS = {
    "llava": "LLaVA's JSON: `conversations` with `from` and `value`, a `<image>` for each picture of `image`"
    " (LLaVA, LlamaFactory by `dataset_info.json`, ms-swift)",
    "messages": "`messages` with typed parts, the pictures in `images` in their order (TRL, ms-swift)",
    "parquet": "Parquet with the pictures inside (`datasets`)",
    "jsonl": "JSON Lines, one row a question",
}


def about(
    name: str,
    card: DataCard | None,
    form: str,
    files: Mapping[str, str],
    samples: Mapping[str, Sequence[Sample]],
    texts: ExportedTexts,
    shown: ExportedPictures,
) -> str:
    """Return the README of an export; it holds no path of this machine."""
    configs = "".join(
        f"  - split: {_hub_split(split)}\n    path: {json.dumps(file)}\n" for split, file in files.items()
    )
    images = {split: {path for one in each for path in one.images} for split, each in samples.items()}
    counts = "".join(
        f"| {split} | `{files[split]}` | {len(each):,} | {len(images[split]):,} |\n"
        for split, each in samples.items()
    )
    where = "inside the files" if form == "parquet" else f"in `{FOLDER}/`"
    if shown.base is not None:
        where = "where they were; paths are relative to the data set's folder, which has to be named"
    elif shown.converted:
        where += f", {shown.converted:,} of them written as PNG as pefomed shows them"
    lines = [
        f"{_FORMS[form]}.",
        f"Pictures are {where}.",
        _questions(form, texts, any(texts.has_prompt(one) for each in samples.values() for one in each)),
        _answers(samples, texts),
    ]
    if card is not None and card.link:
        lines.append(f"Source: {card.title}, {card.link}. Licence: {card.licence}.")
    if card is not None and card.restricted:
        lines.append("**Restricted: it must not leave the machines that its licence permits.**")
    if card is not None and card.citation:
        lines.append(f"Please cite: {card.citation}")
    told = "".join(f"- {line}\n" for line in lines if line)
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{configs}---\n\n# {name}\n\n"
        f"Written by `pefomed data export --to {form}`.\n\n{told}\n"
        f"| split | file | samples | images |\n| --- | --- | --- | --- |\n{counts}"
    )


def llamafactory(name: str, files: Mapping[str, str]) -> str:
    """Return the `dataset_info.json` with which LlamaFactory reads the splits of LLaVA's form."""
    info = {
        f"{name}_{_hub_split(split)}": {
            "file_name": file,
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "image"},
        }
        for split, file in files.items()
    }
    return json.dumps(info, indent=2, ensure_ascii=False) + "\n"


def _questions(form: str, texts: ExportedTexts, prompted: bool) -> str:
    if form in ("parquet", "jsonl"):
        inside = "; the column `prompt` holds them inside their instruction" if prompted else ""
        return f"Questions are as the data set has them{inside}."
    if texts.instruct:
        return "Questions stand inside the recipe's instruction."
    inside = "; captions, reports and boxes are asked for by an instruction" if prompted else ""
    return f"Questions are as the data set has them{inside}."


def _answers(samples: Mapping[str, Sequence[Sample]], texts: ExportedTexts) -> str:
    lines = "Answers are the first right one"
    lines += ", in lower case as the recipe trains on them" if texts.prompt.answer_case == "lower" else ""
    if any(one.boxes for each in samples.values() for one in each):
        lines += (
            f"; boxes are text, `{{<x0><y0><x1><y1>}}`, 0 to {texts.prompt.box_bins} of the picture's own"
            " width and height"
        )
    return lines + "."


def _hub_split(split: str) -> str:
    return re.sub(r"\W", "_", _HUB.get(split, split))
