"""The command line: reads arguments, calls the parts, prints results; it computes nothing itself.

Nothing heavy is imported before a command runs, so that `pefomed --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 a mistake of the user's, 130 interrupted."""
    try:
        from pefomed.cli.app import main as run
    except KeyboardInterrupt:  # while the commands are being imported
        sys.exit(130)
    run(arguments)
