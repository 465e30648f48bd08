"""Every line of the table of published forms in docs/data.md reads a small file of that very form."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.forms import boxes, conversations, files, further, questions, reports
from tests.datasets.forms.form import Form, Seen

from pefomed.datasets import load_split
from pefomed.recipe import Dataset
from pefomed.schema import Sample

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
FORMS: dict[str, Form] = {
    **questions.FORMS, **reports.FORMS, **boxes.FORMS, **conversations.FORMS, **files.FORMS,
    **further.FORMS,
}  # fmt: skip
NOT_READ = "not read"


def table() -> dict[str, tuple[str, str]]:
    """Return the lines of the docs: form -> its part of a recipe and what is said of it."""
    text = PAGE.read_text(encoding="utf-8").split("## Published forms\n")[1].split("\n## ")[0]
    lines = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    return {form: (recipe.strip("`"), said) for form, recipe, said in lines if form not in ("form", "---")}


LINES = table()


def test_every_form_has_a_line_and_every_line_a_form() -> None:
    assert sorted(LINES) == sorted(FORMS)


@pytest.mark.parametrize("name", [name for name, (recipe, _) in LINES.items() if recipe != NOT_READ])
def test_a_form_is_read_by_its_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    form = FORMS[name]
    form.write(tmp_path / "mine")
    raw: dict[str, Any] = tomllib.loads("data = " + LINES[name][0])["data"]
    samples, left_out = load_split(Dataset.model_validate(raw), form.split, tmp_path)
    assert [shown(sample) for sample in samples] == [shown_of(seen) for seen in form.seen]
    for sample, seen in zip(samples, form.seen, strict=True):
        assert len(sample.images) == len(seen.images)
        for path, end in zip(sample.images, seen.images, strict=True):
            assert path.split("#")[0].endswith(end)
            assert Path(path.split("#")[0]).is_file()
        width, height = sample.size or (1, 1)
        found = [(b.x0 * width, b.y0 * height, b.x1 * width, b.y1 * height) for b in sample.boxes]
        for box, right in zip(found, seen.boxes, strict=True):
            assert box == pytest.approx(right, abs=1e-3)
    assert len(left_out) == form.left_out


def shown(sample: Sample) -> tuple[Any, ...]:
    return sample.question, (sample.reference, *sample.further_references), len(sample.boxes)


def shown_of(seen: Seen) -> tuple[Any, ...]:
    return seen.question, seen.answers, len(seen.boxes)


@pytest.mark.parametrize("name", [name for name, (recipe, _) in LINES.items() if recipe == NOT_READ])
def test_a_form_that_is_not_read_says_why(name: str) -> None:
    assert LINES[name][1], f"{name}: say why it is not read, and what to do instead"
