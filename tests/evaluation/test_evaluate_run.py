"""Runs over a few records in SLAKE's layout; no image is opened by evaluation."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pefomed import recipe
from pefomed.datasets import load_samples
from pefomed.errors import DataError, RunError, StorageError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.grounding import MACRO
from pefomed.files import jsonl
from pefomed.metrics.box_values import BOX_METRICS
from pefomed.metrics.lookup import named
from pefomed.metrics.phrase_items import items_of
from pefomed.schema import Prediction, Sample, Score, Verdict

STAGE = {"name": "task", "data": {"mini": 1.0}, "epochs": 1, "lr": 1e-4, "lr_end": 0.0}
MODEL = {"vision_encoder": "v", "language_model": "l"}

# question, answer, answer_type, image
TRAIN = [
    ("Is the liver normal?", "Yes", "CLOSED", 1),
    ("Is the liver normal?", "Yes", "CLOSED", 2),
    ("Which organ is it?", "Lung", "OPEN", 1),
    ("Is the heart normal?", "Yes", "CLOSED", 2),
]
TEST = [
    ("Is the liver normal?", "yes", "CLOSED", 8),
    ("Which organ is it?", "lung", "OPEN", 8),
    ("Which plane is it?", "axial", "OPEN", 9),
    ("Is it left or right?", "left", "CLOSED", 9),
]


def write_split(root: Path, split: str, rows: list[tuple[str, str, str, int]]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    records = [
        {
            "qid": number, "img_name": f"xmlab{image}/source.jpg", "question": question, "answer": answer,
            "q_lang": "en", "location": "Lung", "modality": "CT", "answer_type": answer_type,
            "base_type": "vqa", "content_type": "Organ",
        }
        for number, (question, answer, answer_type, image) in enumerate(rows)
    ]  # fmt: skip
    (root / f"{split}.json").write_text(json.dumps(records))


def make_run(tmp_path: Path, changes: dict[str, Any] | None = None, write: bool = True) -> Path:
    """A run that answered all of TEST with `yes`, and blindly with nothing, cut at the limit."""
    for split, rows in (("train", TRAIN), ("validate", TRAIN[:1]), ("test", TEST)):
        if write:
            write_split(tmp_path / "data" / "slake", split, rows)
    raw: dict[str, Any] = {
        "name": "run",
        "model": MODEL,
        "data": {"mini": {"loader": "slake", "root": "slake"}},
        "stages": [STAGE],
        "predict": {"data": {"mini": "test"}},
        **(changes or {}),
    }
    settings = recipe.parse(raw)
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text(recipe.dumps(settings))
    for dataset, split in settings.predict.data.items():
        samples = load_samples(settings.data[dataset], split, tmp_path / "data")
        jsonl.append(run / "samples" / f"{dataset}-{split}.jsonl", samples)
        answer(run, f"{dataset}-{split}", [(sample.id, "Yes") for sample in samples])
        blind = [(sample.id, " ") for sample in samples]
        answer(run, f"{dataset}-{split}.blind", blind, finish="length", blind=True)
    return run


def answer(run: Path, name: str, answers: list[tuple[str, str]], **fields: Any) -> None:
    fields = {"tokens": 2, "finish": "stop", "generation": "greedy, at most 2 tokens", **fields}
    path = run / "predictions" / f"{name}.jsonl"
    path.unlink(missing_ok=True)
    jsonl.append(path, [Prediction(sample_id=i, text=text, **fields) for i, text in answers])


def value(scores: list[Score], system: str, metric: str = "exact_match", group: str = "overall") -> float:
    [score] = [s for s in scores if (s.system, s.metric, s.group) == (system, metric, group)]
    return score.value


def test_model_blind_floors_and_published_rows(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    scores = evaluate_run(run, tmp_path / "data")
    assert value(scores, "model") == 0.25  # the first of four
    assert value(scores, "model", group="answer_type=CLOSED") == 0.5
    assert value(scores, "blind") == 0.0
    assert value(scores, "floor:majority") == 0.25  # `Yes` to everything
    # liver: yes; organ: lung; plane: nearest is the organ question; left or right: an `is` question
    assert value(scores, "floor:nearest-text") == 0.5
    assert value(scores, "floor:nearest-text", group="answer_type=OPEN") == 0.5
    assert value(scores, "published:PeFoMed") == 0.821
    assert value(scores, "blind", "empty_rate") == value(scores, "blind", "cut_rate") == 1.0
    assert value(scores, "model", "empty_rate") == value(scores, "model", "cut_rate") == 0.0
    ours = [score for score in scores if not score.system.startswith("published")]
    assert {(score.dataset, score.split) for score in ours} == {("mini", "test")}
    assert all(score.n == 4 for score in ours if score.group == "overall")
    majority = next(score for score in ours if score.system == "floor:majority")
    assert "4 training samples (train)" in majority.implementation
    assert list(jsonl.read(run / "scores.jsonl", Score)) == scores


def test_evaluating_again_replaces_the_scores(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    first = evaluate_run(run, tmp_path / "data")
    assert evaluate_run(run, tmp_path / "data") == first
    answer(run, "mini-test", [(f"slake-test-{i}", row[1]) for i, row in enumerate(TEST)])
    assert value(evaluate_run(run, tmp_path / "data"), "model") == 1.0
    assert len(list(jsonl.read(run / "scores.jsonl", Score))) == len(first)
    assert [path.name for path in run.glob(".*")] == []


def test_the_floor_learns_from_all_splits_the_last_stage_trains_on(tmp_path: Path) -> None:
    captions = {**STAGE, "name": "first", "data": {"other": 1.0}}
    data = {"mini": {"loader": "slake", "root": "slake"}, "other": {"loader": "slake", "root": "absent"}}
    stages = [captions, {**STAGE, "also_train": ["validate"]}]
    run = make_run(tmp_path, {"stages": stages, "data": data})
    scores = evaluate_run(run, tmp_path / "data")
    majority = next(score for score in scores if score.system == "floor:majority")
    assert "5 training samples (train + validate)" in majority.implementation


def test_what_recognising_a_training_image_is_worth(tmp_path: Path) -> None:
    """Copies under other names are found; without test images among the training images there is no row."""
    run = make_run(tmp_path)
    scores = evaluate_run(run, tmp_path / "data")
    assert "floor:nearest-text-same-image" not in {score.system for score in scores}
    rows = [("Is it left?", "no", "CLOSED", 1), ("Is it up?", "yes", "CLOSED", 2)]
    for split, shown in (("train", rows), ("test", [("Is it right?", "no", "CLOSED", 8)])):
        write_split(tmp_path / "two" / "data" / "slake", split, shown)
    for number, content in ((1, b"one"), (2, b"two"), (8, b"one")):
        folder = tmp_path / "two" / "data" / "slake" / "imgs" / f"xmlab{number}"
        folder.mkdir(parents=True)
        (folder / "source.jpg").write_bytes(content)
    run = make_run(tmp_path / "two", write=False)
    scores = evaluate_run(run, tmp_path / "two" / "data")
    # Both training questions are as similar; the one about the same image counts double.
    assert value(scores, "floor:nearest-text-same-image") == 1.0
    [score] = [s for s in scores if (s.system, s.metric) == ("floor:nearest-text-same-image", "exact_match")
               and s.group == "overall"]  # fmt: skip
    assert "1 of 1 images asked about were trained on" in score.implementation


def test_no_floor_without_a_stage_that_trains_on_the_data_set(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"stages": []})
    for _ in range(2):
        scores = evaluate_run(run, tmp_path / "data")
    assert not [score for score in scores if score.system.startswith("floor")]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    says = "mini: no stage trains on it, so it has no floors that learn"
    assert log == [{"kind": "event", "stage": "evaluate", "text": says}]


@pytest.mark.parametrize(
    ("answered", "message"),
    [
        ([0, 1, 3], "1 of 4 samples have no prediction\n.*1 missing: slake-test-2"),
        ([0, 1, 2, 2, 3], "exactly one prediction\n.*1 doubled: slake-test-2"),
        ([0, 1, 2, 3, 77], "exactly one prediction\n.*1 of no sample: slake-test-77"),
        ([0, 0, 7, 8, 9, 10, 11, 12], "6 of no sample: .*-11 and 1 more; 3 missing: slake-test-1"),
    ],
)
def test_predictions_that_do_not_fit_the_samples(tmp_path: Path, answered: list[int], message: str) -> None:
    run = make_run(tmp_path)
    answer(run, "mini-test", [(f"slake-test-{i}", "yes") for i in answered])
    with pytest.raises(RunError, match=message):
        evaluate_run(run, tmp_path / "data")
    assert not (run / "scores.jsonl").exists()


def test_a_cut_last_prediction_is_missing_and_said(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    path = run / "predictions" / "mini-test.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match=r"missing: slake-test-3; .*line 4 is cut"):
        evaluate_run(run, tmp_path / "data")


def test_blind_answers_in_the_place_of_seeing_ones(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    folder = run / "predictions"
    os.replace(folder / "mini-test.blind.jsonl", folder / "mini-test.jsonl")
    with pytest.raises(RunError, match="4 blind: slake-test-0"):
        evaluate_run(run, tmp_path / "data")


@pytest.mark.parametrize(
    "file", ["recipe.toml", "samples/mini-test.jsonl", "predictions/mini-test.blind.jsonl"]
)
def test_a_missing_step_is_named(tmp_path: Path, file: str) -> None:
    run = make_run(tmp_path)
    (run / file).unlink()
    with pytest.raises(RunError, match=file.split("/")[-1].replace(".", r"\.")):
        evaluate_run(run, tmp_path / "data")


def test_a_reference_corrected_after_prediction_is_noticed(tmp_path: Path) -> None:
    """Fault of earlier code: scored against reference files kept from before the data changed."""
    run = make_run(tmp_path)
    rows = [*TEST[:1], ("Which organ is it?", "liver", "OPEN", 8), TEST[2], *TEST[3:], TEST[0]]
    write_split(tmp_path / "data" / "slake", "test", rows)
    with pytest.raises(RunError, match="1 changed: slake-test-1; 1 added: slake-test-4"):
        evaluate_run(run, tmp_path / "data")
    write_split(tmp_path / "data" / "slake", "test", TEST[:3])
    with pytest.raises(RunError, match="1 removed: slake-test-3"):
        evaluate_run(run, tmp_path / "data")


def test_a_moved_data_folder_is_not_a_change(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    before = evaluate_run(run, tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "moved")
    assert evaluate_run(run, tmp_path / "moved") == before


def test_without_floors_the_data_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEFOMED_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="PEFOMED_DATA"):
        evaluate_run(make_run(tmp_path))
    changes = {"evaluate": {"floors": False, "bootstrap": 0}}
    (tmp_path / "two").mkdir()
    scores = evaluate_run(make_run(tmp_path / "two", changes))
    assert {score.system for score in scores if "published" not in score.system} == {"model", "blind"}
    assert all(score.low is None for score in scores)


def test_groups_of_the_recipe(tmp_path: Path) -> None:
    scores = evaluate_run(make_run(tmp_path, {"evaluate": {"groups": ["modality"]}}), tmp_path / "data")
    groups = {score.group for score in scores if score.system == "model"}
    assert groups == {"overall", "answer_type=OPEN", "answer_type=CLOSED", "modality=CT"}
    (tmp_path / "two").mkdir()
    run = make_run(tmp_path / "two", {"evaluate": {"groups": ["modalty"]}})
    with pytest.raises(RunError, match="did you mean 'modality'"):
        evaluate_run(run, tmp_path / "two" / "data")


def test_every_task_of_the_phantoms_in_one_run(tmp_path: Path) -> None:
    tasks = ["vqa", "report", "grounding", "refer"]
    options = {"tasks": tasks, "train": 3, "test": 2, "size": 64}
    changes = {"data": {"mini": {"loader": "phantom", "root": "phantom", "options": options}}}
    run = make_run(tmp_path, changes)
    samples = list(jsonl.read(run / "samples" / "mini-test.jsonl", Sample))
    answers = [(sample.id, sample.reference if sample.task == "report" else "?") for sample in samples]
    answer(run, "mini-test", answers)
    scores = evaluate_run(run, tmp_path / "data")
    assert value(scores, "model", group="task=report") == 1.0
    assert value(scores, "model", group="task=vqa") == 0.0
    n = {task: sum(sample.task == task for sample in samples) for task in tasks}
    phrases = len(items_of(samples))
    assert phrases > n["grounding"] + n["refer"]  # a caption marks several
    overall = {s.metric: s.n for s in scores if s.group == "overall" and s.system == "model"}
    # A heart is in the middle of the image: some phrases have no side, and fewer say one.
    assert 0 < overall.pop("side_mistake_rate_named") < overall.pop("side_mistake_rate") < phrases
    boxes = [*BOX_METRICS, *(f"{name}_macro" for name in MACRO)]
    texts = ("bleu", "rouge", "cider", "meteor")
    assert {metric: count for metric, count in overall.items() if not metric.startswith(texts)} == {
        **dict.fromkeys(("empty_rate", "cut_rate"), len(samples)),
        **dict.fromkeys(("exact_match", "exact_match_vqa"), n["vqa"] + n["report"]),
        **dict.fromkeys(named("words"), n["vqa"]),
        **dict.fromkeys(("unparsable_rate", "repaired_rate"), n["grounding"] + n["refer"]),
        **dict.fromkeys(boxes, phrases),
    }
    assert {overall[m] for m in overall if m.startswith(texts)} == {n["report"] + n["grounding"]}
    # All reports right: CIDEr is 10 wherever a report has no n-gram that all reports share, and never more.
    assert 5 < value(scores, "model", "cider", "task=report") <= 10
    assert value(scores, "model", "bleu_4_r2gen", "task=report") == pytest.approx(1.0)
    assert value(scores, "floor:constant-report", "bleu_1", "task=report") < 1.0
    assert value(scores, "model", "unparsable_rate") == 1.0
    assert value(scores, "model", "iou") == value(scores, "model", "iou", "task=refer") == 0.0
    log = (run / "log.jsonl").read_text()
    without = n["grounding"] + n["refer"]
    assert f"{without} of {len(samples)} samples (grounding, refer) have no exact match" in log


def test_a_full_disk_leaves_the_former_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path)
    evaluate_run(run, tmp_path / "data")
    before = (run / "scores.jsonl").read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match=r"scores\.jsonl"):
        evaluate_run(run, tmp_path / "data")
    assert (run / "scores.jsonl").read_bytes() == before
    assert [path.name for path in run.glob(".*")] == []


def test_verdicts_become_scores_of_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    verdicts = [
        Verdict(sample_id=f"slake-test-{i}", rater="gpt", run=n, label=int(i < 3))
        for i in range(4)
        for n in (0, 1)
    ]
    jsonl.append(run / "verdicts" / "gpt.jsonl", verdicts)
    (run / "verdicts" / "gpt.card.json").write_text(json.dumps({"kind": "llm-judge"}))
    scores = evaluate_run(run, tmp_path / "data")
    assert value(scores, "model", "judge_accuracy") == 0.75
    assert value(scores, "model", "judge_accuracy", "answer_type=OPEN") == 1.0
    jsonl.append(run / "verdicts" / "gpt.jsonl", [Verdict(sample_id="slake-test-9", rater="gpt", label=1)])
    before = (run / "scores.jsonl").read_bytes()
    with pytest.raises(DataError, match=r"gpt\.jsonl: 1 verdicts are about no sample.*\n.*slake-test-9"):
        evaluate_run(run, tmp_path / "data")
    assert (run / "scores.jsonl").read_bytes() == before


def test_overlap_of_words_beside_exact_match(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    answer(
        run,
        "mini-test",
        [(f"slake-test-{i}", text) for i, text in enumerate(["yes", "the left lung", "axial", "no"])],
    )
    scores = evaluate_run(run, tmp_path / "data")
    assert value(scores, "model") == 0.5
    assert value(scores, "model", "token_recall") == 0.75
    assert value(scores, "model", "token_precision") == pytest.approx((1 + 1 / 2 + 1) / 4)
    assert value(scores, "model", "closed_accuracy", "answer_type=CLOSED") == 0.5
    assert value(scores, "published:LLaVA-Med", "llava_med_recall") == 0.87
    assert not [
        s for s in scores if s.metric == "closed_accuracy" and s.group in ("overall", "answer_type=OPEN")
    ]
