"""Verdicts: one per rater and item, a history that only grows, and nothing counted twice."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pefomed.errors import RunError, StorageError
from pefomed.evaluation.verdicts import read_raters
from pefomed.files import jsonl
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.export import export, progress
from pefomed.raters.session import Rater
from pefomed.raters.verdicts import Conflict, Rating, save, states, undo
from pefomed.schema import Sample, Verdict


@pytest.fixture
def session(vqa_run: Path) -> Session:
    return open_session(vqa_run, SessionRequest(raters=2, sample=10, seed=7))


@pytest.fixture
def rater(session: Session) -> Rater:
    return session.raters()[0]


def history(session: Session) -> list[tuple[str, int | None, int]]:
    rows = session.database.rows("SELECT action, label, revision FROM history ORDER BY id")
    return [tuple(row) for row in rows]


def test_a_change_builds_on_the_revision_it_saw(session: Session, rater: Rater) -> None:
    item = session.items(rater)[0].id
    assert save(session, rater, item, Rating(1), change="a") == Rating(1, revision=1)
    assert save(session, rater, item, Rating(0, revision=1), change="b") == Rating(0, revision=2)
    with pytest.raises(Conflict) as conflict:
        save(session, rater, item, Rating(1, revision=1), change="c")
    assert conflict.value.state == Rating(0, revision=2)
    assert states(session, rater) == {item: Rating(0, revision=2)}
    assert history(session) == [("label", 1, 1), ("label", 0, 2)]


def test_a_change_that_is_sent_again_counts_once(session: Session, rater: Rater) -> None:
    item = session.items(rater)[0].id
    save(session, rater, item, Rating(1), change="a")
    save(session, rater, item, Rating(0, revision=1), change="b")
    # Its first sending was answered, but the answer was lost.
    assert save(session, rater, item, Rating(1), change="a") == Rating(0, revision=2)
    assert history(session) == [("label", 1, 1), ("label", 0, 2)]


def test_the_same_again_is_no_change(session: Session, rater: Rater) -> None:
    item = session.items(rater)[0].id
    save(session, rater, item, Rating(1, comment="clear"), change="a")
    save(session, rater, item, Rating(1, comment="clear", revision=1), change="b")
    assert history(session) == [("label", 1, 1)]


def test_undo_walks_back_label_by_label_and_keeps_comments(session: Session, rater: Rater) -> None:
    one, two = (item.id for item in session.items(rater)[:2])
    save(session, rater, one, Rating(1), change="a")
    save(session, rater, two, Rating(0), change="b")
    save(session, rater, two, Rating(0, comment="hm", revision=1), change="c")
    save(session, rater, one, Rating(0, revision=1), change="d")
    assert undo(session, rater, change="u1") == (one, Rating(1, revision=3))
    assert undo(session, rater, change="u2") == (two, Rating(None, comment="hm", revision=3))
    assert undo(session, rater, change="u2") == (two, Rating(None, comment="hm", revision=3))
    assert undo(session, rater, change="u3") == (one, Rating(None, revision=4))
    assert undo(session, rater, change="u4") is None
    save(session, rater, one, Rating(1, revision=4), change="e")
    assert undo(session, rater, change="u5") == (one, Rating(None, revision=6))


def test_undo_reaches_nobody_elses_labels(session: Session, rater: Rater) -> None:
    other = session.raters()[1]
    item = session.items(rater)[0].id
    save(session, rater, item, Rating(1), change="a")
    assert undo(session, other, change="u") is None
    assert states(session, rater)[item].label == 1


@pytest.mark.parametrize("state", [Rating(2), Rating(-1), Rating(1, cannot=True)])
def test_what_is_off_the_scale_is_refused(session: Session, rater: Rater, state: Rating) -> None:
    with pytest.raises(ValueError, match="label"):
        save(session, rater, session.items(rater)[0].id, state, change="a")
    assert history(session) == []


def test_the_history_cannot_be_rewritten(session: Session, rater: Rater) -> None:
    save(session, rater, session.items(rater)[0].id, Rating(1), change="a")
    for statement in ("UPDATE history SET label = 0", "DELETE FROM history"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"), session.database.transaction() as c:
            c.execute(statement)


def test_a_full_disk_stores_nothing_and_says_so(session: Session, rater: Rater) -> None:
    items = session.items(rater)
    save(session, rater, items[0].id, Rating(1), change="a")
    pages = session.database.rows("PRAGMA page_count")[0][0]
    session.database.rows(f"PRAGMA max_page_count = {pages}")  # SQLite answers as on a full disk
    comment = "x" * 50_000
    with pytest.raises(StorageError, match="full"):
        save(session, rater, items[1].id, Rating(1, comment=comment), change="b")
    assert states(session, rater) == {items[0].id: Rating(1, revision=1)}
    session.database.rows("PRAGMA max_page_count = 1000000")
    assert save(session, rater, items[1].id, Rating(1, comment=comment), change="b").revision == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, None, "undo"])), max_size=25))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undoing_everything_leaves_nothing(
    session: Session, steps: list[tuple[int, int | str | None]]
) -> None:
    rater = session.raters()[1]
    items = [item.id for item in session.items(rater)]
    serial = len(history(session))
    for place, step in steps:
        serial += 1
        if step == "undo":
            undo(session, rater, change=f"{serial}")
        else:
            label = step if isinstance(step, int) else None
            save(
                session, rater, items[place], Rating(label, label is None), change=f"{serial}", checked=False
            )
    while undo(session, rater, change=f"{(serial := serial + 1)}"):
        pass
    assert not any(state.rated for state in states(session, rater).values())
    revisions = [row["revision"] for row in session.database.rows("SELECT revision FROM verdict")]
    assert sum(revisions) == len(history(session))


def test_an_export_holds_what_is_rated_and_nothing_else(session: Session, rater: Rater) -> None:
    items = session.items(rater)
    save(session, rater, items[0].id, Rating(1, comment="obvious"), change="a")
    save(session, rater, items[1].id, Rating(None, True, "too dark"), change="b")
    save(session, rater, items[2].id, Rating(None, True), change="c")
    save(session, rater, items[3].id, Rating(None, comment="later"), change="d")
    save(session, rater, items[4].id, Rating(0), change="e")
    undo(session, rater, change="u")
    export(session)
    path = session.run / "verdicts" / "rater-01.jsonl"
    found = {verdict.sample_id: (verdict.label, verdict.reason) for verdict in jsonl.read(path, Verdict)}
    assert found == {
        items[0].sample_id: (1, "obvious"),
        items[1].sample_id: (None, "cannot judge: too dark"),
        items[2].sample_id: (None, "cannot judge"),
    }
    assert all((v.rater, v.run) == ("rater-01", 0) for v in jsonl.read(path, Verdict))
    samples = list(jsonl.read(session.run / "samples" / "rad-test.jsonl", Sample))
    assert [len(one.verdicts) for one in read_raters(session.run, samples)] == [3]
    answers = session.run / "predictions" / "rad-test.jsonl"
    before = answers.read_text()
    answers.write_text(before.replace(f'"text":"{items[0].text}"', '"text":"something else"'))
    with pytest.raises(RunError, match=rf"(?s)1 verdicts are of what has changed.*1: {items[0].sample_id}"):
        read_raters(session.run, samples)
    answers.write_text(before)
    card = json.loads((session.run / "verdicts" / "rater-01.card.json").read_text())
    assert (card["kind"], card["title"]) == ("human", "rater-01")
    assert card["counts"] == {"items": 10, "scored": 1, "unscored": 2, "refused": 2, "open": 7}
    assert card["settings"]["drawn"]["wrong"] == {"answers": 60, "rated": 5}
    assert rater.token not in json.dumps(card)
    assert session.secret not in json.dumps(card)
    assert not (session.run / "verdicts" / "rater-02.jsonl").exists()


def test_an_export_follows_what_is_taken_back(session: Session, rater: Rater) -> None:
    save(session, rater, session.items(rater)[0].id, Rating(1), change="a")
    export(session)
    undo(session, rater, change="u")
    export(session)
    assert (session.run / "verdicts" / "rater-01.jsonl").read_text() == ""
    assert [one.rated for one in progress(session)] == [0, 0]


def test_an_export_replaces_nobody_elses_file(session: Session, rater: Rater) -> None:
    save(session, rater, session.items(rater)[0].id, Rating(1), change="a")
    theirs = session.run / "verdicts" / "rater-01.jsonl"
    theirs.write_text("kept")
    with pytest.raises(RunError, match="not written by a rating session"):
        export(session)
    assert theirs.read_text() == "kept"


def test_a_rater_of_both_tasks_has_one_file(vqa_run: Path, images: list[str]) -> None:
    from tests.raters.conftest import report_pairs, write

    write(vqa_run, "xray-test", report_pairs(images))
    for task in ("vqa", "report"):
        session = open_session(vqa_run, SessionRequest(task=task, raters=1, sample=5))  # type: ignore[arg-type]
        rater = session.raters()[0]
        save(session, rater, session.items(rater)[0].id, Rating(1), change=task)
        export(session)
    verdicts = list(jsonl.read(vqa_run / "verdicts" / "rater-01.jsonl", Verdict))
    card = json.loads((vqa_run / "verdicts" / "rater-01.card.json").read_text())
    assert card["counts"] == {"items": 10, "scored": 2, "unscored": 0, "refused": 0, "open": 8}
    assert sorted(verdict.sample_id[:10] for verdict in verdicts) == ["covert-id-", "covert-rep"]
