"""The item browser's filters in the page's address: reloaded, gone back to, passed on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.report import box_runs
from tests.report.chromium import Browser

from pefomed.report import write_report, write_reports


@pytest.fixture
def opened(browser: Browser, run: Path) -> Iterator[Browser]:
    browser.open(write_report(run))
    yield browser
    assert browser.problems == []


def address(browser: Browser) -> str:
    # Asked for in the page: the driver hears of a changed address later.
    found: str = browser.tab.evaluate("location.href")
    return found


def said(browser: Browser) -> dict[str, str]:
    """What the address holds."""
    _, _, view = address(browser).partition("#")
    return {name: values[0] for name, values in parse_qs(view).items()}


def chosen(browser: Browser) -> dict[str, str]:
    fields: dict[str, str] = browser.tab.evaluate(
        "() => Object.fromEntries(['metric', 'key', 'value', 'search'].map((id) => {"
        "const field = document.getElementById(id);"
        "return [id, field.selectedOptions?.[0].textContent ?? field.value]; }))"
    )
    pressed = browser.tab.locator("#verdict [aria-pressed=true]").get_attribute("data-verdict")
    return {**fields, "verdict": pressed or ""}


VIEW = {
    "verdict": "wrong", "metric": "Exact match, VQA-style", "key": "organ", "value": "HEAD", "search": "mass",
}  # fmt: skip


def test_filters_stand_in_the_address_and_a_shared_link_opens_them(opened: Browser) -> None:
    tab = opened.tab
    assert "#" not in tab.url
    tab.click("[data-verdict=wrong]")
    tab.select_option("#metric", label=VIEW["metric"])
    tab.select_option("#key", "organ")
    tab.select_option("#value", "HEAD")
    tab.fill("#search", "mass")
    assert said(opened) == VIEW
    shown = opened.shown()
    assert shown == ["Is there a mass?"]
    tab.click("#list .item")
    assert said(opened) == {**VIEW, "item": "q3"}
    link = address(opened)
    tab.reload()
    assert (opened.shown(), chosen(opened)) == (shown, VIEW)
    tab.goto("about:blank")
    tab.goto(link)
    assert (opened.shown(), chosen(opened), address(opened)) == (shown, VIEW, link)
    assert tab.locator("#browser").bounding_box()["y"] < 200  # what was passed on is in sight


def test_back_and_forward_go_through_the_views(opened: Browser) -> None:
    tab = opened.tab
    tab.click("[data-verdict=wrong]")
    tab.click("a[data-key=organ][data-value=CHEST]")
    assert said(opened) == {"key": "organ", "value": "CHEST"}
    assert opened.shown() == ["Is this a CT?", "Which organ?"]
    # Walking through the list and typing are no steps of their own.
    tab.focus("#list")
    tab.keyboard.press("ArrowDown")
    tab.fill("#search", "organ")
    tab.go_back()
    assert chosen(opened)["verdict"] == "wrong"
    assert opened.shown() == ["Which organ?", "Is there a mass?"]
    tab.go_back()
    assert (said(opened), len(opened.shown()), chosen(opened)["verdict"]) == ({}, 4, "all")
    tab.go_forward()
    tab.go_forward()
    assert opened.shown() == ["Which organ?"]
    assert chosen(opened)["search"] == "organ"
    tab.click("#clear")
    assert "#" not in address(opened)
    tab.go_back()
    assert opened.shown() == ["Which organ?"]


def test_an_address_of_another_run_or_a_section_shows_what_there_is(opened: Browser) -> None:
    tab, base = opened.tab, opened.tab.url
    for strange in (
        "verdict=maybe&key=colour&value=red&metric=BLEU&item=gone",
        "key=organ&value=FOOT",
        "item=%",
    ):
        tab.goto("about:blank")
        tab.goto(f"{base}#{strange}")
        assert len(opened.shown()) == 4
    tab.click("[data-verdict=wrong]")
    tab.click("nav a[href='#groups']")
    assert len(opened.shown()) == 2
    tab.go_back()
    assert len(opened.shown()) == 2


def test_boxes_are_sorted_and_bounded_by_the_address(browser: Browser, box_run: Path) -> None:
    page = write_report(box_run)
    browser.open(page)
    browser.tab.fill("#low", "0.4")
    browser.tab.select_option("#sort", "iou up")
    browser.tab.select_option("#sides", "right")
    view, url = browser.shown(), address(browser)
    assert said(browser) == {"low": "0.4", "sort": "iou up", "sides": "right"}
    browser.tab.reload()
    assert (browser.shown(), address(browser)) == (view, url)
    assert len(view) == 3


def test_two_compared_runs_begin_with_what_changed(browser: Browser, tmp_path: Path) -> None:
    runs = [
        box_runs.write_run(tmp_path, answers, name)
        for name, answers in (("one", None), ("two", {"asked": "yes"}))
    ]
    *_, page = write_reports(runs)
    browser.open(page)
    assert said(browser) == {}
    assert browser.shown() == ["Is this a CT?"]
    browser.tab.click("[data-verdict=all]")
    assert said(browser) == {"verdict": "all"}
    browser.tab.reload()
    assert len(browser.shown()) == 7
    browser.tab.go_back()
    assert browser.shown() == ["Is this a CT?"]
