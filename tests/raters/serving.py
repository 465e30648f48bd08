"""The command in a process of its own, and what tests in Chromium do with its page."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pefomed.raters import Session

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip


class Server:
    """`pefomed rate` in a process of its own, so that it can be killed."""

    def __init__(self, run: Path):
        self.run, self.port = run, 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pefomed", "rate", str(self.run), "--port", str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.links: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.links += re.findall(r"http://\S+", line)
            if "Ctrl-C" in line:
                break
        self.port = int(self.links[0].split(":")[2].split("/")[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(how)
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0


def opened(context: Any, link: str) -> Any:
    tab = context.new_page()
    tab.on("pageerror", lambda error: pytest.fail(str(error)))
    tab.goto(link)
    until(tab, "document.querySelector('#texts p') !== null")
    if tab.locator("#about").is_visible():
        tab.click("#about button")
    return tab


def until(tab: Any, expression: str, seconds: float = 30) -> None:
    """Wait for an expression to become true; the page's policy forbids playwright's own way (`eval`)."""
    end = time.monotonic() + seconds
    while not tab.evaluate(expression):
        assert time.monotonic() < end, expression
        tab.wait_for_timeout(25)


def saved(tab: Any) -> None:
    until(tab, "document.getElementById('saved').dataset.kind === 'saved'")


def number(tab: Any) -> int:
    return int(tab.locator("#number").inner_text())


def press(tab: Any, key: str) -> None:
    """Press a key that rates, and wait until the page has gone on."""
    before = number(tab)
    tab.keyboard.press(key)
    until(tab, f"document.getElementById('number').textContent !== '{before}'")


def stored(session: Session, rater: int = 0) -> dict[int, int | None]:
    rows = session.database.rows(
        "SELECT number, label FROM verdict JOIN shown USING (rater, item) WHERE rater = ? ORDER BY number",
        session.raters()[rater].id,
    )
    return {row["number"]: row["label"] for row in rows}
