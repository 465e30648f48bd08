"""Which sections a run's page has: those with something in them; what the others lack is said in a list."""

from __future__ import annotations

from collections.abc import Mapping

from pefomed.report.run import ReportedRun
from pefomed.runs import RunFolder

SECTIONS = {
    "results": "Results",
    "protocols": "Protocols",
    "boxes": "Boxes",
    "groups": "Groups",
    "probes": "Does it look?",
    "sure": "How sure",
    "judgements": "Judges and raters",
    "agreement": "Agreement",
    "training": "Training",
    "leakage": "Leakage",
    "items": "Items",
    "recipe": "Recipe",
}
"""Every section there can be, in order, and what the page's navigation calls it."""


def sections(filled: Mapping[str, bool]) -> dict[str, str]:
    """Return those of `SECTIONS` that are filled."""
    return {name: title for name, title in SECTIONS.items() if filled[name]}


def lacks(run: ReportedRun, *, groups: bool, compared: bool) -> list[str]:
    """Return a sentence for each thing that a page can show and this run does not hold.

    Args:
        groups: whether there are results by group.
        compared: whether anything is said of the agreement of judges and raters.
    """
    if RunFolder(run.folder).outside_file.exists():
        # Somebody else's answers: nothing of a training can be expected.
        said = ["Somebody else's answers: no recipe, no training log and no audit of the data."]
    else:
        said = [
            sentence
            for absent, sentence in (
                (not run.recipe, "The run has no recipe.toml."),
                (not run.describe, "The model is not described: the run has no describe.json."),
                (not run.log, "No training log: the run has no log.jsonl, so there are no curves."),
                (
                    not run.audit,
                    "No audit: whether test images or questions occur in training is not known for this"
                    " run. pefomed data audit finds out.",
                ),
                (
                    not run.answered,
                    "No items: the run holds no predicted samples yet. pefomed predict RUN writes them.",
                ),
            )
            if absent
        ]
    if run.beside:
        said.append(
            f"Not shown, as the recipe does not predict it now: {', '.join(run.beside)} in samples/, with"
            " what was answered."
        )
    if run.former_protocols:
        said.append(
            "Not shown: protocols.jsonl, which is of other scores than those here. pefomed evaluate RUN"
            " --protocols writes it anew."
        )
    if run.scores and not groups:
        said.append("No scores by group.")
    if run.labellers and not compared:
        said.append(
            "Nothing to compare of judges and raters yet: one judge with one run, and no human raters."
        )
    return said
