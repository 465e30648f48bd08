"""Numbers chosen as medians: the distribution against one forward a number, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tiny import image_files, model_recipe
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pefomed.boxes import read_boxes
from pefomed.boxes.spelling import DIGITS, TOKENS
from pefomed.features.frozen import Features
from pefomed.inference import number_walks as walking
from pefomed.inference.box_medians import _partings, median_boxes
from pefomed.inference.forest import Forest
from pefomed.inference.number_walks import number_walks
from pefomed.models.build import build_model
from pefomed.packing.batch import PackedRow, rows, tokenise
from pefomed.recipe import Prompt
from pefomed.schema import Sample

MARK = "<p>lung</p>"


class Asked:
    """Questions about two images, three in one row and one in another, and the model that answers."""

    def __init__(self, folder: Path, **changes: Any):
        self.model, self.processor = build_model(model_recipe(folder, **changes))
        self.model.eval()
        first, second = map(str, image_files(folder, 2))
        asked = [(first, "refer", "lung"), (first, "refer", "liver"), (first, "detection", "lung")]
        samples = [
            Sample(id=str(n), images=(image,), task=task, question=question)  # type: ignore[arg-type]
            for n, (image, task, question) in enumerate([*asked, (second, "refer", "lung")])
        ]
        sequences = tokenise(samples, Prompt(), self.processor, answers=False)
        self.rows = rows(sequences, share_image=True, max_questions=8)
        self.take = Features(self.model, self.processor.image_processor, None)
        self.features = self.take(row.images[0] for row in self.rows)

    def score(self, row: PackedRow, question: int, tokens: list[int]) -> float:
        """Return the log-probability of `tokens` behind a prompt, by a forward of their own."""
        prompt = list(row.sequences[question].prompt)
        with torch.inference_mode():
            logits = self.model(
                input_ids=torch.tensor([prompt + tokens]), image_features=self.take(row.images)
            ).logits[0]
        logs = logits.double().log_softmax(-1)
        return sum(float(logs[len(prompt) - 1 + place, token]) for place, token in enumerate(tokens))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(tmp_path_factory.mktemp("asked"))


def merging_tokenizer(plain: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """Return a tokenizer of the same vocabulary, some rare bytes of which are merged pieces instead."""
    vocabulary = dict(plain.get_vocab())
    rare = [token for token in vocabulary if len(token) == 1 and ord(token) > 300]
    pairs = [("1", "2"), ("4", "4"), (">", "<"), ("9", "><"), ("{", "<"), ("><", "1"), ("><", "12")]
    for pair, name in zip(pairs, rare, strict=False):
        vocabulary["".join(pair)] = vocabulary.pop(name)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def written(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False)["input_ids"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("merges", [False, True])
def test_the_distribution_is_that_of_each_number_scored_alone(asked: Asked, merges: bool) -> None:
    tokenizer = asked.processor.tokenizer
    tokenizer = merging_tokenizer(tokenizer) if merges else tokenizer
    forest = Forest(asked.model, asked.rows, asked.features)
    before = ["{<", "{<3><12><", f"{MARK}{{<30><", "{<0><5><44><"]
    firsts = [0, 4, 0, 6]
    forms = [
        written(tokenizer, [f"{text}{number}><" for number in range(first, 45)])
        for text, first in zip(before, firsts, strict=True)
    ]
    places = [(row, place) for row in asked.rows for place in range(len(row.sequences))]
    for questions in ([0, 1, 3], [2]):  # the second time on the cache that the first one left
        chosen = [forms[question] for question in questions]
        walks = number_walks(forest, questions, chosen, whole=True)
        for question, walk in zip(questions, walks, strict=True):
            expected = np.array([asked.score(*places[question], form) for form in forms[question]])
            found = np.exp(walk.known) / np.exp(walk.known).sum()
            np.testing.assert_allclose(
                found, np.exp(expected - expected.max()) / np.exp(expected - expected.max()).sum(), rtol=2e-3
            )
            assert len(found) == 45 - firsts[question]
        lazy = number_walks(forest, questions, chosen)
        assert [walk.bounds() for walk in lazy] == [walk.bounds() for walk in walks]


def test_random_weights_write_boxes_of_medians(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = asked.processor.tokenizer
    settings = {"tokenizer": tokenizer, "bins": 20, "max_new_tokens": 45}

    def answers(made: list[PackedRow]) -> dict[str, tuple[str, str]]:
        features = asked.take(row.images[0] for row in made)
        found = median_boxes(asked.model, made, features, **settings)  # type: ignore[arg-type]
        end = tokenizer.eos_token_id
        return {
            one.sample_id: (tokenizer.decode([t for t in one.tokens if t != end]), one.finish)
            for one in found
        }

    together = answers(asked.rows)
    assert together.keys() == {"0", "1", "2", "3"}
    for name, (text, finish) in together.items():
        assert text.startswith(MARK if name == "2" else "{<")
        reading = read_boxes(text.removeprefix(MARK), 20)
        assert reading.boxes
        assert finish == "length" or reading.state == "strict"
    alone = [row for whole in asked.rows for row in rows(whole.sequences, share_image=False, max_questions=1)]
    assert answers(alone) == together
    # One node at a time, so that each round has little to go by.
    monkeypatch.setattr(walking, "NODES", 1)
    assert answers(asked.rows) == together


def test_a_box_too_long_is_cut(asked: Asked) -> None:
    tokenizer = asked.processor.tokenizer
    found = median_boxes(
        asked.model, asked.rows, asked.features, tokenizer=tokenizer, bins=9, max_new_tokens=9
    )
    assert {(one.finish, len(one.tokens)) for one in found} == {("length", 9)}


def test_with_location_tokens_a_coordinate_is_one_node(tmp_path: Path) -> None:
    asked = Asked(tmp_path, location_tokens=20)
    tokenizer = asked.processor.tokenizer
    forest = Forest(asked.model, asked.rows, asked.features)
    forms = written(tokenizer, TOKENS.texts("{<3><12>", range(4, 21), 2))
    assert {len(form) for form in forms} == {4}
    [walk] = number_walks(forest, [1], [forms])
    assert not walk.open
    assert len(forest) == 4  # the questions alone: nothing was left to be computed
    expected = np.array([asked.score(asked.rows[0], 1, form) for form in forms])
    np.testing.assert_allclose(np.diff(walk.known), np.diff(expected), rtol=1e-3, atol=1e-3)
    settings = {"tokenizer": tokenizer, "bins": 20, "max_new_tokens": 20, "spelling": TOKENS}
    found = median_boxes(asked.model, asked.rows, asked.features, **settings)  # type: ignore[arg-type]
    for one in found:
        end = tokenizer.eos_token_id
        text = tokenizer.decode([token for token in one.tokens if token != end])
        assert read_boxes(text.removeprefix(MARK), 20).boxes
        if one.finish == "stop":
            assert written(tokenizer, [text])[0] == [token for token in one.tokens if token != end]


def test_where_none_parts_from_boxes_all_boxes_together_count() -> None:
    # Tokens of boxes 1 2 n 3 4 and of none 1 5 9: they part at the second, into 2 alone.
    assert _partings([1, 5, 9], [[1, 2, 7, 3], [1, 2, 8, 3]]) == [(1, [2])]
    # A number in one token with its bracket: into all of them.
    assert _partings([1, 5, 9], [[1, 10], [1, 11], [1, 12]]) == [(1, [10, 11, 12])]
    # Some begin otherwise, and some part later: at each place those that went the same way so far.
    assert _partings([1, 5, 9], [[4, 2], [1, 5, 6], [1, 7, 8]]) == [(0, [4]), (1, [7]), (2, [6])]


@pytest.mark.parametrize(("changes", "bins"), [({}, 100), ({"location_tokens": 20}, 20)])
def test_none_is_said_where_it_is_likelier_than_any_box(
    tmp_path: Path, changes: dict[str, Any], bins: int
) -> None:
    asked = Asked(tmp_path, **changes)
    tokenizer = asked.processor.tokenizer
    spelling = TOKENS if changes else DIGITS
    end = tokenizer.eos_token_id

    def texts(bias: float) -> list[str]:
        head = asked.model.get_output_embeddings()
        (brace,) = written(tokenizer, ["}"])[0]
        hook = head.register_forward_hook(
            lambda _module, _given, logits: logits.index_add(
                -1, torch.tensor([brace]), torch.full((*logits.shape[:-1], 1), bias)
            )
        )
        try:
            found = median_boxes(
                asked.model, asked.rows, asked.features, tokenizer=tokenizer, bins=bins,
                max_new_tokens=40, spelling=spelling, none=True,
            )  # fmt: skip
        finally:
            hook.remove()
        return [tokenizer.decode([token for token in one.tokens if token != end]) for one in found]

    # The samples of the rows, in order: refer, refer, detection, and refer of the other image.
    marks = ["", "", MARK, ""]
    places = [(asked.rows[0], 0), (asked.rows[0], 1), (asked.rows[0], 2), (asked.rows[1], 0)]
    margins = []
    for (row, question), mark in zip(places, marks, strict=True):
        none = asked.score(row, question, written(tokenizer, [mark + "{}"])[0])
        starts = {tuple(form[: len(written(tokenizer, [mark + "{<"])[0])]) for form in written(
            tokenizer, spelling.texts(mark + spelling.opening, range(bins), 0)
        )} if not changes else {tuple(form) for form in written(
            tokenizer, spelling.texts(mark + spelling.opening, range(bins), 0)
        )}  # fmt: skip
        box = np.logaddexp.reduce([asked.score(row, question, list(start)) for start in starts])
        margins.append(none - box)
    for bias in (0.0, -max(margins) - 0.1, -sum(margins) / 4, -min(margins) + 0.1):
        said = [text.removeprefix(mark) == "{}" for text, mark in zip(texts(bias), marks, strict=True)]
        assert said == [margin + bias > 0 for margin in margins]
    assert not any("{}" in text for text in texts(-50.0))
