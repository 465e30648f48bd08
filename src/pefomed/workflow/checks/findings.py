"""What checks find: errors, raised together at the end, and doubts, said as notes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pefomed.errors import ChecksFailed, PefomedError
from pefomed.progress import note


class Findings:
    """Errors and doubts, each once."""

    def __init__(self) -> None:
        self.errors: list[PefomedError] = []
        self.doubts: list[str] = []

    def wrong(self, error: PefomedError) -> None:
        """Add an error, unless it says what another has said."""
        if str(error) not in map(str, self.errors):
            self.errors.append(error)

    def doubt(self, text: str) -> None:
        """Say something that may go wrong, once."""
        if text not in self.doubts:
            self.doubts.append(text)
            note(text)

    @contextlib.contextmanager
    def collecting(self) -> Iterator[None]:
        """Take an error of ours that ends the block as found; what comes behind the block goes on."""
        try:
            yield
        except PefomedError as error:
            self.wrong(error)

    def conclude(self) -> None:
        """Raise what is wrong: the error itself if it is one.

        Raises:
            PefomedError: anything is wrong.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise ChecksFailed(self.errors)
