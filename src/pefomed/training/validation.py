"""What a validation split says of a model without decoding: each answer token is predicted from true ones.

A text answer scores 1 if every token is the most likely one, which is when greedy decoding gives exactly
the reference. Where the answer is boxes, one step off is nearly right: it scores the IoU of the boxes that
the most likely tokens spell. Each coordinate is predicted from the true ones before it, so this IoU is
above that of decoded answers; it serves to compare checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pefomed.batch import Batch
from pefomed.boxes import read_boxes
from pefomed.boxes.region import iou
from pefomed.boxes.tasks import ANSWERED
from pefomed.training.loss import Answered


@dataclass
class Validation:
    """Sums over the batches of a validation split."""

    read: Callable[[list[int]], str]
    """Tokens as text."""
    bins: int
    loss: float = 0.0
    tokens: int = 0
    right: list[bool] = field(default_factory=list)
    """Of the text answers."""
    ious: list[float] = field(default_factory=list)
    """Of the answers with boxes."""

    def add(self, batch: Batch, answered: Answered) -> None:
        """Count a batch."""
        self.loss += float(answered.loss)
        self.tokens += len(batch.targets)
        for number, (sample, right) in enumerate(zip(batch.samples, answered.right.tolist(), strict=True)):
            if sample.task not in ANSWERED:
                self.right.append(right)
                continue
            own = batch.owners == number
            texts = (self.read(tokens[own].tolist()) for tokens in (answered.said, batch.targets))
            self.ious.append(iou(*(read_boxes(text, self.bins).boxes for text in texts)))

    def counts(self) -> tuple[float, int, list[bool], list[float]]:
        """Return what several processes send each other."""
        return self.loss, self.tokens, self.right, self.ious

    def sum_up(self, parts: Sequence[tuple[float, int, list[bool], list[float]]]) -> None:
        """Take the counts of all processes together as one's own."""
        self.loss, self.tokens = sum(part[0] for part in parts), sum(part[1] for part in parts)
        self.right = [right for part in parts for right in part[2]]
        self.ious = [value for part in parts for value in part[3]]

    @property
    def score(self) -> float:
        """Mean score of all answers, in [0, 1]: what checkpoints are compared by."""
        return (sum(self.right) + sum(self.ious)) / (len(self.right) + len(self.ious))

    def values(self) -> dict[str, Any]:
        """Return what the log says: mean loss of a token, exact match, IoU, score and n."""
        exact = {"exact_match": sum(self.right) / len(self.right)} if self.right else {}
        boxes = {"iou": sum(self.ious) / len(self.ious)} if self.ious else {}
        n = len(self.right) + len(self.ious)
        return {"loss": self.loss / self.tokens, **exact, **boxes, "score": self.score, "n": n}
