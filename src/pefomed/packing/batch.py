"""The one place that makes tensors: samples to token sequences, to shared rows, to batches.

All samples of an image go into one row as a prefix tree: tokens that several samples have in common
(the image, the instruction, the beginning of the question) stand there once. Nodes are in depth-first
order, so a node's descendants follow it directly and one number a node, the end of its subtree, says
who sees whom: query q sees key k if k <= q < end[k]. Causal attention makes a token's hidden state a
function of its ancestors alone, so hidden states, loss and gradients are those of one row a sample.

Shapes: B rows, L nodes of a row (padded), A answer tokens, S images of the batch, P patches, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pefomed.models.protocol import Processor
from pefomed.packing.fitting import Fitting
from pefomed.recipe import Prompt
from pefomed.schema import Sample


@dataclass(frozen=True)
class Tokens:
    """One sample as tokens: prompt, then answer (closed by the end token; empty in prediction)."""

    sample: Sample
    prompt: tuple[int, ...]
    answer: tuple[int, ...] = ()


@dataclass(frozen=True)
class PackedRow:
    """The prefix tree of samples about the same images, nodes in depth-first order.

    `answers` holds, for each sample, (node, target) pairs: the token that `node` must predict.
    `last` holds the node of each sample's last prompt token, where generation starts.
    """

    sequences: tuple[Tokens, ...]
    tokens: list[int]
    depths: list[int]
    ends: list[int]
    answers: tuple[tuple[tuple[int, int], ...], ...]
    last: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def questions(self) -> int:
        return len(self.sequences)

    @property
    def answer_tokens(self) -> int:
        return sum(map(len, self.answers))

    def built(self) -> PackedRow:
        """Return this row: it is built already, others are when their step has come."""
        return self

    @property
    def images(self) -> tuple[str, ...]:
        return self.sequences[0].sample.images


@dataclass(frozen=True)
class Batch:
    """Rows as tensors."""

    input_ids: Tensor  # (B, L)
    position_ids: Tensor  # (B, L)
    ends: Tensor  # (B, L) end of each node's subtree
    answer_index: tuple[Tensor, Tensor]  # rows (A,), columns (A,)
    targets: Tensor  # (A,)
    owners: Tensor  # (A,) sample of the batch that each answer token belongs to
    images: tuple[str, ...]  # (S,) in the order their places occur
    samples: tuple[Sample, ...]

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return Batch(
            self.input_ids.to(device),
            self.position_ids.to(device),
            self.ends.to(device),
            (self.answer_index[0].to(device), self.answer_index[1].to(device)),
            self.targets.to(device),
            self.owners.to(device),
            self.images,
            self.samples,
        )


def tokenise(
    samples: Iterable[Sample],
    prompt: Prompt,
    processor: Processor,
    *,
    answers: bool = True,
    room: int = 0,
    cut: bool = False,
    image_tokens: Callable[[str], int] | None = None,
) -> list[Tokens]:
    """Return each sample's tokens; the same call serves training, prediction and serving.

    Args:
        room: tokens that will be generated behind each.
        cut: cut texts that are too long (`fitting`).
        image_tokens: of an image by its path or name; by default as the processor says.

    Raises:
        DataError: a text is longer than `prompt.max_text_tokens`, or than the language model has positions
            for; nothing is cut in silence.
    """
    fitting = Fitting(prompt, processor, answers, room, image_tokens)
    found = ((sample, fitting.encoded(sample, cut=cut)) for sample in samples)
    return [Tokens(sample, encoded.prompt, encoded.answer) for sample, encoded in found]


def rows(sequences: Sequence[Tokens], *, share_image: bool, max_questions: int) -> list[PackedRow]:
    """Group sequences into rows: all of one image together (at most `max_questions`), or one each."""
    if not share_image:
        return [row([sequence]) for sequence in sequences]
    groups: dict[tuple[str, ...], list[Tokens]] = {}
    for sequence in sequences:
        groups.setdefault(sequence.sample.images, []).append(sequence)
    made = []
    for group in groups.values():
        parts = -(-len(group) // max_questions)
        # Split evenly: 33 questions at most 32 a row are 17 + 16, not 32 + 1.
        made += [row(group[part::parts]) for part in range(parts)]
    return made


def row(sequences: Sequence[Tokens]) -> PackedRow:
    """Merge sequences about the same images into one prefix tree."""
    order = sorted(range(len(sequences)), key=lambda i: sequences[i].prompt + sequences[i].answer)
    tokens: list[int] = []
    depths: list[int] = []
    ends: list[int] = []
    answers: dict[int, tuple[tuple[int, int], ...]] = {}
    last: dict[int, int] = {}
    path: list[int] = []  # nodes from the root to the newest leaf
    newest: tuple[int, ...] = ()  # their tokens
    for index in order:
        sequence = sequences[index]
        # The end token is only ever predicted: it needs no node of its own.
        nodes = sequence.prompt + sequence.answer[:-1]
        shared = _in_common(newest, nodes)
        size = len(tokens)
        for closed in path[shared:]:
            ends[closed] = size
        added = len(nodes) - shared
        path[shared:] = range(size, size + added)
        tokens += nodes[shared:]
        depths += range(shared, len(nodes))
        ends += [-1] * added
        newest = nodes
        start = len(sequence.prompt) - 1
        last[index] = path[start]
        answers[index] = tuple((path[start + i], target) for i, target in enumerate(sequence.answer))
    for closed in path:
        ends[closed] = len(tokens)
    ordered = range(len(sequences))
    return PackedRow(
        tuple(sequences),
        tokens,
        depths,
        ends,
        tuple(answers[i] for i in ordered),
        tuple(last[i] for i in ordered),
    )


def _in_common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return how many tokens both begin with."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:  # the usual case of questions about an image, and no loop in Python
        return most
    return next(place for place in range(most) if one[place] != other[place])


def collate(rows_: Sequence[PackedRow], pad: int = 0) -> Batch:
    """Return rows as tensors, padded on the right; a padding node sees only itself."""
    length = max(map(len, rows_))
    ids = torch.full((len(rows_), length), pad)
    positions = torch.zeros((len(rows_), length), dtype=torch.long)
    ends = (torch.arange(length) + 1).expand(len(rows_), length).clone()
    where: list[tuple[int, int]] = []
    targets: list[int] = []
    owners: list[int] = []
    samples: list[Sample] = []
    for number, one in enumerate(rows_):
        size = len(one)
        ids[number, :size] = torch.tensor(one.tokens)
        positions[number, :size] = torch.tensor(one.depths)
        ends[number, :size] = torch.tensor(one.ends)
        for sequence, pairs in zip(one.sequences, one.answers, strict=True):
            where += [(number, node) for node, _ in pairs]
            targets += [target for _, target in pairs]
            owners += [len(samples)] * len(pairs)
            samples.append(sequence.sample)
    index = torch.tensor(where, dtype=torch.long).reshape(-1, 2)
    return Batch(
        ids,
        positions,
        ends,
        (index[:, 0], index[:, 1]),
        torch.tensor(targets, dtype=torch.long),
        torch.tensor(owners, dtype=torch.long),
        tuple(image for one in rows_ for image in one.images),
        tuple(samples),
    )


def columns(rows_: Sequence[int]) -> list[int]:
    """Number what is appended to each row 0, 1, 2 ..., in order: the column of each entry."""
    counts: dict[int, int] = {}
    found = []
    for one in rows_:
        found.append(counts.get(one, 0))
        counts[one] = found[-1] + 1
    return found
