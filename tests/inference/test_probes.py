"""Probes answered by a tiny run: kept, resumed, refused when stale, and no image encoded twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.tiny import model_recipe, table_recipe

from pefomed import recipe as recipes
from pefomed.errors import DataError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.features.frozen import Features
from pefomed.files import jsonl
from pefomed.inference.splits import predict_run
from pefomed.runs import RunFolder
from pefomed.schema import Prediction, Sample
from pefomed.workflow import pipeline

SPLIT = ("table", "train")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    recipe = table_recipe(tmp_path, model_recipe(tmp_path), images=4, each=3, epochs=1)
    table = tmp_path / "table.jsonl"
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    for row in rows:  # else no other picture has another answer
        row["answer"] = f"{row['answer']} {row['image'][6]}"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    probes = ("swap", "mirror", "paraphrase")
    recipe = recipe.model_copy(update={"predict": recipe.predict.model_copy(update={"probes": probes})})
    path = tmp_path / "tiny.toml"
    path.write_text(recipes.dumps(recipe))
    return pipeline.train(path, tmp_path / "runs", tmp_path)


def texts(run: Path, probe: str) -> dict[str, str]:
    path = RunFolder(run).probe(probe).predictions_file(SPLIT)
    return {one.sample_id: one.text for one in jsonl.read(path, Prediction)}


def test_no_image_is_encoded_twice_and_answers_are_kept(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    before = Features._encoded

    def counted(self: Features, tensors: Any) -> Any:
        found = before(self, tensors)
        encoded.append(len(found))
        return found

    monkeypatch.setattr(Features, "_encoded", counted)
    files = predict_run(run, tmp_path)
    # The four pictures for answers with and without them, swapped and in other words; the four mirrored ones.
    assert sum(encoded) == 8
    assert [path.parent.parent.name for path in files[2:]] == ["swap", "mirror", "paraphrase"]
    samples = {one.id: one for one in jsonl.read(RunFolder(run).samples_file(SPLIT), Sample)}
    swap = list(jsonl.read(RunFolder(run).probe("swap").samples_file(SPLIT), Sample))
    assert all(one.images != samples[one.id].images for one in swap)
    assert all(one.question == samples[one.id].question for one in swap)

    # Half is lost, the last line cut: the same call completes it, unchanged, and encodes nothing.
    whole = texts(run, "mirror")
    path = RunFolder(run).probe("mirror").predictions_file(SPLIT)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:3]) + lines[3][:20])
    predict_run(run, tmp_path)
    assert texts(run, "mirror") == whole
    assert sum(encoded) == 8
    assert {"probe_swap_changed", "probe_right"} <= {score.metric for score in evaluate_run(run, tmp_path)}

    # An answer to a swapped picture is that to the same question where it is the picture's own.
    own = {(one.images, one.question): one.id for one in samples.values()}
    answers = {
        one.sample_id: one.text for one in jsonl.read(RunFolder(run).predictions_file(SPLIT), Prediction)
    }
    for one in swap:
        same = own.get((one.images, one.question))
        if same is not None:
            assert texts(run, "swap")[one.id] == answers[same]


def test_stale_probes_are_refused_or_asked_again(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict_run(run, tmp_path, probes=["paraphrase"])
    recipe = recipes.load(RunFolder(run).recipe_file)
    path = RunFolder(run).probe("paraphrase").predictions_file(SPLIT)

    # Other wordings: those answers alone that they are of are given again.
    asked = list(jsonl.read(RunFolder(run).probe("paraphrase").samples_file(SPLIT), Sample))
    words = {one.id: one.question for one in asked} | {asked[0].id: "something else?"}
    (tmp_path / "words.json").write_text(json.dumps(words))
    changed = recipe.predict.model_copy(update={"wordings": "words.json"})
    RunFolder(run).recipe_file.write_text(recipes.dumps(recipe.model_copy(update={"predict": changed})))
    capsys.readouterr()
    predict_run(run, tmp_path, probes=["paraphrase"])
    assert f"1 answer to what was asked otherwise, asked again: {asked[0].id}" in " ".join(
        capsys.readouterr().err.split()
    )
    (tmp_path / "words.json").write_text(json.dumps({"nobody": "x?"}))
    with pytest.raises(DataError, match="nobody"):
        predict_run(run, tmp_path, probes=["paraphrase"])

    # Generated in another way: refused, as the run's own answers are.
    longer = recipe.predict.model_copy(update={"max_new_tokens": 5})
    RunFolder(run).recipe_file.write_text(recipes.dumps(recipe.model_copy(update={"predict": longer})))
    for mine in RunFolder(run).predictions_files(blind=None):
        mine.unlink()
    with pytest.raises(RunError, match=r"probes/paraphrase/(?s:.*)another way(?s:.*)generation"):
        predict_run(run, tmp_path, probes=["paraphrase"])
    assert path.exists()
