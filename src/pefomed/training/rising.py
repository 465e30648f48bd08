"""Whether a training's loss has been above its start for long: a rate too high for this model and data.

A training's steps are put into at most a hundred blocks, and a block's loss is the mean over its steps. The
loss is above its start for long when each of `LONG` blocks in a row is above every one of the first `FIRST`.
The first ten blocks that follow do so by chance in one of 3,003 runs, 1 / C(15, 5), whatever the losses'
distribution; some of all ninety-five in 0.8 % of 20,000 runs whose losses only varied. A loss that starts
high and noisy, and falls, cannot.
"""

from __future__ import annotations

FIRST, LONG, BLOCKS = 5, 10, 100


class Rising:
    """Is told every step's loss in order."""

    def __init__(self, steps: int):
        self._size = -(-steps // BLOCKS)
        self._block: list[float] = []
        self._first: list[float] = []
        self._above = 0
        self._said = False

    def add(self, loss: float) -> str:
        """Return a sentence, once, when the loss has been above its start for long; else an empty text."""
        self._block.append(loss)
        if len(self._block) < self._size:
            return ""
        mean = sum(self._block) / len(self._block)
        self._block = []
        if len(self._first) < FIRST:
            self._first.append(mean)
            return ""
        self._above = self._above + 1 if mean > max(self._first) else 0
        if self._above < LONG or self._said:
            return ""
        self._said = True
        return (
            f"the loss has been above its start for {LONG * self._size:,} steps: {mean:.3g} now,"
            f" {sum(self._first) / FIRST:.3g} in the first {FIRST * self._size:,};"
            " a lower learning rate may help"
        )
