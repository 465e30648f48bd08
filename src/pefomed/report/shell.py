"""What every page shares: templates, style and scripts inline, nothing to load.

A content security policy lets only the page's own scripts run (by hash) and only embedded images show,
so that a question or answer that is HTML stays text even if a template forgot to escape it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pefomed import __version__
from pefomed.machine_paths import without_paths
from pefomed.report.csv_text import csv_text
from pefomed.report.latex import latex
from pefomed.report.sheet import Sheet

BROWSER = ("state", "address", "boxes", "list", "detail", "controls")
"""Parts of the item browser's script, in the order they are joined."""

STYLES = ("style.css", "boxes.css", "sure.css", "pairs.css", "print.css")


def render(template: str, browser: dict[str, Any], **content: Any) -> str:
    """Return the page of `template`; `browser` is the data of the item browser."""
    environment = Environment(
        loader=PackageLoader("pefomed.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_said,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["downloads"] = downloads
    parts = "\n".join(_source(f"browser/{name}.js") for name in BROWSER)
    scripts = [f'"use strict";\n(() => {{\n{parts}}})();\n', _source("readout.js")]
    return environment.get_template(template).render(
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=Markup("\n".join(map(_source, STYLES))),
        scripts=[Markup(script) for script in scripts],
        script_hashes=[_csp_hash(script) for script in scripts],
        browser=browser,
        browser_json=json_for_script({key: browser[key] for key in browser if key != "left_out"}),
        left_out=browser["left_out"],
        unopened=[image["problem"] for image in browser["images"] if image["problem"]],
        hidden=bool(browser["images"]) and not any(i["uri"] or i["problem"] for i in browser["images"]),
        **content,
    )


def _said(value: Any) -> Any:
    """Return what an expression of a template puts into the page; what is made for it already stays."""
    if type(value) is not str or value.startswith("data:"):
        return value
    return without_paths(value)


def json_for_script(value: Any) -> Markup:
    """Return `value` as JSON that cannot end the `<script>` block it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def downloads(sheet: Sheet) -> list[tuple[str, str, str]]:
    """Return `(label, file name, data URI)` of a table's CSV and LaTeX, held by the page itself."""
    files: Sequence[tuple[str, str, str, str]] = (
        ("CSV", "csv", "text/csv", csv_text(sheet)),
        ("LaTeX", "tex", "application/x-tex", latex(sheet)),
    )
    return [
        (
            label,
            f"{sheet.name}.{ending}",
            f"data:{kind};charset=utf-8;base64," + base64.b64encode(text.encode()).decode("ascii"),
        )
        for label, ending, kind, text in files
    ]


def _source(name: str) -> str:
    return (resources.files("pefomed.report") / "templates" / name).read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
