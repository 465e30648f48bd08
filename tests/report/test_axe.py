"""Every page of a report under axe-core: nothing that it finds, in light and dark, wide and narrow."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from tests.axe import LOOKS, findings
from tests.evaluation.test_evaluate_run import answer, make_run
from tests.report import small_run
from tests.report.chromium import Browser
from tests.report.test_compare import copy_of
from tests.report.test_no_images import leaking

from pefomed.audit.show import contact_sheet
from pefomed.audit.show_pairs import pair_sheet
from pefomed.evaluation import evaluate_run
from pefomed.report import write_report, write_reports
from pefomed.schema import Box, Sample


def looked_at(browser: Browser, page: Path) -> list[str]:
    """Return what axe finds on a page with all that unfolds unfolded and an item chosen."""
    browser.open(page)
    browser.tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    if browser.tab.locator("#list .item").count():
        browser.tab.click("#list .item >> nth=0")
    return [
        f"{scheme}, {width}: {found}"
        for scheme, width in LOOKS
        for found in findings(browser.tab, scheme, width)
    ]


def test_the_report_of_a_run(browser: Browser, run: Path) -> None:
    small_run.write_raters(run)
    page = write_report(leaking(run))
    assert looked_at(browser, page) == []
    shown = set(browser.tab.eval_on_selector_all("main section[id]", "all => all.map(each => each.id)"))
    assert shown >= {"results", "judgements", "agreement", "training", "leakage", "items", "recipe"}
    assert browser.tab.locator("#leakage .picture-pairs img").count() == 2
    browser.tab.fill("#search", "nothing like it")
    assert findings(browser.tab, *LOOKS[0]) == []  # the list without an item is no list box


def test_the_report_of_boxes(browser: Browser, box_run: Path) -> None:
    assert looked_at(browser, write_report(box_run)) == []


def test_a_list_that_goes_on(browser: Browser, run: Path) -> None:
    images = run.parent.parent / "images"
    row = small_run.ROWS[0]
    many = [(f"{row[0]}-{place}", str(images / row[1]), *row[2:]) for place in range(70)]
    small_run.write_answers(run, many)
    browser.open(write_report(run))
    assert findings(browser.tab, *LOOKS[0]) == []
    assert browser.tab.locator("button.more").count() == 1
    assert browser.tab.locator("[role=listbox] button").count() == 0


def test_the_page_that_compares_runs(browser: Browser, run: Path) -> None:
    other = copy_of(run, "second", {"q2": "liver", "q3": "no"})
    page = write_reports([run, other], run.parent / "both.html")[-1]
    assert looked_at(browser, page) == []


def test_the_page_of_an_ablation(browser: Browser, run: Path) -> None:
    other = copy_of(run, "second", {"q2": "liver", "q3": "no"})
    folder = run.parent / "small-ablation"
    folder.mkdir()
    arms = [{"name": "base", "run": f"../{run.name}"}, {"name": "small_steps", "run": f"../{other.name}"}]
    told = {"recipe": "small", "base": "base", "arms": arms}
    (folder / "ablation.json").write_text(json.dumps(told), encoding="utf-8")
    assert looked_at(browser, write_report(folder)) == []
    assert browser.tab.locator("#arms tbody tr").count() >= 1


def test_the_contact_sheet(browser: Browser, tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.effect_noise((200, 100), 30).save(tmp_path / f"{name}.png")
    samples = [
        Sample(
            id=f"{name}-{place}",
            images=(str(tmp_path / f"{name}.png"),),
            task="vqa",
            question=f"Is this {place}?",
            reference="yes",
            boxes=(Box(x0=0.1, y0=0.1, x1=0.5, y1=0.6),) if place == 1 else (),
            meta={"organ": "chest"},
        )
        for name in ("a", "b", "absent")
        for place in range(8)
    ]
    assert looked_at(browser, contact_sheet(samples, tmp_path / "sheet.html")) == []


def test_the_page_of_pairs(browser: Browser, run: Path, tmp_path: Path) -> None:
    audits = json.loads((leaking(run) / "audit.json").read_text(encoding="utf-8"))
    assert looked_at(browser, pair_sheet(audits, tmp_path / "pairs.html")) == []
    assert browser.tab.locator("figure img").count() == 2


def test_the_part_on_protocols(browser: Browser, tmp_path: Path) -> None:
    run = make_run(tmp_path)
    texts = ["Yes it is", "lung", "axial plane", "left."]
    answer(run, "mini-test", [(f"slake-test-{place}", text) for place, text in enumerate(texts)])
    evaluate_run(run, tmp_path / "data", protocols=True)
    browser.open(write_report(run))
    browser.tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    # The page's other parts are looked at above.
    browser.tab.evaluate(
        "document.querySelectorAll('main > section:not(#protocols)').forEach(e => e.remove())"
    )
    assert [found for scheme, width in LOOKS[:2] for found in findings(browser.tab, scheme, width)] == []
    assert browser.tab.locator("#protocols .crossed").count() == 1
