"""A proposal for a table: which column is what, by the names of published sets and by what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pefomed.errors import listed
from pefomed.files.rows import is_number
from pefomed.files.split_names import is_split, seems_split
from pefomed.files.unpacked import ImageFile
from pefomed.proposals import names
from pefomed.proposals.box_columns import BoxNames, add_boxes, box_columns
from pefomed.proposals.mask_columns import add_mask, mask_column
from pefomed.proposals.pictures import ImageColumn, image_columns, roles_of
from pefomed.proposals.proposal import Proposal, ProposedChoice
from pefomed.proposals.table_sample import FEW, TableSample, first_value, is_empty, is_text, value_at
from pefomed.proposals.text_columns import add_texts
from pefomed.samples.owners import is_owner


def add_columns(proposal: Proposal, looked: TableSample) -> None:
    """Say in a proposal which columns of a table are what."""
    if looked.header:
        made_up = "column_1" in looked.header or "column_1..." in looked.header
        why = "the first line is a row; the names are made up" if made_up else "rows go on behind the last"
        proposal.set("header", list(looked.header), why)
    images = image_columns(looked)
    shown = _add_images(proposal, looked, images)
    chosen, used = shown[0] if shown else None, {each.column for each in shown}
    boxes, mask = box_columns(looked), mask_column(looked)
    if boxes is not None:
        used |= {*boxes.columns, *_add_phrase(proposal, looked, used | {*boxes.columns})}
        add_boxes(proposal, looked, boxes, [_file(row, looked.path.parent, chosen) for row in looked.rows])
        used |= _add_of_boxes(proposal, looked)
        _add_without(proposal, looked, boxes)
        if mask is not None:
            used.add(mask)
            add_mask(proposal, looked, mask)
    elif mask is not None:
        used |= {mask, *_add_phrase(proposal, looked, used | {mask})}
        add_mask(proposal, looked, mask)
        used |= _add_of_boxes(proposal, looked)
    else:
        used |= add_texts(proposal, looked, used)
    used |= _add_id(proposal, looked, used)
    used |= _add_split(proposal, looked, used)
    _add_meta(proposal, looked, used)


def _add_images(proposal: Proposal, looked: TableSample, images: Sequence[ImageColumn]) -> list[ImageColumn]:
    """Say which columns have images; return them, the first of all in front."""
    if not images:
        called = [
            name for name in looked.columns if any(w in names.plain(name) for w in ("image", "path", "file"))
        ]
        why = "no column holds names of files beside the table, below it or in the folders beside it"
        choices = [ProposedChoice(name, first_value(looked, name)) for name in called or looked.columns]
        proposal.ask("columns.image", f"{why}; the option `images` names their folder", *choices)
        return []
    first = images[0]
    several = roles_of(images)
    if several and all(role.isdigit() for role in several):
        proposal.set("columns.image", [one.source for one in several.values()], "several columns with files")
    elif several:
        for role, one in several.items():
            proposal.set(f"columns.image.{role}", one.source, one.why)
    else:
        proposal.set("columns.image", first.source, first.why)
    if first.folder != ".":
        proposal.set("images", first.folder, "where these files are")
    used = [first, *several.values()]
    same = [each for each in images if each not in used and each.found == each.looked]
    if same:
        proposal.notes.append(f"also names of images: {listed([each.column for each in same])}")
    return used


def _add_phrase(proposal: Proposal, looked: TableSample, used: set[str]) -> set[str]:
    free = [name for name in looked.columns if name not in used]
    found = list(dict.fromkeys(names.matching_columns(free, names.PHRASE)))
    if not found:
        choices = [ProposedChoice(name, first_value(looked, name)) for name in free if is_text(looked, name)]
        constant = ProposedChoice({"constant": "..."}, "the same phrase in every row: write it there")
        proposal.ask(
            "columns.question", "no column is called a phrase, a label or a class", *choices, constant
        )
        return set()
    proposal.set("columns.question", found[0], "the phrase that has the box, by its name")
    if found[1:]:
        proposal.notes.append(f"also called like phrases or labels: {listed(found[1:])}")
    category = next((name for name in names.matching_columns(free, names.CATEGORY) if name != found[0]), None)
    if category and 1 < len(set(looked.texts(category))) <= FEW:
        proposal.set("boxes.category", category, "results are grouped by it")
        return {found[0], category}
    return {found[0]}


def _add_of_boxes(proposal: Proposal, looked: TableSample) -> set[str]:
    used: set[str] = set()
    for width, height in names.SIZE:
        pair = [next(names.matching_columns(looked.columns, [one]), None) for one in (width, height)]
        if all(pair):
            proposal.set("boxes.width", pair[0], "is checked against the image")
            proposal.set("boxes.height", pair[1], "likewise")
            used = {str(one) for one in pair}
            break
    reader = next(names.matching_columns(looked.columns, names.READER), None)
    if reader and len(set(looked.texts(reader))) > 1:
        proposal.ask(
            "boxes.readers", f"{reader} says who drew a box: {len(set(looked.texts(reader)))} readers",
            ProposedChoice("apart", "a sample for each reader"),
            ProposedChoice("fused", "one sample, its boxes fused (`pip install 'pefomed[fusion]'`)"),
        )  # fmt: skip
        proposal.set("boxes.reader", reader, "by its name; the next line is to be decided")
        used.add(reader)
    return used


def _add_without(proposal: Proposal, looked: TableSample, boxes: BoxNames) -> None:
    cells = [[value_at(row, name) for name in boxes.columns] for row in looked.rows]
    bare = sum(all(_is_bare(cell) for cell in each) for each in cells)
    if bare:
        proposal.ask(
            "boxes.without",
            f"{bare} of {len(looked.rows)} rows that were looked at have no box",
            ProposedChoice(
                "absent", "what their phrase names is not in the image, and this is the right answer"
            ),
            ProposedChoice(["no box"], "these rows are left out and counted", "skip"),
        )


def _is_bare(cell: Any) -> bool:
    """Return whether a cell has no box, or none of one of its phrases."""
    return is_empty(cell) or (isinstance(cell, list) and any(one is None or one == [] for one in cell))


def _add_id(proposal: Proposal, looked: TableSample, used: set[str]) -> set[str]:
    for name in names.matching_columns([each for each in looked.columns if each not in used], names.ID):
        texts = looked.texts(name)
        alone = len(texts) == len(looked.rows) == len(set(texts))
        if alone and not is_owner(name):
            rows = "rows" if looked.whole else f"first {len(looked.rows)} rows"
            proposal.set("columns.id", name, f"by its name, and it is another one in all {rows}")
            return {name}
        if name == "id":
            proposal.set("columns.id", "", "the column id is not another one in every row: a hash is the id")
    return set()


def _add_split(proposal: Proposal, looked: TableSample, used: set[str]) -> set[str]:
    for name in looked.columns:
        if name in used:
            continue
        texts = set(looked.texts(name))
        seems = seems_split if names.SPLIT.search(names.plain(name.rpartition(".")[2])) else is_split
        if texts and len(texts) <= FEW and all(seems(text) for text in texts):
            proposal.set("columns.split", name, f"holds {listed(sorted(texts), most=6)}")
            return {name}
    return set()


def _add_meta(proposal: Proposal, looked: TableSample, used: set[str]) -> None:
    owners = [name for name in looked.columns if is_owner(name.rpartition(".")[2])]
    free = [name for name in looked.columns if name not in used and name not in owners]
    few = [
        name
        for name in free
        if 1 < len(set(looked.texts(name))) <= min(FEW, len(looked.rows) // 2)
        and not any(is_number(text) or len(text) > 40 for text in looked.texts(name))
    ]
    if few:
        proposal.set("columns.meta", few, "few different values: results can be grouped by them")
    if owners:
        proposal.notes.append(f"says whose an image is, and is audited without being named: {listed(owners)}")
    rest = [name for name in free if name not in few]
    if rest:
        proposal.notes.append(f"not used: {listed(rest, most=12)}")


def _file(row: dict[str, Any], base: Path, images: ImageColumn | None) -> tuple[str, Path]:
    """Return column and file of a row's image; an empty column if there is none."""
    value = value_at(row, images.column) if images else None
    value = value[0] if isinstance(value, list) and value else value
    if images is None or is_empty(value):
        return "", base
    if isinstance(value, ImageFile):
        return images.column, Path(value)
    ending = images.source.removeprefix(f"{{{images.column}}}") if images.source != images.column else ""
    return images.column, base / images.folder / f"{str(value).strip()}{ending}"
