"""The item browser in Chromium: filters, search, keys, links from the groups, and no request to anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.report import small_run

from pefomed.report import write_report

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield Browser(chromium.new_page())
        chromium.close()


class Browser:
    """One tab for all tests, as opening one takes seconds; it notes requests and whatever goes wrong."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab
        self.requests: list[str] = []
        self.problems: list[str] = []
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.on("console", lambda message: self.problems.append(message.text))
        tab.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.on("dialog", lambda dialog: (self.problems.append("a dialog"), dialog.dismiss()))

    def open(self, page: Path, width: int = 1280) -> None:
        self.requests.clear()
        self.problems.clear()
        self.tab.set_viewport_size({"width": width, "height": 800})
        self.tab.goto(page.resolve().as_uri())

    def shown(self) -> list[str]:
        texts: list[str] = self.tab.locator(".item b").all_inner_texts()
        return texts

    def question(self) -> str:
        text: str = self.tab.locator(".question").inner_text()
        return text


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
    opened.tab.click("[data-verdict=misled]")
    assert opened.shown() == ["Is there a mass?"]
    opened.tab.click("[data-verdict=helped]")
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
