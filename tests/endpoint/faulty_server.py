"""A local OpenAI-compatible server that misbehaves as told, and writes down everything it is asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], str]
Fault = Callable[["Handler", dict[str, Any]], bool]
"""Does something to a call; True if it has dealt with it wholly."""


class FaultyServer:
    """Answers `/v1/chat/completions`; `faults` are used up one a call, then it answers properly."""

    def __init__(self, answer: Answer, model: str = "judge-1"):
        self.answer, self.model = answer, model
        self.faults: list[Fault | None] = []
        self.always: Fault | None = None
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.busy = self.most_busy = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.owner = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def prompts(self) -> list[str]:
        """The last message of every call."""
        return [call["messages"][-1]["content"] for call in self.asked]


@contextmanager
def serving(answer: Answer, model: str = "judge-1") -> Iterator[FaultyServer]:
    """Serve while the block runs."""
    owner = FaultyServer(answer, model)
    thread = threading.Thread(target=owner.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield owner
    finally:
        owner.server.shutdown()
        owner.server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        owner: FaultyServer = self.server.owner  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with owner.lock:
            owner.asked.append(body)
            owner.headers.append({name.lower(): value for name, value in self.headers.items()})
            owner.times.append(time.monotonic())
            owner.busy += 1
            owner.most_busy = max(owner.most_busy, owner.busy)
            fault = owner.faults.pop(0) if owner.faults else owner.always
        try:
            if fault is None or not fault(self, body):
                self.send(200, completion(owner.answer(body), owner.model))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with owner.lock:
                owner.busy -= 1

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *_: Any) -> None:
        pass


def completion(
    text: str | None, model: str = "judge-1", finish: str = "stop", **message: Any
) -> dict[str, Any]:
    """Return a chat completion as servers write it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
    }


def status(code: int, message: str = "a fault", *, error: str | None = None, **headers: str) -> Fault:
    """Answer with an error; header names are written with `_` for `-`."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.send(code, {"error": {"message": message, "code": error}}, named)
        return True

    return fault


def raw(body: bytes) -> Fault:
    """Answer 200 with this body."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        handler.send(200, body)
        return True

    return fault


def replied(text: str | None, **fields: Any) -> Fault:
    """Answer with this completion."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        handler.send(200, completion(text, **fields))
        return True

    return fault


def hang(seconds: float = 30.0) -> Fault:
    """Say nothing for so long, then close."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


def drip(seconds: float = 0.05) -> Fault:
    """Send a proper answer, a byte at a time: no single read is slow."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        data = json.dumps(completion('{"label": 1}')).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        for byte in data:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(seconds)
        return True

    return fault


def cut() -> Fault:
    """Promise a whole answer, send half of it and close."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        data = json.dumps(completion('{"label": 1}')).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True
        return True

    return fault


def reset() -> Fault:
    """Reset the connection instead of answering."""

    def fault(handler: Handler, _: dict[str, Any]) -> bool:
        # Lingering for no time at all makes closing send RST.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        raise ConnectionResetError

    return fault
