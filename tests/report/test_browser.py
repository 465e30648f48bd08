"""The item browser in Chromium: filters, search, keys, links from the groups, and no request to anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.report import small_run
from tests.report.chromium import Browser

from pefomed.report import write_report, write_reports


@pytest.fixture
def opened(browser: Browser, run: Path) -> Iterator[Browser]:
    browser.open(write_report(run))
    yield browser
    assert browser.problems == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


def test_right_and_wrong_filter_by_the_chosen_metric(opened: Browser) -> None:
    assert len(opened.shown()) == 4
    assert "4 of 4 items, 50.0 % right" in opened.tab.locator("#count").inner_text()
    opened.tab.click("[data-verdict=wrong]")
    assert opened.shown() == ["Which organ?", "Is there a mass?"]
    opened.tab.select_option("#metric", label="Exact match, VQA-style")
    assert opened.shown() == ["Is there a mass?"]
    opened.tab.click("[data-verdict=lost]")
    assert opened.shown() == ["Is there a mass?"]
    opened.tab.click("[data-verdict=gained]")
    assert opened.shown() == ["Which organ?", "Which side?"]


def test_a_group_and_a_search_narrow_the_list(opened: Browser) -> None:
    opened.tab.select_option("#key", "organ")
    opened.tab.select_option("#value", "HEAD")
    assert opened.shown() == ["Is there a mass?", "Which side?"]
    opened.tab.fill("#search", "LEFT side")
    assert opened.shown() == ["Which side?"]
    opened.tab.fill("#search", "nothing like it")
    assert opened.shown() == []
    assert "No item passes" in opened.tab.locator("#list").inner_text()
    opened.tab.click("#clear")
    assert len(opened.shown()) == 4


def test_a_groups_name_opens_its_items(opened: Browser) -> None:
    opened.tab.click("a[data-key=organ][data-value=CHEST]")
    assert opened.shown() == ["Is this a CT?", "Which organ?"]


def test_arrow_keys_move_through_the_list(opened: Browser) -> None:
    opened.tab.focus("#list")
    for key, question in (
        ("ArrowDown", "Which organ?"),
        ("End", "Which side?"),
        ("ArrowLeft", "Is there a mass?"),
    ):
        opened.tab.keyboard.press(key)
        assert opened.question() == question
    opened.tab.focus("#search")
    opened.tab.keyboard.press("ArrowDown")
    assert opened.question() == "Is there a mass?"


def test_an_item_shows_its_answers_and_its_box_where_it_belongs(opened: Browser) -> None:
    opened.tab.locator(".item").nth(2).click()
    assert opened.tab.locator(".answers dd:not(.verdict)").all_inner_texts() == ["no", "yes", "no"]
    assert opened.tab.locator(".answers dd.verdict").all_inner_texts() == ["", "✗", "✓"]
    image, box = (opened.tab.locator(f".view {what}").bounding_box() for what in ("img", ".box"))
    # The box is (0.1, 0.2, 0.5, 0.6) of the image.
    assert (box["x"] - image["x"]) / image["width"] == pytest.approx(0.1, abs=0.01)
    assert (box["y"] - image["y"]) / image["height"] == pytest.approx(0.2, abs=0.01)
    assert box["width"] / image["width"] == pytest.approx(0.4, abs=0.01)


def test_a_long_list_is_drawn_in_parts(browser: Browser, run: Path, tmp_path: Path) -> None:
    image = str(tmp_path / "images" / "a.png")
    small_run.write_answers(
        run, [(f"i{n}", image, f"Question {n}?", "yes", "yes", "no", "CLOSED") for n in range(150)]
    )
    browser.open(write_report(run))
    assert len(browser.shown()) == 60
    browser.tab.dispatch_event(".more", "click")
    assert len(browser.shown()) == 120
    browser.tab.focus("#list")
    browser.tab.keyboard.press("End")
    assert browser.question() == "Question 149?"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, run: Path, width: int) -> None:
    browser.open(write_report(run), width)
    assert browser.tab.evaluate("document.documentElement.scrollWidth") == width
    assert browser.problems == []


def test_hostile_texts_run_nothing(browser: Browser, run: Path) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    small_run.write_answers(run, [("q", "absent.png", hostile, hostile, hostile, hostile, hostile)])
    browser.open(write_report(run))
    browser.tab.wait_for_timeout(100)
    assert browser.question() == hostile
    assert browser.problems == []


def test_items_are_filtered_by_a_judge_and_by_where_judges_differ(browser: Browser, run: Path) -> None:
    small_run.write_raters(run)
    browser.open(write_report(run))
    browser.tab.select_option("#metric", label="A judge")
    browser.tab.click("[data-verdict=right]")
    # q3 is a tie of the two runs: neither right nor wrong.
    assert browser.shown() == ["Is this a CT?", "Which organ?", "Which side?"]
    browser.tab.click("[data-verdict=wrong]")
    assert browser.shown() == []
    browser.tab.click("#clear")
    browser.tab.select_option("#key", "exact match / A judge")
    browser.tab.select_option("#value", "wrong / right")
    assert browser.shown() == ["Which organ?"]
    assert browser.tab.locator(".answers dt.said").all_inner_texts() == ["A judge", "3 human raters"]
    assert browser.tab.locator(".answers dd.said").first.inner_text() == "2 of 2 right\nMeans the same."
    assert browser.problems == []


def test_a_comparison_begins_with_the_items_that_changed(browser: Browser, run: Path, tmp_path: Path) -> None:
    second = run.parent / "second"
    shutil.copytree(run, second)
    images = tmp_path / "images"
    rows = [(*row[:1], str(images / row[1]), *row[2:]) for row in small_run.ROWS]
    rows[1] = (*rows[1][:4], "liver", *rows[1][5:])
    rows[3] = (*rows[3][:4], "right", *rows[3][5:])
    small_run.write_answers(second, rows)
    browser.open(write_reports([run, second])[-1])
    assert browser.shown() == ["Which organ?", "Which side?"]
    browser.tab.click("[data-verdict=gained]")
    assert browser.shown() == ["Which organ?"]
    assert browser.tab.locator(".item span").first.inner_text() == "the liver → liver"
    browser.tab.click("[data-verdict=lost]")
    assert browser.shown() == ["Which side?"]
    browser.tab.click("#clear")
    assert len(browser.shown()) == 4
    assert browser.problems == []


@pytest.mark.parametrize("width", [390, 1280])
def test_judges_and_comparisons_are_not_wider_than_the_screen(
    browser: Browser, run: Path, width: int
) -> None:
    small_run.write_raters(run)
    second = run.parent / "a-run-with-a-rather-long-name-of-its-own"
    shutil.copytree(run, second)
    for page in write_reports([run, second]):
        browser.open(page, width)
        browser.tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert browser.tab.evaluate("document.documentElement.scrollWidth") == width


def test_a_table_downloads_without_a_server(browser: Browser, run: Path) -> None:
    page = write_report(run)
    browser.open(page)
    with browser.tab.expect_download() as download:
        browser.tab.locator("a[download='rad-test-methods.csv']").click()
    saved = Path(download.value.path()).read_bytes()
    assert saved == (page.parent / "tables" / "rad-test-methods.csv").read_bytes()


def test_a_footnote_opens_the_list_it_stands_in(browser: Browser, run: Path) -> None:
    browser.open(write_report(run))
    browser.tab.evaluate("document.querySelector('#notes').open = false")
    browser.tab.locator("a[href^='#note-']").first.click()
    assert browser.tab.locator("#note-1").is_visible()
