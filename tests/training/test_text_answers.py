"""Captions and reports choose a checkpoint by CIDEr + BLEU-4 of greedy answers, of equals by the loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from pefomed.datasets import load_samples
from pefomed.inference.predictor import Predictor
from pefomed.recipe import Recipe
from pefomed.training import checkpoint, train
from pefomed.training.text_answers import DecodedText, text_score
from pefomed.training.validation import Validation, ValidationResult
from tests.tiny import model_recipe, table_recipe


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))


def captions_recipe(root: Path, **stage: Any) -> Recipe:
    """Return a recipe that writes one report about each of three images, and validates on the same."""
    recipe = table_recipe(root, model_recipe(root), images=3, each=1, validate_split="train", **stage)
    texts = ["no sign of any effusion", "the heart is much too large", "a fracture of one rib"]
    lines = [
        json.dumps({"image": f"image-{n}.png", "question": "", "answer": text, "split": "train"})
        for n, text in enumerate(texts)
    ]
    (root / "table.jsonl").write_text("\n".join(lines) + "\n")
    data = recipe.data["table"]
    options = data.options | {"task": "report"}
    return recipe.model_copy(update={"data": {"table": data.model_copy(update={"options": options})}})


def lines(run: Path, kind: str) -> list[dict[str, Any]]:
    made = [json.loads(text) for text in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in made if line["kind"] == kind]


def test_the_score_of_texts_is_that_of_pycocoevalcap() -> None:
    # Two right answers of four and more words: CIDEr 10, BLEU-4 1. One task each: their means are the same.
    right = [
        DecodedText("report", ("no sign of effusion",), "No sign of effusion."),
        DecodedText("report", ("a large heart is seen",), "a large heart is seen"),
    ]
    assert text_score(right) == pytest.approx({"cider": 10.0, "bleu_4": 1.0, "texts": 11.0}, abs=1e-6)
    # Wrong ones share no words: both are 0.
    wrong = [DecodedText("report", one.references, "zzz yyy xxx www") for one in right]
    assert text_score(wrong)["texts"] == pytest.approx(0.0, abs=1e-6)
    # Of two tasks each by its own references: the captions' 11 for two of four, nothing for the reports.
    captions = [DecodedText("caption", one.references, one.text) for one in right]
    assert text_score([*wrong, *captions])["texts"] == pytest.approx(5.5, abs=1e-6)


def test_of_equal_scores_the_lower_loss_is_better() -> None:
    assert ValidationResult(0.2, 5.0).better_than(0.1, 1.0)
    assert not ValidationResult(0.1, 1.0).better_than(0.2, 5.0)
    assert ValidationResult(0.0, 1.0).better_than(0.0, 2.0)
    assert not ValidationResult(0.0, 2.0).better_than(0.0, 2.0)
    assert ValidationResult(None, 1.0).better_than(None, 2.0)  # nothing was decoded
    assert not ValidationResult(None, 3.0).better_than(None, 2.0)


def test_reports_that_score_nothing_keep_the_lowest_loss_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pefomed.training.validation.text_score", lambda w: {"cider": 0.0, "texts": 0.0})
    recipe = captions_recipe(tmp_path, epochs=None, steps=6, checkpoint_every=2, batch_size=3)
    run = tmp_path / "run"
    train(recipe, run, tmp_path)
    validations = lines(run, "validation")
    assert [row["score"] for row in validations] == [0.0] * 6
    assert validations[-1]["loss"] < validations[0]["loss"]
    lowest = min(validations, key=lambda row: row["loss"])["step"]
    assert (
        f"no answer scored above 0 at any of 6 validations; kept is step {lowest}" in capsys.readouterr().err
    )
    best = run / "checkpoints" / "task" / f"best-{lowest:08d}" / "adapter_model.safetensors"
    kept, final = load_file(best), load_file(run / "adapter" / "adapter_model.safetensors")
    assert all(bool((kept[name] == final[name]).all()) for name in kept)


def test_reports_are_decoded_and_the_best_of_them_is_kept(tmp_path: Path) -> None:
    recipe = captions_recipe(
        tmp_path, epochs=None, steps=60, checkpoint_every=60, batch_size=3, lr=2e-2, lr_end=2e-3,
        validate_every=20,
    )  # fmt: skip
    run = tmp_path / "run"
    train(recipe, run, tmp_path)
    validations = lines(run, "validation")
    assert [row["step"] for row in validations] == [20, 40, 60]
    assert all("exact_match" not in row and row["n"] == row["decoded"] == 3 for row in validations)
    assert all(row["score"] == pytest.approx(row["cider"] + row["bleu_4"]) for row in validations)
    best = max(validations, key=lambda row: (row["score"], -row["loss"]))
    [step] = (run / "checkpoints" / "task").glob("step-*")
    assert checkpoint._read_progress(step).best_step == best["step"]
    # Prediction writes the same: at most as many tokens as the longest reference has, its end included.
    longest = len("the heart is much too large") + 1
    how = recipe.predict.model_copy(update={"max_new_tokens": longest})
    predictor = Predictor(recipe.model_copy(update={"predict": how}), run / "adapter")
    samples = load_samples(recipe.data["table"], "train", tmp_path)
    texts = {one.sample_id: one.text for one in predictor.predict(samples)}
    written = [DecodedText("report", one.references, texts[one.id]) for one in samples]
    assert text_score(written)["texts"] == pytest.approx(best["score"], abs=1e-6)
    assert best["score"] > 0.5


def test_without_decoding_the_loss_decides_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = captions_recipe(tmp_path, epochs=None, steps=2, batch_size=3, validate_texts=0)
    train(recipe, tmp_path / "run", tmp_path)
    said = capsys.readouterr().err
    assert "captions and reports are not decoded, the validation loss decides: validate_texts is 0" in said
    assert [row["score"] for row in lines(tmp_path / "run", "validation")] == [None, None]


def test_texts_weigh_by_their_number_beside_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    validation = Validation(str, 100, loss=6.0, tokens=3, right=[True, False], texts=2)
    assert validation.values() == {
        "loss": 2.0, "exact_match": 0.5, "score": 0.5, "n": 4, "decoded": 0,
    }  # fmt: skip
    validation.written = [DecodedText("report", ("a b c d e",), "a b c d e")]  # one item has no CIDEr: 0 + 1
    assert validation.values()["score"] == pytest.approx((1 + 0 + 2 * 1) / 4, abs=1e-6)
