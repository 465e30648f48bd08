"""Progress lines: everything passes through, and a log without a terminal shows life now and then."""

from __future__ import annotations

import pytest

from pefomed import progress


def test_track_yields_everything_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.track((n for n in range(5)), "counting")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr().err == ""


def test_a_log_gets_a_line_every_thirty_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.line("training", 100, "steps") as shown:
        for _ in range(50):  # one step in two seconds: 100 seconds
            now[0] += 2
            shown.advance(note="loss 0.5")
    lines = capsys.readouterr().err.splitlines()
    # after 30, 60 and 90 seconds: 15, 30 and 45 steps at 0.5 a second, the rest at the same rate
    assert lines == [
        "training: 15 of 100 steps, 0.5/s, 170 s left loss 0.5",
        "training: 30 of 100 steps, 0.5/s, 140 s left loss 0.5",
        "training: 45 of 100 steps, 0.5/s, 110 s left loss 0.5",
    ]


def test_what_a_resumed_run_did_before_does_not_count_towards_the_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.line("training", 100, "steps", done=60) as shown:
        now[0] = 30
        shown.advance(10)
    # 10 steps in 30 seconds; the other 30 take 90
    assert capsys.readouterr().err == "training: 70 of 100 steps, 0.333/s, 90 s left \n"


def test_on_a_terminal_the_line_shows_rate_and_note_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    progress._console.cache_clear()
    with progress.line("answering", 2, "questions") as shown:
        shown.advance(note="[vqa] yes")
        shown.advance(note="[vqa] no")
    shown_text = capsys.readouterr().err
    progress._console.cache_clear()
    assert "answering" in shown_text
    assert "2/2" in shown_text
    assert "[vqa] no" in shown_text
