"""A sheet as a LaTeX table in the style of booktabs: values as shown, intervals behind them in small type.

Needs `\\usepackage{booktabs}`. Characters that mean something to LaTeX are escaped, so that a data set's
words print as they are; letters beyond ASCII are left to the engine (UTF-8, any LaTeX since 2018).
"""

from __future__ import annotations

from itertools import groupby

from pefomed.report.figures import Cell
from pefomed.report.sheet import Entry, Sheet, handed_on

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "\u2013": "--", "\u2212": "$-$", "\u00d7": r"$\times$",
}  # fmt: skip

EMPTY = "--"


def latex(sheet: Sheet) -> str:
    """Return the sheet as a `table` environment with caption and label."""
    sheet = handed_on(sheet)
    alignment = "l" * len(sheet.labels) + "r" * len(sheet.columns)
    lines = [
        "% \\usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escaped(sheet.title)}}}",
        rf"  \label{{tab:{sheet.name}}}",
        rf"  \begin{{tabular}}{{{alignment}}}",
        r"    \toprule",
        *_head(sheet),
        r"    \midrule",
        *_body(sheet),
        r"    \bottomrule",
        r"  \end{tabular}",
        *_notes(sheet),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return `text` as LaTeX prints it; line breaks become spaces."""
    return "".join(_ESCAPES.get(character, character) for character in " ".join(text.split()))


def _head(sheet: Sheet) -> list[str]:
    rows = []
    blocks = [(block, len(list(same))) for block, same in groupby(column.block for column in sheet.columns)]
    if len(blocks) > 1 or (blocks and blocks[0][0]):
        cells = [rf"\multicolumn{{{count}}}{{c}}{{{escaped(block)}}}" for block, count in blocks]
        rows.append(_row([""] * len(sheet.labels) + cells))
        at = len(sheet.labels) + 1
        rules = []
        for _, count in blocks:
            rules.append(rf"\cmidrule(lr){{{at}-{at + count - 1}}}")
            at += count
        rows.append("    " + " ".join(rules))
    names = [_sentence(label) for label in sheet.labels] + [column.title for column in sheet.columns]
    return [*rows, _row([escaped(name) for name in names])]


def _body(sheet: Sheet) -> list[str]:
    rows = []
    for place, line in enumerate(sheet.lines):
        if place and line.kind in ("published", "total") and sheet.lines[place - 1].kind != line.kind:
            rows.append(r"    \midrule")
        rows.append(
            _row([escaped(label) for label in line.labels] + [_cell(entry) for entry in line.entries])
        )
    return rows


def _notes(sheet: Sheet) -> list[str]:
    if not sheet.notes:
        return []
    return [r"  \par\footnotesize", *(f"  {escaped(note)}." for note in sheet.notes)]


def _cell(entry: Entry) -> str:
    if entry is None or entry == "":
        return EMPTY
    if not isinstance(entry, Cell):
        return escaped(entry)
    interval = rf" {{\footnotesize ({escaped(entry.interval)})}}" if entry.interval else ""
    return escaped(entry.text) + interval


def _row(cells: list[str]) -> str:
    return "    " + " & ".join(cells) + r" \\"


def _sentence(name: str) -> str:
    return name.replace("_", " ").capitalize()
