"""What the tests of the report share: a run folder, and a page's parts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.report import box_runs, small_run
from tests.report.chromium import ARGUMENTS, Browser

from pefomed import recipe
from pefomed.files import jsonl


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A complete run folder; tests remove or change what they need to."""
    folder = tmp_path / "runs" / "small"
    images = tmp_path / "images"
    images.mkdir()
    Image.new("L", (400, 200), 90).save(images / "a.png")
    Image.new("RGB", (64, 64), (200, 30, 30)).save(images / "b.png")
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(recipe.dumps(recipe.parse(small_run.RECIPE)), encoding="utf-8")
    small_run.write_json(folder / "describe.json", small_run.DESCRIBE)
    small_run.write_json(folder / "audit.json", {"rad": small_run.AUDIT})
    (folder / "log.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in small_run.log_rows()), encoding="utf-8"
    )
    small_run.write_answers(folder, [(*row[:1], str(images / row[1]), *row[2:]) for row in small_run.ROWS])
    jsonl.append(folder / "scores.jsonl", small_run.scores())
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A tab of Chromium; tests without it are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield Browser(chromium.new_page())
        chromium.close()


@pytest.fixture
def box_run(tmp_path: Path) -> Path:
    """A run whose answers are mostly boxes."""
    return box_runs.write_run(tmp_path)
