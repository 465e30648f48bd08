"""Constrained decoding: random weights, which would write anything, write boxes."""

from __future__ import annotations

from pathlib import Path

import torch
from tests.tiny import image_files, model_recipe

from pefomed.boxes import read_boxes
from pefomed.boxes.grammar import may_go_on
from pefomed.features.frozen import Features
from pefomed.inference.box_grammar import BoxVocabulary
from pefomed.inference.generate import greedy
from pefomed.models.build import build_model
from pefomed.packing.batch import rows, tokenise
from pefomed.recipe import Prompt
from pefomed.schema import Sample

MARK = "<p>lung</p>"


def test_random_weights_write_boxes_where_boxes_are_asked_for(tmp_path: Path) -> None:
    base, processor = build_model(model_recipe(tmp_path))
    (image,) = image_files(tmp_path, 1)
    samples = [
        Sample(id=task, images=(str(image),), task=task, question="lung")  # type: ignore[arg-type]
        for task in ("vqa", "refer", "detection")
    ]
    sequences = tokenise(samples, Prompt(), processor, answers=False)
    made = rows(sequences, share_image=True, max_questions=8)
    features = Features(base, processor.image_processor, None)([str(image)])
    tokenizer = processor.tokenizer
    end = int(tokenizer.eos_token_id)
    vocabulary = BoxVocabulary(tokenizer, bins=100)
    ordered = [sequence.sample for row in made for sequence in row.sequences]

    def answers(constrained: bool) -> dict[str, tuple[str, str]]:
        torch.manual_seed(0)
        found = greedy(
            base.eval(),
            made,
            features,
            max_new_tokens=80,
            end_token=end,
            constraints=[vocabulary.constraint(one) for one in ordered] if constrained else None,
        )
        return {
            one.sample_id: (tokenizer.decode([t for t in one.tokens if t != end]), one.finish)
            for one in found
        }

    free, bound = answers(False), answers(True)
    assert bound["vqa"] == free["vqa"]
    assert read_boxes(free["refer"][0]).state == "unparsable"
    for task, mark in (("refer", ""), ("detection", MARK)):
        text, finish = bound[task]
        assert text.startswith(mark)
        written = text.removeprefix(mark)
        assert may_go_on(written, 100)
        # One token a byte: four boxes at least in 80 tokens, unless the end came before.
        reading = read_boxes(written)
        assert reading.boxes
        assert finish == "length" or reading.state == "strict"


def test_the_pieces_are_those_of_the_alphabet_alone() -> None:
    class Words:
        """A vocabulary of merged pieces, as BPE has them."""

        eos_token_id = 0
        all_special_ids = (0,)

        def __len__(self) -> int:
            return 9

        def convert_ids_to_tokens(self, tokens: range) -> list[str]:
            words = ["</s>", "{<", "12", "><", ">}", "▁{", "lung", "Ġ1", "<delim>"]
            return [words[token] for token in tokens]

    vocabulary = BoxVocabulary(Words(), bins=100)
    assert set(vocabulary.pieces.values()) == {"{<", "12", "><", ">}", "<delim>"}
    assert vocabulary.following("") == [1]
    # 12 alone would be an inverted box after 12; nothing but digits that make 13..100 may come,
    # and 1212 is beyond 100: no piece is left but those that can become a number.
    assert vocabulary.following("{<12><3") == [3]
    assert vocabulary.following("{<1><3><12><12") == [4]
    assert vocabulary.following("{<1><3><12><12>}") == [8, 0]


def test_that_there_is_none_is_allowed_if_it_may_be_said() -> None:
    class Pieces:
        """Pieces of boxes and of none, merged and single."""

        eos_token_id = 0
        all_special_ids = (0,)

        def __len__(self) -> int:
            return 8

        def convert_ids_to_tokens(self, tokens: range) -> list[str]:
            words = ["</s>", "{<", "{", "}", "{}", "<", "12", "<delim>"]
            return [words[token] for token in tokens]

    never, may = BoxVocabulary(Pieces(), bins=100), BoxVocabulary(Pieces(), bins=100, none=True)
    assert never.following("") == [1, 2]
    assert never.following("{") == [5]
    assert may.following("") == [1, 2, 4]
    assert may.following("{") == [3, 5]
    assert may.following("{}") == [0]
    assert may.following("{<") == never.following("{<") == [6]
