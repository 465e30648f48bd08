"""`pefomed describe --plan`: its tables, its JSON, and what is wrong in a command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pefomed.cli import main

ROOT = Path(__file__).parents[2]
STAGE_1 = str(ROOT / "recipes" / "paper" / "stage1.toml")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["describe", *words])
    shown = capsys.readouterr()
    return stopped.value.code, shown.out, shown.err


def test_the_tables_of_the_docs_are_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, STAGE_1, "--plan")
    assert code == 0
    page = (ROOT / "docs" / "scale.md").read_text()
    block = re.search(
        r"^\$ pefomed describe recipes/paper/stage1.toml --plan$\n(.*?)^```$", page, re.M | re.S
    )
    assert block
    lines = [line.split() for line in printed.splitlines() if line.strip()]
    assert [line.split() for line in block[1].splitlines() if line.strip()] == lines


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--plan", "--json", "--gpus", "2,8", "--samples", "roco=1000", "--images", "roco=500")
    code, printed, _ = run(capsys, STAGE_1, *words, "--tflops", "100", "--text-tokens", "64")
    assert code == 0
    [stage] = json.loads(printed)["stages"]
    assert [row["gpus"] for row in stage["gpus"]] == [2, 8]
    roco = next(row for row in stage["data"] if row["name"] == "roco")
    assert (roco["samples"], roco["images"], roco["source"]) == (1000, 500, "as given")
    assert stage["tokens"] == 500_000 * (256 + 64)


def test_without_a_count_the_error_names_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, error = run(capsys, STAGE_1, "--plan", "--set", "data.roco.loader=ms_cxr")
    assert (code, printed) == (2, "")
    assert "--samples roco=COUNT" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gpus", "4"], "--gpus belongs to"),
        (["--disk-gb-s", "2"], "--disk-gb-s belongs to"),
        (["--plan", "--gpus", "1,many"], "is not a list of numbers"),
        (["--plan", "--gpus", "0"], "is not a list of numbers"),
        (["--plan", "--samples", "roco"], "is not NAME=COUNT"),
        (["--plan", "--images", "roco=0"], "is not NAME=COUNT"),
        (["--plan", "--tflops", "0"], "is not above 0"),
        (["--plan", "--samples", "rocco=5"], "did you mean 'roco'?"),
        (["--plan", "--text-tokens", "1025"], "do not fit the recipe"),
    ],
)
def test_mistakes(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, error = run(capsys, STAGE_1, *words)
    assert (code, printed) == (2, "")
    assert message in " ".join(error.replace("│", " ").split())
    assert "Traceback" not in error
