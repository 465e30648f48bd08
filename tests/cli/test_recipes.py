"""The commands about recipes, and recipes by name in all commands that take one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pefomed.cli import main
from pefomed.recipe import load, names, shipped


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command in an empty folder and returns its code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PEFOMED_DATA", raising=False)

    def command(*words: str) -> tuple[int | str | None, str]:
        with pytest.raises(SystemExit) as stopped:
            main(words)
        shown = capsys.readouterr()
        return stopped.value.code, shown.out + shown.err

    return command


def test_the_list_names_every_shipped_recipe_and_what_it_needs(run: Any) -> None:
    rows = json.loads(run("recipe", "list", "--json")[1])
    assert [row["recipe"] for row in rows] == names()
    slake = next(row for row in rows if row["recipe"] == "mini/slake")
    assert slake["data"] == {"slake": "slake: pefomed data get slake (217 MB)"}
    assert slake["weights"] == ["dinov2-small", "smollm2-135m"]
    assert slake["description"] == load(shipped("mini/slake")).description
    code, shown = run("recipe", "list")
    assert code == 0
    assert all(name in shown for name in names())


def test_a_copy_keeps_the_comments_and_overwrites_nothing(run: Any, tmp_path: Path) -> None:
    assert run("recipe", "copy", "mini/slake", "my.toml") == (0, "recipe: my.toml\n")
    text = shipped("mini/slake").read_text(encoding="utf-8")
    assert (tmp_path / "my.toml").read_text(encoding="utf-8") == text
    (tmp_path / "my.toml").write_text("mine")
    code, shown = run("recipe", "copy", "mini/slake", "my.toml")
    assert code == 2
    assert "my.toml is already there" in shown
    assert "--force" in shown
    assert (tmp_path / "my.toml").read_text() == "mine"
    assert run("recipe", "copy", "mini/slake", "my.toml", "--force")[0] == 0
    assert (tmp_path / "my.toml").read_text(encoding="utf-8") == text
    assert "is a folder" in run("recipe", "copy", "mini/slake", ".")[1]
    assert "did you mean 'mini/slake'" in run("recipe", "copy", "mini/slaek", "other.toml")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("run",), ("train",), ("ablate",), ("describe",), ("recipe", "check"), ("data", "audit"),
        ("data", "show"),
    ],
)  # fmt: skip
def test_every_command_that_takes_a_recipe_takes_a_name(words: tuple[str, ...], run: Any) -> None:
    code, shown = run(*words, "mini/slaek")
    assert code == 2
    assert shown.startswith("error: no recipe at mini/slaek\n")
    assert "did you mean 'mini/slake'" in shown
    assert "pefomed recipe list" in shown


@pytest.mark.parametrize("words", [("recipe", "check"), ("data", "audit"), ("data", "show")])
def test_a_recipe_is_found_by_its_name(words: tuple[str, ...], run: Any) -> None:
    code, shown = run(*words, "mini/slake")
    # Without the data the commands that read it say that it is missing: the recipe was found.
    assert "no recipe" not in shown
    assert code == (0 if words[-1] == "check" else 2)


def test_data_alone_is_audited_and_shown(run: Any, tmp_path: Path) -> None:
    lines = ["image,question,answer,split,patient"]
    for number, split in enumerate(("train", "train", "val", "final")):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,Where?,left {number},{split},p{number % 2}")
    (tmp_path / "questions.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "my.toml").write_text(
        '[data.mine]\nloader = "table"\nroot = "questions.csv"\noptions = { columns = { split = "split" } }\n'
    )
    code, shown = run("data", "audit", "my.toml", "--data", ".", "--json")
    assert code == 0, shown
    found = json.loads(shown)["mine"]
    # There is no split `test`, which a run would predict; those that are there are all looked at,
    # `val` under its usual name, by which it can still be asked for.
    assert {split: each["samples"] for split, each in found["counts"].items()} == {
        "train": 2, "validate": 1, "final": 1
    }  # fmt: skip
    # p0 has the rows 0 and 2, p1 the rows 1 and 3; the column is in no `meta`.
    shared = {(pair["in"], pair["of"]): pair["groups"]["patient"]["count"] for pair in found["leakage"]}
    assert shared == {("train", "validate"): 1, ("train", "final"): 1, ("validate", "final"): 0}
    code, shown = run("data", "show", "my.toml", "--data", ".", "-o", "sheet.html", "--split", "final")
    assert code == 0, shown
    assert "left 3" in (tmp_path / "sheet.html").read_text(encoding="utf-8")
    code, shown = run("data", "audit", "my.toml", "--data", ".", "--split", "train", "--split", "val")
    assert "The split 'final' (1 row) is there too; it was not looked at." in shown
    code, shown = run("data", "audit", "my.toml", "--data", ".", "--id", "ward")
    assert "ward: not compared between the splits, because no sample has it." in shown
    assert "patient: not compared between the splits, because it is not among those asked for." in shown
    code, shown = run("data", "audit", "my.toml", "--data", ".", "--split", "train")
    assert "Only train was looked at: what it shares with another split is not known." in shown
