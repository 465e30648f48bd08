"""Which column of a table holds masks, and what its run lengths may count: no silent guess."""

from __future__ import annotations

from typing import Any

from pefomed.annotations.table_masks import is_nothing, is_written
from pefomed.proposals import names
from pefomed.proposals.proposal import Proposal, ProposedChoice
from pefomed.proposals.table_sample import TableSample, is_empty, value_at

_CALLED = (
    "encodedpixels mask maskpath maskfile maskname maskrle rle segmentation segmentationpath segmentationrle"
    " segmask objectssegmentation objectsmask"
).split()
_RUNS = {
    "gaps": "pixels outside before each run, and its length, down the columns (SIIM-ACR)",
    "starts": "first pixel of each run from 1, and its length, down the columns (Kaggle)",
    "starts across": "the same along the rows",
}


def mask_column(looked: TableSample) -> str | None:
    """Return the column that holds masks; None if none is called so, or holds other things."""
    if next(names.matching_columns(looked.columns, names.QUESTION), None):
        return None  # of questions and answers a mask is something else
    for column in names.matching_columns(looked.columns, _CALLED):
        found = [value for value in looked.values(column) if not is_nothing(value)]
        if found and all(_is_mask(value, looked) for value in found):
            return column
    return None


def add_mask(proposal: Proposal, looked: TableSample, column: str) -> None:
    """Say in a proposal which column holds masks, and ask what the table does not say."""
    proposal.set("boxes.mask", column, "by its name, and masks or their files are in it")
    if any(_is_numbers(value) for value in looked.values(column)):
        choices = [ProposedChoice(runs, meaning) for runs, meaning in _RUNS.items()]
        proposal.ask("boxes.runs", "the file does not say what its run lengths count", *choices)
    cells = [value_at(row, column) for row in looked.rows]
    bare = sum(is_empty(value) or is_nothing(value) for value in cells)
    if bare and "boxes.columns" not in proposal.why:
        proposal.ask(
            "boxes.without",
            f"{bare} of {len(cells)} rows that were looked at have no mask",
            ProposedChoice(
                "absent", "what their phrase names is not in the image, and this is the right answer"
            ),
            ProposedChoice(["no box"], "these rows are left out and counted", "skip"),
        )


def _is_mask(value: Any, looked: TableSample) -> bool:
    if isinstance(value, dict):
        return "counts" in value or "bytes" in value
    if isinstance(value, list) or is_written(value):
        return True
    return isinstance(value, str) and len(value) < 1000 and (looked.path.parent / value.strip()).is_file()


def _is_numbers(value: Any) -> bool:
    parts = value.split() if isinstance(value, str) else []
    return len(parts) > 1 and all(part.isdecimal() for part in parts)
