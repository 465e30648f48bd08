"""Pictures that a run's folder names and its answers are not of: in no page, spreadsheet or session."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from openpyxl import load_workbook
from PIL import Image

from pefomed.cli import main
from pefomed.errors import ImageError
from pefomed.evaluation.picture_gate import PictureGate
from pefomed.files import jsonl
from pefomed.outside.run import outside_run
from pefomed.raters import SessionRequest, open_session
from pefomed.raters.workbook import write_workbooks
from pefomed.report import write_report, write_reports
from pefomed.runs import RunFolder
from pefomed.samples.question_hash import shown_of
from pefomed.schema import Prediction, Sample


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEFOMED_DATA", raising=False)


def draw(path: Path, shade: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (60, 40), shade).save(path)
    return str(path)


def run_of(folder: Path, pictures: list[tuple[str, ...]], shown: list[str]) -> Path:
    """Write a run folder as somebody could send it: any pictures, any hashes."""
    samples = [
        Sample(id=f"q{n}", images=images, task="vqa", question=f"What is {n}?", reference="yes")
        for n, images in enumerate(pictures)
    ]
    answers = [
        Prediction(
            sample_id=sample.id, text="no", tokens=1, finish="stop", generation="greedy", shown=held
        )
        for sample, held in zip(samples, shown, strict=True)
    ]  # fmt: skip
    jsonl.append(folder / "samples" / "d-test.jsonl", samples)
    jsonl.append(folder / "predictions" / "d-test.jsonl", answers)
    return folder


def greys(page: Path) -> list[int]:
    """Return the mean grey value of each picture that a page holds."""
    parts = page.read_text(encoding="utf-8").split("data:image/jpeg;base64,")[1:]
    found = [part.partition('"')[0] for part in parts]
    return [Image.open(io.BytesIO(base64.b64decode(one))).convert("L").getpixel((9, 9)) for one in found]  # type: ignore[misc]


def test_a_hash_is_of_the_bytes_of_all_pictures_and_none_can_be_slipped_in(tmp_path: Path) -> None:
    own, secret = draw(tmp_path / "a.png", 50), draw(tmp_path / "home" / "secret.png", 200)
    content = hashlib.sha256(Path(own).read_bytes()).hexdigest()
    # As JSON without spaces, 16 digits: what `pefomed predict` has written since answers say what they saw.
    held = hashlib.sha256(json.dumps([content], separators=(",", ":")).encode()).hexdigest()[:16]
    gate = PictureGate(tmp_path / "run")
    assert gate.reasons([own], held) == [""]
    assert all(gate.reasons([own, secret], held))
    assert all(gate.reasons([secret], held))
    assert "left out" in gate.reasons([secret], "")[0]


def test_a_report_shows_what_was_answered_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, secret = draw(tmp_path / "data" / "a.png", 50), draw(tmp_path / "home" / "secret.png", 200)
    linked = tmp_path / "run" / "link.png"
    linked.parent.mkdir()
    os.symlink(secret, linked)
    inside = draw(tmp_path / "run" / "pictures" / "in.png", 120)
    out = f"{tmp_path}/run/../home/secret.png"
    known = shown_of([own])
    run = run_of(
        tmp_path / "run",
        [(own,), (secret,), (secret,), (own, secret), (str(linked),), (inside,), (out,)],
        [known, known, "", known, "", "", ""],
    )
    page = write_report(run)
    assert greys(page) == [50, 120]
    told = capsys.readouterr().err
    assert "2 of 5 pictures are left out: they do not hold what was answered about" in told
    assert "3 of 5 pictures are left out: the run does not say what they held" in told
    assert "--data DIR" in told
    text = page.read_text(encoding="utf-8")
    assert "2 of 5 pictures are left out" in text
    assert str(tmp_path) not in text
    # The same run in a folder that the user names.
    assert sorted(greys(write_report(run, data_folder=tmp_path / "home"))) == [50, 120, 200, 200, 200]


def test_a_comparison_shows_no_other_picture_either(tmp_path: Path) -> None:
    secret = draw(tmp_path / "home" / "secret.png", 200)
    first = run_of(tmp_path / "first", [(secret,)], [""])
    second = run_of(tmp_path / "second", [(secret,)], ["0123456789abcdef"])
    *_, page = write_reports([first, second], tmp_path / "both.html")
    assert greys(page) == []
    assert "left out" in page.read_text(encoding="utf-8")


def test_the_pairs_of_an_audit_that_came_with_a_run(tmp_path: Path) -> None:
    own, secret = draw(tmp_path / "data" / "a.png", 50), draw(tmp_path / "home" / "secret.png", 200)
    run = run_of(tmp_path / "run", [(own,)], [shown_of([own])])
    pair = {"image": own, "like": secret, "bits": 3, "correlation": 0.99}
    leak = {
        "in": "train", "of": "test", "images": {"of": 1, "count": 0, "examples": []},
        "near_images": {"of": 1, "count": 1, "samples": 1, "of_samples": 1, "empty": 0, "examples": [pair]},
        "texts": {"of": 1, "count": 0, "examples": []},
        "triplets": {"of": 1, "count": 0, "examples": [], "ignoring_punctuation": 0},
    }  # fmt: skip
    audit = {"d": {"title": "D", "summary": ["Alike."], "leakage": [leak]}}
    (run / "audit.json").write_text(json.dumps(audit))
    assert greys(write_report(run)) == [50]  # the item's; of the pair neither
    pair["shown"] = [shown_of([secret]), shown_of([own])]  # as the audit of whoever has both writes it
    (run / "audit.json").write_text(json.dumps(audit))
    assert sorted(greys(write_report(run))) == [50, 50, 200]


def test_raters_get_no_other_picture(tmp_path: Path) -> None:
    secret = draw(tmp_path / "home" / "secret.png", 200)
    run = run_of(tmp_path / "run", [(secret,)] * 4, [""] * 4)
    with pytest.raises(ImageError, match=r"(?s)1 of 1 picture is left out: the run does not say.*--data DIR"):
        open_session(run, SessionRequest(raters=1, sample=2))
    session = open_session(run, SessionRequest(raters=1, sample=2), data_folder=tmp_path / "home")
    session.database.close()
    # The session may have come with the folder, whatever it was made from.
    session = open_session(run)
    item = session.items(session.raters()[0])[0]
    with pytest.raises(ImageError, match=r"secret\.png is left out"):
        session.picture(item, 0)
    with pytest.raises(ImageError, match=r"secret\.png is left out"):
        write_workbooks(session, tmp_path / "sheets")
    session.database.close()
    with sqlite3.connect(RunFolder(run).ratings_database) as database:
        database.execute("INSERT INTO pictured SELECT id, 'fedcba9876543210' FROM item")
    session = open_session(run, data_folder=tmp_path / "home")
    with pytest.raises(ImageError, match="does not hold what was answered"):
        session.picture(session.items(session.raters()[0])[0], 0)
    session.database.close()


def test_somebody_elses_answers_say_what_their_pictures_held(tmp_path: Path) -> None:
    picture = draw(tmp_path / "scans" / "a.png", 50)
    table = tmp_path / "answers.csv"
    table.write_text("id,reference,answer,image\n1,yes,no,scans/a.png\n2,yes,yes,\n")
    run = outside_run(table, tmp_path / "theirs", "d")
    first, second = jsonl.read(run / "predictions" / "d-test.jsonl", Prediction)
    assert (first.shown, second.shown) == (shown_of([picture]), "")
    page = write_report(run)
    assert greys(page) == [50]
    assert "left out" not in page.read_text(encoding="utf-8")
    session = open_session(run, SessionRequest(raters=1, sample=2))
    [book] = write_workbooks(session, tmp_path / "sheets")
    assert len(load_workbook(book)["rating"]._images) == 1
    session.database.close()
    draw(tmp_path / "scans" / "a.png", 90)
    assert greys(write_report(run)) == []


def test_the_command_takes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw(tmp_path / "older" / "a.png", 50)
    run = run_of(tmp_path / "run", [(picture,)], [""])
    for arguments, wanted in (([], []), (["--data", str(tmp_path / "older")], [50])):
        with pytest.raises(SystemExit) as end:
            main(["report", str(run), *arguments])
        assert not end.value.code
        assert greys(run / "report" / "index.html") == wanted
    # The working directory is no folder that was named: it may be somebody's home.
    monkeypatch.chdir(tmp_path)
    assert greys(write_report(run)) == []
    monkeypatch.setenv("PEFOMED_DATA", str(tmp_path / "older"))
    assert greys(write_report(run)) == [50]
    shutil.rmtree(tmp_path / "older")
    assert greys(write_report(run)) == []
