"""Boxes as a family writes them: asked about, trained on, decoded by its grammar and as medians, read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests import outside_family
from tests.inference.test_outside_family import adapted
from tests.tiny import image_files

from pefomed.answers.answer import Answer, says_none
from pefomed.answers.writing import writing_of
from pefomed.boxes import BoxReading
from pefomed.boxes.grammar import may_end, may_go_on
from pefomed.boxes.notation import mark_of
from pefomed.boxes.spelling import Spelling
from pefomed.errors import RecipeError
from pefomed.inference.decoding import generation
from pefomed.inference.predictor import Predictor
from pefomed.packing.fitting import Fitting
from pefomed.recipe import Prompt, Recipe, parse
from pefomed.schema import Box, Sample

BOXES = (Box(x0=0.1, y0=0.25, x1=0.5, y1=1.0), Box(x0=0.0, y0=0.0, x1=0.02, y1=0.3))


class Rows:
    """`[<12|05|50|25>]`: y, x, y, x in fiftieths, of two digits each."""

    spelling = Spelling(
        "<", "{:02d}", ("|", "|", "|", ">"), delimiter=",", beginning="[", closing="]", none="[]", bins=50
    )

    def boxes(self, boxes: Sequence[Box]) -> str:
        numbers = [[round(50 * side) for side in (one.y0, one.x0, one.y1, one.x1)] for one in boxes]
        return f"[{','.join('<' + '|'.join(f'{each:02d}' for each in one) + '>' for one in numbers)}]"

    def phrase(self, phrase: str, boxes: Sequence[Box]) -> str:
        return f"{phrase}: {self.boxes(boxes)}"

    def read(self, text: str) -> BoxReading:
        found = re.findall(r"<(\d\d)\|(\d\d)\|(\d\d)\|(\d\d)>", text)
        boxes = tuple(Box(x0=int(x0) / 50, y0=int(y0) / 50, x1=int(x1) / 50, y1=int(y1) / 50)
                      for y0, x0, y1, x1 in found)  # fmt: skip
        return BoxReading(boxes, (), "strict" if boxes or "[]" in text else "unparsable")


@pytest.fixture(autouse=True)
def own_notation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(outside_family.tiny, "boxes", Rows(), raising=False)
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def recipe(**predict: object) -> Recipe:
    return parse(
        {
            "name": "x",
            "model": {"family": "tests.outside_family:tiny", "options": {"weights": "w"}},
            "compute": {"dtype": "float32", "device": "cpu"},
            "predict": {"max_new_tokens": 60, **predict},
        }
    )


def test_what_is_written_is_what_is_read() -> None:
    writing = writing_of(recipe())
    # 50 steps: 0.25, 0.1, 1.0, 0.5 of the first box are 12 (half to even), 5, 50, 25.
    text = writing.format.boxes(BOXES)
    assert text == "[<12|05|50|25>,<00|00|15|01>]"
    assert len(writing.read(text).boxes) == 2
    assert writing.read(text).boxes[1] == BOXES[1]
    assert mark_of(writing.format, "lung") == "lung: "
    assert says_none(Answer("[]"), "refer", recipe())
    assert not says_none(Answer("{}"), "refer", recipe())
    words = outside_family.Words()
    words.boxes = writing.format  # type: ignore[attr-defined]
    sample = Sample(id="1", images=("a",), task="refer", question="lung", boxes=BOXES[:1])
    encoded = Fitting(Prompt(), words, image_tokens=lambda _: 4).encoded(sample)
    assert words.tokenizer.decode(encoded.answer, skip_special_tokens=True) == "[<12|05|50|25>]"
    asked = sample.model_copy(update={"task": "identify", "reference": "lung"})
    encoded = Fitting(Prompt(), words, image_tokens=lambda _: 4).encoded(asked)
    kept = [token for token in encoded.prompt if token != outside_family.IMAGE]
    assert "[<12|05|50|25>]" in words.tokenizer.decode(kept)


def test_its_grammar_is_that_of_its_spelling() -> None:
    spelling = Rows.spelling
    whole = "[<12|05|50|25>,<00|00|15|01>]"
    for end in range(len(whole)):
        assert may_go_on(whole[:end], 50, spelling=spelling), whole[:end]
        assert not may_end(whole[:end], 50, spelling=spelling)
    assert may_end(whole, 50, spelling=spelling)
    assert not may_go_on(whole + ",", 50, spelling=spelling)
    assert may_go_on("[<12|05|1", 50, spelling=spelling)  # 13 to 19 lie beyond 12
    for wrong in ("[<12|05|0", "[<12|05|12|", "[<1|", "[<12|5", "[]", "[<51", "<12", "[<12|05|50|25>]["):
        assert not may_go_on(wrong, 50, spelling=spelling), wrong
    assert may_end("[]", 50, none=True, spelling=spelling)
    assert may_go_on("[", 50, spelling=spelling)


@pytest.mark.parametrize("how", [{"constrain_boxes": True}, {"box_choice": "median"}])
def test_random_weights_write_its_boxes(how: dict[str, object], tmp_path: Path) -> None:
    made = recipe(**how)
    model = adapted(3).eval()
    asking = Predictor.of(made, model, outside_family.Words())
    [image] = image_files(tmp_path, 1)
    for task, mark in (("refer", ""), ("detection", "lung: ")):
        said = asking.ask(image, "lung", task)
        assert said.text.startswith(mark)
        assert may_go_on(said.text.removeprefix(mark), 50, spelling=Rows.spelling), said.text
        assert said.boxes
    assert "constrained" in generation(made)


def test_without_a_spelling_boxes_are_greedy_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Rows, "spelling", None)
    made = recipe(constrain_boxes=True)
    asking = Predictor.of(made, adapted().eval(), outside_family.Words())
    assert "decoded greedily" in capsys.readouterr().err
    assert generation(made) == "greedy, at most 60 tokens"
    [image] = image_files(tmp_path, 1)
    assert asking.ask(image, "lung", "refer").boxes == ()


def test_a_notation_that_is_none_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_family.tiny, "boxes", "{}", raising=False)
    with pytest.raises(RecipeError, match="`boxes` has no boxes, phrase, read"):
        writing_of(recipe()).read("x")
    monkeypatch.setattr(outside_family.tiny, "boxes", Rows(), raising=False)
    monkeypatch.setattr(Rows, "spelling", Rows.spelling._replace(number="{:x}"))
    with pytest.raises(RecipeError, match="cannot be used"):
        generation(recipe(constrain_boxes=True))
