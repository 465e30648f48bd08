"""A session that has begun gets more raters or more answers; what was given out stays as it was."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook
from tests.raters.conftest import report_pairs, write

from pefomed.agreement import write_agreement
from pefomed.errors import DataError, ImageError, RunError
from pefomed.files import jsonl
from pefomed.raters import Session, SessionRequest, open_session
from pefomed.raters.export import export
from pefomed.raters.verdicts import Rating, save, states
from pefomed.raters.workbook import write_workbooks
from pefomed.raters.workbook_import import import_workbooks
from pefomed.runs import RunFolder
from pefomed.schema import Verdict

BEGUN = SessionRequest(raters=3, sample=20, seed=7)

Rows = dict[str, list[tuple[object, ...]]]


def table_rows(run: Path) -> Rows:
    """Every row of every table but the session's own, which says how large it is."""
    with sqlite3.connect(RunFolder(run).ratings_database) as connection:
        names = ("rater", "item", "shown", "verdict", "history")
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall() for name in names}


def ids(session: Session) -> list[list[str]]:
    return [[item.sample_id for item in session.items(rater)] for rater in session.raters()]


def rate(session: Session, place: int, count: int) -> None:
    """Let a rater say of their first `count` items whether their number is even."""
    rater = session.raters()[place]
    for item in session.items(rater)[:count]:
        label = int(item.sample_id[-3:]) % 2
        save(session, rater, item.id, Rating(label), change=f"change-{place}-{item.id:06}", checked=False)


def fill(path: Path, count: int) -> None:
    """Fill in the labels of a workbook's first `count` rows."""
    book = load_workbook(path)
    for row in range(2, min(count + 1, book["rating"].max_row) + 1):
        book["rating"].cell(row, 6).value = "right" if row % 2 else "wrong"
    book.save(path)


def right_of(sample_ids: list[str]) -> int:
    # Every third answer is right but for case and spaces.
    return sum(int(name[-3:]) % 3 == 0 for name in sample_ids)


@pytest.mark.parametrize(
    "wishes",
    [
        SessionRequest(raters=5),
        SessionRequest(sample=40),
        SessionRequest(raters=4, sample=31),
        SessionRequest(sample=90),
    ],
)
@pytest.mark.parametrize("overlap", [1.0, 0.5])
def test_what_was_given_out_stays_bit_for_bit(vqa_run: Path, wishes: SessionRequest, overlap: float) -> None:
    if overlap < 1 and wishes.sample in (40, 90):
        wishes = SessionRequest(sample=30)  # 3 x 20 answers of their own are not there
    session = open_session(vqa_run, SessionRequest(raters=3, sample=20, seed=7, overlap=overlap))
    rate(session, 0, 20)
    rate(session, 1, 5)
    session.database.close()
    before = table_rows(vqa_run)
    grown = open_session(vqa_run, wishes)
    after = table_rows(vqa_run)
    for name, rows in before.items():
        assert after[name][: len(rows)] == rows, name
    assert after["verdict"] == before["verdict"]
    assert after["history"] == before["history"]
    assert (grown.id, grown.secret) == (session.id, session.secret)
    sample = wishes.sample or 20
    assert {len(one) for one in ids(grown)} == {sample}
    assert [len(set(one)) for one in ids(grown)] == [sample] * len(grown.raters())
    numbers = [[item.number for item in grown.items(rater)] for rater in grown.raters()]
    assert all(one == list(range(1, sample + 1)) for one in numbers)


def test_raters_who_come_later_get_what_they_would_have_had_from_the_beginning(vqa_run: Path) -> None:
    open_session(vqa_run, BEGUN)
    later = open_session(vqa_run, SessionRequest(raters=5))
    names, lists, links = [r.name for r in later.raters()], ids(later), {r.token for r in later.raters()}
    assert names == ["rater-01", "rater-02", "rater-03", "rater-04", "rater-05"]
    assert len(links) == 5
    later.database.close()
    RunFolder(vqa_run).ratings_database.unlink()
    assert ids(open_session(vqa_run, SessionRequest(raters=5, sample=20, seed=7))) == lists


