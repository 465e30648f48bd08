"""Every command, recipe and piece of Python of README and docs is run, each page from top to bottom.

The pages are typed into a folder with tiny weights and drawn data (`documented.workspace`); what cannot
be run in a test stands in `documented.not_run` with the reason, and that list is exact.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pefomed.cli import main
from pefomed.datasets import stream_samples
from pefomed.recipe import Dataset, load, parse
from tests.documented import not_run, workspace
from tests.documented.pages import PAGES, ROOT, SHELLS, Block, blocks
from tests.endpoint.faulty_server import serving
from tests.judges.made_run import DATA as JUDGED
from tests.judges.made_run import honest

EVERY = [block for page in PAGES for block in blocks(page)]
TYPED = [(block, command) for block in EVERY if block.language in SHELLS for command in block.commands()]
FEW = [
    *("--set", "predict.max_new_tokens=4"),
    *(word for name in ("captions", "vqa", "report") for split in ("train=6", "test=2", "validate=1")
      for word in ("--set", f"data.{name}.options.{split}")),
    *("--set", "stages.0.steps=1", "--set", "stages.1.steps=2"),
]  # fmt: skip
"""The demo, short."""


@pytest.fixture(scope="session")
def typed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that every page begins with."""
    root = workspace.make(tmp_path_factory.mktemp("documented"))
    with pytest.MonkeyPatch.context() as changed:
        at_home(changed, root)
        run(["demo", *FEW])
        run(["run", "recipes/mini/slake.toml", "--data", "data"])
        run(["run", "recipes/mini/slake_grounding.toml", "--data", "data"])
        short = ["--set", "stages.0.epochs=1", "--set", "stages.1.steps=3"]
        run(["run", "recipes/mini/slake_joint.toml", "--data", "data", *short])
        run(["ablate", "recipes/mini/slake.toml", "--data", "data"])
        shutil.copytree("runs/mini-slake", "runs/other")
    return root


