"""What can be read from the frozen features alone, by a small reader that starts from nothing.

    python -m benchmarks.feature_reader mini/slake --data DIR --passes 12
    python -m benchmarks.feature_reader mini/slake --data DIR --passes 8 --mirror
    python -m benchmarks.feature_reader mini/slake --data DIR --set 'model.vision_layer=[6, 9, 12]'

A recipe's training says what features and language model reach together. Here a question's words, embedded
anew, look at the image's tokens through three layers of cross-attention, and one of the training answers is
chosen.
Minutes instead of an hour, so it tells whether an encoder, a resolution, hidden states or changed pictures
are worth a training. The validation split answers; figures without a second seed move by a point.
"""

from __future__ import annotations

import argparse
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pefomed import recipe as recipes
from pefomed.cli.options import overrides_of
from pefomed.datasets import load_samples
from pefomed.datasets.changed_copies import changed_copies
from pefomed.features.frozen import open_features
from pefomed.metrics.exact_match import exact_match
from pefomed.models.build import build_model
from pefomed.progress import track
from pefomed.recipe import Recipe
from pefomed.recipe.changes import Changes
from pefomed.schema import Sample

WIDTH, LAYERS, HEADS = 256, 3, 4
IMAGES = 6
"""Images of a step, each with all its questions: an image's tokens are looked up once."""

Group = tuple[str, list[Sample]]
"""An image and the samples about it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a reader on the last stage's data and print what it answers on its validation split."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feature_reader", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "recipe", type=Path, help="a recipe whose last stage has questions and a validation split"
    )
    parser.add_argument("--data", type=Path, help="data folder; by default PEFOMED_DATA")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as `pefomed run` has it"
    )
    parser.add_argument("--passes", type=int, default=12)
    parser.add_argument("--mirror", action="store_true", help="train on mirrored copies too")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    recipe = recipes.load(chosen.recipe, overrides_of(chosen.set))
    torch.manual_seed(chosen.seed)
    stage = recipe.stages[-1]
    assert stage.validate_split is not None
    sources = [recipe.data[name] for name in sorted(stage.data)]
    asked = [sample for one in sources for sample in load_samples(one, stage.split, chosen.data)]
    held = [sample for one in sources for sample in load_samples(one, stage.validate_split, chosen.data)]
    if chosen.mirror:
        asked += changed_copies(asked, Changes(copies=1, flip=1.0), chosen.seed)
    reader = Reader(asked, frozen_features(recipe, [*asked, *held]))
    for number in range(chosen.passes):
        loss = reader.learn(number, chosen.passes, chosen.seed)
        if number % 4 == 3 or number == chosen.passes - 1:
            print(f"pass {number + 1}: loss {loss:.3f}, exact match {shown(held, reader.answers(held))}")


def frozen_features(recipe: Recipe, samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Return the features (P, D) of each sample's image, by path, four neighbouring patches averaged."""
    model, processor = build_model(recipe.model)
    paths = sorted({sample.images[0] for sample in samples})
    features = open_features(model, processor.image_processor, recipe.compute, len(paths), 2 * len(paths))
    features.prepare(paths)
    found = {}
    for path in paths:
        patches = features([path])[0].float()
        side = math.isqrt(len(patches))
        grid = patches.T.reshape(1, -1, side, side)
        found[path] = nn.functional.avg_pool2d(grid, 2).flatten(2)[0].T.to(torch.bfloat16)
    return found


def shown(samples: Sequence[Sample], answers: Sequence[str]) -> str:
    """Return the exact match in percent, overall and where answers are open and closed."""
    right: dict[str, list[bool]] = defaultdict(list)
    for sample, answer in zip(samples, answers, strict=True):
        for key in ("overall", str(sample.meta.get("answer_type", "")).lower()):
            right[key].append(exact_match(sample.reference, answer))
    return ", ".join(
        f"{key} {100 * sum(each) / len(each):.1f} ({len(each)})" for key, each in right.items() if key
    )


