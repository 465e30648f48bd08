"""The page itself: templates filled with the run's content, style and scripts inline, nothing to load.

A content security policy lets only the page's own scripts run (by hash) and only embedded images show,
so that a question or answer that is HTML stays text even if a template forgot to escape it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pefomed import __version__
from pefomed.data import LOADERS, Card, card
from pefomed.report import audit, history, items
from pefomed.report.figures import cell_of
from pefomed.report.groups import group_tables
from pefomed.report.headline import headline
from pefomed.report.run import Run, read_run
from pefomed.report.tables import Footnotes, exact_match_table, other_tables
from pefomed.schema import Score
from pefomed.storage import write


def write_report(run: Path) -> Path:
    """Write `RUN/report/index.html` from what the run folder holds, and return its path.

    Raises:
        RunError: there is no such run folder, or it holds nothing of a run.
        DataError: one of its files is damaged.
        StorageError: the page cannot be written.
    """
    page = run / "report" / "index.html"
    html = _html(read_run(run))
    write(page, html, "free space or make the folder writable; the run itself is untouched")
    return page


def json_for_script(value: Any) -> Markup:
    """Return `value` as JSON that cannot end the `<script>` block it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _html(run: Run) -> str:
    environment = Environment(
        loader=PackageLoader("pefomed.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    scripts = [_source("browser.js"), _source("readout.js")]
    browser = items.browser_data(run.answered, run.recipe)
    cards = _cards(run)
    notes = Footnotes()
    return environment.get_template("page.html.j2").render(
        run=run,
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=Markup(_source("style.css")),
        scripts=[Markup(script) for script in scripts],
        script_hashes=[_csp_hash(script) for script in scripts],
        results=_results(run, notes),
        notes=notes,
        unscored=[str(row.get("text", "")) for row in run.log if row.get("stage") == "evaluate"],
        stages=history.stages(run.log, run.recipe),
        audits=[audit.tell(name, result, run.recipe) for name, result in run.audit.items()],
        titles=_titles(run, cards),
        cards=cards,
        cited=list({known.citation: known for known in cards.values() if known.citation}.values()),
        browser=browser,
        browser_json=json_for_script(browser),
        unopened=[image["problem"] for image in browser["images"] if not image["uri"]],
        all_scores=[(score, cell_of(score)) for score in run.scores],
    )


def _results(run: Run, notes: Footnotes) -> list[dict[str, Any]]:
    images = {
        (split.dataset, split.split): len({path for sample in split.samples for path in sample.images})
        for split in run.answered
    }
    return [
        {
            "dataset": dataset,
            "split": split,
            "images": images.get((dataset, split), 0),
            "headline": headline(run.scores, dataset, split),
            "exact": exact_match_table(run.scores, dataset, split, notes),
            "others": other_tables(run.scores, dataset, split, notes),
            "groups": group_tables(run.scores, dataset, split),
        }
        for dataset, split in _datasets(run.scores)
    ]


def _datasets(scores: Sequence[Score]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((score.dataset, score.split) for score in scores))


def _titles(run: Run, cards: Mapping[str, Card]) -> dict[str, str]:
    """Return what each data set is called: its card's title, with the recipe's name where two are alike."""
    names = {s.dataset for s in run.scores} | {split.dataset for split in run.answered} | set(run.audit)
    titles = {name: cards[name].title if name in cards else name for name in names}
    counts = Counter(titles.values())
    return {name: f"{title}: {name}" if counts[title] > 1 else title for name, title in titles.items()}


def _cards(run: Run) -> Mapping[str, Card]:
    """Return the cards of the recipe's data sets, of our own loaders only: a report imports nobody's code."""
    found = {}
    for name, dataset in run.recipe.data.items() if run.recipe else ():
        if dataset.loader in LOADERS and (known := card(dataset.loader)):
            found[name] = known
    return found


def _source(name: str) -> str:
    return (resources.files("pefomed.report") / "templates" / name).read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
