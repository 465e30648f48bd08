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


def agreement_sections(agreements: Agreements) -> list[AgreementSection]:
    """Return the sections of every split and scale that has coefficients."""
    keys = dict.fromkeys((each.dataset, each.split, each.scale) for each in agreements.agreement)
    sections = []
    for dataset, split, scale in keys:
        mine = [a for a in agreements.agreement if (a.dataset, a.split, a.scale) == (dataset, split, scale)]
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


def cell_of_agreement(agreement: Agreement) -> Cell:
    """Return a coefficient as it is shown; without a value a dash, whose title says why."""
    proof = "; ".join(
        filter(
            None,
            (
                f"n = {agreement.n:,} items",
                f"{agreement.raters} raters or runs",
                agreement.interval,
                agreement.note,
            ),
        )
    )
    if agreement.value is None:
        return Cell("–", "", agreement.n, agreement.note, float("nan"))  # noqa: RUF001
    interval = ""
    if agreement.low is not None and agreement.high is not None:
        interval = f"{_shown(agreement, agreement.low)}–{_shown(agreement, agreement.high)}"  # noqa: RUF001
        if agreement.low < 0 or agreement.high < 0 or agreement.coefficient in _SIGNED:
            interval = f"{_shown(agreement, agreement.low)} to {_shown(agreement, agreement.high)}"
    return Cell(
        _shown(agreement, agreement.value),
        interval,
        agreement.n,
        proof,
        agreement.value,
        agreement.low,
        agreement.high,
    )


def _sheet(
    agreements: Sequence[Agreement], between: Sequence[str], name: str, title: str, heading: str = ""
) -> Sheet | None:
    chosen = [each for each in agreements if each.between in between]
    if not chosen:
        return None
    names = [key for key in NAMES if any(each.coefficient == key for each in chosen)]
    rows: dict[tuple[str, str], dict[str, Agreement]] = {}
    for each in chosen:
        rows.setdefault((each.one, each.other), {})[each.coefficient] = each
    several = any(other for _, other in rows)
    lines = [
        SheetLine(
            (_who(first, chosen), other) if several else (first,),
            tuple(cell_of_agreement(row[key]) if key in row else None for key in names),
        )
        for (first, other), row in rows.items()
    ]
    remarks = (
        f"{NAMES[each.coefficient]}, {_who(each.one, chosen)}: {each.note}" for each in chosen if each.note
    )
    notes = list(dict.fromkeys(remarks))
    labels = ("metric" if heading.startswith("Metrics") else "judge", "against") if several else ("raters",)
    return Sheet(name, title, labels, tuple(Column(key, NAMES[key]) for key in names), lines, notes)


def _who(name: str, agreements: Sequence[Agreement]) -> str:
    return metric_title(name) if agreements[0].between.startswith("metric") else name


def _stability(agreements: Sequence[Agreement]) -> list[str]:
    mine = [each for each in agreements if each.between == "spread-difference"]
    spread = {(each.one, each.other): each for each in mine if each.coefficient == "sd_of_means"}
    sentences = []
    for each in mine:
        if each.coefficient != "sd_difference":
            continue
        human, judge = spread.get((each.one, each.other)), spread.get((each.other, each.one))
        if each.value is None or human is None or judge is None or human.value is None or judge.value is None:
            sentences += _spreadless(each, human, judge)
            continue
        cell = cell_of_agreement(each)
        unit = "points" if each.scale == "binary" else "levels"
        interval = f" (95 % interval {cell.interval})" if cell.interval else ""
        sentences.append(
            f"On the {each.n:,} answers that all labelled, the means of the {each.one} have a standard"
            f" deviation of {cell_of_agreement(human).text} {unit}, those of the {judge.raters} runs of"
            f" {each.other} one of {cell_of_agreement(judge).text}; the difference is {cell.text}"
            f" {unit}{interval}."
        )
    return sentences


def _spreadless(difference: Agreement, *spreads: Agreement | None) -> list[str]:
    """Say whose spread is missing, and why; the other's is in the table within raters."""
    without = [spread for spread in spreads if spread and spread.value is None]
    if not without:
        return [f"{difference.one} and {difference.other}: {difference.note or 'no spread to compare'}."]
    return [
        f"“{spread.one}” has no spread to compare: {spread.note.partition(':')[0]}." for spread in without
    ]


def _shown(agreement: Agreement, value: float) -> str:
    if agreement.coefficient in _PERCENT:
        return f"{100 * value:.1f}"
    if agreement.coefficient in _IN_UNITS:
        text = f"{abs(100 * value):.1f}" if agreement.scale == "binary" else f"{abs(value):.2f}"
        sign = "+" if value > 0 else "−"  # noqa: RUF001
        return f"{sign}{text}" if agreement.coefficient in _SIGNED and float(text) else text
    return f"{value:.2f}".replace("-", "−")  # noqa: RUF001
