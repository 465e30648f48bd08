"""How long the server waits for a client, and for how many: one that is slow keeps nobody else out.

uvicorn waits for ever for the rest of a request, and for a client that does not read its answer. Here
both have a time as a whole, however often a byte comes; and of too many connections the one goes that has
kept the server waiting longest.
"""

from __future__ import annotations

import asyncio
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to waiting."""

    RECEIVING = 15.0
    """Seconds from opening the connection, or from the last answer, until a whole request is there."""

    SENDING = 120.0
    """Seconds until an answer is made and read: a picture of 4 MB over a slow line of 300 kbit/s."""

    MOST = 256
    """Connections at once: ten raters' browsers open some sixty."""

    _LOOKING = 0.5  # seconds between two looks

    _since = 0.0
    _sending = False
    _answered: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        if len(self.connections) > self.MOST:
            self._longest().transport.abort()
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        whole = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
        if whole and self.cycle is not self._answered:
            self._answered, self._sending, self._since = self.cycle, True, self.loop.time()

    def on_response_complete(self) -> None:
        self._settle()
        super().on_response_complete()

    def _settle(self) -> None:
        """Wait for the next request, if all of the last answer has been read."""
        if self.transport.get_write_buffer_size() == 0:
            self._sending, self._since = False, self.loop.time()

    def _look(self) -> None:
        if self not in self.connections:
            return
        if self._sending and self._answered is not None and self._answered.response_complete:
            self._settle()
        if self.loop.time() - self._since > (self.SENDING if self._sending else self.RECEIVING):
            self.transport.abort()
        else:
            self.loop.call_later(self._LOOKING, self._look)

    def _longest(self) -> PatientProtocol:
        """Return the connection to end: one without a whole request before one with an answer to read."""
        others = [
            cast(PatientProtocol, connection)
            for connection in self.connections
            if not connection.transport.is_closing()
        ]
        return min(others, key=lambda connection: (connection._sending, connection._since))
