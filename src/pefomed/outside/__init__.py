"""Somebody else's answers, read from a table into a folder that is evaluated like a run's."""