@pytest.fixture
def here(typed_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of it, of the test's own, and the working directory."""
    root = tmp_path / "typed"
    shutil.copytree(typed_in, root, symlinks=True)
    at_home(monkeypatch, root)
    return root


def at_home(changed: pytest.MonkeyPatch, root: Path) -> None:
    changed.chdir(root)
    changed.syspath_prepend(root)
    changed.setenv("HOME", str(root / "home"))
    changed.setenv("PEFOMED_CACHE", str(root / "cache"))
    changed.setenv("PEFOMED_METEOR_JAR", "off")
    changed.delenv("PEFOMED_DATA", raising=False)
    changed.setattr("webbrowser.open", lambda _: True)
    changed.setattr("pefomed.raters.server.ListeningSession.serve", lambda *_, **__: None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_works_from_top_to_bottom(page: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = any(block.language == "toml" and "name" in tomllib.loads(block.text) for block in blocks(page))
    names: dict[str, Any] = {"__name__": "typed"}
    for block in blocks(page):
        if block.language == "csv":
            workspace.own_table(here, block.text)
        elif block.language == "toml":
            follow_recipe(block, here, whole)
        elif block.language == "python" and not left_out(block):
            exec(compile(block.text, block.place, "exec"), names)
        elif block.language in SHELLS:
            for command in block.commands():
                if command not in not_run.COMMANDS and program(command) not in not_run.PROGRAMS:
                    follow(command, block)
        capsys.readouterr()


def follow(command: str, block: Block) -> None:
    """Run one command as a shell would."""
    words = [os.path.expanduser(word) for word in shlex.split(command)]
    while "=" in words[0]:
        words = words[1:]
    assert Path(words[0]).name == "pefomed", f"{block.place}: {command}"
    stdin, stdout = "y\n" * 9, None  # where a command asks before it goes on
    if "<" in words:
        stdin = Path(words[words.index("<") + 1]).read_text(encoding="utf-8")
        words = words[: words.index("<")]
    if ">" in words:
        stdout = words[words.index(">") + 1]
        words = words[: words.index(">")]
    with local_server(words) as served, pytest.MonkeyPatch.context() as changed:
        changed.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
        if stdout:
            changed.setattr("sys.stdout", io.StringIO())
        try:
            run(served[1:])
        except AssertionError as error:
            pytest.fail(f"{block.place}: {command}\n{error}", pytrace=False)


def run(words: list[str]) -> None:
    """Run `pefomed` with `words`; all that is not success is an error that shows what was said."""
    said, sys.stderr = sys.stderr, io.StringIO()
    code: Any = None
    try:
        main(words)
    except SystemExit as stopped:
        code = stopped.code
    finally:
        told, sys.stderr = sys.stderr.getvalue()[-2000:], said  # type: ignore[attr-defined]
    assert not code, told


@contextmanager
def local_server(words: list[str]) -> Iterator[list[str]]:
    """Put a server of the test's in the place of one of the user's own machine."""
    local = [word for word in words if word.startswith("http://127.0.0.1:8000")]
    if not local:
        yield words
        return
    with serving(reply, model=words[words.index("--model") + 1]) as server:
        yield [server.url if word == local[0] else word for word in words]


def reply(body: dict[str, Any]) -> str:
    """Judge, where judging is asked for, else answer."""
    content = body["messages"][-1]["content"]
    return honest(body) if isinstance(content, str) and JUDGED.search(content) else "liver"


def follow_recipe(block: Block, here: Path, whole: bool) -> None:
    """Save a recipe as my.toml, as the pages say, and read the data it names."""
    raw = tomllib.loads(block.text)
    if "name" in raw:
        parse(raw)
    if "name" in raw or not whole:
        (here / "my.toml").write_text(block.text, encoding="utf-8")
    for name, table in raw.get("data", {}).items():
        dataset = Dataset.model_validate(table)
        if f"{block.page} {name}" not in not_run.DATA:
            ward = here / "data" / "ward"
            there = ward.exists()
            if dataset.root.startswith("ward/"):
                workspace.ward(ward)
            elif block.page != "docs/own-data.md":
                own_rows(here)
            assert next(iter(stream_samples(dataset, "train", here / "data")))
            if not there:
                shutil.rmtree(ward, ignore_errors=True)  # what a command makes later


def own_rows(here: Path) -> None:
    """Write the table of docs/own-data.md, which other pages speak of too."""
    for block in blocks(ROOT / "docs" / "own-data.md"):
        if block.language == "csv":
            workspace.own_table(here, block.text)


def left_out(block: Block) -> str | None:
    named = (key for key in not_run.SNIPPETS if key.split()[0] == block.page and key.split()[1] in block.text)
    return next(named, None)


def program(command: str) -> str:
    return next(word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word))


def test_what_is_not_run_is_listed_exactly() -> None:
    commands = {command for _, command in TYPED}
    assert set(not_run.COMMANDS) <= commands, "no longer in README or docs: take it off the list"
    assert set(not_run.PROGRAMS) <= {program(command) for command in commands}
    pieces = {left_out(block) for block in EVERY if block.language == "python"} - {None}
    assert pieces == set(not_run.SNIPPETS)
    tables = {
        f"{block.page} {name}"
        for block in EVERY
        if block.language == "toml"
        for name in tomllib.loads(block.text).get("data", {})
    }
    assert set(not_run.DATA) <= tables
    ours = {command for command in commands if program(command) not in not_run.PROGRAMS}
    assert {Path(program(command)).name for command in ours} == {"pefomed"}


RECIPES = sorted((ROOT / "recipes").rglob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_recipe_can_be_planned(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tflops", "50"]
    for number, name in enumerate(load(path).data, 100):
        options += ["--samples", f"{name}={2 * number}", "--images", f"{name}={number}"]
    run(["describe", str(path), "--plan", "--json", *options])
    planned = json.loads(capsys.readouterr().out)
    assert planned


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_recipe_reads_the_data_at_hand(path: Path) -> None:
    folder = Path(os.environ.get("PEFOMED_DATA", "none"))
    recipe = load(path)
    wanted = {(name, split) for name, split in recipe.predict.data.items()}
    for stage in recipe.stages:
        splits = [stage.split, *stage.also_train, *([stage.validate_split] if stage.validate_split else [])]
        wanted |= {(name, split) for name in stage.data for split in splits}
    there = sorted((name, split) for name, split in wanted if (folder / recipe.data[name].root).is_dir())
    if not there:
        pytest.skip("PEFOMED_DATA has none of its data sets")
    for name, split in there:
        assert next(iter(stream_samples(recipe.data[name], split, folder))).images
