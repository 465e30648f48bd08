"""A proposal for a COCO file: where its images are, its splits and phrases, what has to be left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pefomed.annotations.box_numbers import Form, Unit, box_of
from pefomed.errors import listed
from pefomed.files.split_names import is_split, seems_split
from pefomed.proposals import names
from pefomed.proposals.box_columns import FORMS, MOST, UNITS, boxes_in
from pefomed.proposals.pictures import image_columns
from pefomed.proposals.proposal import Proposal, ProposedChoice
from pefomed.proposals.table_sample import TableSample, is_empty
from pefomed.samples.owners import is_owner
from pefomed.schema import Box


def add_coco(proposal: Proposal, path: Path, content: Mapping[str, Any]) -> None:
    """Say in a proposal how a COCO file is read."""
    split = path.stem if seems_split(path.stem) else ""
    proposal.set("annotations", path.name if not split else f"{{split}}{path.suffix}", _named(split))
    images = [one for one in content["images"] if isinstance(one, dict)][:500]
    entries = [one for one in content["annotations"] if isinstance(one, dict)][:500]
    looked = TableSample(path, [{"file_name": one.get("file_name")} for one in images], False)
    found = image_columns(looked)
    if found and found[0].source == "file_name":
        if found[0].folder != ".":
            proposal.set("images", found[0].folder, found[0].why)
    else:
        proposal.ask(
            "images", "no `file_name` is a file beside the table, below it or in the folders beside it"
        )
    if not any(not is_empty(one.get("category_id")) for one in entries):
        proposal.notes.append("no annotation has a category")
    fields = TableSample(path, [{**one} for one in entries], False)
    phrases = [name for name in names.matching_columns(fields.columns, names.PHRASE) if fields.texts(name)]
    for name in dict.fromkeys(phrases):
        first = f"the first phrase would be {fields.texts(name)[0][:60]!r}"
        proposal.ask(
            "phrase",
            "a field of the annotations may be the phrase",
            ProposedChoice(name, first),
            needed=False,
        )
    if not split:
        both = TableSample(
            path, [{**image, **entry} for image in images[:1] for entry in entries] or [{}], False
        )
        every = TableSample(path, [*images, *entries], False)
        for name in both.columns:
            texts = set(every.texts(name))
            seems = seems_split if names.SPLIT.search(names.plain(name.rpartition(".")[2])) else is_split
            if texts and all(seems(text) for text in texts):
                proposal.set("split_field", name, f"holds {listed(sorted(texts), most=6)}")
    _add_reading(proposal, images, entries)
    owners = [
        name
        for name in TableSample(path, images + entries, False).columns
        if is_owner(name.rpartition(".")[2])
    ]
    if owners:
        proposal.notes.append(f"says whose an image is, and is audited without being named: {listed(owners)}")
    for kind, missing in (("no category", "category_id"), ("no box", "bbox")):
        count = sum(
            is_empty(one.get(missing)) and is_empty(one.get("segmentation") if kind == "no box" else None)
            for one in entries
        )
        if count:
            proposal.ask(
                "skip", f"{count} of {len(entries)} annotations that were looked at have {kind}",
                ProposedChoice([kind], "these are left out and counted; without it they are an error"),
            )  # fmt: skip


def _add_reading(proposal: Proposal, images: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    """Say how the numbers are read, where not as COCO's are."""
    sizes = {one.get("id"): (one.get("width"), one.get("height")) for one in images}
    boxes: list[tuple[tuple[Any, ...], tuple[int, int]]] = []
    for one in entries:
        (width, height), found = sizes.get(one.get("image_id"), (0, 0)), boxes_in(one.get("bbox"))
        if found and isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
            boxes.append((found[0], (width, height)))
    boxes = boxes[:MOST]

    def fits(form: Form, unit: Unit) -> bool:
        return all(isinstance(box_of(numbers, form, unit, size), Box) for numbers, size in boxes)

    if not boxes or fits("xywh", "pixel"):
        return
    ways = [(form, unit) for form in FORMS for unit in UNITS if fits(form, unit)]
    why = f"COCO's own reading does not fit all {len(boxes)} boxes that were looked at"
    forms = list(dict.fromkeys(form for form, _ in ways))
    units = list(dict.fromkeys(unit for _, unit in ways))
    for option, values, usual in (("form", list[str](forms), "xywh"), ("unit", list[str](units), "pixel")):
        if len(values) == 1 and values[0] != usual:
            proposal.set(option, values[0], f"{why}; only this does")
        elif len(values) != 1:
            proposal.ask(option, why, *(ProposedChoice(value, "would fit") for value in values))


def _named(split: str) -> str:
    return "the file is called as its split" if split else "the file"
