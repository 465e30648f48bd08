"""Only what a run has is on its page; what it lacks is listed in one place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.report.parsed import Page, page_of

from pefomed.evaluation.run import evaluate_run
from pefomed.outside.run import outside_run


def sections(page: Page) -> list[str]:
    found = [tag["id"] for tag in page.attributes("section") if "id" in tag]
    linked = [tag["href"][1:] for tag in page.attributes("a") if tag.get("href", "").startswith("#")]
    # Whatever the navigation names is there.
    assert {name for name in linked if not name.startswith("note-")} <= set(found)
    return found


def test_a_whole_run_has_every_section_of_its_task(run: Path) -> None:
    assert sections(page_of(run)) == [
        "summary", "results", "groups", "training", "leakage", "items", "recipe",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("absent", "gone"),
    [
        (["scores.jsonl"], ["results", "groups"]),
        (["audit.json"], ["leakage"]),
        (["samples", "predictions"], ["items"]),
        (["log.jsonl"], []),
    ],
)
def test_what_is_not_there_has_no_section(run: Path, absent: list[str], gone: list[str]) -> None:
    whole = sections(page_of(run))
    for name in absent:
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    page = page_of(run)
    assert sections(page) == [name for name in whole if name not in gone]
    assert "What this page lacks" in page.text or absent == ["scores.jsonl"]


def test_somebody_elses_answers_have_no_empty_sections(tmp_path: Path) -> None:
    (tmp_path / "theirs.csv").write_text("id,question,reference,answer\n1,Is it?,yes,yes\n2,Is it?,no,yes\n")
    outside_run(tmp_path / "theirs.csv", tmp_path / "run", "theirs")
    evaluate_run(tmp_path / "run")
    page = page_of(tmp_path / "run")
    assert sections(page) == ["summary", "results", "items"]
    assert "no recipe, no training log and no audit" in page.text
    assert "describe.json" not in page.text
