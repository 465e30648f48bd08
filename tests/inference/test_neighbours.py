"""Similar training images in the prompt: which are found, what is told, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tiny import model_recipe, table_recipe

from pefomed.errors import RecipeError
from pefomed.evaluation import evaluate_run
from pefomed.features.neighbours import Archive
from pefomed.inference.splits import predict_run
from pefomed.recipe import Recipe, dumps
from pefomed.runs import RunFolder
from pefomed.schema import Box, Sample
from pefomed.training import train

# Two patches of width 2 each; their mean is what counts. `far` points the other way than the others.
FEATURES = {
    "near": [[1.0, 0.1], [1.0, 0.1]],
    "nearer": [[2.0, 0.0], [0.0, 0.0]],
    "far": [[-1.0, 0.0], [-1.0, 0.0]],
    "asked": [[1.0, 0.0], [1.0, 0.0]],
}


def features(paths: Iterable[str]) -> torch.Tensor:
    return torch.stack([torch.tensor(FEATURES[Path(path).stem]) for path in paths])


def sample(image: str, question: str, answer: str, task: str = "vqa", **more: object) -> Sample:
    return Sample.model_validate(
        {
            "id": f"{image}{question}",
            "images": (image,),
            "task": task,
            "question": question,
            "reference": answer,
            **more,
        }
    )


KNOWN = [
    sample("far", "where is the liver?", "right"),
    sample("near", "is it large?", "no"),
    sample("near", "where is the spleen?", "top"),
    sample("nearer", "what is it?", "lung"),
    sample("nearer", "liver", "", "refer", boxes=(Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4),), size=(10, 10)),
]


def test_the_most_similar_images_tell_what_they_were_asked() -> None:
    archive = Archive(KNOWN, features, lambda one: one.reference or "{a box}")
    asked = sample("asked", "where is the liver?", "left")
    # Less the mean of all, (1/3, .1/3): `nearer` (2/3, -.03), `near` (2/3, .07), `far` (-4/3, -.03).
    assert archive.told(asked, 2, leave_out=False).question == (
        "where is the liver? (similar images: what is it? lung; where is the spleen? top)"
    )
    assert archive.told(asked, 9, leave_out=False).question.endswith("where is the liver? right)")
    # One question of each image, that with most words in common; a phrase is told of phrases.
    phrase = sample("asked", "liver", "", "refer", boxes=(Box(x0=0, y0=0, x1=1, y1=1),), size=(10, 10))
    assert archive.told(phrase, 3, leave_out=False).question == "liver (similar images: liver {a box})"
    # What has no place for it stays as it is, and so does everything else of a sample.
    report = sample("asked", "", "clear", "report")
    assert archive.told(report, 3, leave_out=False) == report
    told = archive.told(asked, 2, leave_out=False)
    assert told.model_copy(update={"question": asked.question}) == asked


def test_an_image_tells_nothing_of_itself_in_training(tmp_path: Path) -> None:
    for name in ("near", "nearer", "far", "asked"):
        seed = 0 if name == "asked" else ["near", "nearer", "far"].index(name)
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    known = [one.model_copy(update={"images": (str(tmp_path / f"{one.images[0]}.png"),)}) for one in KNOWN]
    archive = Archive(known, features, lambda one: one.reference)

    def images(asked: Sample, leave_out: bool) -> list[str]:
        return [Path(one.images[0]).stem for one in archive.similar(asked, 9, leave_out=leave_out)]

    own = known[1]
    assert images(own, False) == ["near", "nearer", "far"]
    assert images(own, True) == ["nearer", "far"]
    # `asked` is a file of the same content as `near`.
    other = own.model_copy(update={"images": (str(tmp_path / "asked.png"),)})
    assert "near" not in images(other, True)


def test_what_does_not_fit_loses_the_least_similar() -> None:
    archive = Archive(KNOWN, features, lambda one: one.reference)
    asked = sample("asked", "where is the liver?", "left")
    short = archive.told(asked, 3, leave_out=False, fits=lambda one: len(one.question) < 60)
    assert short.question == "where is the liver? (similar images: what is it? lung)"
    assert archive.told(asked, 3, leave_out=False, fits=lambda _: False) == asked


def test_they_are_a_system_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    made = table_recipe(tmp_path, model_recipe(tmp_path), images=3, epochs=1, neighbours=2)
    predict = {"data": {"table": "train"}, "max_new_tokens": 6, "blind": False, "neighbours": 2}
    recipe = Recipe.model_validate({**made.model_dump(exclude_none=True), "predict": predict})
    run, split = tmp_path / "run", ("table", "train")
    train(recipe, run, tmp_path)
    # Their prompts are longer than those of a stage that tells of nothing.
    alone = Recipe.model_validate({**recipe.model_dump(exclude_none=True), "name": "alone"})
    stage = alone.stages[0].model_copy(update={"neighbours": 0})
    train(alone.model_copy(update={"stages": (stage,)}), tmp_path / "alone", tmp_path)
    tokens = [
        json.loads(line)["tokens"]
        for folder in ("run", "alone")
        for line in (tmp_path / folder / "log.jsonl").read_text().splitlines()
        if json.loads(line)["kind"] == "step"
    ]
    assert tokens[0] > tokens[len(tokens) // 2]
    RunFolder(run).recipe_file.write_text(dumps(recipe))
    predict_run(run, tmp_path)
    own = RunFolder(run).predictions_file(split, way="neighbours").read_text().splitlines()
    assert {json.loads(line)["generation"] for line in own} == {
        "greedy, at most 6 tokens, told of 2 similar training images"
    }
    assert len(own) == 9
    scores = evaluate_run(run, tmp_path)
    groups = {
        score.group for score in scores if score.system == "neighbours" and score.metric == "exact_match"
    }
    assert "overall" in groups
    # What was answered is the question as it stands, not what was told beside it.
    asked = [each.question for each in RunFolder(run).read_samples(split)]
    assert not any("similar images" in question for question in asked)


def test_neighbours_of_changed_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="goes with neither"):
        table_recipe(tmp_path, model_recipe(tmp_path), neighbours=2, crops=1)
