"""A judging by an endpoint: nothing lost and nothing counted twice, whatever the server or a kill does."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.endpoint import faulty_server as server
from tests.judges.made_run import ROWS, data_in, honest, made_run

from pefomed.endpoint import Endpoint, EndpointError
from pefomed.errors import RunError, StorageError
from pefomed.files import jsonl
from pefomed.judges.card import read_card
from pefomed.judges.endpoint_judge import JudgeSettings, UnreadableJudge, Work, carry_out, prepare
from pefomed.judges.replies import Reply, alone, safe_name
from pefomed.runs import RunFolder
from pefomed.schema import Record, Verdict

pytest.importorskip("openai", reason="the openai package is not installed")

RATER = "judge-1"
# q1 and q4 are the same texts: 4 different pairs; beside them 8 pairs for VQA and 2 for reports on the card
PAIRS, CARD = 4, 10


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made_run(tmp_path / "run")


def work(run: Path, url: str, runs: int = 2, settings: JudgeSettings | None = None, **options: Any) -> Work:
    changes = {
        key: options.pop(key) for key in ("attempts", "concurrency", "served_as", "timeout") if key in options
    }
    endpoint = Endpoint(**{"base_url": url, "model": RATER, "timeout": 1.0, "first_wait": 0.01, **changes})
    return prepare(run, endpoint, settings or JudgeSettings(), runs=runs, **options)


def verdicts(run: Path, rater: str = RATER) -> list[Verdict]:
    return list(jsonl.read(RunFolder(run).verdicts_file(rater), Verdict))


def check_whole(run: Path, runs: int, rater: str = RATER) -> None:
    """Every item has one verdict in every run, with the honest judge's label."""
    found = verdicts(run, rater)
    assert Counter((v.sample_id, v.run) for v in found) == Counter(
        (r[0], n) for r in ROWS for n in range(runs)
    )
    wanted = {"q1": 1, "q2": 0, "q3": 0, "q4": 1, "r1": 4}
    assert {v.sample_id: v.label for v in found} == wanted
    assert {v.rater for v in found} == {rater}


def test_every_answer_is_judged_in_every_run_and_equal_texts_are_asked_once(run: Path) -> None:
    with server.serving(honest) as served:
        planned = work(run, served.url, runs=3)
        assert len(planned.jobs()) == 3 * (PAIRS + CARD)
        assert not (run / "verdicts").exists()
        card = carry_out(planned)
        assert len(served.asked) == 3 * (PAIRS + CARD)
        assert Counter(call["seed"] for call in served.asked) == {0: 14, 1: 14, 2: 14}
        check_whole(run, 3)
        again = work(run, served.url, runs=3)
        assert again.jobs() == []
        carry_out(again)
        assert len(served.asked) == 3 * (PAIRS + CARD)
    assert card["kind"] == "llm-judge"
    assert card["counts"] == {
        "items": 5, "verdicts": 15, "scored": 15, "unscored": 0, "refused": 0, "open": 0,
    }  # fmt: skip
    assert card["results"]["mine-test vqa"]["mean"] == 0.5
    assert card["results"]["mine-test report"]["mean"] == 4.0
    # the server's own count, 100 tokens in and 5 out for each of 3 x 14 calls
    assert card["usage"] == {"replies": 42, "tried_again": 0, "prompt_tokens": 4200, "completion_tokens": 210}
    assert card["runs_all_alike"] is True
    assert [pair["source"] for pair in card["calibration"][:5]] == ["paper"] * 4 + ["ours"]
    assert all(len(pair["labels"]) == 3 for pair in card["calibration"])


def test_further_runs_ask_only_what_is_new_and_fewer_lose_nothing(run: Path) -> None:
    with server.serving(honest) as served:
        carry_out(work(run, served.url, runs=2))
        carry_out(work(run, served.url, runs=3))
        assert len(served.asked) == 3 * (PAIRS + CARD)
        carry_out(work(run, served.url, runs=1))
        assert len(served.asked) == 3 * (PAIRS + CARD)
    check_whole(run, 3)


def test_faults_of_every_kind_lose_and_double_nothing(run: Path) -> None:
    faults: list[server.Fault | None] = [
        server.status(429, Retry_After="0.1"), server.status(500), server.raw(b""), server.cut(), None,
        server.raw(b'{"choices": [{"mess'), server.reset(), server.hang(2.0), server.drip(), None,
        server.status(503),
    ]  # fmt: skip
    with server.serving(honest) as served:
        served.faults = list(faults)
        card = carry_out(work(run, served.url, runs=2))
        failed = sum(fault is not None for fault in faults)
        assert len(served.asked) == 2 * (PAIRS + CARD) + failed
    check_whole(run, 2)
    assert card["counts"]["open"] == 0


