"""What stands between the network and the raters' pages: known hosts, same origin, small requests.

A page of somebody else cannot rate (a change needs the page's own header and origin), cannot reach a
server on loopback under a name of his own (the Host header is checked: DNS rebinding), and cannot frame
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

    def __init__(self, app: ASGIApp, hosts: Iterable[str]):
        self._app = app
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
            await PlainTextResponse(reason, status)(scope, receive, marked)
        else:
            await self._app(scope, receive, marked)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return 421, "This server does not answer to that name."
        changes = method not in ("GET", "HEAD")
        origin = headers.get("origin")
        if (origin is None and changes) or (origin is not None and urlsplit(origin).netloc != host):
            return 403, "Only the rating page itself may ask this."
        site = headers.get("sec-fetch-site", "same-origin")
        followed = headers.get("sec-fetch-mode") == "navigate" and not changes
        if site not in ("same-origin", "none") and not followed:
            return 403, "Only the rating page itself may ask this."
        if changes:
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > LARGEST:
                return 413, "The request is too large."
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return 415, "JSON is expected."
        return None


def csrf_key(secret: str, token: str) -> str:
    """Return what a rater's page sends with each change; it outlives a restart of the server."""
    return hmac.new(secret.encode(), b"page:" + token.encode(), hashlib.sha256).hexdigest()


def session_mark(secret: str, token: str) -> str:
    """Return what every answer to a rater's page carries, so that it knows this session from any other."""
    return hmac.new(secret.encode(), b"session:" + token.encode(), hashlib.sha256).hexdigest()[:32]


def same(one: str, other: str) -> bool:
    """Return whether both are equal, in a time that says nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def _name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; empty if it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""
