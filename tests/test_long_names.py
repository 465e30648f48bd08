"""Names of users as long as they come and in any script; folders that a shell would take apart."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pefomed import recipe
from pefomed.errors import DataError, PefomedError, RecipeError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.evaluation.predictions import read_predictions, read_samples
from pefomed.files import jsonl
from pefomed.outside.run import outside_run
from pefomed.raters import SessionRequest, open_session
from pefomed.raters.export import export
from pefomed.raters.workbook import write_workbooks
from pefomed.report import write_report, write_reports
from pefomed.runs import RunFolder, Split
from pefomed.schema import Sample
from tests.report import small_run

NAMES = {
    "latin": "n" * 300,
    "greek": "Ω" * 300,
    "arabic": "ق" * 300,
    "emoji": "🙂" * 120,
    "path": "a/b" * 100,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_long_name_of_a_group_a_judge_and_a_model(tmp_path: Path, name: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        f"id,reference,answer,organ,{name}\n1,yes,yes,{name},a\n2,no,yes,b,{name}\n3,no,no,b,a\n4,no,no,{name},b\n",
        encoding="utf-8",
    )
    run = outside_run(table, tmp_path / "run", "d")
    card = {**small_run.CARD, "title": name, "settings": {"model": name}}
    small_run.write_rater(run, "judge", card, [{"1": 1, "2": 0, "3": 1, "4": 1}])
    groups = {score.group for score in evaluate_run(run) if score.system == "model"}
    assert {f"organ={name}", f"{name}=a"} <= groups
    page = write_report(run)
    assert name in page.read_text(encoding="utf-8")
    assert all(len(path.name.encode()) <= 255 for path in run.rglob("*"))
    other = small_run_of(tmp_path / "made", name)
    assert name in write_report(other).read_text(encoding="utf-8")


def small_run_of(folder: Path, name: str) -> Path:
    """Write a run of a model, a description and a group of that name."""
    folder.mkdir()
    made = {
        **small_run.RECIPE,
        "description": name,
        "model": {"vision_encoder": name, "language_model": name},
    }
    (folder / "recipe.toml").write_text(recipe.dumps(recipe.parse(made)), encoding="utf-8")
    small_run.write_answers(folder, [(*row[:1], "gone.png", *row[2:]) for row in small_run.ROWS])
    scores = [
        one.model_copy(update={"group": f"organ={name}"}) if one.group == "organ=CHEST" else one
        for one in small_run.scores()
    ]
    jsonl.append(folder / "scores.jsonl", scores)
    return folder


def test_names_that_become_files_are_bounded_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,reference,answer\n1,yes,yes\n")
    for dataset, split in (("n" * 111, "test"), ("d", "n" * 111)):
        with pytest.raises(DataError, match="is too long: it becomes part of a file's name"):
            outside_run(tmp_path / "t.csv", tmp_path / "out", dataset, split)
    assert not (tmp_path / "out").exists()
    outside_run(tmp_path / "t.csv", tmp_path / "out", "n" * 110, "s" * 110)
    assert len(evaluate_run(tmp_path / "out")) > 0
    for change in ({"name": "n" * 121}, {"stages": [{**small_run.RECIPE["stages"][0], "name": "n" * 121}]}):
        with pytest.raises(RecipeError, match="name is not valid"):
            recipe.parse({**small_run.RECIPE, **change})


def test_names_of_raters_in_any_script(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,reference,answer\n1,yes,yes\n2,no,yes\n")
    run = outside_run(tmp_path / "t.csv", tmp_path / "out", "d")
    with pytest.raises(RunError, match="longer than 60 characters"):
        open_session(run, SessionRequest(names=("n" * 61,), sample=2))
    names = ("ΩΩ" * 30, "ق" * 60, "李雷")  # of letters that no file's name keeps
    with pytest.raises(RunError, match="two raters would have the same file"):
        open_session(run, SessionRequest(names=names, sample=2))
    session = open_session(run, SessionRequest(names=("x" + names[0][1:], "y" + names[1][1:]), sample=2))
    assert len(write_workbooks(session, tmp_path / "sheets")) == 2
    assert len(export(session)) == 2
    session.database.close()


ODD = 'it\'s my $HOME; `a` "b" & c'
"""What a shell would take apart, were it not quoted."""


def commands(error: PefomedError) -> list[list[str]]:
    """Return the words of each command that an error names, as a shell reads them."""
    text = str(error)
    # A quoted word may hold the backtick that ends a command.
    found = re.findall(r"`(pefomed (?:'[^']*'|\"[^\"]*\"|[^`'\"])*)`", text)
    return [shlex.split(each) for each in found]


def test_a_command_that_an_error_names_can_be_typed(tmp_path: Path) -> None:
    run = tmp_path / ODD
    other = tmp_path / "other"
    for folder in (run, other):
        small_run_of(folder, "d")
    files = RunFolder(run)
    samples = list(jsonl.read(files.samples_file(("rad", "test")), Sample))
    moved = files.predictions_file(("rad", "test")).rename(tmp_path / "kept.jsonl")
    causes = [
        lambda: read_samples(run, Split("none", "")),
        lambda: read_predictions(run, Split("rad", "test"), samples),
        lambda: open_session(run, make=False),
        lambda: compare_runs(run, other),
        lambda: write_reports([run, other]),
    ]
    for cause in causes:
        with pytest.raises(PefomedError) as raised:
            cause()
        named = [words for words in commands(raised.value) if len(words) > 2]
        assert named, raised.value
        assert all(str(run) in words for words in named), named
    moved.rename(files.predictions_file(("rad", "test")))
