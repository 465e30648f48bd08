"""The page of one run: what the run folder holds, put into the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pefomed.agreement import write_agreement
from pefomed.answers.sureness import read_rule
from pefomed.datasets import LOADERS, DataCard, card
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.files.storage import write
from pefomed.progress import note
from pefomed.recipe import Evaluate
from pefomed.report import audit, files, history, items, plots
from pefomed.report.box_answers import box_answers
from pefomed.report.coefficients import agreement_sections
from pefomed.report.environments import run_environments
from pefomed.report.figures import cell_of, is_judged, is_wasm
from pefomed.report.groups import FEW
from pefomed.report.item_boxes import SIDE
from pefomed.report.judgements import judge_cards
from pefomed.report.labels import item_labels
from pefomed.report.probes import shown_probes
from pefomed.report.protocols import shown_protocols
from pefomed.report.results import results_of
from pefomed.report.run import ReportedRun, read_run
from pefomed.report.sections import lacks, sections
from pefomed.report.shell import render
from pefomed.report.sureness import sureness_of
from pefomed.report.tables import Footnotes
from pefomed.runs import RunFolder


def write_run_report(folder: Path, gate: PictureGate | None = None) -> Path:
    """Write `RUN/report/index.html` with its tables and figures from what the run folder holds.

    Where judges or raters labelled the run, `RUN/agreement.json` is written first.

    Args:
        gate: which pictures are embedded; without it they are named alone.

    Returns:
        The page's path.

    Raises:
        RunError: there is no such run folder, or it holds nothing of a run.
        DataError: one of its files is damaged.
        StorageError: the page cannot be written.
    """
    run = read_run(folder)
    found = write_agreement(folder)
    known = _cards(run)
    titles = _titles(run, known)
    loaders = {name: table.loader for name, table in run.recipe.data.items()} if run.recipe else {}
    evaluate = run.recipe.evaluate if run.recipe else Evaluate()
    notes = Footnotes()
    boxes = [box_answers(split, run.recipe) for split in run.answered]
    results = results_of(run.scores, run.answered, boxes, found, titles, loaders, evaluate, notes)
    agreement = agreement_sections(found)
    rule = read_rule(folder, fitting=False)
    said = [sureness_of(run.scores, split, titles[split.dataset], rule) for split in run.answered]
    sure = [one for one in said if one is not None]
    asked = [shown_probes(run.scores, s.dataset, s.split, titles[s.dataset]) for s in run.answered]
    probes = [one for one in asked if one is not None]
    tables = [sheet for result in results for sheet in result.sheets]
    tables += [sheet for one in probes for sheet in one.sheets]
    tables += [sheet for section in agreement for sheet in section.sheets]
    tables += [sheet for one in sure for sheet in one.sheets]
    protocols = shown_protocols(run.protocols, run.answered, titles)
    tables += [sheet for one in protocols for sheet in one.sheets]
    leaks, calm = audit.tell_all(run.audit, run.recipe, gate)
    stages = history.stages(run.log, run.recipe)
    browser = items.browser_data(run.answered, boxes, item_labels(folder, run.labellers), gate)
    boxed = [result for result in results if result.box_groups or result.box_figures]
    grouped = [result for result in results if result.groups]
    group_tables = [group.table for result in grouped for group in result.groups]
    filled = {
        "results": bool(results),
        "protocols": bool(protocols),
        "boxes": bool(boxed),
        "groups": bool(grouped),
        "probes": bool(probes),
        "sure": bool(sure),
        "judgements": bool(run.labellers),
        "agreement": bool(agreement),
        "training": bool(run.recipe or run.describe or stages or run.sessions),
        "leakage": bool(leaks or calm),
        "items": bool(browser["items"]),
        "recipe": bool(run.recipe_text),
    }
    html = render(
        "page.html.j2",
        browser,
        sections=sections(filled),
        lacks=lacks(
            run, groups=bool(grouped or any(one.box_groups for one in boxed)), compared=bool(agreement)
        ),
        run=run,
        results=results,
        heads=[(result, head) for result in results for head in result.headlines],
        protocols=protocols,
        boxed=boxed,
        grouped=grouped,
        probes=probes,
        sure=sure,
        charted=list(dict.fromkeys(table.measures[0][1] for table in group_tables)),
        rivals={kind for table in group_tables for kind, _ in table.floors},
        side_key=SIDE,
        judges=judge_cards(run.labellers, found),
        agreement=agreement,
        unweighed=bool(run.labellers)
        and not any(is_judged(s.metric) or is_wasm(s.metric) for s in run.scores),
        notes=notes,
        unscored=[str(row.get("text", "")) for row in run.log if row.get("stage") == "evaluate"],
        stages=stages,
        computed=run_environments(run.sessions),
        leaks=leaks,
        calm=calm,
        few=FEW,
        titles=titles,
        cards=known,
        cited=list({one.citation: one for one in known.values() if one.citation}.values()),
        all_scores=[(score, cell_of(score)) for score in run.scores],
    )
    page = RunFolder(folder).page
    write(page, html, files.REMEDY)
    for sentence in browser["left_out"]:
        note(f"{page}: {sentence}")
    files.write_tables(RunFolder(folder).tables, tables)
    drawn = {name: text for one in sure for name, text in one.files.items()}
    files.write_figures(RunFolder(folder).figures, plots.of_results(results) | drawn)
    return page


def _titles(run: ReportedRun, cards: Mapping[str, DataCard]) -> dict[str, str]:
    """Return what each data set is called: its card's title, with the recipe's name where two are alike."""
    names = {s.dataset for s in run.scores} | {split.dataset for split in run.answered} | set(run.audit)
    titles = {name: cards[name].title if name in cards else name for name in names}
    counts = Counter(titles.values())
    return {name: f"{title}: {name}" if counts[title] > 1 else title for name, title in titles.items()}


def _cards(run: ReportedRun) -> Mapping[str, DataCard]:
    """Return the cards of the recipe's data sets, of our own loaders only: a report imports nobody's code."""
    found = {}
    for name, dataset in run.recipe.data.items() if run.recipe else ():
        if dataset.loader in LOADERS and (known := card(dataset.loader)):
            found[name] = known
    return found
