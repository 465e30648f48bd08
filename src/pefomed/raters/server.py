"""Serving a rating session: on this machine alone unless it is allowed to be reached from others."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn

from pefomed.endpoint import is_loopback, is_loopback_host
from pefomed.errors import PefomedError, RunError
from pefomed.raters.app import make_app
from pefomed.raters.export import export
from pefomed.raters.guards import LOOPBACK
from pefomed.raters.pool import privacy
from pefomed.raters.session import Session
from pefomed.raters.timeouts import PatientProtocol

WILDCARDS = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True)
class ServerAddress:
    host: str = "127.0.0.1"
    port: int = 8765
    link: str | None = None
    """What the raters' links begin with, where it is not `http://host:port`: behind a proxy, or by name."""
    remote: bool = False
    """Whether other machines may reach it."""

    @property
    def private(self) -> bool:
        return is_loopback_host(self.host) and (self.link is None or is_loopback(self.link))


class ListeningSession:
    """A session on an open socket: the links are known before it is served."""

    def __init__(self, session: Session, address: ServerAddress):
        """Open the port.

        Raises:
            RunError: other machines could reach it and that is not allowed; or the link is no address.
            PefomedError: the port is taken, or the host is not one of this machine's.
        """
        _check_link(address)
        _check_allowed(session, address)
        self._session, self._address = session, address
        self._socket = _bound(address)
        self.port: int = self._socket.getsockname()[1]

    @property
    def base(self) -> str:
        """What the links begin with."""
        if self._address.link:
            return self._address.link.rstrip("/")
        host = self._address.host
        if host in WILDCARDS:
            host = _own_address()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def links(self) -> dict[str, str]:
        """Return each rater's private link by their name."""
        return {rater.name: f"{self.base}/r/{rater.token}" for rater in self._session.raters()}

    def serve(self, finished: Callable[[str], None] | None = None) -> None:
        """Serve until Ctrl-C or a request to end, then write every rater's verdicts out.

        Raises:
            RunError, StorageError: the verdicts cannot be written; the session holds them all the same.
        """
        hosts = {*LOOPBACK, urlsplit(self.base).hostname or "", self._address.host} - WILDCARDS - {""}
        config = uvicorn.Config(
            make_app(self._session, hosts, finished, self.base),
            # Its access log would hold the raters' links.
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            http=PatientProtocol,
            ws="none",
            timeout_graceful_shutdown=3,
        )
        if threading.current_thread() is threading.main_thread():
            # As Ctrl-C: the server would pass the signal on to the process before the verdicts are out.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            uvicorn.Server(config).run(sockets=[self._socket])
        except KeyboardInterrupt:
            pass  # the usual way to end it
        finally:
            self._socket.close()
            export(self._session)


def warning(session: Session, address: ServerAddress) -> str | None:
    """Return what to tell before other machines can reach the session, or None if they cannot."""
    if address.private:
        return None
    told = "; ".join(f"{source} ({said})" for source, said in privacy(session.run, session.sources()).items())
    plain = "" if (address.link or "").startswith("https:") else " The connection is not encrypted."
    return (
        f"images and texts of patients will be served to other machines: {told}."
        f" Whoever has a rater's link sees them.{plain}"
    )


def _check_link(address: ServerAddress) -> None:
    if address.link is None:
        return
    parts = urlsplit(address.link)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise RunError(
            f"--link {address.link!r} is not what a link begins with",
            remedy="give scheme, name and port only, e.g. --link https://rating.example.org",
        )


def _check_allowed(session: Session, address: ServerAddress) -> None:
    warned = warning(session, address)
    if warned is not None and not address.remote:
        raise RunError(
            f"{address.link or address.host} can be reached from other machines",
            found=warned,
            remedy="serve on 127.0.0.1 and reach it through `ssh -L`; or, if the data may be shown there,"
            " add --allow-remote",
        )


def _bound(address: ServerAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((address.host, address.port))
        opened.listen(128)
    except (OSError, OverflowError) as error:
        opened.close()
        raise PefomedError(
            f"cannot listen on {address.host}, port {address.port}",
            found=str(error),
            remedy="choose another port with --port (0: any that is free), or end what uses this one",
        ) from None
    return opened


def _own_address() -> str:
    """Return the address other machines know this one by; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address (RFC 5737): only the route is looked up
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
