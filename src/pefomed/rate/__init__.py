"""Human raters: a blinded session made from a run, rated on a page or in spreadsheets, given as verdicts."""

from pefomed.rate.assignment import Settings, assign
from pefomed.rate.export import export, progress
from pefomed.rate.session import Session, open_session
from pefomed.rate.wishes import Wishes

__all__ = ["Session", "Settings", "Wishes", "assign", "export", "open_session", "progress"]
