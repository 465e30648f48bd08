"""The rating page as it is read: under axe-core, and in the direction of its texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.axe import LOOKS, findings
from tests.raters.conftest import vqa_pairs, write
from tests.raters.serving import Server, opened, saved, until

from pefomed.raters import SessionRequest

ARABIC, HEBREW = "هل هذا CT؟", "הכבד"


def test_the_rating_page(
    chromium: Any, serve: Callable[[SessionRequest], Server], vqa_run: Path, images: list[str]
) -> None:
    pairs = [
        (sample.model_copy(update={"question": ARABIC, "reference": HEBREW}), f"Latin {place}")
        for place, (sample, _) in enumerate(vqa_pairs(images))
    ]
    for file in vqa_run.rglob("rad-test*"):
        file.unlink()
    write(vqa_run, "rad-test", pairs)
    server = serve(SessionRequest(raters=1, sample=5, seed=7))
    context = chromium.new_context()
    tab = opened(context, server.links[0])
    found = [each for look in LOOKS for each in findings(tab, *look)]
    tab.click("#help")
    found += findings(tab, *LOOKS[0])
    tab.click("#about button")
    directions = tab.evaluate(
        "[...document.querySelectorAll('#texts p')].map(text => getComputedStyle(text).direction)"
    )
    # The first heading of the page is its highest, and what is read out of the zoom is what it shows.
    first = tab.locator("h1, h2, h3").first.evaluate("heading => heading.tagName")
    zoom = tab.locator("[data-tool=fit]").inner_text()
    for place in range(1, 6):
        until(tab, f"document.getElementById('number').textContent === '{place}'")
        tab.click("[data-label='1']")
        saved(tab)
    finished = [each for look in LOOKS[:2] for each in findings(tab, *look)]
    rated = tab.locator("#rated").inner_text()
    context.close()
    server.stop()
    assert found == []
    assert (finished, rated) == ([], "5")
    assert directions == ["rtl", "rtl", "ltr"]  # question, reference, answer
    assert first == "H1"
    assert "100 %" in zoom