def test_a_larger_sample_holds_the_smaller_one_and_keeps_the_shares(vqa_run: Path) -> None:
    small = ids(open_session(vqa_run, BEGUN))
    large = open_session(vqa_run, SessionRequest(sample=40))
    for before, after in zip(small, ids(large), strict=True):
        assert set(before) < set(after)
        assert after[:20] == before
        assert len(after) == 40
        # Half of them are ones that exact match called right, in either part.
        assert right_of(after[:20]) == 10
        assert right_of(after[20:]) == 10
    assert len({frozenset(one) for one in ids(large)}) == 1
    assert len({tuple(one[20:]) for one in ids(large)}) == 3
    assert large.drawn == {"right": (30, 20), "wrong": (60, 20)}
    # The further ones are spread over the organs, a third each: 20 / 3.
    organs = Counter(int(name[-3:]) // 3 % 3 for name in ids(large)[0][20:])
    assert max(organs.values()) - min(organs.values()) <= 4


def test_the_seed_fixes_the_growth_and_further_growth_nests(vqa_run: Path) -> None:
    def grown() -> list[list[str]]:
        RunFolder(vqa_run).ratings_database.unlink(missing_ok=True)
        for wishes in (BEGUN, SessionRequest(sample=30), SessionRequest(raters=4), SessionRequest(sample=40)):
            session = open_session(vqa_run, wishes)
        found = ids(session)
        assert [(one.raters, one.sample) for one in session.settings.grown] == [(3, 20), (3, 30), (4, 30)]
        assert [len(part) for part in session.parts(session.raters()[0])] == [20, 10, 10]
        assert [len(part) for part in session.parts(session.raters()[3])] == [30, 10]
        session.database.close()
        return found

    assert grown() == grown()


def test_a_part_overlaps_and_the_rest_is_each_ones_own(vqa_run: Path) -> None:
    open_session(vqa_run, SessionRequest(raters=2, sample=20, seed=7, overlap=0.5))
    lists = [set(one) for one in ids(open_session(vqa_run, SessionRequest(raters=4, sample=30)))]
    common = set.intersection(*lists)
    assert len(common) == 15
    assert all(len(one) == 30 for one in lists)
    # 15 for all and 4 x 15 of their own.
    assert len(set.union(*lists)) == 75
    assert 7 <= right_of(sorted(common)) <= 8


def test_a_single_raters_answers_become_common_as_the_overlap_says(vqa_run: Path) -> None:
    open_session(vqa_run, SessionRequest(raters=1, sample=20, seed=7, overlap=0.3))
    first, second = (set(one) for one in ids(open_session(vqa_run, SessionRequest(raters=2))))
    assert len(first & second) == 6
    assert right_of(sorted(first & second)) == 3
    assert right_of(sorted(second)) == 10


def test_where_one_kind_runs_out_the_session_says_so(vqa_run: Path) -> None:
    open_session(vqa_run, BEGUN)
    # Of 90 answers 30 are right: of 60 more 20 right ones are left, and 30 were to be.
    session = open_session(vqa_run, SessionRequest(sample=80))
    assert session.drawn == {"right": (30, 30), "wrong": (60, 50)}
    assert session.notes == (
        "30 of 60 further answers were to be ones that exact match called wrong; the run has 50 wrong and 20"
        " right ones left, so it is 40",
    )


def test_more_than_there_is_is_refused_and_changes_nothing(vqa_run: Path, images: list[str]) -> None:
    open_session(vqa_run, BEGUN).database.close()
    before = table_rows(vqa_run)
    with pytest.raises(RunError, match="91 different answers are wanted, the run has 90"):
        open_session(vqa_run, SessionRequest(sample=91))
    (vqa_run / "verdicts" / "rater-04.jsonl").write_text("")
    with pytest.raises(RunError, match="the name 'rater-04' is taken"):
        open_session(vqa_run, SessionRequest(raters=4))
    with pytest.raises(RunError, match="has 3 raters and 20 answers each, not 3 raters and 30"):
        open_session(vqa_run, SessionRequest(sample=30), make=False)
    Path(images[0]).unlink()
    with pytest.raises(ImageError, match="cannot be shown to raters"):
        open_session(vqa_run, SessionRequest(sample=30))
    assert table_rows(vqa_run) == before
    assert open_session(vqa_run).settings.sample == 20


def test_named_raters_join_under_their_names(vqa_run: Path) -> None:
    open_session(vqa_run, SessionRequest(names=("ann", "bob"), sample=5))
    grown = open_session(vqa_run, SessionRequest(names=("bob", "ann", "gpt"), models=("gpt",)))
    assert [rater.name for rater in grown.raters()] == ["ann", "bob", "gpt"]
    assert grown.settings.models == ("gpt",)
    assert [rater.name for rater in open_session(vqa_run, SessionRequest(raters=4)).raters()][3] == "rater-01"


def test_half_of_the_further_reports_stand_on_each_side(tmp_path: Path, images: list[str]) -> None:
    run = tmp_path / "reports"
    write(run, "xray-test", report_pairs(images))
    open_session(run, SessionRequest(raters=2, sample=4))
    session = open_session(run, SessionRequest(raters=3, sample=12))
    for rater in session.raters():
        for part in session.parts(rater):
            assert sum(item.swapped for item in part) * 2 == len(part)


def test_returned_workbooks_stay_good_and_further_answers_have_files_of_their_own(
    vqa_run: Path, tmp_path: Path
) -> None:
    session = open_session(vqa_run, BEGUN)
    given_out = write_workbooks(session, tmp_path / "first")
    session = open_session(vqa_run, SessionRequest(raters=4, sample=30))
    # A file from before the growth is taken, alone and filled in by half.
    fill(given_out[0], 10)
    (one,) = import_workbooks(session, given_out[0])
    assert (one.rater, one.rated, one.changed) == ("rater-01", 10, 10)
    paths = write_workbooks(session, tmp_path / "second")
    assert [path.name for path in paths] == [
        "rater-01.xlsx", "rater-01 part 2.xlsx", "rater-02.xlsx", "rater-02 part 2.xlsx",
        "rater-03.xlsx", "rater-03 part 2.xlsx", "rater-04.xlsx",
    ]  # fmt: skip
    rows = [load_workbook(path)["rating"].max_row - 1 for path in paths]
    assert rows == [20, 10, 20, 10, 20, 10, 30]
    first, again = (load_workbook(path)["rating"] for path in (given_out[1], paths[2]))
    assert [row[0].value for row in first.rows] == [row[0].value for row in again.rows]
    for path in paths:
        fill(path, 30)
    told = import_workbooks(session, tmp_path / "second")
    assert Counter(one.rater for one in told) == {
        "rater-01": 2, "rater-02": 2, "rater-03": 2, "rater-04": 1
    }  # fmt: skip
    assert all(len(states(session, rater)) == 30 for rater in session.raters())


def test_a_file_twice_and_a_part_with_rows_missing_are_refused(vqa_run: Path, tmp_path: Path) -> None:
    open_session(vqa_run, BEGUN)
    session = open_session(vqa_run, SessionRequest(sample=30))
    folder = tmp_path / "sheets"
    paths = write_workbooks(session, folder)
    book = load_workbook(paths[1])
    book["rating"].delete_rows(3)
    book.save(paths[1])
    with pytest.raises(DataError, match=r"rater-01 part 2.xlsx.*1 rows are missing"):
        import_workbooks(session, paths[1])
    write_workbooks(session, folder)
    (folder / "copy.xlsx").write_bytes(paths[0].read_bytes())
    with pytest.raises(DataError, match="also holds the ratings of rater-01"):
        import_workbooks(session, folder)


def test_verdicts_and_agreement_of_raters_who_share_a_part(vqa_run: Path) -> None:
    session = open_session(vqa_run, BEGUN)
    rate(session, 0, 20)
    rate(session, 1, 20)
    session = open_session(vqa_run, SessionRequest(raters=4, sample=40))
    rate(session, 0, 40)  # all; the second the first part alone, the fourth some of everything
    rate(session, 3, 25)
    done = {one.rater.name: one.rated for one in export(session)}
    assert done == {"rater-01": 40, "rater-02": 20, "rater-03": 0, "rater-04": 25}
    lines = {
        name: list(jsonl.read(vqa_run / "verdicts" / f"{name}.jsonl", Verdict))
        for name, rated in done.items()
        if rated
    }
    assert {name: len(found) for name, found in lines.items()} == {k: v for k, v in done.items() if v}
    card = json.loads((vqa_run / "verdicts" / "rater-02.card.json").read_text())
    assert card["settings"]["grown_from"] == [{"raters": 3, "sample": 20}]
    assert card["settings"]["items_per_rater"] == 40
    assert card["counts"]["open"] == 20
    # All say the same of an answer; the third said nothing. Two labels have the 20 of the first part, and
    # those of the fourth's 25 that are not among them.
    fourth = {verdict.sample_id for verdict in lines["rater-04"]}
    second = {verdict.sample_id for verdict in lines["rater-02"]}
    found = {
        one.coefficient: one for one in write_agreement(vqa_run).agreement if one.between == "human-human"
    }
    assert (found["flip_share"].value, found["flip_share"].n) == (0.0, len(fourth | second))
    assert found["krippendorff_nominal"].value == pytest.approx(1.0)
    assert len(second) == 20 < len(fourth | second) < 40
