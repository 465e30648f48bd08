"""Scores of samples asked otherwise, by hand, and of a run whose probes are files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.test_evaluate_run import answer, make_run, value

from pefomed.cli.output import print_scores
from pefomed.errors import RunError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.answered_split import AnsweredSplit, EvaluatedRun, System
from pefomed.evaluation.origin import read_scores
from pefomed.evaluation.probe_answers import Asked
from pefomed.evaluation.probe_sentence import probe_sentences
from pefomed.evaluation.run_probes import probe_scores, word_probes
from pefomed.files import jsonl
from pefomed.metrics.same_answer import same_answer
from pefomed.probes.known import probed
from pefomed.recipe import Evaluate
from pefomed.report.page import write_run_report
from pefomed.runs import RunFolder
from pefomed.schema import Box, ItemScore, Sample

# reference, answer, about another picture, without one, in other words
FIVE = [
    ("yes", "yes", "no", "no", "Yes, it is"),  # right for the picture
    ("yes", "yes", "Yes.", "yes", "yes"),  # right by habit
    ("no", "yes", "yes", "yes", "yes"),  # steady but blind
    ("no", "yes", "yes", "no", "yes"),  # wrong though it looks: the mean image alone tells
    ("yes", "yes", "yes", "yes", "no"),  # unsteady
]


def asked(texts: list[str], samples: list[Sample], **meta: str) -> dict[str, Asked]:
    changed = [one.model_copy(update={"meta": {**one.meta, **meta}}) for one in samples]
    return {one.id: Asked(one, text) for one, text in zip(changed, texts, strict=True)}


def five() -> list[Sample]:
    return [
        Sample(
            id=str(n), images=(f"{n}.png",), task="vqa", question="Is it large?", reference=row[0],
            meta={"answer_type": "CLOSED"},
        )
        for n, row in enumerate(FIVE)
    ]  # fmt: skip


def test_the_five_kinds_by_hand() -> None:
    samples = five()
    probes = {
        "swap": asked([row[2] for row in FIVE], samples, swap_known="no"),
        "paraphrase": asked([row[4] for row in FIVE], samples),
    }
    values = word_probes(samples, [row[1] for row in FIVE], [row[3] for row in FIVE], probes)
    means = {name: np.nanmean(column) for name, column in values.items() if not np.isnan(column).all()}
    assert means == {
        "probe_right": 0.6,  # the first two and the last
        "probe_swap_changed": 0.2,
        "probe_mean_changed": 0.4,
        "probe_right_needs_image": 0.2,  # the first alone
        "probe_paraphrase_flipped": 0.2,
        "probe_right_for_picture": 0.2,
        "probe_right_by_habit": 0.2,
        "probe_steady_blind": 0.2,
        "probe_wrong_looking": 0.2,
        "probe_unsteady": 0.2,
    }
    # Without the blind run the fourth does not look: steady but blind.
    values = word_probes(samples, [row[1] for row in FIVE], None, probes)
    assert np.nanmean(values["probe_steady_blind"]) == 0.4
    # A question that was not asked otherwise is of no kind, and counts nowhere.
    del probes["paraphrase"]["4"]
    values = word_probes(samples, [row[1] for row in FIVE], [row[3] for row in FIVE], probes)
    assert math.isnan(values["probe_unsteady"][4])
    assert np.nanmean(values["probe_right_by_habit"]) == 0.25


def test_the_other_pictures_answer_and_the_mirrored_one() -> None:
    def one(name: str, question: str, reference: str, **meta: str) -> Sample:
        return Sample(
            id=name, images=("1.png",), task="vqa", question=question, reference=reference, meta=meta
        )

    samples = [one("a", "Where is it?", "left lung"), one("b", "Is it a CT?", "yes", answer_type="CLOSED")]
    answers = ["Left lung", "yes"]
    swap = {
        "a": Asked(one("a", "Where is it?", "heart", swap_known="yes"), "the heart"),
        "b": Asked(one("b", "Is it a CT?", "no", swap_known="yes"), "Yes"),
    }
    mirror = {
        "a": Asked(one("a", "Where is it?", "right lung", names_side="yes"), "left lung"),
        "b": Asked(one("b", "Is it a CT?", "yes", names_side="no"), "yes"),
    }
    values = word_probes(samples, answers, None, {"swap": swap, "mirror": mirror})
    assert values["probe_swap_changed_known"].tolist() == [1, 0]
    assert values["probe_swap_right"].tolist() == [0, 0]  # `the heart` is no exact match
    assert values["probe_mirror_followed"].tolist() == [0, 1]
    assert values["probe_mirror_followed_sides"][0] == 0
    assert math.isnan(values["probe_mirror_followed_sides"][1])


def test_the_same_answer() -> None:
    assert same_answer("yes", "Yes", "yes, there is one")
    assert not same_answer("yes", "Yes", "no")
    assert not same_answer("yes", "yes", "lung")
    assert same_answer("lung", "The Lung.", "lung")
    assert not same_answer("lung", "lung", "lungs")
    assert same_answer("lung", "", " ")


def probe_files(run: Path, probe: str, texts: dict[str, str], split: str = "mini-test") -> None:
    samples = list(jsonl.read(RunFolder(run).samples / f"{split}.jsonl", Sample))
    made = probed(probe, samples).samples
    folder = RunFolder(run).probe(probe).path
    jsonl.append(folder / "samples" / f"{split}.jsonl", made)
    given = [(one.id, texts.get(one.id, "Yes")) for one in made]
    answer(folder, split, given)


def test_a_run_with_probes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path)
    plain = evaluate_run(run, tmp_path / "data")
    assert not any(score.metric.startswith("probe") for score in plain)
    assert not probe_sentences(plain)

    probe_files(run, "swap", {"slake-test-0": "No"})
    with pytest.raises(RunError, match=r"probes/swap/mini-test.jsonl is new"):
        read_scores(run)
    scores = evaluate_run(run, tmp_path / "data")
    ours = [score for score in scores if not score.metric.startswith("probe")]
    assert ours == plain
    # All said `Yes`; blindly nothing, so that every answer changes without the picture.
    assert value(scores, "model", "probe_mean_changed") == 1.0
    assert value(scores, "model", "probe_right") == 0.25
    assert value(scores, "model", "probe_right_needs_image") == 0.25
    n = len(list(jsonl.read(RunFolder(run).probe("swap").samples / "mini-test.jsonl", Sample)))
    assert value(scores, "model", "probe_swap_changed") == 1 / n
    [closed] = [s for s in scores if (s.metric, s.group) == ("probe_mean_changed", "answer_type=CLOSED")]
    assert closed.n == 2
    # By image, as everywhere; so few of them may have no interval, which is then said.
    assert "by image" in closed.interval or closed.interval.startswith("none")
    print_scores(run, scores)
    said = " ".join(capsys.readouterr().out.split())
    assert "mini test: 25.0 of the 25.0 % right answers need the image" in said
    page = write_run_report(run).read_text()
    assert 'href="#probes"' in page
    assert "25.0 of the 25.0 % right answers need the image" in page
    assert (run / "report" / "tables" / "mini-test-probes.csv").exists()
    items = list(jsonl.read(run / "item_scores" / "mini-test.jsonl", ItemScore))
    assert sum(item.metric == "probe_mean_changed" for item in items) == 4


def test_a_probe_that_is_asked_for_and_not_answered(tmp_path: Path) -> None:
    run = make_run(tmp_path, {"predict": {"data": {"mini": "test"}, "probes": ["swap"]}})
    with pytest.raises(RunError, match=r"'swap' of mini-test was not answered(?s:.*)pefomed predict"):
        evaluate_run(run, tmp_path / "data")


def test_probes_of_other_samples_or_another_model_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    probe_files(run, "paraphrase", {})
    cards = {
        run / "predictions" / "mini-test.card.json": {"aa": {"adapter": "one"}},
        run / "probes" / "paraphrase" / "predictions" / "mini-test.card.json": {"bb": {"adapter": "two"}},
    }
    for path, card in cards.items():
        path.write_text(json.dumps(card))
    with pytest.raises(RunError, match=r"in another way(?s:.*)the adapter is another one"):
        evaluate_run(run, tmp_path / "data")
    for path in cards:
        path.unlink()
    evaluate_run(run, tmp_path / "data")
    strange = Sample(id="zzz", images=("1.png",), task="vqa", question="Is it?", reference="yes")
    folder = RunFolder(run).probe("paraphrase").path
    jsonl.append(folder / "samples" / "mini-test.jsonl", [strange])
    with pytest.raises(RunError, match=r"of other samples(?s:.*)zzz"):
        evaluate_run(run, tmp_path / "data")


def test_an_answer_that_is_missing_names_the_run_not_the_probes_folder(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    probe_files(run, "paraphrase", {})
    path = RunFolder(run).probe("paraphrase").predictions / "mini-test.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    with pytest.raises(RunError) as error:
        evaluate_run(run, tmp_path / "data")
    assert str(run / "probes") not in (error.value.remedy or "")


def test_boxes_by_hand() -> None:
    """IoU of the answers: the same box on another picture 1; the mirrored one followed 1, not followed 0."""
    from pefomed.boxes import PlacedBoxes
    from pefomed.evaluation.run_probes import _agreement
    from pefomed.probes.mirror import mirrored_boxes

    left = (Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4),)
    right = mirrored_boxes(left)
    assert _agreement(PlacedBoxes(left), PlacedBoxes(left)) == 1.0
    assert _agreement(PlacedBoxes(left), PlacedBoxes(right)) == 0.0
    assert _agreement(PlacedBoxes(mirrored_boxes(right)), PlacedBoxes(left)) == pytest.approx(1.0)
    # Half of the width in common: 1 of 3 thirds.
    shifted = (Box(x0=0.2, y0=0.2, x1=0.4, y1=0.4),)
    assert _agreement(PlacedBoxes(left), PlacedBoxes(shifted)) == pytest.approx(1 / 3)
    none, unread = PlacedBoxes(()), PlacedBoxes((), readable=False)
    assert _agreement(none, none) == 1.0
    assert _agreement(none, unread) == _agreement(left and PlacedBoxes(left), none) == 0.0


def test_phrases_asked_otherwise_by_hand() -> None:
    """Two livers: one keeps its box on the other picture, and one follows its mirror."""
    left, right = "{<10><20><30><40>}", "{<70><20><90><40>}"  # each the other's mirror image in 100 steps
    box = Box(x0=0.1, y0=0.2, x1=0.3, y1=0.4)
    liver = Sample(id="a", images=("1.png",), task="refer", question="liver", boxes=(box,), size=(100, 100))
    other = liver.model_copy(update={"id": "b", "images": ("2.png",)})
    nowhere = liver.model_copy(update={"id": "c", "boxes": ()})
    samples = [liver, other, nowhere]
    run = EvaluatedRun(Path("run"), None, Evaluate(floors=False), None, [], [])
    given = AnsweredSplit(run, "d", "test", samples, [System("model", [left, right, left], "")], [])
    probes = {
        "swap": asked([left, left], samples[:2]),
        "mirror": asked([right, right], samples[:2]),
        "absent": {"b+absent": Asked(nowhere.model_copy(update={"id": "b+absent"}), "{}")},
    }
    found = {
        score.metric: score for score in probe_scores(given, probes) if score.metric != "probe_absent_boxes"
    }
    # IoU 1 and 0 each; the mirrored right box is the left one, so that the second does not follow.
    assert found["probe_swap_iou"].value == pytest.approx(0.5)
    assert found["probe_mirror_iou"].value == pytest.approx(0.5)
    assert found["probe_swap_iou"].n == found["probe_mirror_iou"].n == 2
    absent = [score for score in probe_scores(given, probes) if score.metric == "probe_absent_boxes"]
    # The data set's own phrase got a box; the name that was made up got none.
    assert [(score.value, score.n) for score in absent if score.group == "overall"] == [(1.0, 1), (0.0, 1)]
