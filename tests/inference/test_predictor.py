"""Prediction of a run: resumable, shared images or not the same text, the blind run, and asking."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tests.tiny import model_recipe, table_recipe

import pefomed
from pefomed import recipe as recipes
from pefomed.errors import RunError, WeightsError
from pefomed.files import jsonl
from pefomed.inference.predictor import load
from pefomed.inference.splits import predict_run
from pefomed.schema import Prediction, Sample, Score
from pefomed.workflow import pipeline


@pytest.fixture
def recipe_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=4, each=4, epochs=2, lr=1e-2)
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dumps(recipe))
    return path


def test_a_run_goes_from_recipe_to_report_and_resumes(recipe_file: Path, tmp_path: Path) -> None:
    run = pipeline.run(recipe_file, tmp_path / "runs", tmp_path)
    seen = run / "predictions" / "table-train.jsonl"
    blind = run / "predictions" / "table-train.blind.jsonl"
    samples = list(jsonl.read(run / "samples" / "table-train.jsonl", Sample))
    predictions = {p.sample_id: p for p in jsonl.read(seen, Prediction)}
    assert predictions.keys() == {sample.id for sample in samples}
    assert len(samples) == 16
    assert all(p.blind for p in jsonl.read(blind, Prediction))
    # Without the image, the same question has the same answer everywhere.
    answers: dict[str, set[str]] = {}
    texts = {p.sample_id: p.text for p in jsonl.read(blind, Prediction)}
    for sample in samples:
        answers.setdefault(sample.question, set()).add(texts[sample.id])
    assert {len(found) for found in answers.values()} == {1}
    systems = {score.system for score in jsonl.read(run / "scores.jsonl", Score)}
    assert {"model", "blind", "floor:majority", "floor:nearest-text"} <= systems
    assert (run / "report" / "index.html").stat().st_size > 10_000
    for name in ("recipe.toml", "describe.json", "audit.json", "log.jsonl"):
        assert (run / name).exists()

    # Half of the predictions lost, the last line cut: the same call completes them, unchanged.
    whole = seen.read_text().splitlines(keepends=True)
    seen.write_text("".join(whole[:7]) + whole[7][:20])
    predict_run(run, tmp_path)
    assert {p.sample_id: p.text for p in jsonl.read(seen, Prediction)} == {
        name: prediction.text for name, prediction in predictions.items()
    }

    # One question alone, asked by the Python API, has the text of the whole split's run.
    model = pefomed.load(run)
    for sample in samples[:3]:
        answer = model.ask(sample.images[0], sample.question)
        told = predictions[sample.id]
        assert (str(answer), answer.finish, answer.tokens) == (told.text, told.finish, told.tokens)


def test_another_recipe_in_the_same_folder_is_refused(recipe_file: Path, tmp_path: Path) -> None:
    pipeline.train(recipe_file, tmp_path / "runs", tmp_path)
    with pytest.raises(RunError, match=r"run of another recipe(?s:.*)different: stages(?s:.*)--fresh"):
        pipeline.train(recipe_file, tmp_path / "runs", tmp_path, {"stages.0.lr": 5e-3})


def test_a_fresh_run_keeps_no_answers_of_the_former_model(recipe_file: Path, tmp_path: Path) -> None:
    run = pipeline.run(recipe_file, tmp_path / "runs", tmp_path)
    path = run / "predictions" / "table-train.jsonl"
    forged = [p.model_copy(update={"text": "former"}) for p in jsonl.read(path, Prediction)]
    path.unlink()
    jsonl.append(path, forged)
    pipeline.run(recipe_file, tmp_path / "runs", tmp_path, fresh=True)
    assert "former" not in {p.text for p in jsonl.read(path, Prediction)}


def test_answers_generated_in_two_ways_are_not_mixed(recipe_file: Path, tmp_path: Path) -> None:
    pipeline.run(recipe_file, tmp_path / "runs", tmp_path)
    with pytest.raises(RunError, match=r"another way(?s:.*)at most 12 tokens"):
        pipeline.run(recipe_file, tmp_path / "runs", tmp_path, {"predict.max_new_tokens": 5})


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run"):
        load(tmp_path)


def test_an_untrained_run_says_what_to_do(recipe_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "untrained"
    run.mkdir()
    (run / "recipe.toml").write_text(recipe_file.read_text())
    with pytest.raises(RunError, match=r"no adapter in(?s:.*)pefomed train"):
        load(run)


def test_replaced_base_weights_are_noticed_though_all_is_answered(recipe_file: Path, tmp_path: Path) -> None:
    run = pipeline.run(recipe_file, tmp_path / "runs", tmp_path)
    predict_run(run, tmp_path)  # nothing is left, nothing is said
    file = Path(recipes.load(recipe_file).model.language_model) / "model.safetensors"
    save_file({name: 1.01 * tensor for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"on another base(?s:.*)language model: other weights"):
        predict_run(run, tmp_path)