def test_unparsable_and_refused_are_unscored_counted_apart_and_not_asked_again(run: Path) -> None:
    def odd(body: dict[str, Any]) -> str:
        return {"liver": "I would say 1", "no": "I'm sorry, I cannot judge this."}.get(
            data_in(body)["reference"], honest(body)
        )

    with server.serving(odd) as served:
        card = carry_out(work(run, served.url, runs=2))
        asked = len(served.asked)
        carry_out(work(run, served.url, runs=2))
        assert len(served.asked) == asked
    found = {v.sample_id: v for v in verdicts(run)}
    assert found["q2"].label is None
    assert found["q2"].reason == "unparsable: I would say 1"
    assert found["q3"].reason.startswith("refused: I'm sorry")
    assert card["counts"] == {
        "items": 5, "verdicts": 10, "scored": 6, "unscored": 4, "refused": 2, "open": 0,
    }  # fmt: skip
    # the mean is over what is scored: q1 and q4, both right
    assert card["results"]["mine-test vqa"]["mean"] == 1.0
    assert card["results"]["mine-test vqa"]["unscored"] == 4


def test_replies_are_kept_verbatim(run: Path) -> None:
    with (
        server.serving(lambda _: 'Ünlike {"label": 1} \u2028') as served,
        pytest.raises(UnreadableJudge),
    ):
        carry_out(work(run, served.url, runs=1))
    for reply in jsonl.read(RunFolder(run).replies_file(RATER), Reply):
        assert json.loads(reply.body) == server.completion('Ünlike {"label": 1} \u2028')


def test_a_server_that_dies_leaves_what_is_open_open(run: Path) -> None:
    with server.serving(honest) as served:
        served.faults = [None] * 6
        served.always = server.status(500)
        card = carry_out(work(run, served.url, runs=2, attempts=2, concurrency=1))
        # the six answered are pairs of the card
        assert card["counts"]["verdicts"] == 0
        assert card["counts"]["open"] == 10
        assert "HTTP 500" in card["open_because"][0]
        assert verdicts(run) == []
        served.always = None
        asked = len(served.asked)
        carry_out(work(run, served.url, runs=2))
        assert len(served.asked) - asked == 2 * (PAIRS + CARD) - 6
    check_whole(run, 2)


def test_another_model_ends_it_at_the_first_reply_and_leaves_nothing(run: Path) -> None:
    with server.serving(honest, model="cheaper-0") as served:
        with pytest.raises(EndpointError, match=r"another model(?s:.*)cheaper-0(?s:.*)--served-as"):
            carry_out(work(run, served.url))
        assert len(served.asked) == 1
        assert not list((run / "verdicts").glob("*.json*"))
        carry_out(work(run, served.url, served_as="cheaper-0"))
    check_whole(run, 2)


def test_a_model_that_changes_in_the_middle_is_caught(run: Path) -> None:
    with server.serving(honest) as served:
        served.faults = [None] * 20 + [server.replied('{"label": 1}', model="cheaper-0")]
        with pytest.raises(EndpointError, match="another model"):
            carry_out(work(run, served.url, concurrency=1))
        kept = list(jsonl.read(RunFolder(run).replies_file(RATER), Reply))
        assert len(kept) == 20
        carry_out(work(run, served.url))
        assert len(served.asked) == 21 + 2 * (PAIRS + CARD) - 20
    check_whole(run, 2)


def test_a_server_without_schemas_is_asked_in_plain(run: Path) -> None:
    def refuse(handler: server.Handler, body: dict[str, Any]) -> bool:
        return "response_format" in body and server.status(400, "response_format: not supported")(
            handler, body
        )

    with server.serving(lambda body: str(json.loads(honest(body))["label"])) as served:
        served.always = refuse
        card = carry_out(work(run, served.url, runs=1))
        assert len(served.asked) == PAIRS + CARD + 1
    check_whole(run, 1)
    assert card["settings"]["not_supported"] == {"response_format": "strict parsing of the text"}


def test_a_changed_answer_is_judged_again_and_a_removed_one_forgotten(run: Path) -> None:
    with server.serving(honest) as served:
        carry_out(work(run, served.url, runs=2))
        asked = len(served.asked)
        made_run(run, [*ROWS[:2], ("q3", "vqa", "Is there a mass?", "no", "no"), *ROWS[4:]])
        carry_out(work(run, served.url, runs=2))
        assert len(served.asked) - asked == 2
    assert {v.sample_id: v.label for v in verdicts(run)} == {"q1": 1, "q2": 0, "q3": 1, "r1": 4}


def test_only_one_task_leaves_the_other_as_it_was(run: Path) -> None:
    with server.serving(honest) as served:
        carry_out(work(run, served.url, runs=1, only="report"))
        assert {v.sample_id for v in verdicts(run)} == {"r1"}
        carry_out(work(run, served.url, runs=1, only="vqa"))
        check_whole(run, 1)
    with pytest.raises(RunError, match=r"nothing to judge with --only vqa"):
        prepare(made_run(run, ROWS[4:]), Endpoint("http://127.0.0.1:1/v1", "m"), JudgeSettings(), only="vqa")


