"""What a browser keeps: only the session's own answer to a rating lets it go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.raters.serving import Server, opened, press, saved, stored, until

from pefomed.raters import SessionRequest, open_session

FAILED = "document.getElementById('saved').dataset.kind === 'failed'"
SOMEBODYS = json.dumps({
    "number": 1, "state": {"label": 1, "cannot": False, "comment": "", "revision": 1},
})  # fmt: skip
STRANGERS = [
    (401, "text/plain", "Log in first."),
    (404, "text/plain", "There is nothing here. Use the link that you were given."),
    (409, "application/json", SOMEBODYS),
    (422, "application/json", '{"refused": "no", "session": "another", "change": "another"}'),
    (429, "text/html", "<p>Too many requests"),
    (200, "application/json", SOMEBODYS),
    (200, "application/json", "null"),
    (200, "text/html", "<form>Log in"),
]  # fmt: skip


@pytest.fixture
def server(serve: Callable[[SessionRequest], Server]) -> Server:
    return serve(SessionRequest(raters=1, sample=6))


@pytest.mark.parametrize("where", ["**/items/*", "**/session"])
def test_no_answer_of_somebody_else_drops_a_rating(
    chromium: Any, server: Server, vqa_run: Path, where: str
) -> None:
    tab = opened(chromium.new_context(), server.links[0])
    sent: list[str] = []
    tab.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    answers = list(STRANGERS)

    def answer(route: Any) -> None:
        status, kind, body = answers[0]
        if len(answers) > 1:
            answers.pop(0)
        route.fulfill(status=status, content_type=kind, body=body)

    tab.route(where, answer)
    press(tab, "n")
    until(tab, FAILED)
    while len(answers) > 1:
        left = len(answers)
        tab.click("#saved")  # which tries again at once
        end = 0
        while len(answers) == left and end < 200:
            tab.wait_for_timeout(25)
            end += 1
        assert len(answers) < left
        assert tab.locator("#saved").get_attribute("data-kind") == "failed"
    assert bool(sent) == (where == "**/items/*")  # nothing is sent to a session that is not this one
    tab.unroute(where)
    tab.click("#saved")
    saved(tab)
    assert stored(open_session(vqa_run)) == {1: 0}
    tab.context.close()


def test_a_refusal_of_the_session_itself_says_which(chromium: Any, server: Server, vqa_run: Path) -> None:
    tab = opened(chromium.new_context(), server.links[0])

    def wrong(route: Any) -> None:
        body = json.loads(route.request.post_data)
        route.continue_(post_data=json.dumps({**body, "label": 7}))

    tab.route("**/items/1", wrong)
    press(tab, "y")
    until(tab, FAILED)
    assert "Not accepted: item 1." in tab.locator("#saved").inner_text()
    assert tab.locator("#rated").inner_text() == "0"
    press(tab, "y")  # the second is taken, and the first is still named
    until(tab, "document.getElementById('rated').textContent === '1'")
    until(tab, FAILED)
    assert "item 1" in tab.locator("#saved").inner_text()
    tab.unroute("**/items/1")
    tab.keyboard.press("g")
    until(tab, "document.getElementById('number').textContent !== '2'")
    tab.click("#cells button:first-child")
    tab.keyboard.press("y")
    saved(tab)
    assert stored(open_session(vqa_run)) == {1: 1, 2: 1}
    tab.context.close()


DAMAGED = [
    "{", "null", "7", "[]", "{}", '{"change": "damaged"}',
    '{"change": "damaged", "path": "../other", "number": 1, "body": {}}',
    '{"change": "damaged", "path": "items/1", "number": 1, "body": null}',
    '{"change": "damaged", "path": "items/1", "number": "1", "body": {}}',
]  # fmt: skip


def test_a_damaged_entry_of_the_storage_does_not_stop_the_page(
    chromium: Any, server: Server, vqa_run: Path
) -> None:
    context = chromium.new_context()
    tab = opened(context, server.links[0])
    tab.route(
        "**/items/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    press(tab, "n")
    until(tab, FAILED)
    tab.evaluate(
        "(all) => all.forEach((text, n) =>"
        " localStorage.setItem(`rating:${location.pathname}:damaged${n || ''}`, text))",
        DAMAGED,
    )
    tab.evaluate("localStorage.setItem(`rating-count:${location.pathname}`, 'x')")
    tab.close()
    tab = opened(context, server.links[0])
    saved(tab)
    assert f"is damaged ({len(DAMAGED)})" in tab.locator("#notice").inner_text()
    tab.keyboard.press("g")
    press(tab, "y")
    saved(tab)
    assert stored(open_session(vqa_run)) == {1: 0, 2: 1}
    context.close()


def test_what_waits_keeps_its_order_when_the_clock_is_set_back(
    chromium: Any, server: Server, vqa_run: Path
) -> None:
    context = chromium.new_context()
    tab = opened(context, server.links[0])
    tab.route("**/session", lambda route: route.abort())
    for hour, key in enumerate("ynyn"):
        tab.evaluate("(hour) => { Date.now = () => 1e12 - hour * 3600000; }", hour)
        tab.click("#cells button:first-child")
        press(tab, key)
    tab.close()
    sent: list[int] = []
    context.on(
        "request",
        lambda request: (
            sent.append(json.loads(request.post_data)["label"]) if request.method == "POST" else None
        ),
    )
    tab = opened(context, server.links[0])
    saved(tab)
    assert sent[:1] == [1]
    assert stored(open_session(vqa_run)) == {1: 0}
    context.close()
