"""Rating in Chromium: ten raters at once, two tabs, a killed server; nothing is lost or doubled."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.raters.serving import Server, number, opened, press, saved, stored, until

from pefomed.files import jsonl
from pefomed.raters import SessionRequest, open_session
from pefomed.schema import Verdict

# Presses y where rater and item number are both odd or both even, else n, as fast as the page goes on.
AUTOPILOT = """(rater) => {
    window.autopilot = setInterval(() => {
        const number = Number(document.getElementById("number").textContent);
        const rated = document.querySelector("#labels [aria-pressed=true]");
        if (!number || rated || document.querySelector("dialog[open]")) return;
        dispatchEvent(new KeyboardEvent("keydown", { key: (rater + number) % 2 ? "n" : "y" }));
    }, 40);
}"""


def test_ten_raters_at_once_with_reloads_and_a_killed_server(
    chromium: Any, serve: Callable[[SessionRequest], Server], vqa_run: Path
) -> None:
    server = serve(SessionRequest(raters=10, sample=10, seed=7))
    # Small windows: ten of them are drawn by the processor.
    contexts = [chromium.new_context(viewport={"width": 900, "height": 500}) for _ in range(10)]
    tabs = [opened(context, link) for context, link in zip(contexts, server.links, strict=True)]
    for rater, tab in enumerate(tabs):
        tab.evaluate(AUTOPILOT, rater)
    until(tabs[9], "Number(document.getElementById('rated').textContent) >= 3")
    server.kill()
    # They go on rating meanwhile; what they say waits in the browser.
    until(tabs[0], "document.getElementById('saved').dataset.kind === 'failed'")
    server.start()
    for rater, tab in enumerate(tabs):
        if rater % 2:
            saved(tab)
            tab.reload()
            until(tab, "document.querySelector('#texts p') !== null")
            tab.evaluate(AUTOPILOT, rater)
    for tab in tabs:
        until(tab, "document.getElementById('rated').textContent === '10'")
        saved(tab)
    server.stop()
    for context in contexts:
        context.close()

    session = open_session(vqa_run)
    history = session.database.rows("SELECT rater, item FROM history")
    assert set(Counter(map(tuple, history)).values()) == {1}
    assert len(history) == 100
    for rater, person in enumerate(session.raters()):
        said = {
            v.sample_id: v.label for v in jsonl.read(vqa_run / "verdicts" / f"{person.name}.jsonl", Verdict)
        }
        assert said == {
            item.sample_id: 0 if (rater + item.number) % 2 else 1 for item in session.items(person)
        }


def test_a_server_killed_between_two_clicks_loses_nothing(
    chromium: Any, serve: Callable[[SessionRequest], Server], vqa_run: Path
) -> None:
    server = serve(SessionRequest(raters=1, sample=6))
    context = chromium.new_context()
    tab = opened(context, server.links[0])
    tab.click("#labels [data-label='1']")
    saved(tab)
    server.kill()
    until(tab, "document.getElementById('number').textContent === '2'")
    press(tab, "n")
    assert "Not saved" in tab.locator("#saved").inner_text()
    press(tab, "n")  # 3
    tab.keyboard.press("u")  # which has not been sent yet
    assert number(tab) == 3
    press(tab, "y")
    session = open_session(vqa_run)
    assert stored(session) == {1: 1}
    server.start()
    saved(tab)
    assert stored(session) == {1: 1, 2: 0, 3: 1}

    # Closed while something waits: the next visit sends it.
    server.kill()
    press(tab, "n")
    tab.close()
    server.start()
    tab = opened(context, server.links[0])
    saved(tab)
    assert number(tab) == 4 or tab.locator("#rated").inner_text() == "4"
    assert stored(session) == {1: 1, 2: 0, 3: 1, 4: 0}
    assert len(session.database.rows("SELECT 1 FROM history")) == 4
    context.close()


def test_two_tabs_of_one_rater(
    chromium: Any, serve: Callable[[SessionRequest], Server], vqa_run: Path
) -> None:
    server = serve(SessionRequest(raters=1, sample=6))
    context = chromium.new_context()
    first, second = (opened(context, server.links[0]) for _ in range(2))
    session = open_session(vqa_run)
    press(first, "y")
    saved(first)
    # The second tab has not heard of it: what is pressed last counts, and it is said.
    second.keyboard.press("n")
    until(second, "document.getElementById('number').textContent === '2'")
    saved(second)
    assert stored(session) == {1: 0}
    # The first tab learns of it when it is looked at again.
    first.evaluate("dispatchEvent(new Event('focus'))")
    first.keyboard.press("ArrowLeft")
    first.wait_for_selector("#labels [data-label='0'][aria-pressed=true]")

    # A change that could not be sent in time does not replace what was said after it.
    first.route(
        "**/items/2", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    first.keyboard.press("ArrowRight")
    press(first, "y")
    until(first, "document.getElementById('saved').dataset.kind === 'failed'")
    press(second, "n")
    saved(second)
    first.unroute("**/items/2")
    saved(first)
    assert "Item 2 was changed in another tab" in first.locator("#notice").inner_text()
    assert stored(session) == {1: 0, 2: 0}
    # One verdict for each item, and each change once.
    assert len(session.database.rows("SELECT 1 FROM history")) == 3
    # Undo reaches the last change, whichever tab made it.
    first.keyboard.press("u")
    until(first, "document.getElementById('number').textContent === '2'")
    saved(first)
    assert stored(session) == {1: 0, 2: None}
    context.close()


def test_comments_and_cannot_judge(
    chromium: Any, serve: Callable[[SessionRequest], Server], vqa_run: Path
) -> None:
    server = serve(SessionRequest(raters=1, sample=4))
    tab = opened(chromium.new_context(), server.links[0])
    tab.keyboard.press("x")
    tab.keyboard.type("yes, 1 n u: too dark")  # no key of these rates
    tab.keyboard.press("Enter")
    until(tab, "document.getElementById('number').textContent === '2'")
    tab.keyboard.press("c")
    tab.keyboard.type("unsure")
    tab.keyboard.press("Escape")
    press(tab, "y")
    saved(tab)
    tab.reload()
    until(tab, "document.getElementById('number').textContent === '3'")
    server.stop(signal.SIGTERM)
    session = open_session(vqa_run)
    items = session.items(session.raters()[0])
    found = {
        v.sample_id: (v.label, v.reason) for v in jsonl.read(vqa_run / "verdicts/rater-01.jsonl", Verdict)
    }
    assert found == {
        items[0].sample_id: (None, "cannot judge: yes, 1 n u: too dark"),
        items[1].sample_id: (1, "unsure"),
    }
    tab.context.close()
