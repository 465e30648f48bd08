"""What the README and the docs tell people to type is accepted by the program as it is."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from pefomed.recipe import Dataset, Recipe, Stage, load_arms, parse, shipped
from pefomed.recipe.own_task import OwnTask

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Programs of others: named so that a misspelt `pefomed` does not pass as one.
FOREIGN = {"source", "python3", ".venv/bin/pip", ".venv/bin/python", ".venv/bin/pre-commit", "hf", "export"}


def blocks(*languages: str) -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if match[1] in languages:
                line = text[: match.start()].count("\n") + 1
                found.append(pytest.param(match[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


def commands() -> list[Any]:
    return [
        pytest.param(line.removeprefix("$ "), id=f"{block.id}: {line.removeprefix('$ ')}")
        for block in blocks("console", "bash", "sh", "shell")
        for line in block.values[0].splitlines()
        if line.startswith("$ ")
    ]


@pytest.mark.parametrize("line", commands())
def test_a_command_is_accepted(line: str, parse_command: Callable[[list[str]], None]) -> None:
    words = shlex.split(line, comments=True)
    while "=" in words[0]:  # VARIABLE=value in front of a command
        words = words[1:]
    program, arguments = words[0], words[1:]
    if program == "make":
        target = re.search(rf"^{re.escape(arguments[0])}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert target, f"the Makefile has no target {arguments[0]}"
    elif program in ("accelerate", "torchrun"):
        assert arguments[arguments.index("-m") + 1] == "pefomed"
        parse_command(arguments[arguments.index("-m") + 2 :])
    elif program in ("pefomed", ".venv/bin/pefomed"):
        if ">" in arguments:
            arguments = arguments[: arguments.index(">")]
        if not {"--help", "-h", "--version"} & set(arguments):
            parse_command(arguments)
    else:
        assert program in FOREIGN, f"neither ours nor known: {program}"
    for word in words:
        if word.startswith("recipes/"):
            assert (ROOT / word).is_file(), f"{word} does not exist"


@pytest.mark.parametrize("text", blocks("toml"))
def test_a_piece_of_a_recipe_is_valid(text: str, tmp_path: Path) -> None:
    raw = tomllib.loads(text)
    if "name" in raw:
        parse(raw)
    for dataset in raw.get("data", {}).values():
        Dataset.model_validate(dataset)
    if "arms" in raw:
        path = tmp_path / "armed.toml"
        path.write_text(shipped("mini/slake").read_text() + text)
        assert list(load_arms(path)) == list(raw["arms"])
    for task in raw.get("tasks", {}).values():
        OwnTask.model_validate(task)
    stages = raw.get("stages", {})
    if isinstance(stages, dict):  # [stages.NAME], a table of whichever stage
        for field, value in stages.items():
            TypeAdapter(Stage.model_fields[field].annotation).validate_python(value)
    for table in {"predict", "evaluate", "threshold"} & raw.keys():
        TypeAdapter(Recipe.model_fields[table].annotation).validate_python(raw[table])
    assert {"name", "data", "arms", "tasks", "stages", "predict", "evaluate", "threshold"} & raw.keys()


@pytest.mark.parametrize("text", blocks("python"))
def test_a_piece_of_python_names_what_exists(text: str) -> None:
    imported: dict[str, Any] = {}
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pefomed"):
            module = importlib.import_module(str(node.module))
            for name in node.names:
                imported[name.name] = getattr(module, name.name)
        elif isinstance(node, ast.Import):
            for name in node.names:
                imported[name.name] = importlib.import_module(name.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            assert hasattr(imported[node.value.id], node.attr), f"{node.value.id} has no {node.attr}"


def test_scoring_a_list_works_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    [text] = [
        block.values[0]
        for block in blocks("python")
        if "README" in str(block.id) and "score_pairs" in block.values[0]
    ]
    exec(compile(text, "README.md", "exec"), {})
    # "the left lung" is "left lung" only under the VQA normalisation, which drops articles
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("exact_match overall 0.5 ") for line in lines)
    assert any(line.startswith("exact_match_vqa overall 1.0 ") for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
    for path in re.findall(r"`((?:docs|recipes|src|requirements|tests)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_the_tree_of_the_repository_is_as_it_is() -> None:
    [tree] = re.findall(r"^```text\n(src/pefomed/\n.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    lines = [re.fullmatch(r"( *)(\S+)(?: {2,}(\S.*))?", line) for line in tree.splitlines()]
    rooms = [line[2] for line in lines if line and line[1]]
    folders = [line[2] for line in lines if line and not line[1]]
    assert all(line and (line[3] or line[2] == "src/pefomed/") for line in lines)
    package = ROOT / "src" / "pefomed"
    there = {f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").is_file()}
    there |= {path.name for path in package.glob("*.py") if not path.name.startswith("__")}
    assert sorted(rooms) == sorted(there)
    # Whatever a tool leaves in a folder of its own is no part of the repository.
    kept = [line.split("/")[0] for line in _tracked() if "/" in line and not line.startswith(".")]
    assert sorted(folders) == sorted(f"{name}/" if name != "src" else "src/pefomed/" for name in {*kept})


def _tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git repository: what belongs to it is not known")
    return done.stdout.splitlines()


def test_the_architecture_says_of_every_room_what_it_holds() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    [table] = re.findall(r"^\| room \| holds \| torch \|\n(.*?)\n\n", page, re.M | re.S)
    named = {name for line in table.splitlines() for name in re.findall(r"`([a-z_]+)/`", line.split("|")[1])}
    package = ROOT / "src" / "pefomed"
    assert named == {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
