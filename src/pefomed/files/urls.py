"""Addresses of the web where a file is expected: nothing here downloads, and the error says so."""

from __future__ import annotations

import re
from pathlib import Path

_URL = re.compile(r"(?:^|/)(https?|ftps?|s3|gs|az|hf|file|data):/{1,3}([^/].*)$", re.IGNORECASE | re.DOTALL)


def url_in(path: str | Path) -> str | None:
    """Return the URL that somebody gave as a path, alone or below a folder; None if it is none.

    A `Path` keeps one slash of `https://`; both are put back.
    """
    found = _URL.search(str(path))
    return f"{found[1]}://{found[2]}" if found else None


REMEDY = "download the file first and give its path"
"""What an error about a URL says to do."""
