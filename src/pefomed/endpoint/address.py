"""Where an endpoint is, and whether a data set's text may be sent there.

Text of a `restricted` data set, or of one whose origin is not known, stays on this machine: it is sent to a
loopback address only, unless the user allows more after being told what would leave.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pefomed.datasets.provenance import Provenance
from pefomed.errors import RunError


def checked_base_url(url: str) -> str:
    """Return `url` without a trailing slash.

    Raises:
        RunError: it is no http(s) address, or holds a user, a password or a query, which would be
            written into the run.
    """
    parts = urlsplit(url)
    plain = re.fullmatch(r"[A-Za-z0-9.:/_~%\[\]-]+", url)
    try:
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or not plain:
        raise RunError(
            "the base URL must be http:// or https://, a host, a port if needed, and a path",
            found=re.sub(r"//[^/]*@", "//...@", url).partition("?")[0],
            remedy="write e.g. http://127.0.0.1:8000/v1; a key belongs into the environment",
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Return whether `url` leads to this machine only; a name other than `localhost` does not count."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Return whether only this machine can reach `host`, a name or an address."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_may_leave(
    base_url: str, origins: Mapping[str, Provenance], leaving: str, *, allow_remote: bool
) -> None:
    """Check that the data sets may be sent to `base_url`.

    Args:
        origins: data set -> what is known of it.
        leaving: what would be sent, e.g. `451 questions with their references and answers`.

    Raises:
        RunError: one is restricted or unknown, the address is not this machine, and nobody allowed it.
    """
    closed = {name: origin for name, origin in origins.items() if origin != "open"}
    if allow_remote or not closed or is_loopback(base_url):
        return
    why = {"restricted": "restricted by its licence", "unknown": "of unknown origin"}
    named = ", ".join(f"{name} ({why[origin]})" for name, origin in closed.items())
    raise RunError(
        f"this would send data to {urlsplit(base_url).hostname}, which is not this machine",
        found=f"{leaving}; {named}",
        remedy="use a model on this machine (http://127.0.0.1:...), or, if its licence and your hospital"
        " permit it, add --allow-remote",
    )
