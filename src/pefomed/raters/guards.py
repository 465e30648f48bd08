"""What stands between the network and the raters' pages: known hosts, same origin, small requests.

A page of somebody else cannot rate (a change needs the page's own header and origin), cannot reach a
server on loopback under a name of its own (the Host header is checked: DNS rebinding), and cannot frame
or embed anything.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF_HEADER = "X-Rating-Key"

LARGEST = 64 * 1024
"""Bytes of a request: a label and a comment need far less."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # The link is in the address: it must not travel to anybody else, nor stay in a cache.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guards:
    """ASGI middleware that refuses what no rater's own page sends, and marks every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], link: str | None = None):
        """Guard `app`.

        Args:
            hosts: names and addresses that it answers to.
            link: what the raters' links begin with: a page there is its own, whatever Host a proxy passes on.
        """
        self._app = app
        self._link = None if link is None else _origin(link)
        self._hosts = frozenset(host.casefold() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # there are no web sockets here

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            status, reason = refusal
            # Closed, so that nothing more of it is read.
            await PlainTextResponse(reason, status, {"Connection": "close"})(scope, receive, marked)
            return
        if scope["method"] not in ("GET", "HEAD"):
            body = await _body(receive)
            if body is None:
                answer = PlainTextResponse("The request is too large.", 413, {"Connection": "close"})
                await answer(scope, receive, marked)
                return
            receive = _replayed(body, receive)
        await self._app(scope, receive, marked)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return 421, "This server does not answer to that name."
        changes = method not in ("GET", "HEAD")
        origin = headers.get("origin")
        if (origin is None and changes) or (origin is not None and not self._own(origin, host)):
            return 403, "Only the rating page itself may ask this."
        site = headers.get("sec-fetch-site", "same-origin")
        followed = headers.get("sec-fetch-mode") == "navigate" and not changes
        if site not in ("same-origin", "none") and not followed:
            return 403, "Only the rating page itself may ask this."
        if changes:
            length = headers.get("content-length", "")
            # A chunked body is as long as it likes, whatever length is told beside it.
            chunked = "transfer-encoding" in headers
            if chunked or not length.isdecimal() or len(length) > 9 or int(length) > LARGEST:
                return 413, "The request is too large."
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return 415, "JSON is expected."
        return None

    def _own(self, origin: str, host: str) -> bool:
        named = _origin(origin)
        return named is not None and (named == self._link or urlsplit(origin).netloc == host)


def csrf_key(secret: str, token: str) -> str:
    """Return what a rater's page sends with each change; it outlives a restart of the server."""
    return hmac.new(secret.encode(), b"page:" + token.encode(), hashlib.sha256).hexdigest()


def session_mark(secret: str, token: str) -> str:
    """Return what every answer to a rater's page carries, so that it knows this session from any other."""
    return hmac.new(secret.encode(), b"session:" + token.encode(), hashlib.sha256).hexdigest()[:32]


def same(one: str, other: str) -> bool:
    """Return whether both are equal, in a time that says nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


async def _body(receive: Receive) -> bytes | None:
    """Return a request's body, or None as soon as it is larger than any of the page's."""
    body: bytes = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > LARGEST:
            return None
        if not message.get("more_body", False):
            return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _origin(address: str) -> tuple[str, str, int] | None:
    """Return scheme, name and port of an address, or None if it is none."""
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        return (parts.scheme, parts.hostname.casefold(), port) if parts.hostname else None
    except (ValueError, KeyError):
        return None


def _name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; empty if it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""
