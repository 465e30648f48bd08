"""What a validation split says of a model, each task by its own measure, and which checkpoint is the best.

Most of it comes without decoding: each answer token is predicted from true ones. The answer to a question
scores 1 if every token is the most likely one, which is when greedy decoding gives exactly the reference.
Where the answer is boxes, one step off is nearly right: it scores the IoU of the boxes that the most likely
tokens spell; of a phrase that is nowhere in the image 1 if they say so, else 0. Each coordinate is predicted
from the true ones before it, so this IoU is above that of decoded answers; it serves to compare checkpoints.
Captions and reports are decoded: CIDEr + BLEU-4 (`text_answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from accelerate import Accelerator

from pefomed.boxes import BoxFormat
from pefomed.boxes.notation import BoxNotation
from pefomed.boxes.region import iou
from pefomed.boxes.samples import is_absent
from pefomed.packing.batch import Batch
from pefomed.recipe import LossMean
from pefomed.tasks import TEXTS, WITH_BOXES
from pefomed.training.loss import AnswerLoss
from pefomed.training.plan import padded_batches
from pefomed.training.planned import Planned
from pefomed.training.text_answers import DecodedText, text_score

Counts = tuple[float, int, list[bool], list[float], int, list[DecodedText]]


@dataclass
class Validation:
    """Sums over the batches of a validation split."""

    read: Callable[[list[int]], str]
    """Tokens as text."""
    bins: int
    mean_of: LossMean = "token"
    """As in training."""
    form: BoxNotation | None = None
    """How boxes are written; by default as in the papers."""
    loss: float = 0.0
    """Summed over tokens or samples."""
    tokens: int = 0
    right: list[bool] = field(default_factory=list)
    """Of the answers to questions."""
    ious: list[float] = field(default_factory=list)
    """Of the answers with boxes."""
    texts: int = 0
    """How many captions and reports there are."""
    written: list[DecodedText] = field(default_factory=list)
    """Those of them that were decoded."""

    def add(self, batch: Batch, answered: AnswerLoss) -> None:
        """Count a batch."""
        self.loss += float(answered.loss)
        self.tokens += len(batch.targets)
        for number, (sample, right) in enumerate(zip(batch.samples, answered.right.tolist(), strict=True)):
            if sample.task in TEXTS:
                self.texts += 1
                continue
            if sample.task not in WITH_BOXES:
                self.right.append(right)
                continue
            own = batch.owners == number
            texts = (self.read(tokens[own].tolist()) for tokens in (answered.said, batch.targets))
            said, target = map((self.form or BoxFormat(self.bins)).read, texts)
            none = float(said.says_none)
            self.ious.append(none if is_absent(sample) else iou(said.boxes, target.boxes))

    @property
    def n(self) -> int:
        """How many samples there are."""
        return len(self.right) + len(self.ious) + self.texts

    @property
    def mean_loss(self) -> float:
        """The loss that training would have on all of them in one step."""
        return self.loss / (self.n if self.mean_of == "sample" else self.tokens)

    def counts(self) -> Counts:
        """Return what several processes send each other."""
        return self.loss, self.tokens, self.right, self.ious, self.texts, self.written

    def sum_up(self, parts: Sequence[Counts]) -> None:
        """Take the counts of all processes together as one's own."""
        self.loss, self.tokens = sum(part[0] for part in parts), sum(part[1] for part in parts)
        self.right = [right for part in parts for right in part[2]]
        self.ious = [value for part in parts for value in part[3]]
        self.texts = sum(part[4] for part in parts)
        self.written = [one for part in parts for one in part[5]]

    def result(self) -> ValidationResult:
        """Return what checkpoints are compared by."""
        return ValidationResult(self.values()["score"], self.mean_loss)

    def values(self) -> dict[str, Any]:
        """Return what the log says: mean loss as in training, each task's measure, score and n.

        The score is the mean over all answers, a text counting CIDEr + BLEU-4 of all texts; None if there are
        only texts and none was decoded.
        """
        found: dict[str, float] = {}
        total, count = sum(self.right) + sum(self.ious), len(self.right) + len(self.ious)
        if self.right:
            found["exact_match"] = sum(self.right) / len(self.right)
        if self.ious:
            found["iou"] = sum(self.ious) / len(self.ious)
        if self.written:
            texts = text_score(self.written)
            total, count = total + self.texts * texts.pop("texts"), count + self.texts
            found |= texts
        score = total / count if count else None
        decoded = {"decoded": len(self.written)} if self.texts else {}
        return {"loss": self.mean_loss, **found, "score": score, "n": self.n, **decoded}


def over_rows(
    found: Validation,
    rows: Sequence[Planned],
    tokens: int,
    accelerator: Accelerator,
    answered: Callable[[Sequence[Planned]], tuple[Batch, AnswerLoss]],
) -> Validation:
    """Add this process's share of `rows`, in batches of at most so many tokens, to `found`; return it."""
    chunks = padded_batches(sorted(rows, key=len), tokens, 10**9)
    for start in range(0, len(chunks), accelerator.num_processes):
        place = start + accelerator.process_index
        # Split weights are gathered by all together: who has no chunk left computes one for nothing.
        batch, said = answered(chunks[place if place < len(chunks) else 0])
        if place < len(chunks):
            found.add(batch, said)
    return found


@dataclass(frozen=True)
class ValidationResult:
    """Score and loss of one validation."""

    score: float | None
    loss: float

    def better_than(self, score: float | None, loss: float | None) -> bool:
        """Return whether this is better than the best so far: a higher score, or as high with a lower loss.

        Without scores the loss alone decides; so it does where the best before left none, as older ones did.
        """
        if self.score is not None and score is not None and self.score != score:
            return self.score > score
        return loss is None or self.loss < loss
