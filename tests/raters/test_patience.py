"""Slow clients of the rating server: cut after a time as a whole, and in nobody's way."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from pefomed.raters.timeouts import PatientProtocol

LONG = 30.0
"""Seconds after which a test gives up; nothing is measured by the clock."""

Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Serve a page of ten bytes and, at `/large`, one of 64 MB; return what opens a connection to it."""

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        body = b"0123456789"
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        times = 6_400_000 if scope["path"] == "/large" else 1
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % (len(body) * times))],
            }
        )
        await send({"type": "http.response.body", "body": body * times})

    monkeypatch.setattr(PatientProtocol, "_LOOKING", 0.05)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=PatientProtocol, lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    with contextlib.ExitStack() as opened:

        def one() -> socket.socket:
            return opened.enter_context(socket.create_connection(listening.getsockname(), timeout=LONG))

        yield one
        server.force_exit = True
        server.should_exit = True
    thread.join()
    listening.close()


def is_served(client: socket.socket) -> bool:
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    read = b""
    while not read.endswith(b"0123456789"):
        part = client.recv(4096)
        if not part:
            return False
        read += part
    return True


def is_cut(client: socket.socket) -> bool:
    """Wait until the server ends the connection."""
    try:
        while client.recv(1 << 20):
            pass
    except ConnectionError:
        return True
    return True


SLOW = {
    "nothing at all": b"",
    "half a header": b"GET / HTTP/1.1\r\nHo",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    "a chunk without an end": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_a_request_that_does_not_come_is_cut(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, "RECEIVING", 0.3)
    client = connect()
    client.sendall(sent)
    assert is_cut(client)


def test_a_byte_now_and_then_gives_no_more_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "RECEIVING", 0.5)
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nX: ")
    with contextlib.suppress(ConnectionError):
        for _ in range(int(LONG / 0.05)):  # each wait is a tenth of the time that is given
            client.sendall(b"x")
            threading.Event().wait(0.05)
        pytest.fail("it may send as slowly as it likes")


def test_an_answer_that_is_not_read_is_cut(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "SENDING", 0.5)
    client = connect()
    client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    threading.Event().wait(1.5)  # read nothing of it, for longer than is given
    read = 0
    with contextlib.suppress(ConnectionError):
        while part := client.recv(1 << 20):
            read += len(part)
    assert read < 64_000_000


def test_a_connection_that_asks_again_and_again_stays(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "RECEIVING", 2.0)
    monkeypatch.setattr(PatientProtocol, "SENDING", 2.0)
    client = connect()
    for _ in range(12):  # 2.4 s in all
        assert is_served(client)
        threading.Event().wait(0.2)


def test_more_slow_clients_than_connections_keep_nobody_out(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "MOST", 50)
    slow = [connect() for _ in range(200)]
    for client in slow[::2]:
        with contextlib.suppress(ConnectionError):
            client.sendall(b"GET / HTTP/1.1\r\nHo")
    client = connect()
    assert is_served(client)
    assert is_cut(slow[0])  # the first to come has kept the server waiting longest


def test_whoever_reads_an_answer_is_not_cut_for_those_who_ask_nothing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "MOST", 5)
    reader = connect()
    reader.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    head = reader.recv(1024)
    for _ in range(20):
        connect()
    read = len(head)
    while read < 64_000_000 and (part := reader.recv(1 << 20)):
        read += len(part)
    assert read > 64_000_000
