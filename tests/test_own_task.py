"""A task that a recipe defines goes all the way, in processes that know it from the run's folder alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pefomed import recipe as recipes
from pefomed import tasks
from pefomed.errors import RecipeError
from pefomed.files import jsonl
from pefomed.recipe import parse
from pefomed.schema import Sample, Score
from tests.tiny import model_recipe, table_recipe

OWN = """
[tasks.severity]
answer = "words"
asked = "question"
instructions = ["How severe is {question}?", "Rate {question}."]
"""


@pytest.fixture(autouse=True)
def known_tasks_alone() -> Iterator[None]:
    before = dict(tasks.TASKS)
    yield
    tasks.TASKS.clear()
    tasks.TASKS.update(before)


def test_every_command_knows_the_task_of_a_run(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, each=2, epochs=1)
    raw = recipe.model_dump(mode="json", exclude_none=True)
    raw["data"]["table"]["options"]["task"] = "severity"
    raw.pop("tasks")
    path = tmp_path / "own.toml"
    path.write_text(_toml(raw) + OWN)

    def pefomed(*words: str) -> str:
        environment = {**os.environ, "PEFOMED_CACHE": str(tmp_path / "cache"), "COLUMNS": "200"}
        line = [sys.executable, "-m", "pefomed", *words]
        line = [sys.executable, "-m", "pefomed", *words]
        ran = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    pefomed("run", "own.toml", "--data", ".")
    run = tmp_path / "runs" / "tiny"
    assert {score.metric for score in jsonl.read(run / "scores.jsonl", Score)} >= {"exact_match", "token_f1"}
    assert "severity" in (run / "report" / "index.html").read_text()
    written = recipes.load(run / "recipe.toml").tasks["severity"]
    assert written.instructions == ("How severe is {question}?", "Rate {question}.")

    pefomed("evaluate", "runs/tiny", "--data", ".")
    pefomed("judge", "runs/tiny", "--offline")
    pefomed("report", "runs/tiny")
    pefomed("predict", "runs/tiny", "--data", ".")
    pefomed("rate", "runs/tiny", "--raters", "2", "--xlsx", "sheets")
    image = str(next(tmp_path.rglob("*.png")))
    said = json.loads(pefomed("ask", "runs/tiny", image, "effusion", "--task", "severity", "--json"))
    assert said["task"] == "severity"


def test_its_prompt_is_drawn_from_its_wordings() -> None:
    from pefomed.prompts import body
    from pefomed.recipe import Prompt
    from pefomed.recipe.own_task import OwnTask, add_all

    add_all({"severity": OwnTask(answer="words", instructions=("How severe is {question}?",))})
    sample = Sample(id="1", images=("a.png",), task="severity", question="the effusion", reference="mild")
    assert body(sample, Prompt()) == "<Img><ImageHere></Img> [severity] How severe is the effusion?"
    assert "severity" in tasks.WORDS
    assert "severity" in tasks.BINARY
    assert "severity" not in tasks.WITH_BOXES


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"answer": "word", "instructions": ["{question}"]}, "'word'"),
        ({"answer": "words", "instructions": []}, "instructions"),
        ({"answer": "words", "instructions": ["What is it?"]}, "no place for what is asked"),
        ({"answer": "text", "asked": "", "instructions": ["About {question}."]}, "nothing is asked"),
        ({"answer": "boxes", "asked": "question", "instructions": ["{question}"]}, '"phrase"'),
        ({"answer": "words", "instructions": ["{question}"], "skale": "binary"}, "unknown key"),
    ],
)
def test_a_wrong_task_is_one_error(table: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        parse({"name": "x", "model": {"vision_encoder": "v", "language_model": "l"}, "tasks": {"own": table}})
    assert "own" not in tasks.TASKS


@pytest.mark.parametrize(("name", "said"), [("vqa", "pefomed's own"), ("A b", "cannot be the name")])
def test_a_wrong_name_is_one_error(name: str, said: str) -> None:
    table = {"answer": "words", "instructions": ["{question}"]}
    with pytest.raises(RecipeError, match=said):
        parse({"name": "x", "model": {"vision_encoder": "v", "language_model": "l"}, "tasks": {name: table}})


def test_two_meanings_of_a_name_in_one_process_are_refused() -> None:
    def of(text: str) -> None:
        table = {"answer": "words", "instructions": [text]}
        parse({"name": "x", "model": {"vision_encoder": "v", "language_model": "l"}, "tasks": {"own": table}})

    of("{question}?")
    of("{question}?")
    with pytest.raises(RecipeError, match="defined otherwise"):
        of("{question}!")


def _toml(raw: dict[str, object]) -> str:
    import tomli_w

    return tomli_w.dumps(raw)
