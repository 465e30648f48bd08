"""`pefomed judge` and `pefomed predict --endpoint`: what is shown, asked and refused beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.endpoint import faulty_server as server
from tests.judges.made_run import honest, made_run

from pefomed.cli import main
from pefomed.files import jsonl
from pefomed.runs import RunFolder
from pefomed.schema import Prediction, Sample, Verdict

pytest.importorskip("openai", reason="the openai package is not installed")

RECIPE = """\
name = "small"
model = { vision_encoder = "v", language_model = "l" }
[data.drawn]
loader = "phantom"
root = "p"
options = { train = 2, test = 2, validate = 1, size = 64, tasks = ["vqa"] }
[predict]
data = { drawn = "test" }
"""


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command and returns exit code, output and error stream."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key")

    def run(*words: object) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        shown = capsys.readouterr()
        return stopped.value.code, shown.out, shown.err

    return run


def judging(run: Path, url: str, *more: str, runs: int = 2) -> tuple[str, ...]:
    return ("judge", str(run), "--model", "judge-1", "--base-url", url, "--runs", str(runs), *more)


def test_the_plan_is_shown_and_asked_before_the_first_call(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(tmp_path / "run")
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text) or False)
    with server.serving(honest) as served:
        words = judging(run, served.url, "--price-in", "1000", "--price-out", "1000")
        code, _, err = command(*words)
        assert not served.asked
    assert (code, len(asked)) == (130, 1)
    # 4 different pairs and 10 of the card, twice; 10 tokens out a call
    assert "28 calls" in err
    assert "280 out" in err
    assert "at the given price" in err
    assert "stays on this machine: 5 questions" in err
    assert not (run / "verdicts").exists()


def test_a_judging_prints_the_result_and_resumes_without_asking(command: Any, tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    with server.serving(honest) as served:
        code, out, _ = command(*judging(run, served.url, "--yes", "--json"))
        assert code == 0
        assert json.loads(out)["counts"]["scored"] == 10
        calls = len(served.asked)
        code, out, err = command(*judging(run, served.url))
        assert (code, len(served.asked)) == (0, calls)
        assert "Go on?" not in err
        assert "10 verdicts, 0 unscored (0 refused); calibration pairs as expected: 12 of 20" in out
    assert len(list(jsonl.read(RunFolder(run).verdicts_file("judge-1"), Verdict))) == 10


def test_a_judge_that_cannot_be_read_ends_with_exit_code_1(command: Any, tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    with server.serving(lambda _: "I would say it is right") as served:
        code, out, err = command(*judging(run, served.url, "--yes", runs=10))
        assert len(served.asked) == 10
    assert (code, out) == (1, "")
    assert "error: judge-1 cannot be read: 10 of its 10 replies" in err
    assert "Traceback" not in err


def test_what_stays_open_is_an_error_that_says_how_to_go_on(command: Any, tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    with server.serving(honest) as served:
        served.faults = [None] * 16
        served.always = server.status(400, "the prompt is too long")
        code, _, err = command(*judging(run, served.url, "--yes", "--concurrency", "1"))
    assert code == 2
    assert "judgements are still open" in err
    assert "the prompt is too long" in err
    assert "asks only what is open" in err


def test_data_of_unknown_origin_does_not_leave(command: Any, tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    code, _, err = command(*judging(run, "https://judge.example.org/v1", "--yes"))
    assert code == 2
    for words in (
        "judge.example.org",
        "5 questions",
        "never an image",
        "of unknown origin",
        "--allow-remote",
    ):
        assert words in err
    assert not (run / "verdicts").exists()


@pytest.mark.parametrize(
    "words", [["--offline", "--model", "m"], ["--model", "m"], ["--base-url", "http://127.0.0.1/"], []]
)
def test_a_command_that_says_too_little_or_too_much(words: list[str], command: Any, tmp_path: Path) -> None:
    assert command("judge", tmp_path, *words)[0] == 2


def test_an_endpoint_answers_the_samples_of_a_recipe(command: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    out = tmp_path / "runs"
    words = ("predict", recipe, "--data", tmp_path, "--out", out, "--model", "Owner/Eye-2")
    with server.serving(lambda _: " yes ", model="eye-2") as served:
        served.faults = [None, None, server.status(500), None]
        code, shown, err = command(*words, "--endpoint", served.url, "--yes")
        assert code == 0, err
        run = out / "small-eye-2"
        [file] = shown.split()
        assert Path(file) == run / "predictions" / "drawn-test.jsonl"
        found = list(jsonl.read(Path(file), Prediction))
        samples = (run / "samples" / "drawn-test.jsonl").read_text().count("\n")
        assert len(found) == samples == len({each.sample_id for each in found})
        assert {(each.text, each.tokens, each.finish) for each in found} == {("yes", 5, "stop")}
        assert "temperature 0, at most 32 tokens" in found[0].generation
        # the image goes along as PNG, the reference answer and our own model's tags do not
        image, text = served.asked[0]["messages"][0]["content"]
        assert image["image_url"]["url"].startswith("data:image/png;base64,")
        assert text["text"].startswith("Based on the image, respond to this question with a short answer: ")
        # half of it lost: the same call, and one that names the run, ask only the rest
        lines = Path(file).read_bytes().splitlines(keepends=True)
        Path(file).write_bytes(b"".join(lines[:-3]) + lines[-3][:10])
        calls = len(served.asked)
        code, _, err = command("predict", run, *words[2:], "--endpoint", served.url, "--yes")
        assert (code, len(served.asked) - calls) == (0, 3), err
        assert len(list(jsonl.read(Path(file), Prediction))) == samples
        # another image under the name of one: its questions alone are asked again
        pictures = sorted((tmp_path / "p").rglob("test-*.png"))
        pictures[0].write_bytes(pictures[1].read_bytes())
        asked = jsonl.read(run / "samples" / "drawn-test.jsonl", Sample)
        again = sum(one.images[0] == str(pictures[0]) for one in asked)
        calls = len(served.asked)
        code, _, err = command(*words, "--endpoint", served.url, "--yes")
        assert (code, len(served.asked) - calls) == (0, again), err
        assert f"{again} answers to what was asked otherwise, asked again" in err
        assert len(list(jsonl.read(Path(file), Prediction))) == samples
        code, _, err = command(*words, "--endpoint", served.url, "--yes", "--max-tokens", "5")
        assert code == 2
        assert "came about in another way" in err


def test_images_do_not_leave_when_their_origin_is_unknown(command: Any, tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("image,question,answer\na.png,Is it?,yes\n")
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        'name = "own"\nmodel = { vision_encoder = "v", language_model = "l" }\n'
        '[data.mine]\nloader = "table"\nroot = "t.csv"\n[predict]\ndata = { mine = "train" }\n'
    )
    words = (
        "predict",
        recipe,
        "--data",
        tmp_path,
        "--out",
        tmp_path,
        "--endpoint",
        "https://a.example.org/v1",
    )
    code, _, err = command(*words, "--model", "m", "--yes")
    assert code == 2
    assert "1 prompts with their images" in err or "1 prompt" in err
    assert "mine (of unknown origin)" in err
    assert not (tmp_path / "own-m").exists()


def test_endpoint_and_model_belong_together(command: Any, tmp_path: Path) -> None:
    assert command("predict", tmp_path, "--model", "m")[0] == 2
    assert command("predict", tmp_path, "--endpoint", "http://127.0.0.1/", "--model", "m", "--blind")[0] == 2
