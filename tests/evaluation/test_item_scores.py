"""The values of single answers: what they say, what is their mean, and that readers use those that fit."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.golden import runs

from pefomed.agreement.run import agreement_of
from pefomed.boxes import reading
from pefomed.evaluation import evaluate_run, item_scores
from pefomed.evaluation.compare import compare_runs
from pefomed.evaluation.origin import read_item_scores, read_scores
from pefomed.files import jsonl
from pefomed.metrics.known import METRICS
from pefomed.raters.pool import read_answers
from pefomed.report.box_answers import box_answers
from pefomed.report.items import browser_data
from pefomed.report.run import read_run
from pefomed.runs import RunFolder
from pefomed.schema import Box, ItemScore, Outline, Prediction, Sample


def kept(run: Path) -> list[ItemScore]:
    return [one for path in RunFolder(run).item_scores_files() for one in jsonl.read(path, ItemScore)]


def strata(run: Path) -> list[tuple[str, str]]:
    return [(answer.sample.id, answer.stratum) for answer in read_answers(run, "vqa")[1]]


def browsed(run: Path) -> Any:
    found = read_run(run)
    boxes = [box_answers(split, found.recipe) for split in found.answered]
    return browser_data(found.answered, boxes), boxes


@pytest.mark.parametrize("made", [runs.everything, runs.floors])
def test_scores_are_the_means_of_their_items(tmp_path: Path, made: Any) -> None:
    """Of every metric that is one of items, for the model and without the image; mean in plain Python."""
    run = made(tmp_path)
    scores = evaluate_run(run, tmp_path / "data")
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for path in RunFolder(run).item_scores_files():
        for one in jsonl.read(path, ItemScore):
            assert one.value is not None
            values[path.stem, one.system, one.metric].append(one.value)
    checked = set()
    for score in scores:
        known = METRICS.get(score.metric)
        if known is None or known.per != "item" or known.rater or score.system not in ("model", "blind"):
            continue
        group = "answer_type=CLOSED" if known.section == "closed" else "overall"
        if score.group == group:
            mine = values[f"{score.dataset}-{score.split}", score.system, score.metric]
            assert (len(mine), sum(mine) / len(mine)) == (score.n, pytest.approx(score.value)), score
            checked.add(score.metric)
    expected = {"exact_match", "token_f1", "closed_accuracy", "empty_rate", "iou", "side_mistake_rate"}
    assert checked >= expected | ({"rouge_l_r2gen", "n_acc"} if made is runs.everything else set())


def test_an_item_says_what_was_read(tmp_path: Path) -> None:
    samples = [
        Sample(id="q", images=("a",), task="vqa", question="?", reference="No",
               meta={"answer_type": "CLOSED"}),
        Sample(id="o", images=("a",), task="vqa", question="?", reference="lung",
               meta={"answer_type": "OPEN"}),
        Sample(id="g", images=("a",), task="grounding", size=(100, 100),
               reference="A <p>cyst</p>{0} and a <p>cyst</p>{1}.",
               boxes=(Box(x0=0, y0=0, x1=0.5, y1=1), Box(x0=0.8, y0=0, x1=1, y1=1))),
        Sample(id="m", images=("a",), task="refer", question="cyst", size=(4, 4),
               boxes=(Box(x0=0, y0=0, x1=0.5, y1=1),),
               # A triangle between the centres of the pixels: there is nothing to compare with.
               masks=(Outline(size=(4, 4), polygons=("0.6,0.6 0.7,0.6 0.6,0.7",)),)),
        Sample(id="n", images=("a",), task="refer", question="mass", size=(4, 4)),
        Sample(id="p", images=("a",), task="refer", question="mass", size=(4, 4)),
    ]  # fmt: skip
    texts = {
        "q": "It is not; no.",
        "o": "Lung",
        "g": "A <p>cyst</p>{<60><0><100><100>} and a <p>cyst</p>{<80><0><100><100>}.",
        "m": "<0><0><50><100>}",
        "n": "{}",
        "p": "nowhere, I think",
    }
    run = tmp_path / "run"
    jsonl.append(run / "samples" / "d-test.jsonl", samples)
    (run / "outside.json").write_text("{}")
    made = [
        Prediction(sample_id=name, text=text, tokens=1, finish="stop", generation="g")
        for name, text in texts.items()
    ]
    jsonl.append(run / "predictions" / "d-test.jsonl", made)
    evaluate_run(run)
    found = {(one.sample_id, one.phrase, one.metric): one for one in kept(run)}
    closed = found["q", None, "closed_accuracy"]
    assert (closed.value, closed.read) == (1.0, "no")
    assert ("o", None, "closed_accuracy") not in found  # an open question
    exact = found["o", None, "exact_match"]
    assert (exact.value, exact.read) == (1.0, "lung")
    # The first cyst was given boxes on the other side, the second its own; the third phrase is not there.
    assert found["g", 0, "iou"].value == 0.0
    assert json.loads(found["g", 0, "iou"].read) == [[0.6, 0.0, 1.0, 1.0]]
    assert found["g", 1, "iou"].value == 1.0
    assert [found["g", n, "side_mistake_rate"].value for n in (0, 1)] == [1.0, 0.0]
    assert ("g", 2, "iou") not in found
    # All boxes of the answer, with the phrases they are marked with, and what was repaired.
    read = {name: found[name, None, "unparsable_rate"].read for name in ("g", "m", "n", "p")}
    assert json.loads(read["g"]) == [[0.6, 0.0, 1.0, 1.0, "cyst"], [0.8, 0.0, 1.0, 1.0, "cyst"]]
    assert (read["m"], read["n"], read["p"]) == ("[[0.0, 0.0, 0.5, 1.0]]", "[]", "")
    assert found["p", None, "unparsable_rate"].value == 1.0
    repaired = found["m", None, "repaired_rate"]
    assert (repaired.value, repaired.read) == (1.0, "brace missing")
    mask = found["m", 0, "mask_dice"]
    assert (mask.value, mask.why) == (None, "the mask holds no pixel's centre")


def test_readers_say_the_same_with_and_without_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = runs.everything(tmp_path / "one"), runs.everything(tmp_path / "other", turned=True)
    before = browsed(one), agreement_of(one), compare_runs(one, other, draws=50), strata(one)
    for run in (one, other):
        evaluate_run(run)
    assert {stratum for _, stratum in before[3]} == {"right", "wrong"}
    # Nobody computes them again, nor reads a box from a text.
    monkeypatch.setattr(item_scores, "computed", None)
    monkeypatch.setattr(reading, "_pieces", None)
    assert browsed(one) == before[0]
    assert agreement_of(one) == before[1]
    assert compare_runs(one, other, draws=50) == before[2]
    assert strata(one) == before[3]


def test_values_of_other_answers_are_not_read(tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    evaluate_run(run)
    assert read_item_scores(run, ("questions", "test"))
    path = RunFolder(run).predictions_file(("questions", "test"))
    path.write_text(path.read_text().replace('"text":"yes"', '"text":"no"', 1))
    assert read_item_scores(run, ("questions", "test")) is None
    assert read_item_scores(run, ("places", "test"))
    file = RunFolder(run).item_scores_file(("places", "test"))
    file.write_text(file.read_text().replace('"value":1.0', '"value":0.0', 1))
    assert read_item_scores(run, ("places", "test")) is None


def test_scores_from_before_there_were_items_are_not_stale(tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    scores = evaluate_run(run)
    card = RunFolder(run).scores_card
    about = json.loads(card.read_text())
    card.write_text(json.dumps({name: value for name, value in about.items() if name != "items"}))
    assert read_scores(run) == scores
    assert read_item_scores(run, ("questions", "test")) is None
    for other in ({"version": "0.0.1"}, {"layout": 1}):
        card.write_text(json.dumps(about | {"items": about["items"] | other}))
        assert read_scores(run) == scores
        assert read_item_scores(run, ("questions", "test")) is None


def test_an_item_without_a_value_says_why() -> None:
    with pytest.raises(ValueError, match="why"):
        ItemScore(sample_id="a", system="model", metric="iou", value=None)
    with pytest.raises(ValueError, match="why"):
        ItemScore(sample_id="a", system="model", metric="iou", value=1.0, why="none")
