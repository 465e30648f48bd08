"""The results of every data set of a run, as the page shows them and as sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pefomed.agreement import Agreements
from pefomed.recipe import Evaluate
from pefomed.report import sheet as sheets
from pefomed.report.box_answers import BoxAnswer
from pefomed.report.box_figures import BoxFigures, box_figures
from pefomed.report.correctness import speaks
from pefomed.report.figures import PRIMARY, SPOKEN, is_wasm, of_split
from pefomed.report.groups import GroupTable, box_group_tables, group_tables
from pefomed.report.headline import Headline, headlines
from pefomed.report.levels import level_sheet, stacked
from pefomed.report.run import ReportedSplit
from pefomed.report.sheet import Sheet, sheet_name
from pefomed.report.tables import Footnotes, ResultTable, exact_match_table, other_tables
from pefomed.report.wide_tables import box_table, rate_table, text_table
from pefomed.schema import Score
from pefomed.tasks import WORDS


@dataclass(frozen=True)
class ShownTable:
    """A result table with the sheet that its downloads are made from."""

    table: ResultTable
    sheet: Sheet


@dataclass(frozen=True)
class ShownGroups:
    table: GroupTable
    sheet: Sheet
    open: bool
    """Whether it stands open: the groups of the published tables do."""


@dataclass(frozen=True)
class Result:
    """One split of one data set."""

    dataset: str
    split: str
    title: str
    headlines: list[Headline]
    main: ShownTable | None
    texts: ShownTable | None
    boxes: ShownTable | None
    others: list[ShownTable]
    groups: list[ShownGroups]
    box_groups: list[ShownGroups]
    box_figures: BoxFigures | None
    levels: Sheet | None
    bars: list[tuple[str, object]]
    """`(title, drawing)` of the levels each judge and the raters gave."""

    @property
    def sheets(self) -> list[Sheet]:
        tables = [table for table in (self.main, self.texts, self.boxes, *self.others) if table]
        groups = [group.sheet for group in (*self.groups, *self.box_groups)]
        figures = self.box_figures.sheets if self.box_figures else []
        levels = [self.levels] if self.levels else []
        return [table.sheet for table in tables] + groups + figures + levels


OPEN_GROUPS = 3
"""Tables by group that stand open; the others are folded."""


def results_of(
    scores: Sequence[Score],
    answered: Sequence[ReportedSplit],
    boxes: Sequence[Mapping[str, Mapping[str, BoxAnswer]]],
    agreements: Agreements,
    titles: Mapping[str, str],
    loaders: Mapping[str, str],
    evaluate: Evaluate,
    notes: Footnotes,
) -> list[Result]:
    """Return the results of every split that has scores, in the scores' order.

    Args:
        boxes: what the answers of each of `answered` say about boxes.
        titles: what each data set is called.
        loaders: what reads each data set, as far as the recipe says.
        evaluate: the draws and the seed of intervals.
        notes: gets the tables' footnotes.
    """
    by_split = {(split.dataset, split.split): split for split in answered}
    of_boxes = {
        (split.dataset, split.split): of_answers for split, of_answers in zip(answered, boxes, strict=True)
    }
    splits = dict.fromkeys((score.dataset, score.split) for score in scores)
    return [
        _result(
            of_split(scores, dataset, split),
            by_split.get((dataset, split)),
            titles[dataset],
            loaders.get(dataset, ""),
            of_boxes.get((dataset, split), {}),
            agreements,
            evaluate,
            notes,
        )
        for dataset, split in splits
    ]


def _result(
    scores: Sequence[Score],
    answered: ReportedSplit | None,
    title: str,
    loader: str,
    boxes: Mapping[str, Mapping[str, BoxAnswer]],
    agreements: Agreements,
    evaluate: Evaluate,
    notes: Footnotes,
) -> Result:
    """Return the result of one split, of at least one score."""
    dataset, split = scores[0].dataset, scores[0].split
    name, of = sheet_name(dataset, split), f"{title}, {split}".rstrip(", ")
    levels = level_sheet(agreements.levels, scores, dataset, split, loader)
    tasks = {sample.task for sample in answered.samples} if answered else set()
    spoken = answered is not None and speaks(answered)
    images: dict[str, set[str]] = {}
    for sample in answered.samples if answered else ():
        images.setdefault(sample.task, set()).update(sample.images)
    main = exact_match_table(scores, dataset, split, notes, first=SPOKEN if spoken else ())
    texts = text_table(scores, dataset, split, notes)
    answered_boxes = box_table(scores, dataset, split, notes)
    rest = [score for score in scores if not (levels and is_wasm(score.metric))]
    others = other_tables(rest, dataset, split, notes, first=SPOKEN if spoken else ())
    rates = rate_table(scores, dataset, split, notes)
    methods = _shown(f"{name}-methods", f"Results on {of}: {main.title}", main, notes) if main else None
    # Of texts exact match is told last, if at all: that a template was hit word for word.
    free = bool(tasks) and tasks.isdisjoint(WORDS)
    worded = group_tables(scores, dataset, split, SPOKEN[-1] if spoken else PRIMARY)
    return Result(
        dataset=dataset,
        split=split,
        title=title,
        headlines=headlines(scores, dataset, split, tasks, sentences=spoken, images=images),
        main=methods if not free else None,
        texts=_shown(f"{name}-texts", f"Report metrics on {of}", texts, notes) if texts else None,
        boxes=_shown(f"{name}-boxes", f"Boxes on {of}", answered_boxes, notes) if answered_boxes else None,
        others=[
            *([methods] if methods and free else ()),
            *(
                _shown(f"{name}-{sheet_name(each.heads[0].metric)}", f"{each.title} on {of}", each, notes)
                for each in others
            ),
            *([_shown(f"{name}-answers", f"How answers came out on {of}", rates, notes)] if rates else ()),
        ],
        groups=[] if free else _groups(name, of, worded, OPEN_GROUPS),
        box_groups=_groups(f"{name}-boxes", f"Boxes on {of}", box_group_tables(scores, dataset, split), 2),
        box_figures=box_figures(name, of, boxes, scores, evaluate),
        levels=levels,
        bars=[
            (each.title, stacked(each.counts, f"Levels by {each.title}"))
            for each in agreements.levels
            if (each.dataset, each.split) == (dataset, split)
        ],
    )


def _groups(name: str, of: str, tables: Sequence[GroupTable], most_open: int) -> list[ShownGroups]:
    return [
        ShownGroups(
            table,
            sheets.of_groups(
                f"{name}-by-{sheet_name(table.key)}", f"{of} by {table.key.replace('_', ' ')}", table
            ),
            place < most_open,
        )
        for place, table in enumerate(tables)
    ]


def _shown(name: str, title: str, table: ResultTable, notes: Footnotes) -> ShownTable:
    return ShownTable(table, sheets.of_results(name, title, table, notes.texts))
