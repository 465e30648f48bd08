"""Asking a trained run: pictures in any form, tasks it was trained on or not, boxes in the image's frame."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.tiny import model_recipe, table_recipe

import pefomed
from pefomed import recipe as recipes
from pefomed.answers.answer import Answer, answer_of
from pefomed.answers.asking import doubts, sample_of, trained_tasks
from pefomed.cli import main
from pefomed.errors import DataError, ImageError
from pefomed.files import jsonl
from pefomed.inference.predictor import Predictor
from pefomed.schema import Box, Prediction, Sample
from pefomed.workflow import pipeline


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run trained on questions alone, whose answers about places are always boxes."""
    root = tmp_path_factory.mktemp("asking")
    recipe = table_recipe(root, model_recipe(root), images=2, epochs=2)
    how = recipe.predict.model_copy(update={"constrain_boxes": True, "max_new_tokens": 40})
    compute = recipe.compute.model_copy(update={"feature_cache": "off"})
    (root / "tiny.toml").write_text(
        recipes.dumps(recipe.model_copy(update={"predict": how, "compute": compute}))
    )
    return pipeline.train(root / "tiny.toml", root / "runs", root)


@pytest.fixture(scope="module")
def model(run: Path) -> Predictor:
    return pefomed.load(run)


@pytest.fixture
def asked(run: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs `pefomed ask RUN ...` and returns exit code, output and errors."""

    def ask(*words: str | Path) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["ask", str(run), *map(str, words)])
        shown = capfd.readouterr()
        assert "Traceback" not in shown.err
        # click draws a frame around wrong words and breaks their lines
        words_shown = " ".join(shown.err.replace("│", " ").split())
        return stopped.value.code, shown.out, words_shown

    return ask


def lines_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))


def image_of(run: Path) -> Path:
    return run.parents[1] / "image-0.png"


def test_an_answer_prints_as_its_text_and_says_how_it_ended(model: Predictor, run: Path) -> None:
    answer = model.ask(image_of(run), "is it left?")
    assert isinstance(answer, pefomed.Answer)
    assert f"{answer}" == answer.text
    assert answer.boxes == ()
    assert answer.finish in ("stop", "length")
    assert answer.tokens > 0
    with pytest.raises(AttributeError):
        answer.text = "another"  # type: ignore[misc]


def test_a_picture_in_any_form_has_the_answer_of_its_file(model: Predictor, run: Path) -> None:
    path = image_of(run)
    pixels = np.asarray(Image.open(path))
    forms = [str(path), path.read_bytes(), Image.open(path), pixels, pixels / 255.0, [path]]
    answers = {str(model.ask(form, "what is it?", task="refer")) for form in forms}
    assert len(answers) == 1
    other = model.ask(255 - pixels, "what is it?", task="refer")
    assert str(other) not in answers  # the picture does matter


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        (np.zeros((3, 8, 8), np.uint8), "found: 3 x 8 x 8, uint8"),
        (np.zeros((2, 8, 8, 3), np.uint8), "found: 2 x 8 x 8 x 3, uint8"),
        (np.full((8, 8), np.nan), "not a finite number"),
        (np.full((8, 8, 3), 7.0), "found: float64, 7 to 7"),
        (b"no image", "the image given as bytes is not an image"),
        (b"", "the image given as bytes is empty"),
        (3, "found: int"),
        ([], "no image is given"),
        ("none.png", "no image at none.png"),
        ("https://example.org/a.png", "https://example.org/a.png is a URL, not a file"),
        (Path("https://example.org/a.png"), "https://example.org/a.png is a URL, not a file"),
    ],
    ids=repr,
)
def test_what_is_no_picture_is_refused(model: Predictor, picture: Any, shown: str) -> None:
    with pytest.raises(ImageError, match=shown.replace("(", r"\(")):
        model.ask(picture, "is it?")


@pytest.mark.parametrize("task", ["vqa", "refer", "detection"])
@pytest.mark.parametrize("question", ["", "  "])
def test_an_empty_question_is_refused_where_the_task_needs_one(
    model: Predictor, run: Path, task: str, question: str
) -> None:
    with pytest.raises(DataError, match=f"the question is empty, and the task {task} needs one"):
        model.ask(image_of(run), question, task)


@pytest.mark.parametrize("question", [None, 3, b"is it?", ["is it?"]])
def test_a_question_is_a_text(model: Predictor, run: Path, question: Any) -> None:
    with pytest.raises(DataError, match=f"found: {type(question).__name__}"):
        model.ask(image_of(run), question)


def test_questions_that_cannot_be_asked_are_refused(model: Predictor, run: Path) -> None:
    for question, shown in (
        ("is it? " * 400, "the question is too long"),
        ("is it \udcff?", "not text"),
    ):
        with pytest.raises(DataError, match=shown):
            model.ask(image_of(run), question)
    with pytest.raises(DataError, match="did you mean 'report'"):
        model.ask(image_of(run), "", "reports")


def test_what_was_never_trained_is_said_once(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = pefomed.load(run)
    model.ask(image_of(run), "is it left?")
    assert "note:" not in capsys.readouterr().err
    for _ in range(2):
        model.ask(image_of(run), "", "report")
    assert capsys.readouterr().err.count("note: this run was trained on vqa, never on report") == 1
    model.ask(image_of(run), "is it left?", "report")
    assert "note: the task report takes no question: it is left out" in capsys.readouterr().err


def test_the_trained_tasks_stand_in_the_log(run: Path, tmp_path: Path) -> None:
    assert trained_tasks(run) == {"vqa"}
    assert trained_tasks(tmp_path) is None
    (tmp_path / "log.jsonl").write_text(
        '{"kind": "step"}\n{"kind": "event", "tasks": {"refer": 3}}\n{"tasks": {'
    )
    assert trained_tasks(tmp_path) == {"refer"}
    (tmp_path / "log.jsonl").write_text('{"kind": "step"}\n')
    samples = [
        Sample(id=task, images=("a",), task=task, question='"task":"vqa"') for task in ("report", "refer")
    ]
    jsonl.append(tmp_path / "samples" / "a-test.jsonl", samples)
    assert trained_tasks(tmp_path) == {"report", "refer"}
    recipe = recipes.load(run / "recipe.toml")
    assert doubts("vqa", "is it?", recipe, None) == []
    assert "trained on nothing" in doubts("vqa", "is it?", recipe, frozenset())[0]


def test_boxes_are_in_the_frame_of_the_image(run: Path) -> None:
    recipe = recipes.load(run / "recipe.toml", {"model.resize": "letterbox", "model.image_size": 56})
    # 200 x 100 becomes 56 x 28 in the middle of 56 x 56: y runs from 0.25 to 0.75 of the square.
    sample = sample_of("liver", "refer", (), [(200, 100)], recipe)
    said = Prediction(
        sample_id="ask",
        text="{<0><25><50><75>}<delim>{<10><0><20><20>}",
        tokens=9,
        finish="stop",
        generation="g",
    )
    # the second box is all padding
    assert answer_of(said, sample, recipe).boxes == (Box(x0=0, y0=0, x1=0.5, y1=1),)
    vqa = sample.model_copy(update={"task": "vqa"})
    assert answer_of(said, vqa, recipe) == Answer(said.text, (), "stop", 9)


def test_identify_takes_its_box_as_boxes_or_in_the_question(model: Predictor, run: Path) -> None:
    box = Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4)
    asked = model.ask(image_of(run), task="identify", boxes=[box])
    assert model.ask(image_of(run), "{<10><20><30><40>}", "identify") == asked
    with pytest.raises(DataError, match=r"the question has none(?s:.*)\{<10><20><30><40>\}"):
        model.ask(image_of(run), "what is here?", "identify")


def test_one_question_is_answered_on_a_line_or_as_json(run: Path, asked: Any, model: Predictor) -> None:
    expected = model.ask(image_of(run), "is it left?")
    code, out, _ = asked(image_of(run), "is it left?")
    assert (code, out) == (0, expected.text + "\n")
    code, out, _ = asked(image_of(run), "the lung", "--task", "refer", "--json")
    about = json.loads(out)
    boxed = model.ask(image_of(run), "the lung", "refer")
    assert (about["answer"], about["finish"], about["tokens"]) == (boxed.text, boxed.finish, boxed.tokens)
    assert [Box(**box) for box in about["boxes"]] == list(boxed.boxes) != []


def test_lines_of_the_standard_input_are_answered_after_one_load(
    run: Path, asked: Any, model: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = ["is it left?", "what is it?", "is it"]
    expected = [" ".join(model.ask(image_of(run), question).text.splitlines()) for question in questions]
    loads = []
    load = pefomed.inference.predictor.load
    monkeypatch.setattr("pefomed.inference.predictor.load", lambda path: loads.append(path) or load(path))
    lines_in(monkeypatch, b"\xef\xbb\xbfis it left?\r\n\nwhat is it?\nis it")
    code, out, err = asked(image_of(run), "-")
    assert (code, out.split("\n")) == (0, [*expected, ""])
    assert "line 2 of the standard input is empty" in err
    lines_in(monkeypatch, b"is it left?\nis it\n")
    code, out, _ = asked(image_of(run), "-", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["question"] for row in rows] == ["is it left?", "is it"]
    assert len(loads) == 2
    for content, shown in (
        (b"", "there is no question"),
        (b"\xff\xfe?", "line 1 of the standard input is not"),
    ):
        lines_in(monkeypatch, content)
        code, out, err = asked(image_of(run), "-")
        assert (code, out) == (2, "")
        assert shown in err


def test_the_box_is_drawn_on_the_picture_in_its_own_size(run: Path, asked: Any, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    Image.fromarray(np.full((90, 120), 128, np.uint8)).save(grey)
    saved = tmp_path / "new" / "out.png"
    code, out, err = asked(grey, "the lung", "--task", "refer", "--save", saved, "--json")
    assert (code, f"drawn: {saved}" in err) == (0, True)
    picture = np.asarray(Image.open(saved)).astype(int)
    assert picture.shape == (90, 120, 3)
    box = json.loads(out)["boxes"][0]
    changed = np.argwhere((picture != 128).any(axis=2))
    coloured = np.argwhere(picture.max(axis=2) - picture.min(axis=2) > 100)
    assert len(coloured)
    # all that is drawn lies on the box's edge: 2 pixels of colour between lines of black
    sides = ((1, 120, box["x0"], box["x1"]), (0, 90, box["y0"], box["y1"]))
    for pixel in changed:
        to_edge = min(abs(pixel[n] - edge * length) for n, length, *edges in sides for edge in edges)
        assert to_edge <= 4


def test_what_cannot_be_drawn_is_said(
    run: Path, asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_of(run)
    before = image.read_bytes()
    for words, shown in (
        (
            ("is it left?", "--save", tmp_path / "out.png"),
            "--save draws boxes: ask with --task refer, grounding",
        ),
        (("lung", "--task", "refer", "--save", tmp_path / "out.txt"), "end the name in .png"),
        (("lung", "--task", "refer", "--save", image), "would overwrite the image asked about"),
    ):
        code, _, err = asked(image, *words)
        assert (code, shown in err) == (2, True), err
    assert image.read_bytes() == before
    monkeypatch.setattr(Predictor, "ask_each", lambda *_, **__: iter([Answer("a liver")]))
    code, out, err = asked(image, "liver", "--task", "refer", "--save", tmp_path / "out.png")
    assert (code, out) == (2, "a liver\n")
    assert "the answer has no box to draw found: 'a liver'" in err
    assert not (tmp_path / "out.png").exists()


def test_that_nothing_is_there_is_said_in_words(
    run: Path, asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, saved = image_of(run), tmp_path / "out.png"
    monkeypatch.setattr(Predictor, "ask_each", lambda *_, **__: iter([Answer("{}")]))
    words = (image, "an effusion", "--task", "refer", "--save", saved)
    code, out, err = asked(*words)
    assert (code, out) == (0, "no box: 'an effusion' is not in the image\n")
    assert "out.png is not written: the answer is that nothing is there" in " ".join(err.split())
    code, out, _ = asked(*words, "--json")
    assert (code, json.loads(out)["answer"], json.loads(out)["boxes"]) == (0, "{}", [])
    lines_in(monkeypatch, b"an effusion\n")
    monkeypatch.setattr(Predictor, "ask_each", lambda _, __, lines, ___: (Answer("{ }") for _ in lines))
    code, out, err = asked(image, "-", "--task", "refer", "--save", saved)
    assert (code, out) == (0, "no box: 'an effusion' is not in the image\n")
    assert "the answer is that nothing is there" in " ".join(err.split())
    assert not list(tmp_path.glob("out*"))
    # Of a task that asks for words it is what the model wrote.
    monkeypatch.setattr(Predictor, "ask_each", lambda *_, **__: iter([Answer("{}")]))
    assert asked(image, "is it left?")[:2] == (0, "{}\n")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("{image}", "{image}"), "the last word is the question"),
        (("{image}", "other.png"), "the last word is the question, and 'other.png' is named as an image is"),
        (("{image}", "scan.dcm#frame=3"), "is named as an image is"),
        (("Is there an effusion?", "{image}"), "the last word is the question"),
        (("Is there an effusion?", "is it?"), "the images stand before the question"),
        (("none.png", "is it?"), "no image at none.png"),
        (("https://example.org/a.png", "is it?"), "is a URL, not a file what to do: download the file first"),
        (("{folder}", "is it?"), "is a folder, not an image"),
        (("{empty}", "is it?"), "is empty"),
        (("x" * 300 + ".png", "is it?"), "cannot be looked up"),
        (("{image}", ""), "the question is empty, and the task vqa needs one"),
        (("{image}", "is it? " * 400), "the question is too long"),
    ],
    ids=range(12),
)
def test_mistakes_are_one_message_and_name_what_the_command_has(
    run: Path, asked: Any, tmp_path: Path, words: tuple[str, ...], shown: str
) -> None:
    (tmp_path / "empty.png").touch()
    names = {"image": image_of(run), "folder": tmp_path, "empty": tmp_path / "empty.png"}
    code, out, err = asked(*(word.format(**names) if word.startswith("{") else word for word in words))
    assert (code, out) == (2, "")
    assert shown in err
    for option in ("--data", "PEFOMED_DATA", "max_unreadable", "--window"):
        assert option not in err


def test_a_question_may_be_long_and_may_have_the_name_of_a_file(
    run: Path, asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lung").mkdir()
    (tmp_path / "liver").write_text("no image")
    for question in ("lung", "liver", "is it left, or " * 10 + "right?", "x" * 150 + "#a=b?"):
        code, out, _ = asked(image_of(run), question)
        assert code == 0
        assert out.endswith("\n")
    Image.new("L", (20, 20)).save(tmp_path / "is it left?", "PNG")
    code, _, _ = asked("is it left?", "what is it?")
    assert code == 0


def test_what_is_answered_alone_is_answered_in_a_split(run: Path, model: Predictor) -> None:
    """The box of a whole split's answer is that of a question asked alone."""
    sample = Sample(id="ask", images=(str(image_of(run)),), task="refer", question="the lung")
    [told] = model.predict([sample])
    assert str(model.ask(image_of(run), "the lung", "refer")) == told.text
