from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.parsed import page_of
from tests.report.small_run import score, scores, write_raters

from pefomed.report import write_report
from pefomed.report.csv_text import csv_text
from pefomed.report.figures import Cell
from pefomed.report.groups import group_tables
from pefomed.report.latex import escaped, latex
from pefomed.report.plots import grouped_bars
from pefomed.report.sheet import Column, Sheet, SheetLine, of_results, sheet_name
from pefomed.report.tables import Footnotes, exact_match_table

UNESCAPED = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", r"\{": "{", r"\}": "}", r"\$": "$", r"\&": "&", r"\#": "#",
    r"\_": "_", r"\%": "%",
}  # fmt: skip


def unescaped(text: str) -> str:
    """What LaTeX prints for `text`, for the characters a keyboard has."""
    pattern = "|".join(re.escape(key) for key in UNESCAPED)
    return re.sub(pattern, lambda match: UNESCAPED[match[0]], text)


def latex_rows(text: str) -> list[list[str]]:
    """The cells of a tabular, split at every `&` that is not escaped."""
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    lines = [line.strip() for line in body.splitlines() if line.strip().endswith(r"\\")]
    return [
        [unescaped(cell.strip()) for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))]
        for line in lines
    ]


def cell(value: float, low: float | None = None, high: float | None = None, n: int = 0) -> Cell:
    interval = "" if low is None else f"{100 * low:.1f}–{100 * (high or 0):.1f}"  # noqa: RUF001
    return Cell(f"{100 * value:.1f}", interval, n, "", value, low, high)


SHEET = Sheet(
    "small", "50 % of A & B_c", ("system",),
    (Column("exact_match open", "open", "Exact"), Column("judge open", "open", "Judge")),
    [
        SheetLine(("R&D_1 (100 %)",), (cell(0.5, 0.4, 0.6, 12), None)),
        SheetLine(("=SUM(A1)",), (cell(0.25), "said, \"twice\"")),
        SheetLine(("Other",), (cell(1 / 3), cell(0.75)), "published"),
    ],
)  # fmt: skip


def test_csv_parses_back_with_full_precision() -> None:
    head, *rows = csv.reader(io.StringIO(csv_text(SHEET)))
    assert head == [
        "system", "exact_match open", "exact_match open low", "exact_match open high", "exact_match open n",
        "judge open",
    ]  # fmt: skip
    assert rows[0] == ["R&D_1 (100 %)", "0.5", "0.4", "0.6", "12", ""]
    assert rows[1] == ["'=SUM(A1)", "0.25", "", "", "", 'said, "twice"']
    assert float(rows[2][1]) == pytest.approx(1 / 3, abs=1e-10)


def test_latex_parses_back_and_is_booktabs() -> None:
    text = latex(SHEET)
    blocks, head, *rows = latex_rows(text)
    assert blocks[1:] == [r"\multicolumn{1}{c}{Exact}", r"\multicolumn{1}{c}{Judge}"]
    assert head == ["System", "open", "open"]
    assert rows[0] == ["R&D_1 (100 %)", r"50.0 {\footnotesize (40.0--60.0)}", "--"]
    assert [row[0] for row in rows] == ["R&D_1 (100 %)", "=SUM(A1)", "Other"]
    assert text.count(r"\midrule") == 2  # below the head, above what others published
    assert r"\caption{50 \% of A \& B\_c}" in text
    assert text.count("{") == text.count("}")
    assert r"\begin{tabular}{lrr}" in text


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
def test_any_ascii_text_is_printed_as_it_is(text: str) -> None:
    made = escaped(text)
    assert unescaped(made) == text
    # Nothing is left that LaTeX would act upon.
    assert not re.search(r"(?<!\\)[&%$#_]", made)


def test_a_results_table_becomes_a_sheet_with_its_proof() -> None:
    notes = Footnotes()
    table = exact_match_table(scores(), "rad", "test", notes)
    assert table is not None
    sheet = of_results("rad-test-methods", "Results", table, notes.texts)
    rows = list(csv.DictReader(io.StringIO(csv_text(sheet))))
    ours, published = rows[0], rows[-1]
    assert (ours["exact_match overall"], ours["exact_match overall low"]) == ("0.5", "0.4")
    assert published["system"] == "PeFoMed (published)"
    assert published["exact_match overall n"] == "451"
    assert rows[2]["system"] == "Majority answer of the training split (floor)"
    assert "equal but for case and spaces." in latex(sheet)


def test_every_table_lies_beside_the_page_and_in_it(run: Path) -> None:
    write_raters(run)
    page = page_of(run)
    tables = run / "report" / "tables"
    names = {path.name for path in tables.iterdir()}
    assert {"rad-test-methods.csv", "rad-test-methods.tex", "rad-test-by-organ.csv"} <= names
    assert "rad-test-binary-judge-human.csv" in names
    linked = {tag["download"] for tag in page.attributes("a") if "download" in tag}
    assert linked == names
    for tag in page.attributes("a"):
        if "download" in tag:
            assert tag["href"].startswith(("data:text/csv", "data:application/x-tex"))
    for path in tables.glob("*.csv"):
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        assert len({len(row) for row in rows}) == 1, path.name


def test_tables_of_a_former_report_go_and_other_files_stay(run: Path) -> None:
    write_report(run)
    tables = run / "report" / "tables"
    (tables / "old.csv").write_text("x")
    (tables / "mine.txt").write_text("x")
    write_report(run)
    assert not (tables / "old.csv").exists()
    assert (tables / "mine.txt").exists()


@pytest.mark.parametrize(
    ("parts", "name"),
    [(("Slake", "test", "by Organ"), "slake-test-by-organ"), (("../..", "é"), "table"), (("a/b",), "a-b")],
)
def test_file_names_are_safe(parts: tuple[str, ...], name: str) -> None:
    assert sheet_name(*parts) == name


def test_a_figure_is_valid_svg_whatever_the_values_are_called() -> None:
    hostile = "<script>\x00&\"'"
    given_scores = [score("model", f"organ={hostile}", 0.5, 3), score("model", "organ=B", 0.25, 1)]
    (table,) = group_tables(given_scores, "rad", "test")
    drawn = ElementTree.fromstring(grouped_bars(hostile, table))
    assert drawn.tag.endswith("svg")
    texts = [node.text for node in drawn.iter() if node.tag.endswith("text")]
    assert "<script>&\"' (3)" in texts
    assert not [node for node in drawn.iter() if node.tag.endswith("script")]
