"""A page taken apart by the standard library's parser, so that tests see what a browser would."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from pefomed.report import write_report


class Page(HTMLParser):
    """Tags with their attributes, the visible text, the scripts and the data of the item browser."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.scripts: list[tuple[dict[str, str], str]] = []
        self._raw = ""
        self.feed(html)

    @property
    def data(self) -> dict[str, Any]:
        (text,) = [script for attributes, script in self.scripts if attributes.get("id") == "browser-data"]
        value: dict[str, Any] = json.loads(text)
        return value

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "script":
            self.scripts.append((attributes, ""))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if self._raw == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif not self._raw:
            self.text += data


def page_of(run: Path) -> Page:
    """Write the report of `run` and take it apart."""
    return Page(write_report(run).read_text(encoding="utf-8"))
