"""Consensus of drawn boxes: the draws follow the model's distribution, and the best of them is given."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pefomed import box_consensus
from pefomed.batch import rows
from pefomed.box_consensus import Choice, Draw, consensus_boxes
from pefomed.box_decoding import BoxVocabulary
from pefomed.boxes import read_boxes
from pefomed.decoding import Answer
from tests.test_box_median import MARK, Asked


@pytest.mark.parametrize("location_tokens", [0, 20])
def test_answers_are_boxes_and_do_not_hang_on_their_neighbours(tmp_path: Path, location_tokens: int) -> None:
    asked = Asked(tmp_path, location_tokens=location_tokens)
    vocabulary = BoxVocabulary(asked.processor.tokenizer, 20)

    def answers(made: list) -> dict[str, Answer]:  # type: ignore[type-arg]
        features = asked.take(row.images[0] for row in made)
        found = consensus_boxes(
            asked.model, made, features, vocabulary=vocabulary, max_new_tokens=60, draws=12
        )
        return {one.sample_id: one for one in found}

    together = answers(asked.rows)
    assert together.keys() == {"0", "1", "2", "3"}
    for name, answer in together.items():
        text = asked.processor.tokenizer.decode([t for t in answer.tokens if t != vocabulary.end])
        assert text.startswith(MARK if name == "2" else "{<")
        assert answer.finish == "length" or read_boxes(text.removeprefix(MARK), 20).state == "strict"
    alone = [row for whole in asked.rows for row in rows(whole.sequences, share_image=False, max_questions=1)]
    assert answers(alone) == together


def test_the_draws_follow_the_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(tmp_path, location_tokens=5)
    vocabulary = BoxVocabulary(asked.processor.tokenizer, 5)
    seen: dict[str, list[Draw]] = {}

    def keep(sample_id: str, drawn: list[Draw], vocabulary: BoxVocabulary) -> Answer:
        seen[sample_id] = list(drawn)
        return Answer(sample_id)

    monkeypatch.setattr(box_consensus, "_agreed", keep)
    consensus_boxes(
        asked.model, asked.rows, asked.features, vocabulary=vocabulary, max_new_tokens=2, draws=400
    )
    # The first coordinate, behind the brace: tokens' shares and their probabilities by a forward alone.
    brace = vocabulary.following("")[0]
    allowed = vocabulary.following("{")
    for place, name in enumerate(("0", "1")):
        logs = np.array([asked.score(asked.rows[0], place, [brace, token]) for token in allowed])
        expected = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
        counts = Counter(draw.tokens[1] for draw in seen[name] if draw.tokens[0] == brace)
        shares = np.array([counts[token] for token in allowed]) / sum(counts.values())
        np.testing.assert_allclose(shares, expected, atol=0.1)


def test_the_answer_most_alike_to_all_is_given(tmp_path: Path) -> None:
    vocabulary = BoxVocabulary(Asked(tmp_path).processor.tokenizer, 100)
    end = [vocabulary.end]

    def draw(text: str, ended: bool = True) -> Draw:
        tokens = vocabulary.tokenizer(text, add_special_tokens=False)["input_ids"]
        return Draw(0, 0, tokens + end * ended, ended)

    def agreed(*drawn: Draw) -> str:
        answer = box_consensus._agreed("a", drawn, vocabulary)
        assert (answer.finish == "stop") == any(one.ended for one in drawn)
        return str(vocabulary.tokenizer.decode([token for token in answer.tokens if token != vocabulary.end]))

    near = [draw(f"{{<{x}><10><{x + 20}><30>}}") for x in (8, 10, 12)]
    far = draw("{<60><60><80><80>}")
    # Twice the far one is the most frequent; the middle one of three near ones has the most IoU with all.
    assert agreed(far, *near, far) == "{<10><10><30><30>}"
    assert agreed(far, near[0], far) == "{<60><60><80><80>}"
    # A draw that did not end counts for nothing, unless none did.
    assert agreed(draw("{<1><1><9", ended=False), far) == "{<60><60><80><80>}"
    assert agreed(draw("{<1><1><9", ended=False)) == "{<1><1><9"


def test_a_choice_takes_each_token_as_often_as_it_is_likely() -> None:
    choice = Choice([7, 8, 9], np.cumsum([1.0, 0.0, 3.0]))
    taken = [choice.take(uniform) for uniform in np.linspace(0, 1, 1000, endpoint=False)]
    assert Counter(taken) == {7: 250, 9: 750}
    assert choice.take(np.nextafter(1.0, 0.0)) == 9
