"""The page in Chromium: zoom, window and level, and a layout that fits desk and phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fonts import too_small
from tests.raters.serving import Server, opened, until

from pefomed.raters import SessionRequest, open_session

MIDDLE = """() => {
    const canvas = document.querySelector("canvas");
    return canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0];
}"""


def test_the_image_is_zoomed_and_windowed(
    chromium: Any, serve: Callable[[SessionRequest], Server], vqa_run: Path
) -> None:
    server = serve(SessionRequest(raters=1, sample=6))
    tab = opened(chromium.new_context(), server.links[0])
    session = open_session(vqa_run)
    items = session.items(session.raters()[0])
    grey = next(item.number for item in items if item.images[0].endswith("grey.png"))
    colour = next(item.number for item in items if item.images[0].endswith("colour.png"))
    tab.locator("#cells button").nth(grey - 1).click()
    until(tab, f"({MIDDLE})() > 100")
    # The gradient runs from 0 to 255 from top to bottom: its middle is about 128.
    assert tab.evaluate(MIDDLE) == pytest.approx(128, abs=4)
    tab.keyboard.press("i")
    assert tab.evaluate(MIDDLE) == pytest.approx(127, abs=4)
    tab.keyboard.press("i")
    tab.keyboard.press("w")
    tab.locator("[data-level]").fill("168")
    tab.locator("[data-width]").fill("160")
    # (128 - (168 - 160 / 2)) / 160 * 255 = 63.75
    assert tab.evaluate(MIDDLE) == pytest.approx(64, abs=8)
    tab.keyboard.press("r")
    assert tab.evaluate(MIDDLE) == pytest.approx(128, abs=4)
    box = tab.locator("canvas").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    tab.mouse.wheel(0, -600)
    until(tab, "document.querySelector('[data-zoom]').textContent !== '100 %'")
    # Zoomed in at the upper edge, the middle shows what is above the image's own middle.
    until(tab, f"({MIDDLE})() < 110")
    tab.keyboard.press("f")
    assert tab.evaluate(MIDDLE) == pytest.approx(128, abs=4)
    tab.locator("#cells button").nth(colour - 1).click()
    tab.wait_for_selector(".viewer.colour")
    assert tab.locator("[data-tool=window]").is_hidden()
    tab.context.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_everything_fits_the_screen(
    chromium: Any, serve: Callable[[SessionRequest], Server], width: int, height: int
) -> None:
    server = serve(SessionRequest(raters=1, sample=80))
    requests: list[str] = []
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": height}, has_touch=width < 800)
    tab = context.new_page()
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto(server.links[0])
    tab.click("#about button")
    tab.wait_for_selector("#texts p")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert too_small(tab) == []
    for button in tab.locator("#labels button, .steps > button, .viewer .tools button").all():
        box = button.bounding_box()
        if box is None:  # a colour image has no window
            continue
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
        assert box["height"] >= 34
    assert problems == []
    assert all(url.startswith(f"http://127.0.0.1:{server.port}/") for url in requests)
    context.close()
