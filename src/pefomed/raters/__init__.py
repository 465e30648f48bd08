"""Human raters: a blinded session made from a run, rated on a page or in spreadsheets, given as verdicts."""

from pefomed.raters.assignment import SessionSettings, assign
from pefomed.raters.export import export, progress
from pefomed.raters.request import SessionRequest
from pefomed.raters.session import Session, open_session

__all__ = ["Session", "SessionRequest", "SessionSettings", "assign", "export", "open_session", "progress"]
