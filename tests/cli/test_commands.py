"""Commands that need no model: what they print for people and for machines."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pefomed.cli import main
from pefomed.cli.output import print_scores, print_table
from pefomed.files import jsonl
from pefomed.recipe import load, shipped, table
from pefomed.schema import Score


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a command and returns what it printed."""

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(words)
        shown = capsys.readouterr()
        assert stopped.value.code == 0, shown.err
        return shown.out

    return run


def test_recipe_check_prints_the_resolved_recipe(out: Any, tmp_path: Path) -> None:
    path = str(shipped("mini/slake"))
    text = out("recipe", "check", path, "--set", "stages.0.lr=0.5")
    (tmp_path / "again.toml").write_text(text)
    again = load(tmp_path / "again.toml")
    assert again.stages[0].lr == 0.5
    assert again.model == load(Path(path)).model
    assert json.loads(out("recipe", "check", path, "--json"))["name"] == tomllib.loads(text)["name"]


def test_recipe_fields_prints_the_table_of_the_docs(out: Any) -> None:
    assert out("recipe", "fields") == table.markdown()


def test_data_list_names_every_loader(out: Any) -> None:
    from pefomed.datasets import LOADERS

    rows = json.loads(out("data", "list", "--json"))
    assert {row["loader"] for row in rows} == set(LOADERS)
    # SLAKE in English, as published
    slake = next(row for row in rows if row["loader"] == "slake")
    assert slake["splits"] == {"train": 4919, "validate": 1053, "test": 1061}
    shown = out("data", "list")
    assert all(name in shown for name in LOADERS)


def test_data_audit_reads_a_loader_or_a_recipe(out: Any, tmp_path: Path) -> None:
    size = ["--option", "train=3", "--option", "test=2", "--option", "size=64"]
    words = [
        "data",
        "audit",
        "phantom",
        "p",
        "--data",
        str(tmp_path),
        "--split",
        "train",
        "--split",
        "test",
        *size,
    ]
    result = json.loads(out(*words, "--json"))["phantom"]
    assert [split["images"] for split in result["counts"].values()] == [3, 2]
    shown = out(*words)
    assert shown.startswith("phantom: Phantom\n")
    assert "No image of test occurs in train." in shown
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'name = "r"\nmodel = { vision_encoder = "v", language_model = "l" }\n'
        '[data.drawn]\nloader = "phantom"\nroot = "p"\n'
        "options = { train = 3, test = 2, validate = 1, size = 64 }\n"
        '[predict]\ndata = { drawn = "test" }\n'
    )
    counts = json.loads(out("data", "audit", str(recipe), "--data", str(tmp_path), "--json"))["drawn"][
        "counts"
    ]
    assert set(counts) == {"test", "train", "validate"}


def test_an_unknown_data_set_of_a_recipe_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["data", "audit", str(shipped("mini/slake")), "--only", "slaek"])
    assert stopped.value.code == 2
    assert "did you mean 'slake'" in capsys.readouterr().err


def test_scores_are_shown_in_percent_with_their_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def score(system: str, **fields: Any) -> Score:
        known = {
            "metric": "exact_match",
            "dataset": "slake",
            "split": "test",
            "n": 1061,
            "implementation": "x",
        }
        return Score(system=system, **(known | fields))

    jsonl.append(
        tmp_path / "scores.jsonl",
        [
            score("model", value=0.8211, low=0.79, high=0.8501),
            score("published:PeFoMed", value=0.821),
            score("blind", value=0.5, n=3, interval="none: too few images: 2"),
            score("model", value=0.5, group="answer_type=OPEN"),
            # No share: not times 100.
            score("model", value=1.3051, metric="cider", low=1.09, high=1.5432, split="reports"),
            score("model", value=0.9, metric="token_f1"),  # in the report, not on the terminal
        ],
    )
    print_scores(tmp_path)
    lines = [
        line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("slake")
    ]
    assert lines == [
        ["slake", "test", "exact_match", "model", *"82.1 % 79.0 % to 85.0 % 1,061".split()],
        ["slake", "test", "exact_match", "published:PeFoMed", "82.1", "%", "1,061"],
        ["slake", "test", "exact_match", "blind", "50.0", "%", "too", "few", "images", "3"],
        ["slake", "reports", "cider", "model", "1.305", "1.090", "to", "1.543", "1,061"],
    ]


def test_tables_show_text_as_it_is_and_numbers_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("what", "n"), [("[vqa] [bold]x[/]", 56_627_200), ("none", None), ("yes", True)])
    shown = capsys.readouterr().out
    assert "[vqa] [bold]x[/]" in shown
    assert "56,627,200" in shown
    assert "True" not in shown
