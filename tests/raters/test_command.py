"""`pefomed rate` without serving: sessions, exports and spreadsheets from the command line; mistakes."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pefomed.cli import main
from pefomed.files import jsonl
from pefomed.raters import open_session
from pefomed.schema import Verdict


def command(*words: str | Path) -> int | str | None:
    with pytest.raises(SystemExit) as stopped:
        main(["rate", *map(str, words)])
    return stopped.value.code


def test_a_session_is_made_and_described(vqa_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(vqa_run, "--raters", "3", "--sample", "20", "--seed", "7", "--no-serve") == 0
    told = capsys.readouterr().out
    assert "3 raters, 20 answers each, seed 7" in told
    assert "10 of 60 answers that exact match called wrong" in told
    assert "/r/" not in told  # links are shown when they lead somewhere
    assert command(vqa_run, "--no-serve") == 0
    assert command(vqa_run, "--seed", "8", "--no-serve") == 2
    assert "--seed 7, asked for 8" in capsys.readouterr().err
    assert command(vqa_run, "--raters", "4", "--sample", "30", "--no-serve") == 0
    told = capsys.readouterr().out
    assert "4 raters, 30 answers each, seed 7" in told
    assert "begun with 3 raters, 20 answers each" in told
    assert "15 of 60 answers that exact match called wrong" in told


def test_fewer_answers_than_the_default_are_all_taken(vqa_run: Path) -> None:
    assert command(vqa_run, "--names", "a, b", "--no-serve") == 0
    session = open_session(vqa_run)
    assert session.settings.sample == 90
    assert [rater.name for rater in session.raters()] == ["a", "b"]


def test_spreadsheets_go_out_and_come_back_as_verdicts(
    vqa_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheets = tmp_path / "sheets"
    assert command(vqa_run, "--raters", "2", "--sample", "4", "--xlsx", sheets) == 0
    for path in sorted(sheets.glob("*.xlsx")):
        book = load_workbook(path)
        for row in range(2, 6):
            book["rating"].cell(row, 6).value = "right" if row % 2 else "wrong"
        book.save(path)
    assert command(vqa_run, "--import", sheets) == 0
    told = capsys.readouterr().out
    assert "rater-02, 4 rated, 4 changed" in told
    assert "every rater has rated everything" in told
    for name in ("rater-01", "rater-02"):
        verdicts = list(jsonl.read(vqa_run / "verdicts" / f"{name}.jsonl", Verdict))
        assert sorted(verdict.label or 0 for verdict in verdicts) == [0, 0, 1, 1]


def test_an_export_wants_a_session(vqa_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(vqa_run, "--export") == 2
    assert "no rating session" in capsys.readouterr().err
    assert command(vqa_run, "--raters", "1", "--sample", "2", "--no-serve") == 0
    assert command(vqa_run, "--export") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--wrong-share", "1.5"], "--wrong-share"),
        (["--raters", "0"], "--raters"),
        (["--host", "0.0.0.0"], "images and texts of patients"),
        (["--task", "report"], "no answers of the task"),
        (["--export", "--xlsx", "x"], "give one"),
        (["--names", "a,,b"], "a rater's name is empty"),
    ],
)
def test_a_mistake_is_one_message(
    vqa_run: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(vqa_run, *words) == 2
    assert message in capsys.readouterr().err


def test_a_missing_extra_is_named(
    vqa_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec

    def without_uvicorn(name: str, *more: Any) -> Any:
        return None if name == "uvicorn" else find(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without_uvicorn)
    assert command(vqa_run) == 2
    assert "pip install 'pefomed[rate]'" in capsys.readouterr().err


def test_rating_runs_without_torch() -> None:
    code = (
        "import sys\n"
        "import pefomed.raters.server, pefomed.raters.workbook_import\n"
        "sys.exit(str({'torch', 'transformers', 'peft'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_a_rater_said_to_be_a_language_model_is_no_human(vqa_run: Path, tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    assert command(vqa_run, "--raters", "2", "--sample", "4", "--xlsx", sheets) == 0
    for path in sorted(sheets.glob("*.xlsx")):
        book = load_workbook(path)
        for row in range(2, 6):
            book["rating"].cell(row, 6).value = "right"
        book.save(path)
    assert command(vqa_run, "--import", sheets) == 0
    cards = sorted((vqa_run / "verdicts").glob("*.json"))
    assert [json.loads(path.read_text())["kind"] for path in cards] == ["human", "human"]
    # Said afterwards, it changes what the verdicts are called, and nobody's items.
    session = open_session(vqa_run)
    before = [session.items(rater) for rater in session.raters()]
    assert command(vqa_run, "--models", "rater-02", "--export") == 0
    session = open_session(vqa_run)
    assert [session.items(rater) for rater in session.raters()] == before
    card = json.loads((vqa_run / "verdicts" / "rater-02.card.json").read_text())
    assert card["kind"] == "model-rater"
    assert "language model" in card["about"]
    person = json.loads((vqa_run / "verdicts" / "rater-01.card.json").read_text())
    assert person["kind"] == "human"
    assert person["about"].startswith("The only human rater")