class Reader:
    """A question's words look at an image's tokens; the likeliest training answer is chosen."""

    def __init__(self, samples: Sequence[Sample], features: dict[str, Tensor]):
        self._samples, self._features = samples, features
        self._words = {
            word: n + 1 for n, word in enumerate(sorted({w for s in samples for w in words(s.question)}))
        }
        self._replies = sorted({sample.reference for sample in samples})
        self._numbers = {reply: number for number, reply in enumerate(self._replies)}
        tokens, width = next(iter(features.values())).shape
        self.model = Network(len(self._words) + 2, tokens, width, len(self._replies))
        self._optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=0.05)

    def learn(self, number: int, passes: int, seed: int) -> float:
        """Go over the samples once, at the rate of pass `number` of a cosine; return the mean loss."""
        groups = self._groups(self._samples)
        random.Random(f"{seed} {number}").shuffle(groups)
        steps = math.ceil(len(groups) / IMAGES)
        losses = []
        self.model.train()
        for step, start in enumerate(
            track(range(0, len(groups), IMAGES), f"pass {number + 1}", unit="steps")
        ):
            done = (number + step / steps) / passes
            warm = min(1.0, (number * steps + step + 1) / 100)
            self._optimiser.param_groups[0]["lr"] = 1e-3 * warm * (0.5 + 0.5 * math.cos(math.pi * done))
            group = groups[start : start + IMAGES]
            wanted = [self._numbers[sample.reference] for _, samples in group for sample in samples]
            loss = nn.functional.cross_entropy(self._logits(group), torch.tensor(wanted))
            self._optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._optimiser.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.no_grad()
    def answers(self, samples: Sequence[Sample]) -> list[str]:
        """Return the likeliest training answer to each question."""
        self.model.eval()
        found: dict[str, str] = {}
        for group in self._groups(samples):
            best = self._logits([group]).argmax(1).tolist()
            found |= {s.id: self._replies[n] for s, n in zip(group[1], best, strict=True)}
        return [found[sample.id] for sample in samples]

    def _groups(self, samples: Sequence[Sample]) -> list[Group]:
        groups: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            groups[sample.images[0]].append(sample)
        return list(groups.items())

    def _logits(self, groups: Sequence[Group]) -> Tensor:
        """Return (N, answers) of all questions of these images, in order."""
        rows = [list(self._row(samples)) for _, samples in groups]
        longest = max(map(len, rows))
        table = torch.tensor([row + [(0, -1, 0)] * (longest - len(row)) for row in rows])
        images = torch.stack([self._features[path] for path, _ in groups])
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(images, *table.unbind(-1))
        return torch.cat(
            [one[: len(samples)] for one, (_, samples) in zip(logits.float(), groups, strict=True)]
        )

    def _row(self, samples: Sequence[Sample]) -> Iterator[tuple[int, int, int]]:
        """Yield of each word its number (0: no word, the last: unknown), its question and its place."""
        for number, sample in enumerate(samples):
            for place, word in enumerate(words(sample.question)[: Network.LONGEST]):
                yield self._words.get(word, len(self._words) + 1), number, place


class Network(nn.Module):
    """Word embeddings, one layer of self-attention within a question, then layers that look at the image."""

    LONGEST = 40

    def __init__(self, vocabulary: int, tokens: int, width: int, answers: int):
        super().__init__()
        kind: dict[str, Any] = {
            "d_model": WIDTH, "nhead": HEADS, "dim_feedforward": 2 * WIDTH, "dropout": 0.2,
            "batch_first": True, "norm_first": True,
        }  # fmt: skip
        self.words = nn.Embedding(vocabulary, WIDTH, padding_idx=0)
        self.places = nn.Parameter(torch.randn(self.LONGEST, WIDTH) * 0.02)
        self.patches = nn.Parameter(torch.randn(tokens, WIDTH) * 0.02)
        self.projector = nn.Linear(width, WIDTH)
        self.question = nn.TransformerEncoderLayer(**kind)
        self.look = nn.TransformerDecoder(nn.TransformerDecoderLayer(**kind), LAYERS)
        self.answer = nn.Sequential(nn.LayerNorm(WIDTH), nn.Dropout(0.2), nn.Linear(WIDTH, answers))

    def forward(self, images: Tensor, numbers: Tensor, questions: Tensor, places: Tensor) -> Tensor:
        """Return (I, Q, answers) of images (I, P, D), and of words (I, L) number, question and place."""
        hidden = (questions[:, :, None] != questions[:, None, :]).repeat_interleave(HEADS, 0)
        text = self.question(self.words(numbers) + self.places[places], src_mask=hidden)
        kept = nn.functional.dropout(images.float(), 0.1, self.training)
        text = self.look(text, self.projector(kept) + self.patches, tgt_mask=hidden)
        own = questions[:, :, None] == torch.arange(int(questions.max()) + 1)  # (I, L, Q)
        weights = own / own.sum(1, keepdim=True).clamp(min=1)
        found: Tensor = self.answer(weights.transpose(1, 2) @ text.float())
        return found


def words(text: str) -> list[str]:
    """Return the words and marks of a text in lower case."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


if __name__ == "__main__":
    main()
