"""Drawn answers, the likeness of pictures and the threshold of a run, from prediction to asking."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.tiny import model_recipe, table_recipe
from typer.testing import CliRunner

import pefomed
from pefomed import recipe as recipes
from pefomed.answers.sureness import Rule, read_rule
from pefomed.cli.app import app
from pefomed.errors import DataError, RecipeError, RunError
from pefomed.evaluation.threshold import choose_threshold
from pefomed.files import jsonl
from pefomed.inference.draws import Drawing
from pefomed.inference.likeness import nearest
from pefomed.inference.predictor import load
from pefomed.inference.splits import predict_run
from pefomed.models.adapter import base_of
from pefomed.runs import RunFolder
from pefomed.schema import Drawn, Likeness, Prediction, Score
from pefomed.workflow import pipeline

VALIDATE = ("table", "validate")
DRAWN = {"samples": 3, "temperature": 1.5, "seed": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run trained on three of five pictures, of which the fourth is held out and the fifth asked."""
    root = tmp_path_factory.mktemp("sure")
    recipe = table_recipe(root, model_recipe(root), images=5, each=3, epochs=1, validate_split="validate")
    table = root / "table.jsonl"
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    for row in rows:
        row["split"] = {"image-3.png": "validate", "image-4.png": "test"}.get(row["image"], "train")
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    changes = {"data": {"table": "test"}, "batch_questions": 4, **DRAWN}
    made = recipe.model_copy(
        update={
            "predict": recipe.predict.model_copy(update=changes),
            "threshold": recipe.threshold.model_copy(update={"data": {"table": "validate"}}),
        }
    )
    file = root / "tiny.toml"
    file.write_text(recipes.dumps(made))
    folder = pipeline.run(file, root / "runs", root)
    return folder


def test_the_drawn_answers_hang_on_the_seed_alone(run: Path) -> None:
    kept = {one.sample_id: one for one in jsonl.read(RunFolder(run).drawn_file(("table", "test")), Drawn)}
    samples = [s for s in jsonl.read(RunFolder(run).samples_file(("table", "test")), pefomed.Sample)]
    model = load(run)
    how = Drawing(3, 1.5, 4, model.recipe.predict.max_new_tokens)
    again = list(model.draw(samples[::-1], how))
    assert {one.sample_id: one.texts for one in again} == {name: one.texts for name, one in kept.items()}
    [alone] = model.draw(samples[1:2], how)
    assert alone.texts == kept[samples[1].id].texts
    [other] = model.draw(samples[1:2], replace(how, seed=5))
    assert other.texts != alone.texts
    assert len(set(alone.texts)) > 1
    assert alone.logprobs == pytest.approx(kept[samples[1].id].logprobs, abs=1e-4)
    assert alone.generation == "3 drawn at temperature 1.5, seed 4, at most 12 tokens"


def test_lost_draws_alone_are_drawn_again(run: Path) -> None:
    path = RunFolder(run).drawn_file(("table", "test"))
    whole = path.read_text().splitlines(keepends=True)
    path.write_text(whole[0] + whole[1][:30])
    predict_run(run, run.parents[1])
    texts = {one.sample_id: one.texts for one in jsonl.read(path, Drawn)}
    assert texts == {one.sample_id: one.texts for one in map(Drawn.model_validate_json, whole)}


def test_draws_of_two_kinds_are_not_mixed_and_none_are_alike_at_temperature_0(run: Path) -> None:
    with pytest.raises(RunError, match=r"another way(?s:.*)seed 4(?s:.*)seed 5"):
        predict_run(run, run.parents[1], drawn={**DRAWN, "seed": 5})
    for changed, said in (
        ({"temperature": 0.0}, "temperature 0 are all the same"),
        ({"samples": 1}, "2 or more"),
    ):
        with pytest.raises(RecipeError, match=said):
            predict_run(run, run.parents[1], drawn={**DRAWN, **changed})
    shown = CliRunner().invoke(app, ["predict", str(run), "--samples", "3", "--temperature", "0"])
    assert isinstance(shown.exception, RecipeError)
    assert "temperature 0" in str(shown.exception)


def test_greedy_answers_keep_their_probability(run: Path) -> None:
    for one in jsonl.read(RunFolder(run).predictions_file(("table", "test")), Prediction):
        assert one.logprob is not None
        assert one.logprob <= 0


def test_likeness_is_one_less_the_cosine_of_mean_features(run: Path) -> None:
    """Against numpy, picture by picture, from the encoder itself."""
    model = load(run)
    base, side = base_of(model.model), model.processor.image_processor

    def vector(number: int) -> np.ndarray:
        with Image.open(run.parents[1] / f"image-{number}.png") as image:
            [features] = base.features_of([side.pixels(image.convert("RGB"))])
        mean = features.double().numpy().mean(0)
        return mean / np.linalg.norm(mean)

    training = [vector(number) for number in range(3)]
    far = {number: min(1 - vector(number) @ one for one in training) for number in (3, 4)}
    found = list(jsonl.read(RunFolder(run).likeness_file(("table", "test")), Likeness))
    assert [one.distance for one in found] == pytest.approx([far[4]] * 3, abs=1e-5)
    # One held-out picture: with this one among two, as far or not.
    assert [one.level for one in found] == [1.0 if far[3] >= far[4] else 0.5] * 3
    kept = load_file(RunFolder(run).training_pictures_file)
    assert kept["held_out"].tolist() == pytest.approx([far[3]], abs=1e-5)
    assert kept["training"].shape == (3, 16)


def test_a_picture_that_was_trained_on_is_at_0() -> None:
    """However its features are added up: the last digits of a cosine are none."""
    drawn = torch.randn(200, 384, generator=torch.Generator().manual_seed(1))
    random = torch.nn.functional.normalize(drawn, dim=1)
    assert (1 - (random * random).sum(1)).abs().max() > 0
    assert nearest(random[:50], random).tolist() == [0.0] * 50


