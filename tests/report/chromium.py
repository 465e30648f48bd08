"""One tab of Debian's Chromium for the tests of a module, which notes requests and whatever goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


class Browser:
    """A tab, as opening one for each test takes seconds."""

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
