"""A judge of the user's own: labels, resuming, errors, and its score."""

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.evaluation.golden import runs

from pefomed.cli import main
from pefomed.errors import DataError, RecipeError, RunError
from pefomed.evaluation import evaluate_run
from pefomed.files import jsonl
from pefomed.judges.own_judge import judge_own
from pefomed.runs import RunFolder
from pefomed.schema import Sample, Verdict


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], str]:
    """Return a way to name a function as a user's module would hold it."""

    def put(function: Callable[..., Any]) -> str:
        module = types.ModuleType("my_judges")
        module.judge = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "my_judges", module)
        return "my_judges:judge"

    return put


def first_word(question: str, reference: str, answer: str) -> tuple[int, str]:
    """Right if both begin with the same word."""
    same = reference.split()[:1] == answer.split()[:1]
    return int(same), "same word" if same else "another word"


def test_labels_verdicts_card_and_score(tmp_path: Path, named: Any) -> None:
    run = runs.everything(tmp_path)
    card = judge_own(run, named(first_word), runs=2, only="vqa")
    samples = list(jsonl.read(RunFolder(run).samples_file(("questions", "test")), Sample))
    asked = [sample.id for sample in samples if sample.task == "vqa"]
    found = list(jsonl.read(RunFolder(run).verdicts_file("first_word"), Verdict))
    assert sorted((one.sample_id, one.run) for one in found) == sorted((i, n) for i in asked for n in (0, 1))
    # Of the second third the answers are the references themselves.
    third = len(asked) // 3
    labels = {one.sample_id: one.label for one in found}
    assert all(labels[f"q{n}"] == 1 for n in range(third, 2 * third))
    assert {one.reason for one in found} == {"same word", "another word"}
    assert card["counts"] | {"items": len(asked), "open": 0, "scored": 2 * len(asked)} == card["counts"]
    assert RunFolder(run).rater_card("first_word").exists()
    [score] = [
        one
        for one in evaluate_run(run)
        if one.metric.startswith("offline_judge_accuracy") and "first_word" in one.metric + one.implementation
        and one.group == "overall"
    ]  # fmt: skip
    assert score.value == pytest.approx(sum(labels.values()) / len(labels))


def test_a_stopped_judge_goes_on_where_it_was(tmp_path: Path, named: Any) -> None:
    run = runs.everything(tmp_path)
    asked: list[str] = []
    broken = True

    def judge(question: str, reference: str, answer: str) -> float | None:
        if broken and len(asked) == 3:
            raise OSError("the server is gone")
        asked.append(answer)
        return None if answer == "" else 1.0

    with pytest.raises(DataError, match="failed on the sample q3 ") as error:
        judge_own(run, named(judge), only="vqa", rater="mine")
    assert "the server is gone" in str(error.value)
    path = RunFolder(run).verdicts_file("mine")
    assert [one.sample_id for one in jsonl.read(path, Verdict)] == ["q0", "q1", "q2"]
    broken, before = False, len(asked)
    card = judge_own(run, named(judge), only="vqa", rater="mine")
    verdicts = list(jsonl.read(path, Verdict))
    assert verdicts[0].sample_id == "q0"
    assert card["counts"]["verdicts"] == len(verdicts) == len({one.sample_id for one in verdicts})
    samples = RunFolder(run).read_samples(("questions", "test"))
    references = [len(sample.references) for sample in samples if sample.task == "vqa"]
    pairs = len(card["calibration"])
    assert len(asked) - before == sum(references[3:]) + pairs
    assert card["not_judged"] == {"no label": sum(one.label is None for one in verdicts)}


@pytest.mark.parametrize("label", [2, -1, "1", 0.5, float("nan"), (1, 2, 3)])
def test_what_is_no_label_is_said(tmp_path: Path, named: Any, label: Any) -> None:
    run = runs.everything(tmp_path)
    with pytest.raises(DataError, match="failed on the sample q0 ") as error:
        judge_own(run, named(lambda q, r, a: label), only="vqa", rater="mine")
    assert error.value.remedy == "return 0 or 1, or None for no label"


def test_a_judge_that_cannot_be_used(tmp_path: Path, named: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs.everything(tmp_path)
    for name, match in [
        ("nothing", "no `package.module:function`"),
        ("absent_module:judge", "the judge 'absent_module:judge' cannot be imported"),
        ("json:judgement", "does not exist"),
        ("math:pi", "cannot be called"),
    ]:
        with pytest.raises(RecipeError, match=match):
            judge_own(run, name)
    with pytest.raises(RunError, match="another rater called gpt"):
        judge_own(run, named(first_word), rater="gpt")
    with pytest.raises(SystemExit) as ended:
        main(["judge", str(run), "--with", "math:pi", "--offline"])
    assert ended.value.code == 2
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["judge", str(run), "--with", named(first_word), "--only", "vqa", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["settings"]["judge"] == "my_judges:judge"
