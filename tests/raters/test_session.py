"""Sessions: made once, continued by the same command, refused when something else is asked for."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from PIL import Image
from tests.raters.conftest import report_pairs, write

from pefomed.errors import ImageError, RunError
from pefomed.evaluation.verdicts import read_raters
from pefomed.files import jsonl
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.export import export
from pefomed.raters.verdicts import Rating, save
from pefomed.runs import RunFolder
from pefomed.schema import Prediction, Sample

WISHES = SessionRequest(raters=2, sample=10, seed=7)


def shown(session: Session) -> list[list[tuple[int, str, bool]]]:
    return [
        [(item.number, item.sample_id, item.swapped) for item in session.items(rater)]
        for rater in session.raters()
    ]


def test_the_same_command_continues(vqa_run: Path) -> None:
    first = open_session(vqa_run, WISHES)
    again = open_session(vqa_run, WISHES)
    assert shown(first) == shown(again) == shown(open_session(vqa_run))
    assert first.raters() == again.raters()
    assert first.id == again.id
    assert [rater.name for rater in first.raters()] == ["rater-01", "rater-02"]


def test_two_sessions_of_one_seed_are_alike_but_for_their_links(vqa_run: Path) -> None:
    first = open_session(vqa_run, WISHES)
    RunFolder(vqa_run).ratings_database.unlink()
    second = open_session(vqa_run, WISHES)
    assert shown(first) == shown(second)
    assert {rater.token for rater in first.raters()}.isdisjoint(rater.token for rater in second.raters())


def test_links_cannot_be_guessed_and_are_kept_from_others(vqa_run: Path) -> None:
    session = open_session(vqa_run, SessionRequest(raters=10, sample=5))
    tokens = [rater.token for rater in session.raters()]
    assert len(set(tokens)) == 10
    assert all(len(token) == 32 and token[-1].isalnum() for token in tokens)  # 24 bytes: 192 bits
    assert stat.S_IMODE(RunFolder(vqa_run).ratings_database.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (SessionRequest(raters=1), "--raters 2, asked for 1"),
        (SessionRequest(sample=9), "--sample 10, asked for 9"),
        (SessionRequest(raters=3, sample=9), "--sample 10, asked for 9"),
        (SessionRequest(raters=3, seed=8), "--seed 7, asked for 8"),
        (SessionRequest(seed=8), "--seed 7, asked for 8"),
        (SessionRequest(wrong_share=0.4), "--wrong-share 0.5, asked for 0.4"),
        (SessionRequest(overlap=0.5), "--overlap 1.0, asked for 0.5"),
        (SessionRequest(names=("a", "b")), "--names without rater-01, rater-02"),
        (SessionRequest(names=("rater-01", "c")), "--names without rater-02"),
        (SessionRequest(names=("rater-01", "rater-02", "c"), raters=4), "--raters 4 does not fit --names"),
        (SessionRequest(names=("rater-01", "rater-02", "Rater-01")), "two raters would have the same file"),
    ],
)
def test_other_numbers_are_refused(vqa_run: Path, wishes: SessionRequest, message: str) -> None:
    open_session(vqa_run, WISHES)
    with pytest.raises(RunError, match=message):
        open_session(vqa_run, wishes)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (SessionRequest(names=("a", "A")), "two raters would have the same file"),
        (SessionRequest(names=("x", "x")), "two raters would have the same file"),
        (SessionRequest(names=("", "b")), "empty"),
        (SessionRequest(names=("a", "b"), raters=3), "--raters 3 does not fit --names"),
        (SessionRequest(models=("gpt",)), "--models names somebody who does not rate"),
        (SessionRequest(sample=91), "91 different answers are wanted, the run has 90"),
    ],
)
def test_a_session_that_cannot_be_is_refused(vqa_run: Path, wishes: SessionRequest, message: str) -> None:
    with pytest.raises(RunError, match=message):
        open_session(vqa_run, wishes)


def test_answers_that_changed_since_are_refused(vqa_run: Path) -> None:
    session = open_session(vqa_run, WISHES)
    rated = session.items(session.raters()[0])[0].sample_id
    path = vqa_run / "predictions" / "rad-test.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    changed = [line.replace('"text":"', '"text":"now ', 1) if rated in line else line for line in lines]
    path.write_text("".join(changed))
    with pytest.raises(RunError, match=rf"1 changed: {rated}"):
        open_session(vqa_run)


def test_another_image_behind_the_same_answer_is_refused(vqa_run: Path) -> None:
    path = vqa_run / "predictions" / "rad-test.jsonl"

    def seen(shown: str, only: str = "") -> None:
        answers = [
            one.model_copy(update={"shown": shown}) if only in one.sample_id else one
            for one in jsonl.read(path, Prediction)
        ]
        path.write_text(jsonl.lines(answers))

    session = open_session(vqa_run, WISHES)
    rater = session.raters()[0]
    item = session.items(rater)[0]
    save(session, rater, item.id, Rating(1), change="a")
    export(session)
    samples = list(jsonl.read(vqa_run / "samples" / "rad-test.jsonl", Sample))
    [told] = read_raters(vqa_run, samples)
    assert [(one.sample_id, one.label) for one in told.verdicts] == [(item.sample_id, 1)]
    seen("now", item.sample_id)
    with pytest.raises(RunError, match=rf"1 changed: {item.sample_id}"):
        open_session(vqa_run)
    with pytest.raises(RunError, match=rf"(?s)has changed since.*image of 1: {item.sample_id}.*move"):
        read_raters(vqa_run, samples)


def test_an_image_that_is_gone_is_named_before_anybody_rates(vqa_run: Path, images: list[str]) -> None:
    there = Path(images[0]).read_bytes()
    Path(images[0]).unlink()
    with pytest.raises(ImageError, match="1 of 2 images cannot be shown to raters"):
        open_session(vqa_run, WISHES)
    Image.new("L", (8, 8)).save(images[0])
    with pytest.raises(ImageError, match="1 of 2 pictures are left out: they do not hold what was answered"):
        open_session(vqa_run, WISHES)
    Path(images[0]).write_bytes(there)
    assert shown(open_session(vqa_run, WISHES))


def test_a_judges_name_is_not_taken_over(vqa_run: Path) -> None:
    (vqa_run / "verdicts").mkdir()
    (vqa_run / "verdicts" / "Rater-02.jsonl").write_text("")
    with pytest.raises(RunError, match="the name 'rater-02' is taken"):
        open_session(vqa_run, WISHES)


def test_both_tasks_of_a_run_have_sessions_of_their_own(vqa_run: Path, images: list[str]) -> None:
    write(vqa_run, "xray-test", report_pairs(images))
    answers = open_session(vqa_run, SessionRequest(task="vqa", raters=2, sample=10))
    assert open_session(vqa_run).id == answers.id  # the only one there is
    reports = open_session(vqa_run, SessionRequest(task="report", raters=3, sample=12))
    assert (len(answers.raters()), len(reports.raters())) == (2, 3)
    assert answers.raters()[0].token != reports.raters()[0].token
    with pytest.raises(RunError, match="choose one"):
        open_session(vqa_run)


def test_without_a_session_there_is_nothing_to_export(vqa_run: Path) -> None:
    with pytest.raises(RunError, match="no rating session"):
        open_session(vqa_run, make=False)
    assert not RunFolder(vqa_run).ratings_database.exists()


def test_a_file_that_is_no_session_is_refused(vqa_run: Path) -> None:
    RunFolder(vqa_run).ratings_database.parent.mkdir()
    RunFolder(vqa_run).ratings_database.write_bytes(b"not a database" * 100)
    with pytest.raises(RunError, match="damaged, or not a rating session"):
        open_session(vqa_run, WISHES)


def test_a_session_of_a_later_version_is_refused(vqa_run: Path) -> None:
    open_session(vqa_run, WISHES).database.close()
    connection = sqlite3.connect(RunFolder(vqa_run).ratings_database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match="another version"):
        open_session(vqa_run)


def test_answers_that_came_without_images_can_be_rated(tmp_path: Path) -> None:
    run = tmp_path / "outside"
    pairs = [
        (sample.model_copy(update={"images": (f"no image of {sample.id}",)}), text)
        for sample, text in report_pairs(["x"])
    ]
    write(run, "theirs-test", pairs)
    session = open_session(run, SessionRequest(raters=1))
    assert all(item.images == () for item in session.items(session.raters()[0]))
