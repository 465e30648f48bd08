"""Run folders made by hand (exact match calls every third VQA answer right), a browser, a server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.raters.serving import ARGUMENTS, Server

from pefomed.files import jsonl
from pefomed.raters import SessionRequest, open_session
from pefomed.samples.question_hash import shown_hash
from pefomed.schema import Prediction, Sample

ORGANS = ("CHEST", "HEAD", "ABDOMEN")


def answered(sample: Sample, text: str) -> Prediction:
    return Prediction(
        sample_id=sample.id, text=text, tokens=2, finish="stop", generation="secret-model-7b",
        shown=shown_hash(sample),
    )  # fmt: skip


def write(run: Path, name: str, pairs: list[tuple[Sample, str]]) -> None:
    jsonl.append(run / "samples" / f"{name}.jsonl", [sample for sample, _ in pairs])
    jsonl.append(run / "predictions" / f"{name}.jsonl", [answered(sample, text) for sample, text in pairs])


def vqa_pairs(images: list[str], count: int = 90) -> list[tuple[Sample, str]]:
    """Answer 3k is right, and so are the organs' questions in turn."""
    pairs = []
    for n in range(count):
        sample = Sample(
            id=f"covert-id-{n:03}", images=(images[n % len(images)],), task="vqa",
            question=f"Question number {n}?", reference=f"reference {n}",
            meta={"organ": ORGANS[n // 3 % 3], "answer_type": "OPEN" if n % 2 else "CLOSED"},
        )  # fmt: skip
        pairs.append((sample, f"Reference  {n}" if n % 3 == 0 else f"another {n}"))
    return pairs


def report_pairs(images: list[str], count: int = 12) -> list[tuple[Sample, str]]:
    return [
        (
            Sample(
                id=f"covert-report-{n:02}", images=(images[n % len(images)],), task="report",
                reference=f"Reference text {n}.",
            ),
            f"Generated text {n}.",
        )
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    folder = tmp_path / "covert-folder"
    folder.mkdir()
    grey, colour = folder / "grey.png", folder / "colour.png"
    Image.linear_gradient("L").resize((300, 200)).save(grey)
    Image.new("RGB", (120, 160), (200, 40, 40)).save(colour)
    return [str(grey), str(colour)]


@pytest.fixture
def vqa_run(tmp_path: Path, images: list[str]) -> Path:
    run = tmp_path / "covert-model-run"
    write(run, "rad-test", vqa_pairs(images))
    return run


@pytest.fixture
def report_run(tmp_path: Path, images: list[str]) -> Path:
    run = tmp_path / "covert-report-run"
    write(run, "xray-test", report_pairs(images))
    return run


# Closed after each file: two drivers of it cannot be open in one process.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def serve(vqa_run: Path) -> Iterator[Callable[[SessionRequest], Server]]:
    servers: list[Server] = []

    def start(wishes: SessionRequest) -> Server:
        open_session(vqa_run, wishes).database.close()
        servers.append(Server(vqa_run))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
