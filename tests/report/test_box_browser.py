"""Boxes in the item browser, in Chromium: drawn where they belong, told apart, sorted and filtered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.report import box_runs
from tests.report.chromium import Browser

from pefomed.files import jsonl
from pefomed.report import write_report, write_reports
from pefomed.schema import Prediction

HOSTILE = "</script><img src=x onerror=alert(2)>{<1>"
EVERYTHING = [
    "left lung", "right lung", "mass", "nodule",
    "Caption with boxes: A liver and a spleen.", "What is in the box? heart", "Is this a CT?",
]  # fmt: skip


@pytest.fixture
def opened(browser: Browser, box_run: Path) -> Iterator[Browser]:
    browser.open(write_report(box_run))
    yield browser
    assert browser.problems == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


def marks(browser: Browser) -> list[str]:
    texts: list[str] = browser.tab.locator(".item > .verdict").all_inner_texts()
    return texts


def test_boxes_and_words_stand_in_one_list(opened: Browser) -> None:
    assert opened.shown() == EVERYTHING
    assert marks(opened) == ["1.00", "0.00", "0.50", "0.00", "0.75", "✓", "✗"]
    # 1, .5, .75 and the word are right; 5 items have a mean IoU of 2.25 / 5.
    assert opened.tab.locator("#count").inner_text() == "7 of 7 items, 57.1 % right, mean IoU 0.450"
    opened.tab.click("[data-verdict=wrong]")
    assert opened.shown() == ["right lung", "nodule", "Is this a CT?"]


def test_reference_and_answer_are_drawn_where_they_belong(opened: Browser) -> None:
    opened.tab.locator(".item").nth(1).click()
    image = opened.tab.locator(".view img").bounding_box()
    # The answer is mirrored: reference (0, .2, .4, .6), answer (.6, .2, 1, .6).
    for kind, left in (("reference", 0.0), ("first", 0.6)):
        box = opened.tab.locator(f".view .boxgroup.{kind} .box").bounding_box()
        assert (box["x"] - image["x"]) / image["width"] == pytest.approx(left, abs=0.01)
        assert (box["y"] - image["y"]) / image["height"] == pytest.approx(0.2, abs=0.01)
        assert box["width"] / image["width"] == pytest.approx(0.4, abs=0.01)
    assert "left and right mistaken" in opened.tab.locator(".answers .raw").first.inner_text()
    dashes = [
        opened.tab.locator(f".view .boxgroup.{kind} .box").evaluate(
            "one => getComputedStyle(one).strokeDasharray"
        )
        for kind in ("reference", "first")
    ]
    assert dashes[0] == "none" != dashes[1]


def test_a_kind_of_box_can_be_taken_off_the_image(opened: Browser) -> None:
    drawn = opened.tab.locator(".view .box")
    assert drawn.count() == 2
    opened.tab.click("[data-boxes=blind]")
    assert drawn.count() == 3
    opened.tab.click("[data-boxes=model]")
    opened.tab.click("[data-boxes=reference]")
    assert opened.tab.locator(".view .boxgroup").all()[0].get_attribute("class") == "boxgroup second"
    # It stays off for the next item.
    opened.tab.locator(".item").nth(2).click()
    assert drawn.count() == 1


def test_several_boxes_and_phrases_are_all_drawn(opened: Browser) -> None:
    opened.tab.locator(".item").nth(2).click()
    assert opened.tab.locator(".view .boxgroup.reference").count() == 2
    assert "repaired: brace missing" in opened.tab.locator(".answers .raw").first.inner_text()
    opened.tab.locator(".item").nth(4).click()
    assert opened.tab.locator(".view text").all_text_contents() == ["liver", "spleen"] * 2
    assert "IoU: liver 1.00, spleen 0.50" in opened.tab.locator(".answers .raw").first.inner_text()


def test_an_answer_without_a_readable_box_is_shown_as_such_with_its_text(opened: Browser) -> None:
    opened.tab.locator(".item").nth(3).click()
    text = opened.tab.locator(".answers .raw").first.inner_text()
    assert text.split("\n")[0] == "in the middle"
    assert "no readable box" in text
    assert opened.tab.locator(".item").nth(3).locator("span").inner_text() == "no readable box: in the middle"
    assert opened.tab.locator("[data-boxes=model]").inner_text() == "Model: none"


def test_items_are_sorted_and_filtered_by_iou(opened: Browser) -> None:
    opened.tab.select_option("#sort", "iou up")
    assert marks(opened)[:5] == ["0.00", "0.00", "0.50", "0.75", "1.00"]
    opened.tab.select_option("#sort", "iou down")
    assert marks(opened)[:5] == ["1.00", "0.75", "0.50", "0.00", "0.00"]
    opened.tab.fill("#low", "0.4")
    opened.tab.fill("#high", "0.8")
    assert marks(opened) == ["0.75", "0.50"]
    # Together with a category.
    opened.tab.select_option("#key", "category")
    opened.tab.select_option("#value", "Mass")
    assert opened.shown() == ["mass"]
    opened.tab.click("#clear")
    assert len(opened.shown()) == 7


def test_left_and_right_mistakes_can_be_looked_at(opened: Browser) -> None:
    opened.tab.select_option("#sides", "mistaken")
    assert opened.shown() == ["right lung"]
    opened.tab.select_option("#sides", "right")
    assert opened.shown() == [EVERYTHING[0], *EVERYTHING[2:5]]
    opened.tab.click("#clear")
    opened.tab.click(".confusion .mistaken a")
    assert opened.shown() == ["right lung"]


def test_a_point_and_a_category_open_their_items(opened: Browser) -> None:
    opened.tab.locator(".scatter .cross").first.click()
    assert opened.question() == "right lung"
    assert len(opened.shown()) == 7
    opened.tab.click(".boxed a[data-key=category][data-value=Mass]")
    assert opened.shown() == ["mass", "nodule"]


def test_changes_of_iou_between_two_runs_are_sorted(browser: Browser, box_run: Path, tmp_path: Path) -> None:
    other = box_runs.write_run(tmp_path, {"swapped": "{<0><20><40><60>}", "exact": box_runs.WHOLE}, "later")
    browser.open(write_reports([box_run, other])[-1])
    assert browser.shown() == ["left lung", "right lung"]
    assert browser.tab.locator(".item span").all_inner_texts() == ["IoU 1.00 → 0.20", "IoU 0.00 → 1.00"]
    assert browser.tab.locator(".view .boxgroup").count() == 3
    browser.tab.select_option("#sort", "change down")
    assert browser.shown() == ["right lung", "left lung"]
    browser.tab.select_option("#sort", "change up")
    assert browser.shown() == ["left lung", "right lung"]
    assert browser.problems == []


@pytest.mark.parametrize("width", [390, 1280])
def test_boxes_are_not_wider_than_the_screen(
    browser: Browser, box_run: Path, tmp_path: Path, width: int
) -> None:
    other = box_runs.write_run(tmp_path, name="later-run-with-a-rather-long-name-of-its-own")
    for page in write_reports([box_run, other]):
        browser.open(page, width)
        browser.tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert browser.tab.evaluate("document.documentElement.scrollWidth") == width


def test_hostile_answers_run_nothing(browser: Browser, box_run: Path) -> None:
    path = box_run / "predictions" / "cxr-test.jsonl"
    found = list(jsonl.read(path, Prediction))
    path.unlink()
    jsonl.append(path, [one.model_copy(update={"text": HOSTILE}) for one in found])
    browser.open(write_report(box_run))
    browser.tab.wait_for_timeout(100)
    assert browser.tab.locator(".answers .raw").first.inner_text().startswith(HOSTILE)
    assert browser.problems == []
