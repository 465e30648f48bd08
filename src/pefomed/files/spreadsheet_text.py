"""Texts of strangers in a CSV that a spreadsheet program opens: none of them is run as a formula.

A text that it would take for one gets an apostrophe in front (OWASP, CSV injection).
"""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_text(text: str) -> str:
    """Return a text as it may stand in a cell."""
    return f"'{text}" if text.startswith(_FORMULA) else text
