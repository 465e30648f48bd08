"""Two stages, each of three data sets in their published layouts mixed by ratio, from files to report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pefomed import recipe as recipes
from pefomed.cli import main
from pefomed.files import jsonl
from pefomed.packing.batch import PackedRow
from pefomed.schema import Prediction, Sample, Score
from pefomed.training.loop import Loop
from tests import mixed_folders
from tests.tiny import model_recipe

STEPS, ACCUMULATE = 90, 2
CAPTIONS = {"roco": 3, "imageclef": 2, "medicat": 1}
QUESTIONS = {"vqa_rad": 3, "path_vqa": 2, "slake": 1}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[PackedRow]]]:
    """The batches that are trained, by stage."""
    seen: dict[str, list[list[PackedRow]]] = {}
    original = Loop._step

    def step(self: Loop, model: Any, optimiser: Any, parameters: Any, batches: Any, number: int) -> Any:
        seen.setdefault(self.stage.name, []).extend(batches)
        return original(self, model, optimiser, parameters, batches, number)

    monkeypatch.setattr(Loop, "_step", step)
    return seen


@pytest.fixture
def recipe_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEFOMED_CACHE", str(tmp_path / "cache"))
    stage = {"steps": STEPS, "accumulate": ACCUMULATE, "batch_size": 2, "lr": 5e-3, "lr_end": 5e-4}
    recipe = recipes.parse(
        {
            "name": "tiny-mixed",
            "model": model_recipe(tmp_path).model_dump(exclude_none=True),
            "data": mixed_folders.make(tmp_path / "data"),
            "stages": [
                {"name": "captions", "data": CAPTIONS, **stage},
                {"name": "task", "data": QUESTIONS, **stage},
            ],
            "compute": {"dtype": "float32", "device": "cpu", "compile": "off"},
            "predict": {"data": dict.fromkeys(QUESTIONS, "test"), "max_new_tokens": 8},
            "evaluate": {"bootstrap": 20},
        }
    )
    path = tmp_path / "mixed.toml"
    path.write_text(recipes.dumps(recipe))
    return path


def command(*words: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 0


def data_set(row: PackedRow, root: Path) -> str:
    """Return the data set whose folder the row's image is in."""
    return Path(row.images[0]).relative_to(root).parts[0]


def test_from_files_to_report_and_again(
    recipe_file: Path, tmp_path: Path, trained: dict[str, list[list[PackedRow]]]
) -> None:
    words = ("run", recipe_file, "--out", tmp_path / "runs", "--data", tmp_path / "data")
    command(*words)
    run = tmp_path / "runs" / "tiny-mixed"
    for stage, ratios in (("captions", CAPTIONS), ("task", QUESTIONS)):
        check_mixture(trained[stage], ratios, tmp_path / "data")
    # Every sample was trained on: one an image, of VQA-RAD two; SLAKE's Chinese ones are not asked for.
    expected = {**dict.fromkeys((*CAPTIONS, *QUESTIONS), 4), "vqa_rad": 8}
    rows = {id(row): row for part in trained.values() for batch in part for row in batch}.values()
    ids = {(data_set(row, tmp_path / "data"), one.sample.id) for row in rows for one in row.built().sequences}
    assert Counter(name for name, _ in ids) == expected

    losses: dict[str, list[float]] = {"captions": [], "task": []}
    for line in map(json.loads, (run / "log.jsonl").read_text().splitlines()):
        if line["kind"] == "step":
            losses[line["stage"]].append(line["loss"])
    for values in losses.values():
        assert len(values) == STEPS
        assert sum(values[-10:]) < sum(values[:10])
    for name in QUESTIONS:
        samples = list(jsonl.read(run / "samples" / f"{name}-test.jsonl", Sample))
        assert len(samples) == mixed_folders.TESTED * (2 if name == "vqa_rad" else 1)
        for kind in ("", ".blind"):
            answers = jsonl.read(run / "predictions" / f"{name}-test{kind}.jsonl", Prediction)
            assert {answer.sample_id for answer in answers} == {sample.id for sample in samples}
    scores = list(jsonl.read(run / "scores.jsonl", Score))
    assert {score.dataset for score in scores if score.system == "model"} == set(QUESTIONS)
    audit = json.loads((run / "audit.json").read_text())
    assert {*CAPTIONS, *QUESTIONS, "roco against vqa_rad", "slake against path_vqa"} <= audit.keys()
    page = (run / "report" / "index.html").read_text()
    assert all(name in page for name in (*CAPTIONS, *QUESTIONS))

    before = contents(run)
    trained.clear()
    command(*words)
    assert not trained
    assert contents(run) == before


def check_mixture(batches: list[list[PackedRow]], ratios: dict[str, int], root: Path) -> None:
    drawn = Counter()
    for batch in batches:
        (name,) = {data_set(row, root) for row in batch}  # a batch is of one data set
        drawn[name] += 1
    n = STEPS * ACCUMULATE
    assert sum(drawn.values()) == n
    for name, ratio in ratios.items():
        share = ratio / sum(ratios.values())
        # Four standard deviations of a binomial draw: 27, 25 and 20 of 180 batches.
        assert abs(drawn[name] - n * share) < 4 * (n * share * (1 - share)) ** 0.5, drawn


def contents(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
