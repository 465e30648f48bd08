"""A user's mistake gives one message and exit code 2, an interruption 130, a fault of ours its traceback."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import typer

import pefomed
from pefomed import workflow
from pefomed.cli import main
from pefomed.cli.options import checked_run, overrides_of
from pefomed.errors import DataError, Interrupted, RunError
from pefomed.files import jsonl
from pefomed.schema import Score


def exit_code(*words: str) -> int | str | None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    return stopped.value.code


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes `pefomed run` raise an error."""

    def fail_with(error: BaseException) -> None:
        def run(*_: Any, **__: Any) -> NoReturn:
            raise error

        monkeypatch.setattr(workflow, "pipeline", SimpleNamespace(run=run), raising=False)

    return fail_with


def test_a_mistake_is_one_message_on_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("recipe", "check", "none.toml") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: no recipe at none.toml\n")
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(
    "words", [["recipe", "check", "none.toml", "--debug"], ["--debug", "recipe", "check", "none.toml"]]
)
def test_debug_shows_where_it_arose(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*words) == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "error: no recipe at none.toml" in shown


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("x.csv is not UTF-8", remedy="save it as UTF-8"), 2, "x.csv is not UTF-8"),
        (Interrupted("stopped at step 3", remedy="run it again"), 130, "stopped at step 3"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), 2, "cannot write runs/a"),
        (PermissionError(errno.EACCES, "Permission denied", "a/b.csv"), 2, "cannot use a/b.csv"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a/b.csv"), 2, "cannot use a/b.csv"),
        (ModuleNotFoundError("No module named 'torch'", name="torch._C"), 2, "python -m pip install torch"),
        (UnicodeEncodeError("ascii", "h/Ö", 2, 3, "out of range"), 2, "set LC_ALL=C.UTF-8"),
        (MemoryError(), 2, "the memory does not suffice"),
        (
            type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory.\nTried"),
            2,
            "CUDA out of memory.",
        ),
        (KeyboardInterrupt(), 130, "interrupted; the same command does what is left\n"),
    ],
)
def test_each_kind_has_its_exit_code(
    failing: Any, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    failing(error)
    assert exit_code("run", "some.toml") == code
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown


def test_a_folder_that_was_removed_under_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert exit_code("run", str(pefomed.recipe.shipped("mini/demo.toml").absolute())) == 2
    assert "error: the folder that this was started in is gone" in capsys.readouterr().err


def test_a_run_of_which_nothing_is_scored_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = Score(
        metric="empty_rate", system="model", dataset="d", split="test", value=0, n=1, implementation=""
    )
    (tmp_path / "scores.jsonl").write_text(jsonl.lines([rate]))
    monkeypatch.setattr("pefomed.workflow.pipeline.run", lambda *args, **options: tmp_path)
    assert exit_code("run", "mini/slake") == 1
    shown = capsys.readouterr()
    assert "nothing of" in shown.err
    assert "report:" in shown.out


@pytest.mark.parametrize("to", ["a.txt/my.toml", "/proc/my.toml", "x" * 300 + ".toml"])
def test_a_recipe_that_cannot_be_written_there_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], to: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a")
    assert exit_code("recipe", "copy", "mini/slake", to) == 2
    assert "Traceback" not in (shown := capsys.readouterr().err)
    assert shown.startswith(("error: cannot ", "error: a file's name is too long"))


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), RuntimeError("a fault"), KeyError("a")]
)
def test_a_fault_of_the_program_is_not_hidden(failing: Any, error: Exception) -> None:
    failing(error)
    with pytest.raises(type(error)):
        main(["run", "some.toml"])


@pytest.mark.parametrize(
    "words",
    [
        ["runn"],
        ["run"],
        ["run", "a.toml", "--set", "lr"],
        ["cache", "prune"],
        ["cache", "prune", "--to", "-1"],
    ],
)
def test_a_wrong_command_line_exits_with_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*words) == 2
    assert "Error" in capsys.readouterr().err


def test_values_of_set_are_toml_or_text() -> None:
    pairs = ["a=1", "b=1e-4", "c=true", 'd=["x", "y"]', "e=plain text", "f=", "g.0.h=x=y", "i={ slake = 1 }"]
    assert overrides_of(pairs) == {
        "a": 1,
        "b": 1e-4,
        "c": True,
        "d": ["x", "y"],
        "e": "plain text",
        "f": "",
        "g.0.h": "x=y",
        "i": {"slake": 1},
    }
    with pytest.raises(typer.BadParameter, match="KEY=VALUE"):
        overrides_of(["lr"])
    with pytest.raises(typer.BadParameter, match="'a' is given twice"):
        overrides_of(["a=1", "b=2", "a=3"])


def test_a_run_folder_is_checked_before_anything_heavy(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    with pytest.raises(RunError, match=r"without recipe\.toml"):
        checked_run(run)
    (run / "recipe.toml").touch()
    assert checked_run(run) == run
    with pytest.raises(RunError, match=f"a folder of runs: {run}"):
        checked_run(tmp_path / "runs")
    with pytest.raises(RunError, match="a recipe"):
        checked_run(run / "recipe.toml")
    with pytest.raises(RunError, match="nothing there"):
        checked_run(tmp_path / "none")


def test_asking_with_a_file_for_a_question_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "a.png"
    image.touch()
    assert exit_code("ask", str(tmp_path), str(image), str(image)) == 2
    assert "the last word is the question" in capsys.readouterr().err.replace("\n│ ", " ").replace("  ", " ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evaluate", "a.csv", "--images", "one", "--images", "two"), "--images is given 2 times.*one, two"),
        (("evaluate", "a.csv", "--task=vqa", "--task", "report"), "--task is given 2 times"),
        (("evaluate", "a.csv", "--header", "id,answer", "--header", "id"), "--header is given 2 times"),
        (("run", "r.toml", "--out", "a", "--out=b"), "--out is given 2 times.*a, b"),
        (("data", "map", "a.csv", "--data", "x", "--data", "y"), "--data is given 2 times"),
        (("predict", "a", "--blind", "--no-blind"), "--blind and --no-blind contradict each other"),
    ],
)
def test_an_option_with_one_value_is_given_once(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*words) == 2
    assert re.search(said, capsys.readouterr().err.replace("\n", " "))


def test_options_with_several_values_and_flags_may_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("evaluate", "nowhere.csv", "--json", "--json", "--columns", "id=a", "--columns", "answer=b")
    assert exit_code(*words) == 2
    assert "times" not in capsys.readouterr().err
