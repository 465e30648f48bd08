"""Texts of users stand in their own direction: Arabic and Hebrew from the right, each by its first letter."""

from __future__ import annotations

from pathlib import Path

from tests.report import small_run
from tests.report.chromium import Browser

from pefomed.audit.show import contact_sheet
from pefomed.report import write_report
from pefomed.schema import Sample, Score

ARABIC = "هل هذا CT؟"  # begins with a letter from right to left, and holds Latin ones
HEBREW = "הכבד"


def _rows(run: Path) -> None:
    images = run.parent.parent / "images"
    rows = [(*row[:1], str(images / row[1]), *row[2:]) for row in small_run.ROWS]
    rows[0] = (rows[0][0], rows[0][1], ARABIC, HEBREW, HEBREW, "yes", "CLOSED")
    small_run.write_answers(run, rows)


def _direction(browser: Browser, text: str) -> set[str]:
    """Return the computed directions of all elements that hold `text` themselves."""
    found: list[str] = browser.tab.evaluate(
        """text => [...document.querySelectorAll("body *")]
            .filter(e => !["SCRIPT", "OPTION"].includes(e.tagName))
            .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.includes(text)))
            .map(e => getComputedStyle(e).direction)""",
        text,
    )
    return set(found)


def test_questions_and_answers_of_the_browser(browser: Browser, run: Path) -> None:
    _rows(run)
    browser.open(write_report(run))
    browser.tab.click("#list .item >> nth=0")
    assert _direction(browser, ARABIC) == {"rtl"}
    assert browser.tab.evaluate(
        "t => [...document.querySelectorAll('#detail dd')]"
        ".filter(e => e.textContent === t).map(e => getComputedStyle(e).direction)",
        HEBREW,
    ) == ["rtl", "rtl"]  # the reference and the model's answer
    assert _direction(browser, "Which organ?") == {"ltr"}


def test_groups_judges_and_raters(browser: Browser, run: Path) -> None:
    pair = {"question": ARABIC, "reference": HEBREW, "answer": HEBREW, "expected": 1, "labels": [0, 0]}
    card = {**small_run.CARD, "calibration": [pair]}
    small_run.write_rater(run, "judge", card, [{"q1": 1}])
    scores: list[Score] = [
        small_run.score("model", f"organ={HEBREW}", 0.5, 2),
        small_run.score("model", "organ=LUNG", 0.5, 2),
    ]
    with (run / "scores.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(score.model_dump_json() + "\n" for score in scores)
    browser.open(write_report(run))
    assert _direction(browser, ARABIC) == {"rtl"}
    inside = browser.tab.evaluate(
        "t => [...document.querySelectorAll('#groups a')]"
        ".filter(e => e.textContent === t).map(e => getComputedStyle(e).direction)",
        HEBREW,
    )
    assert inside == ["rtl"]


def test_the_contact_sheet(browser: Browser, tmp_path: Path) -> None:
    about = {"images": ("absent.png",), "task": "vqa"}
    samples = [
        Sample(id="a", question=ARABIC, reference=HEBREW, meta={"organ": HEBREW}, **about),
        Sample(id="b", question="Which organ?", reference="liver", meta={"organ": HEBREW}, **about),
    ]
    browser.open(contact_sheet(samples, tmp_path / "sheet.html", title=HEBREW))
    assert _direction(browser, ARABIC) == {"rtl"}
    assert _direction(browser, HEBREW) == {"rtl"}
    assert _direction(browser, "Which organ?") == {"ltr"}
    assert _direction(browser, "liver") == {"ltr"}
