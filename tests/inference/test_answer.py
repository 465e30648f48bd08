"""`Predictor.answer`: order, streams, draws, probabilities against a plain loop, pictures in any form."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import torch
from PIL import Image
from tests.datasets.made_dicom import made
from tests.tiny import image_files, model_recipe, questions, table_recipe

import pefomed
from pefomed import recipe as recipes
from pefomed.boxes import read_boxes
from pefomed.errors import DataError, ImageError
from pefomed.files import jsonl
from pefomed.inference.choice import TokenSampler, likeliest
from pefomed.inference.predictor import Predictor
from pefomed.inference.splits import predict_run
from pefomed.inference.text_pieces import TextPieces
from pefomed.models.adapter import add_adapter, base_of, save_adapter
from pefomed.models.build import build_model
from pefomed.packing.batch import tokenise
from pefomed.schema import Prediction, Sample
from pefomed.training import train


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answer")


@pytest.fixture(scope="module")
def samples(root: Path) -> list[Sample]:
    """Return questions about three images, those of one image never side by side."""
    found = questions(image_files(root, 3), each=4)
    return [found[4 * (number % 3) + number // 3] for number in range(12)]


def predictor(root: Path, **changes: Any) -> Predictor:
    """Return random weights that answer anything: bytes, of which many are no characters."""
    recipe = table_recipe(root, model_recipe(root, resize="letterbox"))
    how = recipe.predict.model_copy(update=changes)
    recipe = recipe.model_copy(update={"predict": how})
    torch.manual_seed(3)
    base, _ = build_model(recipe.model)
    wrapped = add_adapter(base, recipe.model.lora)
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    save_adapter(wrapped, root / "adapter")
    return Predictor(recipe, root / "adapter")


@pytest.fixture(scope="module")
def model(root: Path) -> Predictor:
    return predictor(root, batch_questions=5)


def by_a_plain_loop(model: Predictor, sample: Sample, answer: pefomed.Answer) -> list[float]:
    """Return each token's log-probability: transformers' own model over the whole text, without a cache."""
    [tokens] = tokenise([sample], model.recipe.prompt, model.processor, answers=False)
    base = base_of(model.model)
    pixels = model.processor.image_processor(Image.open(sample.images[0]))["pixel_values"]
    found = []
    for number, token in enumerate(answer.token_ids):
        with torch.no_grad():
            ids = torch.tensor([[*tokens.prompt, *answer.token_ids[:number]]])
            embeds = base.embed(ids, base.encode_images(pixels))
            logits = base.language_model(inputs_embeds=embeds, use_cache=False).logits[0, -1]
        found.append(float(logits.double().log_softmax(-1)[token]))
    return found


def test_answers_come_in_the_order_of_the_questions(model: Predictor, samples: list[Sample]) -> None:
    told = {one.sample_id: one.text for one in model.predict(samples)}
    assert list(told) != [sample.id for sample in samples]  # batches as they are ready
    assert [answer.text for answer in model.answer(samples)] == [told[sample.id] for sample in samples]
    assert model.answer([]) == []


def test_the_probability_is_that_of_a_plain_loop_over_transformers(
    model: Predictor, samples: list[Sample]
) -> None:
    for temperature in (0.0, 1.5):
        answers = model.answer(samples, temperature=temperature)
        for sample, answer in zip(samples, answers, strict=True):
            wanted = by_a_plain_loop(model, sample, answer)
            assert len(answer.token_ids) == answer.tokens  # the end token too
            assert answer.token_logprobs == pytest.approx(wanted, abs=1e-4)
            assert answer.logprob == pytest.approx(sum(wanted), abs=1e-3)


def test_of_constrained_boxes_it_is_over_what_the_grammar_allows(root: Path, samples: list[Sample]) -> None:
    model = predictor(root, constrain_boxes=True, max_new_tokens=40)
    sample = samples[0].model_copy(update={"task": "refer", "question": "lung"})
    [answer] = model.answer([sample])
    assert read_boxes(answer.text).state == "strict"
    # A box begins with `{<` and a digit: nothing is left to choose in the first two tokens.
    assert answer.token_logprobs[:2] == (0.0, 0.0)
    assert sum(answer.token_logprobs[2:]) < 0
    assert answer.logprob == pytest.approx(sum(answer.token_logprobs))


def test_of_medians_it_is_over_all_tokens(root: Path, samples: list[Sample]) -> None:
    model = predictor(root, box_choice="median", max_new_tokens=40)
    asked = [one.model_copy(update={"task": "refer", "question": "lung"}) for one in samples[:4]]
    for sample, answer in zip(asked, model.answer(asked), strict=True):
        assert answer.token_logprobs == pytest.approx(by_a_plain_loop(model, sample, answer), abs=1e-4)
    drawn = model.answer(asked * 3, temperature=2.0)
    assert all(read_boxes(answer.text).boxes or answer.finish == "length" for answer in drawn)
    assert len({answer.text for answer in drawn}) > 4


def test_pieces_joined_are_the_texts_and_hold_no_broken_characters(
    model: Predictor, samples: list[Sample]
) -> None:
    asked = samples * 3
    whole = model.answer(asked, temperature=1.5, seed=4, max_new_tokens=30)
    texts, last = [""] * len(asked), {}
    for piece in model.answer(asked, temperature=1.5, seed=4, max_new_tokens=30, stream=True):
        assert piece.place not in last
        texts[piece.place] += piece.text
        if piece.answer is not None:
            last[piece.place] = piece.answer
    assert texts == [answer.text for answer in whole]
    assert [last[place] for place in range(len(asked))] == whole


def test_a_character_of_several_tokens_is_one_piece(model: Predictor) -> None:
    tokenizer = model.processor.tokenizer
    tokens = tokenizer(" zwölf 肺 cm ", add_special_tokens=False)["input_ids"]  # one a byte
    pieces = TextPieces(tokenizer)
    said = [pieces.next(tokens[: number + 1], done=False) for number in range(len(tokens))]
    said.append(pieces.next([*tokens, tokenizer.eos_token_id], done=True))
    assert [text for text in said if text] == ["z", "w", "ö", "l", "f", " 肺", " c", "m"]
    broken = tokens[:4]  # ends within a character, and stays so
    pieces = TextPieces(tokenizer)
    assert pieces.next(broken, done=False) == "zw"
    assert pieces.next(broken, done=True) == "\ufffd"


def test_a_draw_hangs_on_seed_and_place_alone(model: Predictor, samples: list[Sample]) -> None:
    def drawn(asked: Sequence[Sample], seed: int) -> list[str]:
        return [answer.text for answer in model.answer(asked, temperature=1.0, seed=seed)]

    assert drawn(samples, 1) == drawn(samples, 1)
    assert drawn(samples, 1) == drawn(samples, np.int64(1))  # type: ignore[arg-type]
    assert drawn(samples, 1) != drawn(samples, 2)
    assert drawn(samples[:1], 1) == drawn(samples, 1)[:1]
    assert len(set(drawn([samples[0]] * 8, 1))) > 4  # of one shared row


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([[math.log(0.5), -torch.inf, math.log(0.3), math.log(0.2)]]).expand(4000, 4)
    drawn = TokenSampler(1.0, [str(seed) for seed in range(4000)])(logits, range(4000))
    counts = np.bincount(drawn, minlength=4) / 4000
    # The deviation of a share is at most sqrt(0.25 / 4000) = 0.008.
    assert counts == pytest.approx([0.5, 0.0, 0.3, 0.2], abs=0.03)
    # At T = 0.5 shares are the squares: 25, 9 and 4 of 38.
    squared = (
        np.bincount(TokenSampler(0.5, list(map(str, range(4000))))(logits, range(4000)), minlength=4) / 4000
    )
    assert squared == pytest.approx([25 / 38, 0.0, 9 / 38, 4 / 38], abs=0.03)
    assert TokenSampler(1e-300, ["0"])(logits[:1], [0]) == likeliest(logits[:1], [0]) == [0]


def test_a_picture_in_any_form_has_one_answer(model: Predictor, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8)
    file, encoded = tmp_path / "grey.png", io.BytesIO()
    Image.fromarray(pixels).save(file)
    Image.fromarray(pixels).save(encoded, "PNG")
    forms: list[Any] = [str(file), file, encoded.getvalue(), Image.fromarray(pixels), pixels, [file]]
    answers = model.answer([pefomed.Request(form, "is it left?") for form in forms])
    assert len({answer.text for answer in answers}) == 1
    sample = Sample(id="file", images=(str(file),), task="vqa", question="is it left?")
    assert model.answer([sample])[0].text == answers[0].text
    scan = made(tmp_path / "scan.dcm", np.random.default_rng(1).integers(0, 900, (40, 30), dtype=np.uint16))
    by_path, by_bytes = model.answer(
        [pefomed.Request(scan, "is it left?"), pefomed.Request(scan.read_bytes(), "is it left?")]
    )
    assert by_path == by_bytes
    assert pydicom.dcmread(scan).Rows == 40


def test_boxes_are_those_of_the_image_without_its_padding(root: Path, samples: list[Sample]) -> None:
    model = predictor(root, box_choice="median", max_new_tokens=40)
    refer = samples[0].model_copy(update={"task": "refer", "question": "lung"})  # which tells no size
    of_record, of_request = model.answer([refer, pefomed.Request(refer.images[0], "lung", "refer")])
    assert of_record == of_request
    # 60 x 50 becomes 56 x 47 in a square of 56, with 4 above and 5 below.
    steps = [(box.x0, box.y0 * 56 - 4, box.x1, box.y1 * 56 - 4) for box in read_boxes(of_record.text).boxes]
    seen = [(x0, max(y0 / 47, 0), x1, min(y1 / 47, 1)) for x0, y0, x1, y1 in steps if y1 > 0 and y0 < 47]
    found = [(box.x0, box.y0, box.x1, box.y1) for box in of_record.boxes]
    assert np.allclose(np.reshape(found, (-1, 4)), np.reshape(seen, (-1, 4)))
    assert steps


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens is a whole number"),
        ({"max_new_tokens": 2.5}, "max_new_tokens is a whole number"),
        ({"temperature": -1}, "temperature is a number of 0 or more"),
        ({"temperature": math.nan}, "temperature is a number of 0 or more"),
        ({"temperature": math.inf}, "temperature is a number of 0 or more"),
        ({"seed": None}, "seed is a whole number"),
    ],
)
def test_a_setting_that_cannot_be_is_one_error(
    model: Predictor, samples: list[Sample], settings: dict[str, Any], what: str
) -> None:
    with pytest.raises(DataError, match=what):
        model.answer(samples, **settings)
    with pytest.raises(DataError, match=what):
        model.answer(samples, **settings, stream=True)


def test_an_image_or_question_that_cannot_be_is_one_error(model: Predictor, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        model.answer([pefomed.Request(b"no image", "is it left?")])
    with pytest.raises(ImageError, match="no image at"):
        model.answer([pefomed.Request(tmp_path / "none.png", "is it left?")])
    picture = np.zeros((8, 8), np.uint8)
    with pytest.raises(DataError, match="a question is a Sample or a Request"):
        model.answer(["scan.png"])  # type: ignore[list-item]
    with pytest.raises(DataError, match="several questions are a list"):
        model.answer(pefomed.Request(tmp_path, "is it left?"))  # type: ignore[call-overload]
    with pytest.raises(DataError, match="the question is empty"):
        model.answer([pefomed.Request(picture, " ")])


def test_a_run_keeps_probabilities_where_its_recipe_says_so(tmp_path: Path) -> None:
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=2, each=2, epochs=1)
    recipe = recipe.model_copy(
        update={"predict": recipe.predict.model_copy(update={"blind": False, "logprobs": False})}
    )
    train(recipe, tmp_path / "run", tmp_path)
    said, file = tmp_path / "run" / "recipe.toml", tmp_path / "run" / "predictions" / "table-train.jsonl"
    said.write_text(recipes.dumps(recipe))
    predict_run(tmp_path / "run", tmp_path)
    before = file.read_text().splitlines(keepends=True)
    assert not any("logprob" in line for line in before)
    how = recipe.predict.model_copy(update={"logprobs": True})
    said.write_text(recipes.dumps(recipe.model_copy(update={"predict": how})))
    file.write_text("".join(before[:2]))
    predict_run(tmp_path / "run", tmp_path)  # answers that do not tell it stand
    after = file.read_text().splitlines(keepends=True)
    assert after[:2] == before[:2]
    told = [Prediction.model_validate_json(line) for line in after]
    assert [one.logprob is None for one in told] == [True, True, False, False]
    samples = list(jsonl.read(tmp_path / "run" / "samples" / "table-train.jsonl", Sample))
    answers = {s.id: a for s, a in zip(samples, pefomed.load(tmp_path / "run").answer(samples), strict=True)}
    for one in told[2:]:
        assert one.logprob == pytest.approx(answers[one.sample_id].logprob, abs=1e-4)
        assert one.text == answers[one.sample_id].text


def test_a_certain_answer_keeps_its_probability() -> None:
    told = Prediction(sample_id="a", text="x", tokens=1, finish="stop", generation="g", logprob=0.0)
    assert Prediction.model_validate_json(told.model_dump_json()).logprob == 0.0
