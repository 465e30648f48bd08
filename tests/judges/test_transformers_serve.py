"""A judging by a real server that is not ours: `transformers serve` with SmolLM2-135M-Instruct."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.judges.made_run import ROWS, made_run

from pefomed.endpoint import Endpoint
from pefomed.files import jsonl
from pefomed.judges import calibration, first_replies
from pefomed.judges.endpoint_judge import JudgeSettings, carry_out, prepare
from pefomed.runs import RunFolder
from pefomed.schema import Verdict
from pefomed.weights import lookup

MODEL = "smollm2-135m"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and model's name of a running server."""
    for package in ("openai", "fastapi", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"`transformers serve` needs {package}, which is not installed")
    folder = lookup.on_disk(MODEL, "language")
    if folder is None:
        pytest.skip(f"{MODEL} is not on this disk: pefomed weights fetch {MODEL}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    command = [Path(sys.executable).with_name("transformers"), "serve", str(folder)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("wb") as file:
        child = subprocess.Popen(
            [*map(str, command), *options], stdout=file, stderr=file,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/health", child, log)
            yield f"{url}/v1", str(folder)
        finally:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert child.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def test_a_real_server_is_asked_and_its_replies_are_kept(
    served: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, model = served
    run = made_run(tmp_path / "run", ROWS[:1])
    # Two pairs of the card instead of eight: each call takes seconds on a CPU.
    monkeypatch.setattr(calibration, "pairs", lambda _: calibration.PAPER[:2])
    # What so small a model says is mostly no label, or cut: here it is judged with all the same.
    monkeypatch.setattr(first_replies, "READABLE", 0.0)
    endpoint = Endpoint(url, model, concurrency=1, attempts=1)
    settings = JudgeSettings(max_tokens=12)
    card = carry_out(prepare(run, endpoint, settings, runs=1, rater="small"))
    verdicts = list(jsonl.read(RunFolder(run).verdicts_file("small"), Verdict))
    assert [verdict.sample_id for verdict in verdicts] == ["q1"]
    assert all(verdict.label in (0, 1) or verdict.reason for verdict in verdicts)
    assert card["counts"]["open"] == 0
    assert card["usage"]["replies"] == 1 + 2
    assert card["usage"]["prompt_tokens"] > 3 * 300
    assert all(len(pair["labels"]) == 1 for pair in card["calibration"])
    again = prepare(run, endpoint, settings, runs=1, rater="small")
    assert again.jobs() == []
