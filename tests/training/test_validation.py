"""The score of a validation split: right or wrong for text, IoU for boxes."""

from __future__ import annotations

import math

import pytest
import torch

from pefomed.models.processing import PefomedImageProcessor, PefomedProcessor
from pefomed.packing.batch import collate, rows, tokenise
from pefomed.recipe import Prompt
from pefomed.schema import Box, Sample
from pefomed.training.loss import AnswerLoss
from pefomed.training.validation import Validation
from tests.tiny import byte_tokenizer


def test_text_is_right_or_wrong_and_boxes_score_their_iou() -> None:
    processor = PefomedProcessor(PefomedImageProcessor(image_size=28), byte_tokenizer(), tokens_per_image=1)
    box = Box(x0=0.1, y0=0.1, x1=0.3, y1=0.3)
    samples = [
        Sample(id="a", images=("i",), task="vqa", question="Is it?", reference="yes"),
        Sample(id="b", images=("i",), task="vqa", question="Is it not?", reference="no"),
        Sample(id="c", images=("i",), task="refer", question="lung", boxes=(box,), size=(10, 10)),
        Sample(id="d", images=("i",), task="refer", question="liver", boxes=(box,), size=(10, 10)),
    ]
    sequences = tokenise(samples, Prompt(), processor)
    batch = collate(rows(sequences, share_image=True, max_questions=8))
    said = batch.targets.clone()
    places = {sample.id: torch.nonzero(batch.owners == n)[:, 0] for n, sample in enumerate(batch.samples)}
    read = processor.tokenizer.decode
    assert read(said[places["c"]]) == "{<10><10><30><30>}</s>"
    # Half as high: {<10><10><30><20>} shares 200 of 400 square steps. One token a byte: the last number's
    # first digit is the fifth token from the end.
    assert read(said[places["c"][-5]]) == "3"
    said[places["c"][-5]] = processor.tokenizer.encode("2")[0]
    # Not a box at all: no digits.
    said[places["d"][:8]] = processor.tokenizer.encode("a")[0]
    right = torch.tensor([sample.id == "a" for sample in batch.samples])
    validation = Validation(lambda tokens: read(tokens, skip_special_tokens=True), bins=100)
    validation.add(batch, AnswerLoss(torch.tensor(12.0), right, said))
    values = validation.values()
    assert values["exact_match"] == 0.5
    assert values["iou"] == pytest.approx((0.5 + 0.0) / 2)
    assert values["score"] == pytest.approx((1 + 0 + 0.5 + 0) / 4)
    assert values["n"] == 4
    assert math.isclose(values["loss"], 12.0 / len(batch.targets))


def test_the_loss_is_the_mean_that_training_takes_over_all_processes() -> None:
    # One process: an answer of 2 tokens and one of 4, their sums 1.0 and 6.0; another: one of 2 tokens, 3.0.
    # Tokens: (1 + 6 + 3) / 8. Samples: (1 / 2 + 6 / 4 + 3 / 2) / 3.
    parts = {"token": (7.0, 3.0), "sample": (2.0, 1.5)}
    means = {"token": 1.25, "sample": 3.5 / 3}
    for mean_of, (one, other) in parts.items():
        here = Validation(str, 100, mean_of, loss=one, tokens=6, right=[True, False])  # type: ignore[arg-type]
        there = Validation(str, 100, mean_of, loss=other, tokens=2, texts=1)  # type: ignore[arg-type]
        here.sum_up([here.counts(), there.counts()])
        assert here.values()["loss"] == pytest.approx(means[mean_of])
        assert here.result().loss == pytest.approx(means[mean_of])
