"""The list in docs/metrics.md is that of the table."""

from pathlib import Path

from pefomed.metrics.listed import markdown

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_docs_hold_the_table() -> None:
    assert markdown() in PAGE.read_text(encoding="utf-8"), "docs/metrics.md: put `markdown()` there again"


def test_a_metric_of_texts_stands_once_with_its_endings() -> None:
    lines = [line for line in markdown().splitlines() if "`cider" in line]
    assert len(lines) == 1
    assert lines[0].startswith("| `cider`, `_r2gen`, `_given` | texts, marked texts | 0 to 10 | corpus |")