def test_the_nearest_of_the_others() -> None:
    known = torch.eye(3)
    assert nearest(known, known).tolist() == [0.0, 0.0, 0.0]
    assert nearest(known, known, among_themselves=True).tolist() == [1.0, 1.0, 1.0]


def test_a_run_does_all_that_its_recipe_asks_for(run: Path) -> None:
    metrics = {score.metric for score in jsonl.read(RunFolder(run).scores_file, Score)}
    assert {"probability", "drawn_support", "drawn_agreement", "likeness", "answered_share"} <= metrics
    rule = read_rule(run)
    assert rule is not None
    assert (rule.on, rule.pictures, rule.questions) == ({"table": "validate"}, 1, 3)
    kept = RunFolder(RunFolder(run).calibration)
    for path in (kept.predictions_file(VALIDATE), kept.drawn_file(VALIDATE), kept.likeness_file(VALIDATE)):
        assert len(path.read_text().splitlines()) == 3
    assert not kept.predictions_file(VALIDATE, blind=True).exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"predict.samples": 3, "predict.temperature": 0}, "temperature 0 are all the same"),
        ({"predict.samples": 1}, "takes 2 or more"),
        ({"threshold.data.tabel": "validate"}, "unknown data set 'tabel'(?s:.*)table"),
        ({"threshold.data.table": "validate", "threshold.by": "drawn_support", "predict.samples": 0},
         "no answers are drawn"),
        ({"threshold.most_wrong": 1}, "less than 1"),
    ],
)  # fmt: skip
def test_a_recipe_that_asks_for_what_cannot_be(run: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        recipes.load(RunFolder(run).recipe_file, changed)


def test_a_threshold_of_answers_that_are_not_there_is_one_error(run: Path) -> None:
    with pytest.raises(RunError, match=r"no answers to table other(?s:.*)--on table=other"):
        choose_threshold(run, {"table": "other"})
    with pytest.raises(RunError, match="were trained on"):
        choose_threshold(run, {"table": "train"})
    with pytest.raises(RecipeError, match="most_wrong"):
        choose_threshold(run, settings={"most_wrong": 1.5})
    shown = CliRunner().invoke(app, ["threshold", str(run), "--on", "table"])
    assert "is not NAME=SPLIT" in shown.output


def test_one_picture_promises_nothing_and_says_so(run: Path) -> None:
    """Three questions about one picture: the added one alone may be all wrong: (0 + 3) / (3 + 3) at best."""
    rule = choose_threshold(run)
    assert rule.on == {"table": "validate"}
    assert rule.threshold is None
    assert rule.least_level >= 0.5
    image = str(run.parents[1] / "image-4.png")
    answer = pefomed.load(run).ask(image, "is it left?")
    assert not answer.sure
    assert "no threshold keeps wrong answers at 10 %" in answer.doubt
    assert str(answer).startswith("not sure: ")
    assert answer.text


def chosen(run: Path, **changes: Any) -> Rule:
    rule = read_rule(run)
    assert rule is not None
    made = rule.model_copy(update=changes)
    RunFolder(run).threshold_file.write_text(made.model_dump_json())
    return made


def test_ask_says_not_sure_and_why(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(run.parents[1] / "image-4.png")
    chosen(run, threshold=0.0)
    answer = pefomed.load(run).ask(image, "is it left?")
    assert answer.sure
    assert answer.logprob is not None
    probability = math.exp(answer.logprob)
    chosen(run, threshold=probability * 1.01)
    doubted = pefomed.load(run).ask(image, "is it left?")
    assert doubted.text == answer.text
    assert doubted.doubt.startswith("low probability: ")
    chosen(run, threshold=0.99999)
    words = ["ask", str(run), image, "is it left?"]
    shown = CliRunner().invoke(app, words)
    assert shown.output.startswith("not sure: low probability: 0."), shown.output
    assert "1.00, " not in shown.output or "is needed" in shown.output
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (told["answer"], told["likeliest"], told["boxes"]) == ("not sure", answer.text, [])
    assert told["why"].startswith("low probability")


def test_other_reasons_drawn_answers_and_an_unlike_picture(run: Path) -> None:
    image = str(run.parents[1] / "image-4.png")
    chosen(run, threshold=0.99, by="drawn_agreement", samples=3, temperature=5.0, seed=1)
    answer = pefomed.load(run).ask(image, "is it left?")
    assert answer.doubt.startswith("drawn answers disagree: 0.")
    assert pefomed.load(run).ask(image, "is it left?").doubt == answer.doubt
    noise = Image.fromarray(np.random.default_rng(9).integers(0, 256, (50, 60, 3), dtype=np.uint8))
    flat = Image.new("RGB", (60, 50))
    chosen(run, threshold=0.0, by="probability", unlike=0.9)
    doubts = [pefomed.load(run).ask(one, "is it left?").doubt for one in (noise, flat)]
    assert any(one.startswith("the picture is unlike the training pictures: ") for one in doubts), doubts


def test_a_rule_of_another_adapter_or_a_damaged_one_is_refused(run: Path) -> None:
    image = str(run.parents[1] / "image-4.png")
    chosen(run, adapter="other")
    with pytest.raises(RunError, match=r"another adapter(?s:.*)pefomed threshold"):
        pefomed.load(run).ask(image, "is it left?")
    RunFolder(run).threshold_file.write_text('{"by": "luck"}')
    with pytest.raises(DataError, match=r"threshold.json is damaged"):
        pefomed.load(run).ask(image, "is it left?")
    RunFolder(run).threshold_file.unlink()
    assert pefomed.load(run).ask(image, "is it left?").sure
