"""No text of a page is smaller than 12 pixels, and none is cut off on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fonts import cut_in_print, too_small
from tests.report import box_runs, small_run
from tests.report.chromium import Browser

from pefomed.audit.show import contact_sheet
from pefomed.datasets.phantom.samples import load
from pefomed.files import jsonl
from pefomed.report import write_report, write_reports


def rated(tmp_path: Path, run: Path) -> Path:
    small_run.write_raters(run)
    return write_report(run)


def boxed(tmp_path: Path, run: Path) -> Path:
    folder = box_runs.write_run(tmp_path)
    long = [box_runs.score(f"floor:a floor with quite a long name, number {n}", "iou", 0.1) for n in range(3)]
    jsonl.append(folder / "scores.jsonl", long)
    return write_report(folder)


def described(tmp_path: Path, run: Path) -> Path:
    """Wider than paper: every metric of reports in two presets, with intervals."""
    names = [*(f"bleu_{n}" for n in range(1, 5)), "meteor", "rouge_l", "cider"]
    scores = [
        small_run.score(system, "overall", 0.4321, 4, metric=f"{name}{preset}", low=0.3333, high=0.5555)
        for system in ("model", "blind", "floor:constant")
        for name in names
        for preset in ("", "_r2gen")
    ]
    jsonl.append(run / "scores.jsonl", scores)
    return write_report(run)


def compared(tmp_path: Path, run: Path) -> Path:
    runs = [box_runs.write_run(tmp_path, {"asked": name}, name) for name in ("no", "yes", "perhaps")]
    return write_reports(runs)[-1]


def sheet(tmp_path: Path, run: Path) -> Path:
    samples = list(load(tmp_path / "phantom", "test", test=3, size=96, tasks=("vqa", "report", "refer")))
    return contact_sheet(samples, tmp_path / "sheet.html")


@pytest.mark.parametrize("made", [rated, boxed, described, compared, sheet])
def test_nothing_is_too_small_and_paper_cuts_nothing(
    browser: Browser, tmp_path: Path, run: Path, made: Callable[[Path, Path], Path]
) -> None:
    page = made(tmp_path, run)
    browser.open(page)
    for width in (1280, 390):
        browser.tab.set_viewport_size({"width": width, "height": 900})
        assert too_small(browser.tab) == []
    if made is not sheet:  # it is to be looked at, and as many columns wide as there is room
        assert cut_in_print(browser.tab) == []


def test_colours_that_say_something_are_printed(browser: Browser, run: Path) -> None:
    browser.open(write_report(run))
    browser.tab.emulate_media(media="print")
    kept = browser.tab.evaluate(
        "() => [...document.querySelectorAll('.key, .results .model > *, .banner')]"
        ".map((element) => getComputedStyle(element).printColorAdjust)"
    )
    browser.tab.emulate_media(media="screen")
    assert set(kept) == {"exact"}


def test_files_of_figures_have_no_smaller_text(tmp_path: Path) -> None:
    folder = box_runs.write_run(tmp_path)
    write_report(folder)
    drawings = list((folder / "report" / "figures").glob("*.svg"))
    assert drawings
    for drawing in drawings:
        sizes = [part.split("px")[0].rsplit(":", 1)[-1] for part in drawing.read_text().split("font")[1:]]
        assert all(float(size) >= 12 for size in sizes if size.replace(".", "").isdigit())


def test_phrases_on_an_image_are_read_at_any_size(browser: Browser, tmp_path: Path, run: Path) -> None:
    page = boxed(tmp_path, run)
    for width in (1280, 390):
        browser.open(page, width)
        browser.tab.goto(f"{page.resolve().as_uri()}#item=caption")
        browser.tab.wait_for_selector(".boxgroup text")
        assert "spleen" in browser.tab.locator(".boxgroup text").all_text_contents()
        browser.tab.wait_for_function("document.querySelector('.boxes').style.getPropertyValue('--unit')")
        assert too_small(browser.tab) == []
