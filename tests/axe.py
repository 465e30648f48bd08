"""What axe-core says of a page in Chromium, in light and dark, wide and narrow."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest

LOOKS = (("light", 390), ("dark", 1280), ("dark", 390), ("light", 1280))
"""Colours and widths."""


def findings(tab: Any, scheme: str, width: int) -> list[str]:
    """Return every violation as `impact rule: element`; of all rules, best practices and target sizes too."""
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if not tab.evaluate("typeof axe === 'object'"):
        script = importlib.resources.files("axe_playwright_python") / "axe.min.js"
        tab.evaluate(script.read_text(encoding="utf-8"))
    found = tab.evaluate(
        """() => axe.run(document, {
            resultTypes: ["violations"], rules: { "target-size": { enabled: true } }, elementRef: false,
        })"""
    )
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
