"""A judge that cannot be read ends after the card's pairs; empty and cut replies are asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.endpoint import faulty_server as server
from tests.judges.made_run import data_in, honest, made_run
from tests.judges.test_endpoint_judge import CARD, PAIRS, RATER, check_whole, verdicts
from tests.judges.test_endpoint_judge import work as quick_work

from pefomed.files import jsonl
from pefomed.judges.calibration import OURS, PAPER, REPORTS
from pefomed.judges.card import read_card
from pefomed.judges.endpoint_judge import JudgeSettings, UnreadableJudge, Work, carry_out
from pefomed.judges.replies import Reply
from pefomed.runs import RunFolder

pytest.importorskip("openai", reason="the openai package is not installed")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made_run(tmp_path / "run")


def work(run: Path, url: str, **options: Any) -> Work:
    """Return a judging whose calls are never late, however busy this machine is: they are counted."""
    return quick_work(run, url, timeout=60.0, **options)


def saying(text: str | None, finish: str, when: Any) -> server.Fault:
    """Answer so what `when` is true of; everything else properly."""

    def fault(handler: server.Handler, body: dict[str, Any]) -> bool:
        if when(body):
            handler.send(200, server.completion(text, finish=finish))
            return True
        return False

    return fault


def asks_of_the_liver(body: dict[str, Any]) -> bool:
    return data_in(body)["reference"] == "liver"


@pytest.mark.parametrize("said", ["The answer deserves a 1.", "0.5", "I'm sorry, I cannot judge this."])
def test_a_judge_that_cannot_be_read_is_asked_the_cards_pairs_alone(run: Path, said: str) -> None:
    with server.serving(lambda _: said) as served:
        with pytest.raises(UnreadableJudge, match=rf"10 of its 10 replies(?s:.*){said[:10]}"):
            carry_out(work(run, served.url, runs=10))
        assert len(served.asked) == CARD  # of 10 x 14 calls
        with pytest.raises(UnreadableJudge):
            carry_out(work(run, served.url, runs=10))
        assert len(served.asked) == CARD  # nor are they asked again
        assert read_card(run, RATER) is None
        assert verdicts(run) == []
        assert len(list(jsonl.read(RunFolder(run).replies_file(RATER), Reply))) == CARD
        # the same name with other settings is free
        served.answer = honest
        carry_out(work(run, served.url, settings=JudgeSettings(max_tokens=999)))
    check_whole(run, 2)


@pytest.mark.parametrize(("read", "goes_on"), [(5, True), (4, False)])
def test_half_of_the_cards_pairs_have_to_be_read(run: Path, read: int, goes_on: bool) -> None:
    readable = [known.pair.reference + known.pair.answer for known in (*PAPER, *OURS, *REPORTS)[:read]]

    def sometimes(body: dict[str, Any]) -> str:
        texts = data_in(body)
        known = [known.pair.reference + known.pair.answer for known in (*PAPER, *OURS, *REPORTS)]
        this = texts["reference"] + texts["answer"]
        return honest(body) if this in readable or this not in known else "one"

    with server.serving(sometimes) as served:
        if goes_on:
            carry_out(work(run, served.url, runs=1))
            check_whole(run, 1)
        else:
            with pytest.raises(UnreadableJudge):
                carry_out(work(run, served.url, runs=1))
            assert len(served.asked) == CARD


def test_a_judge_that_is_cut_while_it_thinks_is_told_of_max_tokens(run: Path) -> None:
    with server.serving(honest) as served:
        served.always = saying("<think>The reference says", "length", lambda _: True)
        with pytest.raises(UnreadableJudge, match=r"--max-tokens 256"):
            carry_out(work(run, served.url, attempts=2))
        assert len(served.asked) == 2 * CARD


def test_empty_and_cut_replies_are_asked_again_with_another_seed(run: Path) -> None:
    faults = [
        server.replied(""), server.replied(None), server.replied('{"lab', finish="length"),
        server.replied("<think>hm</think>"), server.replied(" \n"),
    ]  # fmt: skip
    with server.serving(honest) as served:
        served.faults = [None, None, *faults]
        card = carry_out(work(run, served.url, runs=2))
        assert len(served.asked) == 2 * (PAIRS + CARD) + len(faults)
        assert len({call["seed"] for call in served.asked}) > 2
    check_whole(run, 2)
    assert card["counts"]["open"] == card["counts"]["unscored"] == 0
    # what was thrown away was paid for: 28 + 5 replies of 100 tokens in
    assert card["usage"]["tried_again"] == 5
    assert card["usage"]["prompt_tokens"] == 3300


def test_what_is_always_empty_stays_open_and_is_asked_by_the_next_command(run: Path) -> None:
    with server.serving(honest) as served:
        served.always = saying("", "stop", asks_of_the_liver)
        card = carry_out(work(run, served.url, runs=1, attempts=3))
        assert card["counts"]["open"] == 1
        assert card["open_because"] == ["an empty reply (3 attempts)"]
        assert len(served.asked) == PAIRS + CARD + 2
        assert {v.sample_id for v in verdicts(run)} == {"q1", "q3", "q4", "r1"}
        served.always = None
        card = carry_out(work(run, served.url, runs=1))
        assert card["usage"]["tried_again"] == 3
    check_whole(run, 1)


def test_what_is_always_cut_is_unscored_with_its_reason(run: Path) -> None:
    with server.serving(honest) as served:
        served.always = saying("<think>so long", "length", asks_of_the_liver)
        card = carry_out(work(run, served.url, runs=1, attempts=3))
        asked = len(served.asked)
        assert asked == PAIRS + CARD + 2
        carry_out(work(run, served.url, runs=1))
        assert len(served.asked) == asked
    assert card["counts"]["unscored"] == 1
    [verdict] = [verdict for verdict in verdicts(run) if verdict.sample_id == "q2"]
    assert verdict.label is None
    assert verdict.reason == "unparsable, cut at the limit of tokens: <think>so long"


def test_a_cut_reply_with_its_label_is_a_reply(run: Path) -> None:
    with server.serving(honest) as served:
        served.always = saying('{"label": 0}', "length", asks_of_the_liver)
        carry_out(work(run, served.url, runs=1))
        assert len(served.asked) == PAIRS + CARD
    check_whole(run, 1)
