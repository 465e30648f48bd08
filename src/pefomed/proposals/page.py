"""A proposal as TOML to be pasted into a recipe, a comment on every line, and three rows as read by it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pefomed.datasets import card, load_samples
from pefomed.datasets.found_splits import found_splits
from pefomed.errors import PefomedError
from pefomed.files.split_names import in_order, split_roles
from pefomed.proposals.proposal import Proposal, Question, flat
from pefomed.recipe import Dataset
from pefomed.recipe.kinds import toml
from pefomed.schema import Sample

SHOWN = 3
"""Rows that are read."""


def as_toml(proposal: Proposal) -> str:
    """Return the part `[data.NAME]` of a recipe; a question is a comment, each answer a line to take."""
    lines = [f"# {proposal.about}", f"[data.{proposal.name}]"]
    lines += [f"loader = {toml(proposal.loader)}", f"root = {toml(proposal.root)}"]
    tables: dict[str, list[str]] = {"": []}
    for option, value in flat(proposal.options):
        table, _, name = option.rpartition(".")
        why = proposal.why.get(option, "")
        tables.setdefault(table, []).append(f"{name} = {toml(value)}{f'  # {why}' if why else ''}")
    for one in proposal.questions:
        table, _, name = one.option.rpartition(".")
        tables.setdefault(table, []).extend(_asked(one, name))
    for table, inside in tables.items():
        if inside:
            lines += ["", f"[data.{proposal.name}.options{f'.{table}' if table else ''}]", *inside]
    lines += [f"# {note}" for note in proposal.notes]
    return "\n".join(lines) + "\n"


def rows_of(proposal: Proposal, data_folder: Path) -> list[Sample] | PefomedError:
    """Return the first samples as the loader reads them, or why it does not.

    Open questions get their first answer.
    """
    try:
        dataset = Dataset(
            loader=proposal.loader, root=proposal.root, options=proposal.first_choices(), limit=SHOWN
        )
        splits = in_order(split_roles(found_splits(dataset, data_folder))) or _published(proposal.loader)
    except PefomedError as error:
        return error
    first: PefomedError | None = None
    for split in splits:  # of a download there may be one alone
        try:
            return load_samples(dataset, split, data_folder)
        except PefomedError as error:
            first = first or error
    return first or []


def as_text(proposal: Proposal, rows: list[Sample] | PefomedError, width: int) -> str:
    """Return the rows as lines of at most `width` characters, after the questions that are open."""
    lines = list(_heading(proposal, rows))
    if isinstance(rows, PefomedError):
        return "\n".join([*lines, str(rows)])
    for sample in rows:
        lines.append("")
        for name, value in _shown(sample).items():
            text = f"{name}: {value}"
            lines += textwrap.wrap(
                text, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=True
            )
    return "\n".join(lines)


def as_values(proposal: Proposal, rows: list[Sample] | PefomedError) -> dict[str, Any]:
    """Return all of it as JSON values."""
    error = str(rows) if isinstance(rows, PefomedError) else None
    return {
        "name": proposal.name,
        "loader": proposal.loader,
        "root": proposal.root,
        "about": proposal.about,
        "options": proposal.options,
        "why": proposal.why,
        "questions": [asdict(one) for one in proposal.questions],
        "notes": proposal.notes,
        "toml": as_toml(proposal),
        "rows": [] if isinstance(rows, PefomedError) else [_shown(sample) for sample in rows],
        "error": error,
    }


def _published(loader: str) -> list[str]:
    known = card(loader)
    return list(known.splits) if known and known.splits else ["train"]


def _asked(one: Question, name: str) -> Iterator[str]:
    yield f"# TO DECIDE: {name}: {one.why}" if one.needed else f"# {name}: {one.why}"
    for choice in one.choices:
        where, _, own = choice.option.rpartition(".")
        said = f"in `options{f'.{where}' if where else ''}`: {own}" if own else name
        yield f"# {said} = {toml(choice.value)}  # {choice.gives}"


def _heading(proposal: Proposal, rows: list[Sample] | PefomedError) -> Iterator[str]:
    said = "nothing is read" if isinstance(rows, PefomedError) else f"the first {len(rows)} samples"
    if not proposal.open:
        yield f"{said} with it:"
        return
    first = [(one, one.choices[0]) for one in proposal.open if one.choices]
    taken = [f"{choice.option or one.option} = {toml(choice.value)}" for one, choice in first]
    yield "to decide first: " + ", ".join(dict.fromkeys(one.option for one in proposal.open))
    yield f"{said} with the first choices, {', '.join(taken)}:" if taken else f"{said} as it is:"


def _shown(sample: Sample) -> dict[str, Any]:
    """Return what a person looks at: not whose the image is."""
    values: dict[str, Any] = {"id": sample.id, "images": ", ".join(sample.images), "task": sample.task}
    if sample.question:
        values["question"] = sample.question
    if sample.reference or not sample.boxes:
        values["answer"] = " | ".join([sample.reference, *sample.further_references])
    if sample.boxes:
        width, height = sample.size or (1, 1)
        values["boxes"] = "; ".join(
            f"{one.x0 * width:g} {one.y0 * height:g} {one.x1 * width:g} {one.y1 * height:g}"
            for one in sample.boxes
        )
        values["of"] = f"{width} x {height} pixels"
    if sample.meta:
        values["meta"] = ", ".join(f"{key} = {value}" for key, value in sample.meta.items())
    return values
