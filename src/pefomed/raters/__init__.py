"""Human raters: a blinded session made from a run, rated on a page or in spreadsheets, given as verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pefomed.startup.faces import lazily

if TYPE_CHECKING:
    from pefomed.raters.assignment import SessionSettings, assign
    from pefomed.raters.request import SessionRequest
    from pefomed.raters.session import Session, open_session

__all__ = ["Session", "SessionRequest", "SessionSettings", "assign", "open_session"]

__getattr__ = lazily(
    __name__,
    {
        "Session": ".session",
        "SessionRequest": ".request",
        "SessionSettings": ".assignment",
        "assign": ".assignment",
        "open_session": ".session",
    },
)