def test_other_settings_under_the_same_name_are_refused(run: Path) -> None:
    with server.serving(honest) as served:
        carry_out(work(run, served.url, runs=1))
        with pytest.raises(
            RunError, match=r"made in another way(?s:.*)temperature 1.0, now 0.0(?s:.*)--rater"
        ):
            work(run, served.url, settings=JudgeSettings(temperature=0.0))
        carry_out(work(run, served.url, runs=1, settings=JudgeSettings(temperature=0.0), rater="cold"))
    check_whole(run, 1, "cold")
    jsonl.append(run / "verdicts" / "anna.jsonl", [Verdict(sample_id="q1", rater="anna", label=1)])
    with pytest.raises(RunError, match="has a rater anna already"):
        work(run, "http://127.0.0.1:1/v1", rater="anna")


def test_two_judgings_under_one_name_do_not_meet(run: Path) -> None:
    with (
        server.serving(honest) as served,
        alone(run, RATER),
        pytest.raises(RunError, match="another process is judging"),
    ):
        carry_out(work(run, served.url))


def test_the_key_is_nowhere_in_the_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")

    def telling(body: dict[str, Any]) -> str:
        return honest(body) if data_in(body)["answer"] != "the liver" else f"sk-very-secret {honest(body)}"

    with server.serving(telling) as served:
        carry_out(work(run, served.url, runs=1))
    for path in run.rglob("*"):
        if path.is_file():
            assert b"very-secret" not in path.read_bytes(), path


def test_names_of_files(run: Path) -> None:
    assert safe_name("owner/Model v1.5:free") == "owner-Model-v1.5-free"
    for name in ("", "///", "x.card"):
        with pytest.raises(RunError, match="cannot be a rater's name"):
            safe_name(name)


KILLED = """
import signal
import sys
from pathlib import Path
from pefomed.endpoint import Endpoint
from pefomed.judges.endpoint_judge import JudgeSettings, carry_out, prepare
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
endpoint = Endpoint(sys.argv[2], "judge-1", timeout=60.0, first_wait=0.01, concurrency=2)
carry_out(prepare(Path(sys.argv[1]), endpoint, JudgeSettings(), runs=4))
"""


def start(run: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", KILLED, str(run), url], stderr=subprocess.PIPE)


def wait_for(path: Path, lines: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never had {lines} lines")


@pytest.mark.parametrize("stopped", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_judging_goes_on_where_it_was(run: Path, stopped: signal.Signals) -> None:
    gone, answered = threading.Event(), itertools.count()

    def halting(body: dict[str, Any]) -> str:
        # However slow this machine is, the child does not get to its end before it is stopped.
        if next(answered) >= 20:
            gone.wait(60)
        return honest(body)

    with server.serving(halting) as served:
        child = start(run, served.url)
        wait_for(RunFolder(run).replies_file(RATER), 17)
        child.send_signal(stopped)
        child.wait()
        gone.set()
        assert child.returncode != 0
        replies = RunFolder(run).replies_file(RATER).read_bytes()
        kept = replies.count(b"\n")
        assert 17 <= kept < 4 * (PAIRS + CARD)
        asked = len(served.asked)
        assert asked - kept <= 3  # what was on its way
        # The worst moment: the reply is written, its verdict is not, and the line after it is half there.
        RunFolder(run).verdicts_file(RATER).unlink(missing_ok=True)
        RunFolder(run).replies_file(RATER).write_bytes(replies + b'{"key": "00')
        carry_out(work(run, served.url, runs=4))
        assert len(served.asked) - asked == 4 * (PAIRS + CARD) - kept
    check_whole(run, 4)
    keys = Counter(reply.key for reply in jsonl.read(RunFolder(run).replies_file(RATER), Reply))
    assert len(keys) == 4 * (PAIRS + CARD)
    assert set(keys.values()) == {1}
    card = read_card(run, RATER)
    assert card is not None
    assert card["runs"] == 4


def test_a_full_disk_is_one_clear_error_and_loses_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = jsonl.Writer.__call__
    room = iter(range(25))

    def write(writer: jsonl.Writer, record: Record) -> int:
        if next(room, None) is None:
            raise StorageError("cannot write: the disk is full")
        return written(writer, record)

    with server.serving(honest) as served:
        with monkeypatch.context() as patched:
            patched.setattr(jsonl.Writer, "__call__", write)
            with pytest.raises(StorageError, match="the disk is full"):
                carry_out(work(run, served.url))
        kept = len(list(jsonl.read(RunFolder(run).replies_file(RATER), Reply)))
        assert 10 < kept < 25
        asked = len(served.asked)
        carry_out(work(run, served.url))
        assert len(served.asked) - asked == 2 * (PAIRS + CARD) - kept
    check_whole(run, 2)
