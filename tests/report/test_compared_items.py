"""Which items a comparison pairs: phrases with and without boxes, and what a recipe predicts now."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.report import box_runs, small_run
from tests.report.chromium import Browser
from tests.report.parsed import Page

from pefomed.files import jsonl
from pefomed.report import write_report, write_reports
from pefomed.schema import Sample


def with_absent(run: Path, answer: str) -> Path:
    """Add a phrase that is nowhere in its image."""
    images = (str(run.parent.parent / "images" / "wide.png"),)
    sample = Sample(id="nowhere", images=images, task="refer", question="effusion", size=(200, 100))
    jsonl.append(run / "samples" / "cxr-test.jsonl", [sample])
    jsonl.append(run / "predictions" / "cxr-test.jsonl", [small_run.seen(sample, answer)])
    blind = small_run.predicted("nowhere", box_runs.WHOLE, blind=True)
    jsonl.append(run / "predictions" / "cxr-test.blind.jsonl", [blind])
    return run


@pytest.fixture
def compared(box_run: Path, tmp_path: Path) -> Path:
    with_absent(box_run, "{}")
    other = with_absent(
        box_runs.write_run(tmp_path, {"swapped": "{<0><20><40><60>}"}, "later"), box_runs.WHOLE
    )
    return write_reports([box_run, other])[-1]


def test_pairs_are_of_all_phrases_and_of_those_with_boxes(compared: Path) -> None:
    (path,) = (compared.parent / "compare-tables").glob("difference-*.csv")
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(path.read_text()))}
    # IoU of the six phrases with boxes: 1, 0, .5, 0, 1, .5 and then 1, 1, .5, 0, 1, .5;
    # of the one without 1, then 0.
    assert float(rows["IoU"]["first"]) == pytest.approx(4 / 7)
    assert float(rows["IoU"]["second"]) == pytest.approx(4 / 7)
    some = rows["IoU, phrases with boxes"]
    assert (float(some["first"]), float(some["second"])) == (pytest.approx(3 / 6), pytest.approx(4 / 6))
    assert (some["better"], some["worse"]) == ("1", "0")
    assert (rows["IoU"]["better"], rows["IoU"]["worse"]) == ("1", "1")
    page = Page(compared.read_text(encoding="utf-8"))
    assert "pairs are of all phrases" in " ".join(page.text.split())


def test_items_can_be_filtered_by_any_box(compared: Path, browser: Browser) -> None:
    browser.open(compared)
    tab = browser.tab
    tab.click("#verdict button:has-text('All')")
    tab.select_option("#key", "boxes")
    tab.select_option("#value", "any")
    assert "effusion" not in " ".join(browser.shown())
    with_boxes = len(browser.shown())
    tab.select_option("#value", "none")
    assert len(browser.shown()) == 1
    # exact, swapped, half, words, caption: `identify` and the question answer with no boxes.
    assert with_boxes == 5


def test_without_such_phrases_there_is_nothing_to_choose(box_run: Path, tmp_path: Path) -> None:
    other = box_runs.write_run(tmp_path, {}, "later")
    page = Page(write_reports([box_run, other])[-1].read_text(encoding="utf-8"))
    assert "any" not in page.data["filters"].get("boxes", [])
    assert "phrases with boxes" not in page.text


def test_items_of_a_split_that_is_no_longer_predicted(run: Path, tmp_path: Path) -> None:
    for kind in ("samples", "predictions"):
        former = (run / kind / "rad-test.jsonl").read_text(encoding="utf-8")
        (run / kind / "rad-validate.jsonl").write_text(former.replace('id":"q', 'id":"old'), encoding="utf-8")
    page = Page(write_report(run).read_text(encoding="utf-8"))
    assert {item["id"] for item in page.data["items"]} == {"q1", "q2", "q3", "q4"}
    assert page.data["datasets"] == ["rad test"]
    assert "Not shown, as the recipe does not predict it now: rad-validate.jsonl" in page.text
    # A verdict of what was predicted before breaks no page.
    small_run.write_rater(run, "judge", small_run.CARD, [{"q1": 1, "old1": 1}])
    write_report(run)
    other = tmp_path / "runs" / "other"
    other.mkdir()
    for path in run.rglob("*"):
        if path.is_file() and "report" not in path.parts:
            (other / path.relative_to(run)).parent.mkdir(parents=True, exist_ok=True)
            (other / path.relative_to(run)).write_bytes(path.read_bytes())
    compared = Page(write_reports([run, other])[-1].read_text(encoding="utf-8"))
    assert {item["id"] for item in compared.data["items"]} == {"q1", "q2", "q3", "q4"}
    assert "rad-validate.jsonl of small" in compared.text
    # Without a recipe, as of somebody else's answers, what lies there is what was answered.
    (run / "recipe.toml").unlink()
    assert len(Page(write_report(run).read_text(encoding="utf-8")).data["items"]) == 8
