"""Where a run's files are, how they name a split, and that nobody else says either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pefomed
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.runs import RunFolder, Split
from pefomed.schema import Sample
from pefomed.tasks import TASKS

RECIPE = """
[tasks.tasks_of_a_folder]
answer = "words"
instructions = ["How severe is {question}?"]

[model]
vision_encoder = "v"
language_model = "l"

[data.a-b]
loader = "slake"
root = "slake"

[data.a]
loader = "slake"
root = "slake"

[predict.data]
"a-b" = "test"
a = "val-2"
"""


@pytest.mark.parametrize(
    ("stem", "known", "split"),
    [
        ("slake-test", (), ("slake", "test")),
        ("a-b-test", (), ("a-b", "test")),  # of what nobody names the last hyphen parts
        ("a-val-2", (), ("a-val", "2")),
        ("a-val-2", [("a", "val-2")], ("a", "val-2")),
        ("answers", (), ("answers", "")),
    ],
)
def test_a_files_name_is_of_the_split_that_the_recipe_knows(
    stem: str, known: list[tuple[str, str]], split: tuple[str, str]
) -> None:
    assert Split.of(stem, known) == split
    assert Split.of(stem, known).stem == stem


def test_a_folder_names_the_files_of_a_split_and_finds_them_again(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    files = RunFolder(tmp_path)
    for split in [("a-b", "test"), ("a", "val-2"), ("was-there", "before")]:
        jsonl.append(files.samples_file(split), [])
    assert {path.name for path in files.samples_files()} == {
        "a-b-test.jsonl", "a-val-2.jsonl", "was-there-before.jsonl",
    }  # fmt: skip
    assert files.sampled_splits() == [("a-b", "test"), ("a", "val-2"), ("was-there", "before")]
    assert files.predictions_file(("a", "val-2"), blind=True).name == "a-val-2.blind.jsonl"
    for blind in (False, True):
        jsonl.append(files.predictions_file(("a", "val-2"), blind=blind), [])
    names = {
        kind: [path.name for path in files.predictions_files(blind=kind)] for kind in (False, True, None)
    }
    assert names == {
        False: ["a-val-2.jsonl"],
        True: ["a-val-2.blind.jsonl"],
        None: ["a-val-2.blind.jsonl", "a-val-2.jsonl"],
    }


@pytest.fixture(autouse=True)
def known_tasks_alone() -> Iterator[None]:
    """Leave the table of tasks as it was."""
    before = dict(TASKS)
    yield
    TASKS.clear()
    TASKS.update(before)


def test_samples_of_a_recipes_own_task_are_read_by_whoever_opens_the_run(tmp_path: Path) -> None:
    line = '{"id": "1", "images": ["i.png"], "task": "tasks_of_a_folder", "question": "q"}\n'
    file = tmp_path / "samples" / "a-b-test.jsonl"
    file.parent.mkdir()
    file.write_text(line)
    with pytest.raises(DataError, match="task: "):
        list(jsonl.read(file, Sample))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    [sample] = RunFolder(tmp_path).read_samples(("a-b", "test"))
    assert sample.task == "tasks_of_a_folder"
    assert list(RunFolder(tmp_path).read_samples()) == [sample]
    assert list(RunFolder(tmp_path).read_samples(("a", "val-2"))) == []


FILES = {
    "recipe.toml", "outside.json", "training.jsonl", "endpoint.json", "describe.json", "log.jsonl",
    "environment.json", "audit.json", "scores.jsonl", "scores.card.json", "item_scores", "metrics.json",
    "training_images.json", "agreement.json", "adapter", "checkpoints", "samples", "predictions",
    "verdicts", "replies", "rating.sqlite", "report", "index.html",
}  # fmt: skip


# Rooms that know of no run: there such names are those of data sets and of weights.
BELOW = {"annotations", "audit", "datasets", "deidentify", "files", "images", "mapping", "samples", "weights"}

JOINED = re.compile(r" / f?[\"'](" + "|".join(map(re.escape, sorted(FILES))) + r")[\"']")
SPELLED = re.compile(r"\{[\w.]+\}-\{(\w+\.)*(split|part)\}")


def test_nobody_else_joins_a_path_of_a_run_or_spells_the_name_of_a_split() -> None:
    root = Path(pefomed.__file__).parent
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in root.rglob("*.py")
        if path != root / "runs" / "folder.py" and path.relative_to(root).parts[0] not in BELOW
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if JOINED.search(line) or SPELLED.search(line)
    ]
    assert found == []
    assert JOINED.search('run / "log.jsonl"')
    assert SPELLED.search('f"{one.dataset}-{one.split}.jsonl"')
