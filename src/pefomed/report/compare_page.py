"""The page of several runs: one table over all of them, paired differences, and the items that changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pefomed.datasets import LOADERS, card
from pefomed.errors import RunError
from pefomed.evaluation.compare import PairedDifference, compare_runs
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.report import files
from pefomed.report.arms import arm_sheet
from pefomed.report.correctness import speaks
from pefomed.report.differences import changed_items, difference_sheet
from pefomed.report.figures import SPOKEN
from pefomed.report.runs import LabelledRun, joined_scores, named, read_arms
from pefomed.report.sheet import Sheet, of_results, sheet_name
from pefomed.report.shell import render
from pefomed.report.tables import Footnotes, ResultTable, exact_match_table, other_tables
from pefomed.report.wide_tables import box_table, rate_table, side_table, text_table
from pefomed.runs import RunFolder
from pefomed.tasks import WORDS

Gates = Callable[[Path], PictureGate] | None
"""Makes the gate of a run's pictures from its folder; without it no picture is embedded."""


@dataclass(frozen=True)
class _Table:
    heading: str
    table: ResultTable
    sheet: Sheet
    folded: bool


def write_ablation_report(folder: Path, gate: Gates = None) -> Path:
    """Write `ABLATION/report/index.html`, the table over all arms, and return its path.

    Raises:
        RunError: an arm's folder is missing.
        DataError: a file of an arm, or ablation.json, is damaged.
        StorageError: the page cannot be written.
    """
    arms = read_arms(folder)
    others = [arm for arm in arms.runs if arm is not arms.base]
    page, title = RunFolder(folder).page, f"Ablation of {arms.recipe}"
    if arms.are_stages:
        lead = "What each training stage gives: no training, the first stages alone, the last alone, both."
        # What every arm lacks of the whole recipe; of the last one, the last stage alone, item by item.
        pairs = [(arm, arms.base) for arm in others]
        how = f"The arm {arms.base.label} against each of the others"
    else:
        lead = "What each change of the recipe gives."
        pairs = [(arms.base, arm) for arm in others]
        how = f"Each arm against {arms.base.label}, the recipe as it stands"
    named_changes = not arms.are_stages
    return _write(page, title, lead, arms.runs, pairs, pairs[-1], how, gate, arms=named_changes)


def write_comparison(folders: Sequence[Path], page: Path, gate: Gates = None) -> Path:
    """Write the page `page` over two or more runs and return its path.

    Raises:
        RunError: a folder holds nothing of a run, or two runs have no samples in common.
        DataError: a file is damaged.
        StorageError: the page cannot be written.
    """
    runs = named(folders)
    title = " · ".join(run.label for run in runs)
    pairs = [(runs[0], other) for other in runs[1:]]
    how = f"Each run against {runs[0].label}"
    return _write(page, title, "Several runs side by side.", runs, pairs, (runs[0], runs[-1]), how, gate)


def _write(
    page: Path,
    title: str,
    lead: str,
    runs: Sequence[LabelledRun],
    pairs: Sequence[tuple[LabelledRun, LabelledRun]],
    shown: tuple[LabelledRun, LabelledRun],
    how: str,
    gate: Gates,
    *,
    arms: bool = False,
) -> Path:
    """Write the page; `pairs` are compared by tests, those of `shown` item by item, the first is the base.

    Args:
        arms: the runs are named changes of the base: a short table of them comes first.
    """
    notes = Footnotes()
    tables = _tables(runs, notes)
    differences: list[Sheet] = []
    compared: list[tuple[LabelledRun, Sequence[PairedDifference]]] = []
    missing: list[str] = []
    for first, second in pairs:
        try:
            pair_differences = compare_runs(first.run.folder, second.run.folder)
        except RunError as error:
            if len(runs) == 2:
                raise
            missing.append(f"{second.label} against {first.label}: {error.problem}; found: {error.found}")
            continue
        differences.append(difference_sheet(pair_differences, first.label, second.label))
        compared.append((second, pair_differences))
    missing += [
        f"{', '.join(run.run.beside)} of {run.label}, which its recipe does not predict now"
        for run in runs
        if run.run.beside
    ]
    restricted = {}
    for run in runs:
        for table in (run.run.recipe.data if run.run.recipe else {}).values():
            if table.loader in LOADERS and (known := card(table.loader)) and known.restricted:
                restricted[known.title] = known.licence
    browser = changed_items(*shown, gate(shown[1].run.folder) if gate else None)
    overview = arm_sheet(compared, pairs[0][0]) if arms else None
    html = render(
        "compare.html.j2",
        browser,
        title=title,
        lead=lead,
        runs=runs,
        links=[_link(run, page) for run in runs],
        tables_shown=tables,
        arms=overview,
        differences=differences,
        missing=missing,
        restricted=restricted,
        how=how,
        first=shown[0].label,
        last=shown[1].label,
        notes=notes,
    )
    sheets = [*([overview] if overview else []), *(table.sheet for table in tables), *differences]
    name = "tables" if page.stem == "index" else f"{page.stem}-tables"
    write(page, html, files.REMEDY)
    for sentence in browser["left_out"]:
        note(f"{page}: {sentence}")
    files.write_tables(page.parent / name, sheets)
    return page


def _tables(runs: Sequence[LabelledRun], notes: Footnotes) -> list[_Table]:
    scores = joined_scores(runs)
    shown = []
    for dataset, split in dict.fromkeys((score.dataset, score.split) for score in scores):
        of = f"{dataset}, {split}".rstrip(", ")
        answered = [
            split_of_run
            for named in runs
            for split_of_run in named.run.answered
            if (split_of_run.dataset, split_of_run.split) == (dataset, split)
        ]
        first = SPOKEN if any(map(speaks, answered)) else ()
        tasks = {sample.task for split_of_run in answered for sample in split_of_run.samples}
        # As on a run's own page: of texts exact match is told last.
        free = bool(tasks) and tasks.isdisjoint(WORDS)
        main = exact_match_table(scores, dataset, split, notes, first)
        texts = text_table(scores, dataset, split, notes)
        named_tables = [
            ("methods", of, main, free),
            ("texts", f"{of}: reports and captions", texts, False),
            ("boxes", f"{of}: boxes", box_table(scores, dataset, split, notes), False),
            ("sides", f"{of}: left and right", side_table(scores, dataset, split, notes), True),
        ]
        named_tables += [
            (sheet_name(other.heads[0].metric), f"{of}: {other.title}", other, True)
            for other in other_tables(scores, dataset, split, notes, first)
        ]
        rates = rate_table(scores, dataset, split, notes)
        named_tables.append(("answers", f"{of}: how answers came out", rates, True))
        for name, heading, table, folded in named_tables:
            if table:
                sheet = of_results(
                    sheet_name(dataset, split, "runs", name), f"Runs on {heading}", table, notes.texts
                )
                shown.append(_Table(heading, table, sheet, folded))
    return shown


def _link(run: LabelledRun, page: Path) -> str:
    """Return the relative address of a run's own page, empty if it has none."""
    own = RunFolder(run.run.folder).page
    if not own.exists():
        return ""
    shared = Path(os.path.commonpath((own.resolve(), page.resolve())))
    if shared == Path(shared.anchor) or Path.home().resolve().is_relative_to(shared):
        return ""  # the way there would tell folders of this machine
    return quote(Path(os.path.relpath(own.resolve(), page.parent.resolve())).as_posix())
