"""What can go wrong with an endpoint.

EndpointError       nothing more can be asked: the user must do something
Unanswered          one call got no answer after all its attempts; it stays open
├── Unreachable     ... because of the network or the server, so that others may fail as well
└── Rejected        ... because the server refuses this request, e.g. as too long
BadBody             a reply that is no whole chat completion (cut, empty, not JSON); tried again
"""

from __future__ import annotations

from pefomed.errors import PefomedError


class EndpointError(PefomedError):
    """An endpoint that cannot be used: a wrong key or model, no quota, no answers at all."""


class Unanswered(Exception):
    """One call got no answer; it stays open and is asked again by the next run of the command."""


class Unreachable(Unanswered):
    """The network or the server failed on every attempt."""


class Rejected(Unanswered):
    """The server refuses this one request."""


class BadBody(Exception):
    """A reply that is no whole chat completion."""
