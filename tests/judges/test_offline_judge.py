"""The judge that needs no network: labels, verdicts, card, and thresholds that come from training data."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.judges.made_run import ROWS, made_run

from pefomed.errors import RunError
from pefomed.files import jsonl
from pefomed.judges import offline_judge
from pefomed.judges.card import read_card
from pefomed.judges.embedding import Array, Embedder
from pefomed.judges.offline_judge import RATER, OfflineJudge, judge_offline
from pefomed.judges.offline_rules import RULES
from pefomed.judges.prompts import JudgedPair
from pefomed.judges.similarity import report_similarity, sentences_of, similarity
from pefomed.judges.thresholds import Thresholds, choose, level_thresholds, shipped, vqa_threshold
from pefomed.judges.training_pairs import different_pairs, made_reports, reworded_pairs
from pefomed.judges.wrong_answers import shipped_figures, wrong_pairs
from pefomed.runs import RunFolder
from pefomed.schema import Sample, Verdict
from pefomed.weights import lookup


class Letters(Embedder):
    """Counts of letters, of length one: an embedding without weights."""

    def __init__(self, folder: Path = Path()):
        self.folder = folder

    def __call__(self, texts: object) -> Array:
        rows = [[text.count(chr(97 + letter)) + 1e-6 for letter in range(26)] for text in texts]  # type: ignore[attr-defined]
        table = np.array(rows, np.float32)
        return table / np.linalg.norm(table, axis=1, keepdims=True)


HALF = Thresholds(0.5, (0.2, 0.4, 0.6, 0.8), {})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(offline_judge, "Embedder", Letters)
    return made_run(tmp_path / "run")


def test_similarity_decides_only_what_the_rules_leave() -> None:
    judge = OfflineJudge(
        Letters(), Thresholds(-1.0, (0.2, 0.4, 0.6, 0.8), {})
    )  # everything is similar enough
    assert judge(JudgedPair("binary", "What?", "edema", "oedematous swelling"))[0] == 1
    for reference, answer in [("yes", "no"), ("left lung", "right lung"), ("2", "3"), ("CT", "MRI")]:
        label, how = judge(JudgedPair("binary", "Which is it?", reference, answer))
        assert label == 0
        assert how.startswith("rule: ")


def test_of_several_references_the_nearest_counts() -> None:
    judge = OfflineJudge(Letters(), HALF)
    for reference, further in (("right lung", ("left lung",)), ("left lung", ("right lung", "liver"))):
        assert judge.best(JudgedPair("binary", "Where?", reference, "left lung", further))[0] == 1
    assert judge.best(JudgedPair("binary", "Where?", "right lung", "left lung", ("right kidney",)))[0] == 0


def test_a_list_is_as_similar_as_its_worst_part() -> None:
    embed = Letters()
    assert similarity(embed, "aaa, bbb", "bbb and aaa") == pytest.approx(1.0, abs=1e-4)
    assert similarity(embed, "aaa, bbb", "aaa, ccc") == pytest.approx(0.0, abs=1e-4)
    assert similarity(embed, "aaa", "") == 0.0


def test_reports_are_matched_sentence_by_sentence() -> None:
    embed = Letters()
    text = "The aaa is bbb. There is a ccc."
    assert report_similarity(embed, text, "There is a ccc. The aaa is bbb.") == pytest.approx(1.0, abs=1e-4)
    assert report_similarity(embed, text, "") == 0.0
    # half of the sentences: recall (1 + s) / 2 with s < 1, precision 1
    assert 0.5 < report_similarity(embed, text, "There is a ccc.") < 1.0
    # letters nearly the same, meaning the opposite
    assert report_similarity(embed, "There is a left effusion.", "There is a right effusion.") == 0.0
    assert report_similarity(embed, "There is an effusion.", "There is no effusion.") == 0.0
    assert sentences_of("A 1.5 cm mass.  No\nfracture; done ") == ["a 1.5 cm mass", "no", "fracture", "done"]


def test_a_run_gets_one_verdict_an_answer_and_a_card(run: Path) -> None:
    card = judge_offline(run, run)
    found = {v.sample_id: v for v in jsonl.read(RunFolder(run).verdicts_file(RATER), Verdict)}
    assert {name: verdict.label for name, verdict in found.items()} == {
        "q1": 1,
        "q2": 1,
        "q3": 0,
        "q4": 1,
        "r1": 4,
    }
    assert {verdict.rater for verdict in found.values()} == {RATER}
    assert "not-an-llm" in RATER
    assert card == read_card(run, RATER)
    assert card["kind"] == "offline-judge"
    # exact match (VQA's) drops the article of "the liver": q1, q2, q4 right, q3 wrong
    assert card["agreement"] == {
        "exact_match_right": {"items": 3, "judged_right": 3, "not_judged": 0},
        "exact_match_wrong": {"items": 1, "judged_right": 0, "not_judged": 0},
    }
    assert [pair["labels"] for pair in card["calibration"][:4]] == [[1]] * 4
    assert card["settings"]["thresholds"]["provenance"]["questions"].startswith("training splits")
    assert judge_offline(run, run) == card
    assert len(list(jsonl.read(RunFolder(run).verdicts_file(RATER), Verdict))) == len(ROWS)


def test_only_one_task_leaves_the_other_as_it_was(run: Path) -> None:
    judge_offline(run, run, "report")
    judge_offline(run, run, "vqa")
    assert len(list(jsonl.read(RunFolder(run).verdicts_file(RATER), Verdict))) == len(ROWS)


def test_a_name_taken_by_somebody_else_is_refused(run: Path) -> None:
    (run / "verdicts").mkdir()
    (run / "verdicts" / f"{RATER}.card.json").write_text(json.dumps({"kind": "human"}))
    with pytest.raises(RunError, match="another rater called"):
        judge_offline(run, run)


def sample(number: int, question: str, answer: str) -> Sample:
    return Sample(id=str(number), images=("a.png",), task="vqa", question=question, reference=answer)


def test_training_pairs_are_only_those_the_rules_leave_open() -> None:
    answers = ["pneumonia", "atelectasis", "Pneumonia", "left", "right", "none"]
    samples = [sample(n, "What is it?", answer) for n, answer in enumerate(answers)]
    assert [(p.reference, p.answer) for p in different_pairs(samples)] == [("atelectasis", "pneumonia")]
    reworded = reworded_pairs(samples)
    assert reworded
    assert all(pair.reference != pair.answer for pair in reworded)
    assert reworded == reworded_pairs(samples)


def test_the_lowest_threshold_that_hardly_accepts_a_different_answer() -> None:
    # 200 pairs: 1 % is two of them, so the third highest, .80, must stay below
    assert vqa_threshold([0.3] * 197 + [0.80, 0.9, 0.95]) == 0.81
    assert vqa_threshold([1.0] * 10) > 1.0


def test_levels_are_parted_where_the_fewest_are_wrong() -> None:
    scores = [0.05, 0.1, 0.3, 0.3, 0.5, 0.55, 0.7, 0.75, 0.95, 1.0]
    levels = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    found = level_thresholds(scores, levels)
    assert [int(np.searchsorted(found, score, side="right")) for score in scores] == levels
    with pytest.raises(ValueError, match="cannot be told apart"):
        level_thresholds([0.5] * 5, [0, 1, 2, 3, 4])


def test_made_reports_keep_the_share_their_level_says() -> None:
    texts = [[f"{name} {number}" for number in range(4)] for name in "abcdef"]
    for reference, answer, level in made_reports(texts):
        ours, theirs = sentences_of(answer), sentences_of(reference)
        assert len(set(ours) & set(theirs)) == level
        assert len(ours) == 4


def test_the_shipped_thresholds_are_what_the_training_data_gives(tmp_path: Path) -> None:
    from pefomed.datasets import load_samples
    from pefomed.recipe import Dataset

    folder = lookup.on_disk("all-minilm-l6-v2", "sentence")
    if folder is None:
        pytest.skip("all-minilm-l6-v2 is not on this disk: pefomed weights fetch all-minilm-l6-v2")
    if "PEFOMED_DATA" not in os.environ:
        pytest.skip("needs PEFOMED_DATA with slake and vqa_rad")
    questions = [
        each
        for name in ("slake", "vqa_rad")
        for each in load_samples(Dataset(loader=name, root=name), "train")
    ]
    drawn = Dataset(loader="phantom", root="phantom", options={"tasks": ("report",), "size": 64})
    reports = [each.reference for each in load_samples(drawn, "train", tmp_path)]
    ours = shipped()
    data = {key: ours.provenance[key] for key in ("questions", "reports", "embedding")}
    assert choose(Embedder(folder), questions, reports, data) == ours


CHINESE = [
    ("z1", "vqa", "\u56fe\u4e2d\u6709\u5f02\u5e38\u5417?", "\u662f", "\u5426"),
    ("z2", "vqa", "\u8fd9\u662f\u4ec0\u4e48?", "\u80ba", "\u5fc3\u810f"),
    ("z3", "vqa", "\u8fd9\u662f\u4ec0\u4e48?", "\u80ba", "\u80ba\u3002"),
]


def test_what_is_not_judged_has_no_label_is_in_no_mean_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline_judge, "Embedder", Letters)
    run = made_run(tmp_path / "run", CHINESE)
    card = judge_offline(run, run)
    labels = {v.sample_id: v.label for v in jsonl.read(RunFolder(run).verdicts_file(RATER), Verdict)}
    assert labels == {"z1": 0, "z2": None, "z3": 1}
    assert card["counts"]["unscored"] == 1
    assert card["not_judged"] == {"not judged: not in English": 1}
    assert card["results"]["mine-test vqa"]["mean"] == 0.5  # of the two it judged
    # exact match calls z3 right (1 of 1 judged right); of the wrong ones z2 is not judged
    assert card["agreement"]["exact_match_wrong"]["not_judged"] == 1
    assert "English; a bare yes or no also in Chinese" in card["settings"]["knows"]
    # the report shows what the card is about: the languages, and the false-right rates
    for words in ("not judged", "SLAKE, Chinese 3 of 192 (841 not judged)", "VQA-RAD 11 of 439"):
        assert words in card["about"]


def test_a_wrong_answer_is_one_of_another_question_of_its_kind() -> None:
    answers = {"organ": ["Liver", "liver.", "heart"], "side": ["left", "right"], "size": ["small", "Small"]}
    samples = [
        sample(n, f"{kind} {n}", answer).model_copy(update={"meta": {"kind": kind}})
        for n, (kind, answer) in enumerate((k, a) for k, given in answers.items() for a in given)
    ]
    found = {pair.question: pair.answer for pair in wrong_pairs(samples, ["kind"])}
    assert found["organ 0"] == found["organ 1"] == "heart"
    assert found["organ 2"] in ("Liver", "liver.")
    assert (found["side 3"], found["side 4"]) == ("right", "left")
    assert len(found) == 5  # the same word throughout: nothing of this kind is wrong
    assert wrong_pairs(samples, ["kind"]) == wrong_pairs(samples, ["kind"])


def test_the_shipped_false_right_rates_are_what_the_test_splits_give() -> None:
    from benchmarks.wrong_answers import measured

    assert shipped_figures()["rules"] == RULES
    assert shipped_figures()["threshold"] == shipped().vqa
    folder = lookup.on_disk("all-minilm-l6-v2", "sentence")
    if folder is None:
        pytest.skip("all-minilm-l6-v2 is not on this disk: pefomed weights fetch all-minilm-l6-v2")
    if "PEFOMED_DATA" not in os.environ:
        pytest.skip("needs PEFOMED_DATA with slake and vqa_rad")
    assert measured(folder) == shipped_figures()
