"""A run that answers questions and boxes, over a few records in SLAKE's layout."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pefomed import recipe
from pefomed.boxes import Resizing
from pefomed.datasets import load_samples
from pefomed.errors import DataError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.files import jsonl
from pefomed.prompts import target
from pefomed.schema import Box, Prediction, Sample, Score

# Labels and boxes in pixels, x y width height, of images of 100 x 50.
IMAGES = {
    1: [{"Liver": [0, 0, 40, 20]}, {"Spleen": [60, 0, 20, 20]}],
    2: [{"Liver": [0, 0, 60, 40]}],
    8: [{"Liver": [0, 0, 50, 30]}, {"Spleen": [60, 10, 20, 20]}],
    9: [{"Liver": [0, 0, 50, 30]}, {"Spleen": [50, 0, 20, 10]}, {"Spleen": [80, 0, 20, 10]}],
}
SPLITS = {"train": (1, 2), "validate": (2,), "test": (8, 9)}


def write_data(root: Path) -> None:
    for number, labels in IMAGES.items():
        folder = root / "imgs" / f"xmlab{number}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (100, 50), number).save(folder / "source.jpg")
        (folder / "detection.json").write_text(json.dumps(labels))
    for split, images in SPLITS.items():
        rows = [
            {
                "qid": number, "img_name": f"xmlab{number}/source.jpg", "question": "Which organ is it?",
                "answer": "Liver", "q_lang": "en", "location": "Abdomen", "modality": "CT",
                "answer_type": "OPEN", "base_type": "vqa", "content_type": "Organ",
            }
            for number in images
        ]  # fmt: skip
        (root / f"{split}.json").write_text(json.dumps(rows))


def make_run(
    tmp_path: Path, tasks: list[str], answers: dict[str, str] | None = None, **changes: Any
) -> tuple[Path, list[Sample]]:
    """A run that answered everything right but for `answers`, and blindly nothing."""
    write_data(tmp_path / "data" / "slake")
    boxes = {"loader": "slake_boxes", "root": "slake", "options": {"tasks": tasks}}
    raw: dict[str, Any] = {
        "name": "run",
        "model": {"vision_encoder": "v", "language_model": "l", **changes.pop("model", {})},
        "data": {"questions": {"loader": "slake", "root": "slake"}, "boxes": boxes},
        "stages": [
            {"name": "both", "data": {"questions": 1.0, "boxes": 1.0}, "epochs": 1, "lr": 1e-4, "lr_end": 0.0}
        ],
        "predict": {"data": {"questions": "test", "boxes": "test"}},
        **changes,
    }
    settings = recipe.parse(raw)
    run = tmp_path / "run"
    run.mkdir(parents=True)
    (run / "recipe.toml").write_text(recipe.dumps(settings))
    resizing = Resizing(settings.model.resize, settings.model.image_size)
    for dataset in settings.predict.data:
        samples = load_samples(settings.data[dataset], "test", tmp_path / "data")
        jsonl.append(run / "samples" / f"{dataset}-test.jsonl", samples)
        for blind in (False, True):
            texts = {s.id: "" if blind else target(s, settings.prompt, resizing) for s in samples}
            texts |= {} if blind else {key: text for key, text in (answers or {}).items() if key in texts}
            made = [
                Prediction(sample_id=i, text=text, tokens=1, finish="stop", generation="greedy", blind=blind)
                for i, text in texts.items()
            ]
            jsonl.append(run / "predictions" / f"{dataset}-test{'.blind' * blind}.jsonl", made)
    return run, samples


def value(scores: list[Score], system: str, metric: str, group: str = "overall") -> float:
    [score] = [
        s for s in scores if (s.system, s.metric, s.group, s.dataset) == (system, metric, group, "boxes")
    ]
    return score.value


def test_questions_and_boxes_in_one_run(tmp_path: Path) -> None:
    run, samples = make_run(tmp_path, ["refer", "identify"])
    scores = evaluate_run(run, tmp_path / "data")
    questions = [s for s in scores if s.dataset == "questions" and s.system == "model"]
    assert next(s.value for s in questions if s.metric == "exact_match") == 1.0
    assert not [s for s in questions if s.metric in ("iou", "unparsable_rate")]
    # Four phrases, each asked for its box and for its name. Pixels are whole bins here.
    assert {sample.task for sample in samples} == {"refer", "identify"}
    assert value(scores, "model", "exact_match") == 1.0
    assert value(scores, "model", "iou") == pytest.approx(1.0)
    assert value(scores, "blind", "iou") == value(scores, "blind", "exact_match") == 0.0
    overall = {
        s.metric: s.n for s in scores if s.system == "model" and s.group == "overall" and s.dataset == "boxes"
    }
    assert overall["empty_rate"] == overall["cut_rate"] == 8
    assert overall["exact_match"] == overall["iou"] == overall["unparsable_rate"] == 4
    # The blind run's answers are empty: wrong, counted, and not called unparsable.
    assert value(scores, "blind", "empty_rate") == 1.0
    assert value(scores, "blind", "unparsable_rate") == 0.0
    # Livers are nearest to livers, the spleens to the one spleen, by 1/3 and by 100 of 700 pixels (liver: 100
    # of 2700). The most frequent name is Liver.
    assert value(scores, "floor:nearest-box", "exact_match") == 1.0
    assert value(scores, "floor:majority", "exact_match") == 0.5
    one = [s for s in scores if (s.system, s.metric, s.group) == ("model", "iou", "boxes=1")]
    assert [s.n for s in one] == [3]
    assert list(jsonl.read(run / "scores.jsonl", Score)) == scores


def test_left_and_right_mistaken_is_a_score_of_the_recipes_draws_and_seed(tmp_path: Path) -> None:
    mirrored = {"slake_boxes-test-xmlab8-liver-refer": "{<50><0><100><60>}"}
    run, samples = make_run(tmp_path, ["refer"], mirrored, evaluate={"bootstrap": 0})
    assert mirrored.keys() < {sample.id for sample in samples}
    assert all(s.interval == "" for s in evaluate_run(run, tmp_path / "data"))
    (run / "recipe.toml").write_text(
        (run / "recipe.toml").read_text().replace("bootstrap = 0", "bootstrap = 300")
    )
    scores = evaluate_run(run, tmp_path / "data")
    found = [s for s in scores if s.metric == "side_mistake_rate" and s.system == "model"]
    # Livers left, spleens right of the image; one of the four is answered on the other side.
    [overall] = [s for s in found if s.group == "overall"]
    assert (overall.value, overall.n, overall.split) == (0.25, 4, "test")
    assert overall.interval != ""
    assert {s.group for s in found} >= {"category=Liver", "category=Spleen"}
    # The blind run has no boxes; where the whole image is answered, that is in the middle.
    assert value(scores, "blind", "side_mistake_rate") == 0.0
    assert value(scores, "floor:whole-image", "side_mistake_rate") == 0.0
    assert not [s for s in scores if s.metric == "side_mistake_rate_named"]


def test_floors_by_hand(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path, ["refer"])
    scores = evaluate_run(run, tmp_path / "data")
    # Median liver of 40 x 20 and 60 x 40 is 50 x 30, as in both test images. The spleen of 60 0 20 20
    # has half of 60 10 20 20, 1/3 IoU; of 50 0 20 10 and 80 0 20 10 it covers 100 of 400, 1/7.
    assert value(scores, "floor:median-box-category", "iou") == pytest.approx((1 + 1 + 1 / 3 + 1 / 7) / 4)
    assert value(scores, "floor:median-box-category", "iou_macro") == pytest.approx(
        (1 + (1 / 3 + 1 / 7) / 2) / 2
    )
    assert value(scores, "floor:median-box-category", "acc_0.5") == 0.5
    assert value(scores, "floor:median-box-category", "acc_0.3") == 0.75
    # 1500 of 5000 pixels twice, 400 once, 400 in two boxes once.
    assert value(scores, "floor:whole-image", "iou") == pytest.approx((0.3 + 0.3 + 0.08 + 0.08) / 4)
    assert value(scores, "floor:median-box-category-place", "iou", "category=Liver") == pytest.approx(1.0)
    median = next(s for s in scores if s.system == "floor:median-box")
    assert median.implementation.endswith("3 training phrases with one box, 3 training samples (train)")


def test_a_wrong_answer_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    prefix = "slake_boxes-test-xmlab"
    answers = {
        f"{prefix}8-liver-refer": "{<50><0><100><60>}",  # beside the liver
        f"{prefix}9-liver-refer": "{<50><0><0><60>}",  # corners swapped
        f"{prefix}8-spleen-refer": "the spleen",
    }
    run, _ = make_run(tmp_path, ["refer"], answers)
    scores = evaluate_run(run, tmp_path / "data")
    assert value(scores, "model", "iou") == pytest.approx((0 + 1 + 0 + 1) / 4)
    assert value(scores, "model", "unparsable_rate") == 0.25
    assert value(scores, "model", "repaired_rate") == 0.25
    assert value(scores, "model", "iou", "category=Spleen") == pytest.approx(0.5)


def test_captions_with_marks_are_scored_twice(tmp_path: Path) -> None:
    mine = "slake_boxes-test-xmlab9-grounding"
    run, samples = make_run(tmp_path, ["grounding"])
    right = next(sample for sample in samples if sample.id == mine)
    # The spleen is not marked: its boxes are nobody's. The words stay.
    run, _ = make_run(
        tmp_path / "two",
        ["grounding"],
        {mine: target(right, recipe.Prompt()).replace("<p>spleen</p>", "spleen")},
    )
    scores = evaluate_run(run, tmp_path / "two" / "data")
    assert value(scores, "model", "bleu_4") == pytest.approx(1.0)
    assert value(scores, "model", "iou", "category=spleen") == pytest.approx(0.5)
    assert value(scores, "model", "iou") == pytest.approx(0.75)
    n = {
        s.metric: s.n for s in scores if s.system == "model" and s.group == "overall" and s.dataset == "boxes"
    }
    assert (n["bleu_4"], n["unparsable_rate"], n["iou"]) == (2, 2, 4)
    constant = next(s for s in scores if s.system == "floor:constant-report" and s.dataset == "boxes")
    assert "grounding" in constant.implementation
    assert value(scores, "floor:constant-report", "bleu_1") <= 1.0


def test_letterbox_is_undone(tmp_path: Path) -> None:
    mine = "slake_boxes-test-xmlab8-liver-refer"
    run, _ = make_run(tmp_path, ["refer"], {mine: "{<0><0><100><20>}"}, model={"resize": "letterbox"})
    scores = evaluate_run(run, tmp_path / "data")
    assert value(scores, "model", "iou") == pytest.approx(
        0.75 * value(scores, "ceiling:bins", "iou"), abs=0.05
    )
    assert value(scores, "ceiling:bins", "iou") > 0.9
    assert "1 boxes of model lie in the padding around the image" in (run / "log.jsonl").read_text()


def test_bins_are_those_of_the_recipe(tmp_path: Path) -> None:
    changes = {"prompt": {"box_bins": 8, "box_rounding": "truncate"}}
    run, _ = make_run(tmp_path, ["refer"], **changes)
    scores = evaluate_run(run, tmp_path / "data")
    ceiling = value(scores, "ceiling:bins", "iou")
    # The liver's 0 .. 1/2 by 0 .. 3/5 is cut to 4/8 by 4/8: 5/6 of it.
    assert value(scores, "ceiling:bins", "iou", "category=Liver") == pytest.approx(5 / 6)
    assert value(scores, "model", "iou") == ceiling


def test_without_training_only_the_whole_image(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path, ["refer"], stages=[])
    scores = evaluate_run(run, tmp_path / "data")
    assert {s.system for s in scores if s.dataset == "boxes"} == {
        "model",
        "blind",
        "floor:whole-image",
        "ceiling:bins",
    }
    assert "boxes: no stage trains on it, so it has no floors that learn" in (run / "log.jsonl").read_text()


def test_groups_of_boxes_need_no_meta_key_of_the_data_set(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path, ["refer"], evaluate={"groups": ["boxes"]})
    scores = evaluate_run(run, tmp_path / "data")
    groups = {s.group for s in scores if s.metric == "iou" and s.system == "model"}
    assert groups == {"overall", "boxes=1", "boxes=several", "category=Liver", "category=Spleen"}
    (tmp_path / "two").mkdir()
    run, _ = make_run(tmp_path / "two", ["identify"], evaluate={"groups": ["bxoes"]})
    with pytest.raises(RunError, match="bxoes"):
        evaluate_run(run, tmp_path / "two" / "data")


def test_somebody_elses_boxes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "outside.json").write_text("{}")
    box = Box(x0=0.0, y0=0.0, x1=0.5, y1=1.0)
    asked = [
        Sample(id="a", images=("a.png",), task="refer", question="liver", boxes=(box,)),
        Sample(id="b", images=("b.png",), task="refer", question="liver"),
    ]
    jsonl.append(run / "samples" / "boxes-test.jsonl", asked)
    said = [
        Prediction(sample_id=s.id, text="{<0><0><50><50>}", tokens=0, finish="unknown", generation="theirs")
        for s in asked
    ]
    jsonl.append(run / "predictions" / "boxes-test.jsonl", said)
    scores = evaluate_run(run)
    # Half of the liver's box is given: IoU .5. That there is none in b is not what it says: 0.
    assert value(scores, "model", "iou") == pytest.approx(0.25)
    assert value(scores, "model", "iou", "boxes=any") == pytest.approx(0.5)
    assert {s.system for s in scores} == {"model", "ceiling:bins"}


def test_a_mark_of_a_box_that_is_not_there(tmp_path: Path) -> None:
    run, samples = make_run(tmp_path, ["grounding"], evaluate={"floors": False})
    path = run / "samples" / "boxes-test.jsonl"
    path.unlink()
    jsonl.append(path, [s.model_copy(update={"boxes": s.boxes[:1]}) for s in samples])
    with pytest.raises(DataError, match=r"names a box that is not there\n.*box 1 of 1"):
        evaluate_run(run, tmp_path / "data")


def test_two_runs_compared(tmp_path: Path) -> None:
    mine = "slake_boxes-test-xmlab8-liver-refer"
    (tmp_path / "a").mkdir()
    a, _ = make_run(tmp_path / "a", ["refer", "identify"], {mine: "{<0><0><50><20>}"})
    b, _ = make_run(tmp_path / "b", ["refer", "identify"], model={"resize": "letterbox", "image_size": 100})
    found = {d.metric: d for d in compare_runs(a, b) if d.dataset == "boxes"}
    # 50 x 20 of 100 bins are 50 x 10 pixels of 50 x 30; b is right up to its coarser bins.
    assert found["iou"].a == pytest.approx((1 / 3 + 3) / 4)
    assert found["acc_0.5"].difference == pytest.approx(0.25)
    assert found["acc_0.5"].better == (mine,)
    assert found["acc_0.5"].test == "exact sign flips by image, 1 image"
    assert found["acc_0.5"].mcnemar == 1.0
    assert (found["exact_match"].difference, found["exact_match"].n) == (0.0, 4)
