"""The agreement of judges, humans and metrics as tables: between two, and within raters or runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pefomed.agreement import Agreement, Agreements
from pefomed.report.figures import Cell, metric_title
from pefomed.report.sheet import Column, Sheet, SheetLine, sheet_name

NAMES = {
    "equal_share": "Same label, %",
    "cohen_kappa": "Cohen's kappa",
    "cohen_kappa_quadratic": "Cohen's kappa, quadratic",
    "mean_cohen_kappa": "Mean Cohen's kappa of pairs",
    "mean_cohen_kappa_quadratic": "The same, quadratic",
    "fleiss_kappa": "Fleiss' kappa",
    "krippendorff_nominal": "Krippendorff's alpha, nominal",
    "krippendorff_ordinal": "Krippendorff's alpha, ordinal",
    "kendall_tau_b": "Kendall's tau-b",
    "spearman": "Spearman's rho",
    "pearson": "Pearson's r",
    "bias": "Bias",
    "flip_share": "Items labelled differently, %",
    "sd_of_means": "Standard deviation of the means",
    "sd_difference": "Difference of standard deviations",
}

_PERCENT = ("equal_share", "flip_share")
_IN_UNITS = ("bias", "sd_of_means", "sd_difference")
"""In the labels' units: percentage points for right and wrong, levels for levels."""

_SIGNED = ("bias", "sd_difference")

WITHIN = ("human-human", "run-run", "spread")

_HEADINGS = {
    "judge-human": "Judges against human raters",
    "metric-human": "Metrics against human raters",
    "metric-judge": "Metrics against judges",
}


@dataclass(frozen=True)
class AgreementSection:
    """The agreement on one split and scale."""

    dataset: str
    split: str
    scale: str
    pairs: list[tuple[str, Sheet]]
    """`(heading, table)`: judges against humans, metrics against humans, metrics against judges."""
    within: Sheet | None
    stability: list[str]
    """Sentences on sd over raters against sd over runs."""

    @property
    def notes(self) -> list[str]:
        return [note for sheet in self.sheets for note in sheet.notes]

    @property
    def sheets(self) -> list[Sheet]:
        return [sheet for _, sheet in self.pairs] + ([self.within] if self.within else [])


def agreement_sections(found: Agreements) -> list[AgreementSection]:
    """Return the sections of every split and scale that has coefficients."""
    keys = dict.fromkeys((one.dataset, one.split, one.scale) for one in found.agreement)
    sections = []
    for dataset, split, scale in keys:
        mine = [a for a in found.agreement if (a.dataset, a.split, a.scale) == (dataset, split, scale)]
        unit = "percentage points" if scale == "binary" else "levels"
        of = f"{dataset}, {split}"
        name = sheet_name(dataset, split, scale)
        pairs = [
            (heading, sheet)
            for between, heading in _HEADINGS.items()
            if (
                sheet := _sheet(
                    mine, (between,), f"{name}-{between}", f"{heading} on {of}; bias in {unit}", heading
                )
            )
        ]
        title = f"Agreement within raters and runs on {of}; standard deviation in {unit}"
        within = _sheet(mine, WITHIN, f"{name}-within-raters", title)
        sections.append(AgreementSection(dataset, split, scale, pairs, within, _stability(mine)))
    return sections


def cell_of_agreement(one: Agreement) -> Cell:
    """Return a coefficient as it is shown; without a value a dash, whose title says why."""
    proof = "; ".join(
        filter(None, (f"n = {one.n:,} items", f"{one.raters} raters or runs", one.interval, one.note))
    )
    if one.value is None:
        return Cell("–", "", one.n, one.note, float("nan"))  # noqa: RUF001
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{_shown(one, one.low)}–{_shown(one, one.high)}"  # noqa: RUF001
        if one.low < 0 or one.high < 0 or one.coefficient in _SIGNED:
            interval = f"{_shown(one, one.low)} to {_shown(one, one.high)}"
    return Cell(_shown(one, one.value), interval, one.n, proof, one.value, one.low, one.high)


def _sheet(
    found: Sequence[Agreement], between: Sequence[str], name: str, title: str, heading: str = ""
) -> Sheet | None:
    chosen = [one for one in found if one.between in between]
    if not chosen:
        return None
    names = [key for key in NAMES if any(one.coefficient == key for one in chosen)]
    rows: dict[tuple[str, str], dict[str, Agreement]] = {}
    for one in chosen:
        rows.setdefault((one.one, one.other), {})[one.coefficient] = one
    several = any(other for _, other in rows)
    lines = [
        SheetLine(
            (_who(first, chosen), other) if several else (first,),
            tuple(cell_of_agreement(row[key]) if key in row else None for key in names),
        )
        for (first, other), row in rows.items()
    ]
    remarks = (f"{NAMES[one.coefficient]}, {_who(one.one, chosen)}: {one.note}" for one in chosen if one.note)
    notes = list(dict.fromkeys(remarks))
    labels = ("metric" if heading.startswith("Metrics") else "judge", "against") if several else ("raters",)
    return Sheet(name, title, labels, tuple(Column(key, NAMES[key]) for key in names), lines, notes)


def _who(name: str, found: Sequence[Agreement]) -> str:
    return metric_title(name) if found[0].between.startswith("metric") else name


def _stability(found: Sequence[Agreement]) -> list[str]:
    mine = [one for one in found if one.between == "spread-difference"]
    spread = {(one.one, one.other): one for one in mine if one.coefficient == "sd_of_means"}
    sentences = []
    for one in mine:
        if one.coefficient != "sd_difference":
            continue
        human, judge = spread.get((one.one, one.other)), spread.get((one.other, one.one))
        if one.value is None or human is None or judge is None or human.value is None or judge.value is None:
            sentences += _spreadless(one, human, judge)
            continue
        cell = cell_of_agreement(one)
        unit = "points" if one.scale == "binary" else "levels"
        interval = f" (95 % interval {cell.interval})" if cell.interval else ""
        sentences.append(
            f"On the {one.n:,} answers that all labelled, the means of the {one.one} have a standard"
            f" deviation of {cell_of_agreement(human).text} {unit}, those of the {judge.raters} runs of"
            f" {one.other} one of {cell_of_agreement(judge).text}; the difference is {cell.text}"
            f" {unit}{interval}."
        )
    return sentences


def _spreadless(one: Agreement, *spreads: Agreement | None) -> list[str]:
    """Say whose spread is missing, and why; the other's is in the table within raters."""
    without = [spread for spread in spreads if spread and spread.value is None]
    if not without:
        return [f"{one.one} and {one.other}: {one.note or 'no spread to compare'}."]
    return [
        f"“{spread.one}” has no spread to compare: {spread.note.partition(':')[0]}." for spread in without
    ]


def _shown(one: Agreement, value: float) -> str:
    if one.coefficient in _PERCENT:
        return f"{100 * value:.1f}"
    if one.coefficient in _IN_UNITS:
        text = f"{abs(100 * value):.1f}" if one.scale == "binary" else f"{abs(value):.2f}"
        sign = "+" if value > 0 else "−"  # noqa: RUF001
        return f"{sign}{text}" if one.coefficient in _SIGNED and float(text) else text
    return f"{value:.2f}".replace("-", "−")  # noqa: RUF001
