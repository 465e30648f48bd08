"""One call and many calls against a server that misbehaves."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.endpoint import faulty_server as server

from pefomed.datasets.provenance import provenance
from pefomed.endpoint import (
    Client,
    Endpoint,
    EndpointError,
    EndpointRequest,
    ask_all,
    check_may_leave,
    checked_base_url,
    completion,
    is_loopback,
    is_loopback_host,
)
from pefomed.endpoint.completion import same_model
from pefomed.endpoint.failures import BadBody, Rejected, Unreachable
from pefomed.endpoint.pace import Pace, backoff, retry_after
from pefomed.errors import RunError

pytest.importorskip("openai", reason="the openai package is not installed")

REQUEST = EndpointRequest([{"role": "user", "content": "hello"}], 20, 0.5, seed=7, schema={"type": "object"})


def fast(url: str, **changes: Any) -> Endpoint:
    return Endpoint(**{"base_url": url, "model": "judge-1", "timeout": 1.0, "first_wait": 0.01, **changes})


def ask(endpoint: Endpoint, request: EndpointRequest = REQUEST) -> str:
    async def run() -> str:
        async with Client(endpoint) as client:
            return await client.ask(request)

    return asyncio.run(run())


def text_of(body: str) -> str:
    return completion(body).text


@pytest.mark.parametrize(
    "fault",
    [
        server.status(500),
        server.status(503),
        server.status(429),
        server.status(408),
        server.raw(b""),
        server.raw(b'{"choices": [{"mess'),
        server.raw(b"<html>gateway</html>"),
        server.raw(b'{"object": "chat.completion", "choices": []}'),
        server.cut(),
        server.reset(),
        server.hang(3.0),
        server.drip(),
    ],
    ids=[
        "500",
        "503",
        "429",
        "408",
        "empty",
        "cut json",
        "html",
        "no choice",
        "cut",
        "reset",
        "hang",
        "drip",
    ],
)
def test_a_fault_is_tried_again_and_then_answered(fault: server.Fault) -> None:
    with server.serving(lambda _: "fine") as served:
        served.faults = [fault]
        assert text_of(ask(fast(served.url))) == "fine"
        assert len(served.asked) == 2
        assert served.asked[0] == served.asked[1]


def test_what_is_sent_is_what_was_asked_for() -> None:
    with server.serving(lambda _: "fine") as served:
        ask(fast(served.url))
    [sent] = served.asked
    assert sent["model"] == "judge-1"
    assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0.5, 20, 7)
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_retry_after_is_honoured() -> None:
    with server.serving(lambda _: "fine") as served:
        served.faults = [server.status(429, Retry_After="0.6")]
        ask(fast(served.url))
        assert served.times[1] - served.times[0] >= 0.6


def test_a_fault_that_stays_ends_as_unreachable() -> None:
    with server.serving(lambda _: "fine") as served:
        served.always = server.status(500, "out of order")
        with pytest.raises(Unreachable, match=r"HTTP 500.*out of order.*\(3 attempts\)"):
            ask(fast(served.url, attempts=3))
        assert len(served.asked) == 3


def test_nobody_there() -> None:
    with pytest.raises(Unreachable, match="no connection"):
        ask(fast("http://127.0.0.1:9/v1", attempts=2))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (server.status(401), "the key is refused"),
        (server.status(404), "no such address or model"),
        (server.status(429, error="insufficient_quota"), "quota is used up"),
        (server.replied("1", model="another-2"), "answers with another model"),
    ],
)
def test_what_no_repetition_cures_ends_at_once(fault: server.Fault, says: str) -> None:
    with server.serving(lambda _: "fine") as served:
        served.always = fault
        with pytest.raises(EndpointError, match=says):
            ask(fast(served.url))
        assert len(served.asked) == 1


def test_a_request_that_is_too_long_is_rejected() -> None:
    with server.serving(lambda _: "fine") as served:
        served.always = server.status(400, "maximum context length is 8192 tokens")
        with pytest.raises(Rejected, match="context length"):
            ask(fast(served.url))


def test_a_redirect_is_not_followed() -> None:
    with server.serving(lambda _: "elsewhere") as other, server.serving(lambda _: "fine") as served:
        served.always = server.status(307, Location=f"{other.url}/chat/completions")
        with pytest.raises(Rejected, match="HTTP 307"):
            ask(fast(served.url))
        assert not other.asked


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with server.serving(lambda _: "fine") as served:
        assert text_of(ask(fast(served.url, attempts=1))) == "fine"


def test_parameters_a_server_does_not_take_are_left_out_once_for_all() -> None:
    refused = {
        "response_format": "json_schema is not supported",
        "max_tokens": "Unsupported parameter: 'max_tokens'",
    }

    def pick(handler: server.Handler, body: dict[str, Any]) -> bool:
        for name, message in refused.items():
            if name in body:
                return server.status(400, message)(handler, body)
        return False

    async def run(url: str) -> dict[str, str]:
        async with Client(fast(url)) as client:
            await client.ask(REQUEST)
            await asyncio.gather(*(client.ask(REQUEST) for _ in range(3)))
            return client.dropped

    with server.serving(lambda _: "fine") as served:
        served.always = pick
        assert set(asyncio.run(run(served.url))) == {"response_format", "max_tokens"}
        assert len(served.asked) == 2 + 4
        assert served.asked[-1]["max_completion_tokens"] == 20


def test_a_filtered_prompt_is_a_refusal_not_a_fault() -> None:
    with server.serving(lambda _: "fine") as served:
        served.always = server.status(400, "the prompt was filtered", error="content_filter")
        assert completion(ask(fast(served.url))).refusal == "the prompt was filtered"
        assert len(served.asked) == 1


def test_the_key_is_sent_and_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", " sk-very-secret\n")
    with server.serving(lambda _: "your key is sk-very-secret") as served:
        body = ask(fast(served.url, key_env="MY_KEY"))
        assert served.headers[0]["authorization"] == "Bearer sk-very-secret"
        assert "secret" not in body
        served.always = server.status(401, "bad key sk-very-secret")
        with pytest.raises(EndpointError) as error:
            ask(fast(served.url, key_env="MY_KEY"))
        assert "secret" not in str(error.value)
    with pytest.raises(EndpointError, match="NO_SUCH_KEY is not set"):
        ask(fast("https://api.example.org/v1", key_env="NO_SUCH_KEY"))


def test_calls_a_minute_and_at_the_same_time_are_limited() -> None:
    async def run(endpoint: Endpoint) -> None:
        async with Client(endpoint) as client:
            await ask_all(
                list(range(9)), lambda _: client.ask(REQUEST), lambda *_: None, endpoint.concurrency
            )

    def slow(_: Any) -> str:
        time.sleep(0.05)
        return "fine"

    with server.serving(slow) as served:
        asyncio.run(run(fast(served.url, concurrency=3)))
        assert (len(served.asked), served.most_busy) == (9, 3)
    with server.serving(slow) as served:
        asyncio.run(run(fast(served.url, per_minute=600)))
        # 600 a minute: at least 0.1 s between two starts
        gaps = [after - before for before, after in zip(served.times, served.times[1:], strict=False)]
        assert min(gaps) > 0.05
        assert served.times[-1] - served.times[0] >= 0.75


def test_a_dead_server_ends_the_rest_and_names_what_is_open() -> None:
    kept: list[int] = []

    async def send(job: int) -> str:
        if job >= 4:
            raise Unreachable("HTTP 500: dead")
        return "fine"

    async def run() -> Any:
        return await ask_all(list(range(50)), send, lambda job, _: kept.append(job), 2)

    still_open = asyncio.run(run())
    assert sorted(kept) == [0, 1, 2, 3]
    assert sorted(each.job for each in still_open) == list(range(4, 50))
    assert sum(each.why.startswith("not tried") for each in still_open) >= 42


def test_one_request_that_is_refused_does_not_stop_the_others() -> None:
    async def send(job: int) -> str:
        if job in (0, 5):
            raise Rejected("HTTP 400: too long")
        return "fine"

    async def run(jobs: int) -> Any:
        return await ask_all(list(range(jobs)), send, lambda *_: None, 2)

    assert [each.job for each in asyncio.run(run(8))] == [0, 5]

    async def none(_: int) -> str:
        raise Rejected("HTTP 400: no such thing")

    async def all_refused() -> Any:
        return await ask_all(list(range(8)), none, lambda *_: None, 2)

    with pytest.raises(EndpointError, match="refuses the first 3"):
        asyncio.run(all_refused())


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"choices": [{}]}', '{"choices": [{"message": null}]}']
)
def test_a_body_that_is_no_completion(body: str) -> None:
    with pytest.raises(BadBody):
        completion(body)


def test_what_a_completion_says() -> None:
    made = completion(json.dumps(server.completion(None, refusal="I will not", finish="stop")))
    assert (made.text, made.refusal, made.finish) == ("", "I will not", "stop")
    parts = completion(json.dumps(server.completion([{"type": "text", "text": "a"}, {"text": "b"}])))  # type: ignore[arg-type]
    assert parts.text == "ab"
    assert completion(json.dumps(server.completion("x", finish="content_filter"))).refusal is not None
    assert completion(json.dumps(server.completion("x", finish="length"))).finish == "length"


@pytest.mark.parametrize(
    ("asked", "replied", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4", "gpt-4-0613", True),
        ("owner/Name", "name", True),
        ("name", "owner/name@main", True),
        ("gpt-4", "gpt-4o", False),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "gpt-3.5-turbo", False),
    ],
)
def test_a_date_or_an_owner_makes_no_other_model(asked: str, replied: str, same: bool) -> None:
    assert same_model(asked, replied) is same


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://127.8.9.10/v1", True),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://192.168.0.3/v1", False),
        ("http://0.0.0.0/v1", False),
        ("https://api.openai.com/v1", False),
    ],
)
def test_only_this_machine_is_this_machine(url: str, here: bool) -> None:
    assert is_loopback(checked_base_url(url)) is here


@pytest.mark.parametrize(
    ("host", "private"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("LOCALHOST", True), ("::1", True),
     ("[::1]", True), ("0.0.0.0", False), ("::", False), ("192.168.1.5", False),
     ("ward-7.example.org", False)],
)  # fmt: skip
def test_only_loopback_is_this_machine_alone(host: str, private: bool) -> None:
    assert is_loopback_host(host) is private


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com",
        "ftp://a/b",
        "http://user:pw@127.0.0.1/",
        "http://a/?key=1",
        "http://a b/",
        "http://evil\\@b/",
        "http://a:99999/",
    ],
)
def test_an_address_that_could_hide_something_is_refused(url: str) -> None:
    with pytest.raises(RunError) as error:
        checked_base_url(url)
    assert "pw" not in str(error.value)
    assert "key=1" not in str(error.value)


def test_data_leaves_only_when_it_may(tmp_path: Path) -> None:
    remote, here = "https://api.example.org/v1", "http://127.0.0.1:1/v1"
    check_may_leave(remote, {"slake": "open"}, "3 answers", allow_remote=False)
    check_may_leave(here, {"mimic": "restricted"}, "3 answers", allow_remote=False)
    check_may_leave(remote, {"mimic": "restricted"}, "3 answers", allow_remote=True)
    for origin in ("restricted", "unknown"):
        with pytest.raises(RunError, match=r"api\.example\.org(?s:.*)3 answers; mimic(?s:.*)--allow-remote"):
            check_may_leave(remote, {"mimic": origin}, "3 answers", allow_remote=False)  # type: ignore[dict-item]
    assert provenance(tmp_path, "anything") == "unknown"


def test_waits_are_bounded() -> None:
    assert all(0.5 <= backoff(0, 1.0) <= 1.0 for _ in range(50))
    assert backoff(30, 1.0) <= 60.0
    assert retry_after("3") == 3.0
    assert retry_after("nan") is None
    assert retry_after("soon") is None
    assert retry_after(None) is None
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("1e9") == 600.0

    async def paused() -> float:
        pace = Pace(None)
        pace.pause(0.2)
        start = time.monotonic()
        await pace.turn()
        return time.monotonic() - start

    assert asyncio.run(paused()) >= 0.2
