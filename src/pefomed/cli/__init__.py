"""The command line: reads arguments, calls the parts, prints results; it computes nothing itself.

Nothing heavy is imported before a command runs, so that `pefomed --help` answers at once.
"""

from pefomed.cli.app import main

__all__ = ["main"]
