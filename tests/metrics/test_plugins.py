"""A metric from outside the package, end to end: scores, intervals, floors, blind, report and comparison."""

import sys
from pathlib import Path

import pandas
import pytest
from tests.evaluation.golden import runs
from tests.report.parsed import Page

from pefomed.agreement.run import agreement_of
from pefomed.cli import main
from pefomed.errors import DataError, RecipeError
from pefomed.evaluation import evaluate_run
from pefomed.evaluation.compare import compare_runs
from pefomed.evaluation.item_export import export_items
from pefomed.evaluation.origin import read_item_scores, read_scores
from pefomed.evaluation.own_metrics import own_metrics
from pefomed.files import jsonl
from pefomed.metrics.plugins import load
from pefomed.report import write_reports
from pefomed.runs import RunFolder
from pefomed.schema import Prediction, Sample

PLUGIN = '''
"""Metrics of our own."""

def first_letter(reference, answer):
    """1 if both begin with the same letter."""
    return float(reference[:1].lower() == answer[:1].lower())

def length(reference, answer):
    return len(answer)
length.most, length.title, length.better, length.tasks = float("inf"), "Length in characters", "lower", "vqa"

def share_of_empty(references, answers):
    assert all(isinstance(reference, tuple) for reference in references)
    return sum(not answer for answer in answers) / len(answers)
share_of_empty.per = "corpus"

class Rounded:
    """Halves."""
    name, least, most = "rounded", -1.0, 1.0
    def function(self, reference, answer):
        return 1.0 if answer == reference else -1.0
rounded = Rounded()

def of_long(reference, answer):
    return (None, "nothing to count") if len(reference) < 3 else len(answer)
of_long.most = float("inf")

def boom(reference, answer): raise KeyError(answer)
def nan(reference, answer): return float("nan")
def far(reference, answer): return 57
def text(reference, answer): return "good"
def iou(reference, answer): return 1.0
def elsewhere(reference, answer): return 1.0
elsewhere.tasks = ["refer"]
number = 3
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "our_metrics.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("our_metrics", None)
    return "our_metrics"


def test_a_function_is_enough(plugin: str, tmp_path: Path) -> None:
    run = runs.floors(tmp_path)
    scores = evaluate_run(run, tmp_path / "data", [f"{plugin}:first_letter"])
    mine = {(s.system, s.dataset): s for s in scores if s.metric == "first_letter" and s.group == "overall"}
    assert {system for system, _ in mine} >= {"model", "blind", "floor:majority", "floor:constant-report"}
    assert mine["blind", "questions"].value == 0.0  # the blind run says nothing at all
    assert mine["blind", "questions"].interval == "95 % exact binomial by image, as every item is 0"
    said = mine["model", "questions"].implementation
    assert "1 if both begin with the same letter; our_metrics:first_letter, source " in said
    assert any(s.metric == "first_letter" and s.group == "answer_type=OPEN" for s in scores)
    others = [s for s in scores if s.metric != "first_letter"]
    assert others == evaluate_run(run, tmp_path / "data")
    assert not (run / "metrics.json").exists()


def test_what_a_richer_object_says(plugin: str, tmp_path: Path) -> None:
    run = runs.everything(tmp_path)
    names = [f"{plugin}:{name}" for name in ("length", "rounded", "share_of_empty")]
    scores = evaluate_run(run, metrics=names)
    mine = {(s.dataset, s.metric): s for s in scores if (s.system, s.group) == ("model", "overall")}
    assert ("texts", "length") not in mine  # said to be of vqa alone
    length = mine["questions", "length"]
    assert length.low is not None
    assert length.low < length.value < (length.high or 0)
    assert length.interval.endswith("Student's t")
    assert -1 <= (mine["questions", "rounded"].low or -2) < mine["questions", "rounded"].value
    # 12 texts: of the second and third turn one each is empty.
    assert mine["texts", "share_of_empty"].value == pytest.approx(2 / 12)
    assert mine["texts", "share_of_empty"].low is not None
    known = {metric.name: metric for metric in own_metrics(run)}
    assert known["length"].title == "Length in characters"
    assert known["length"].most == float("inf")


def test_it_stands_wherever_ours_do(plugin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = runs.everything(tmp_path / "a"), runs.everything(tmp_path / "b", turned=True)
    for run in (one, other):
        names = [f"{plugin}:length", f"{plugin}:first_letter"]
        with pytest.raises(SystemExit, match="0"):
            main(["evaluate", str(run), "--metric", names[0], "--metric", names[1]])
    assert "first_letter" in capsys.readouterr().out  # terminal
    assert {"first_letter", "length"} <= {score.metric for score in read_scores(one)}
    found = {(d.dataset, d.metric): d for d in compare_runs(one, other)}
    assert found["questions", "length"].p is not None
    assert found["questions", "first_letter"].a > found["questions", "first_letter"].b
    beside = {each.one: each.scale for each in agreement_of(one).agreement if each.between == "metric-human"}
    assert {"first_letter", "exact_match", "cider"} <= beside.keys()
    assert export_items(one, tmp_path / "items.csv")
    assert "first_letter" in set(pandas.read_csv(tmp_path / "items.csv")["metric"])
    pages = write_reports([one, other], images=False)
    for page in (pages[0], pages[-1]):
        assert "Length in characters" in page.read_text()
    heads = [path.read_text().partition("\n")[0] for path in (one / "report" / "tables").glob("*.csv")]
    assert any("first_letter overall" in head for head in heads)
    for page, name in ((pages[0], "model"), (pages[-1], "first")):  # the browser of items
        [item] = [item for item in Page(page.read_text()).data["items"] if item["id"] == "q0"]
        assert item["answers"][name]["text"] == "Yes."
        values = item["answers"][name]["values"]
        assert sorted(values) == [["First letter", "100.0 %"], ["Length in characters", "4.000"]]


def test_where_less_is_better_so_are_the_items(plugin: str, tmp_path: Path) -> None:
    one, other = runs.everything(tmp_path / "a"), runs.everything(tmp_path / "b", turned=True)
    for run in (one, other):
        evaluate_run(run, metrics=[f"{plugin}:length"])
    before, after = (
        {each.sample_id: len(each.text) for each in jsonl.read(path, Prediction)}
        for path in (run / "predictions" / "questions-test.jsonl" for run in (one, other))
    )
    [length] = [d for d in compare_runs(one, other) if (d.dataset, d.metric) == ("questions", "length")]
    assert set(length.better) == {name for name in before if after[name] < before[name]} != set()
    assert set(length.worse) == {name for name in before if after[name] > before[name]} != set()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "our_metrics:boom",
            r"'boom' failed on the sample q0 \(reference 'yes', answer 'Yes.'\)\n.*KeyError",
        ),
        ("our_metrics:nan", "'nan' failed on the sample q0.*\n.*nan"),
        ("our_metrics:far", r"'far' failed .*\n.*57, and its range is 0 to 1\n.*most = 100"),
        ("our_metrics:text", "'text' failed .*\n.*'good'"),
    ],
)
def test_what_fails_for_an_item_names_it(plugin: str, tmp_path: Path, name: str, says: str) -> None:
    run = runs.everything(tmp_path)
    with pytest.raises(DataError, match=says):
        evaluate_run(run, metrics=[name])
    assert not (run / "scores.jsonl").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("our_metrics:iou", "is called 'iou', as another is"),
        ("our_metrics:number", "cannot be called\n.*int"),
        ("our_metrics:first_leter", "has no 'first_leter'\n.*first_letter"),
        ("our_metrix:first", "cannot be imported\n.*ModuleNotFoundError"),
        ("cider", "no `package.module:function`\n.*leave it out"),
        ("our_metrics:elsewhere", "task 'refer'\n.*vqa"),
    ],
)
def test_what_cannot_be_a_metric(plugin: str, name: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        load([name])


def test_a_published_one(tmp_path: Path) -> None:
    """Levenshtein's normalised similarity of rapidfuzz is a function `(one, other) -> share` as it is."""
    pytest.importorskip("rapidfuzz")
    run = runs.everything(tmp_path)
    scores = evaluate_run(run, metrics=["rapidfuzz.distance.Levenshtein:normalized_similarity"])
    [mine] = [s for s in scores if (s.metric, s.dataset, s.system, s.group)
              == ("normalized_similarity", "questions", "model", "overall")]  # fmt: skip
    assert 0 < mine.value < 1
    assert ", RapidFuzz " in mine.implementation


def test_none_is_not_zero(plugin: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the questions `length` is of, those with a reference of at least three letters have a value."""
    run = runs.everything(tmp_path)
    scores = evaluate_run(run, metrics=[f"{plugin}:of_long"])
    samples = list(jsonl.read(RunFolder(run).samples_file(("questions", "test")), Sample))
    path = RunFolder(run).predictions_file(("questions", "test"))
    texts = {each.sample_id: each.text for each in jsonl.read(path, Prediction)}
    lengths = [len(texts[sample.id]) for sample in samples if len(sample.reference) >= 3]
    assert 0 < len(lengths) < len(samples)
    [score] = [
        each
        for each in scores
        if (each.metric, each.system, each.group, each.dataset)
        == ("of_long", "model", "overall", "questions")
    ]
    assert (score.n, score.value) == (len(lengths), pytest.approx(sum(lengths) / len(lengths)))
    said = " ".join(capsys.readouterr().err.split())
    none = len(samples) - len(lengths)
    assert f"{none} of {len(samples)} answers have no of_long, model: nothing to count" in said
    items = read_item_scores(run, ("questions", "test"))
    assert items is not None
    assert sum(one.why == "nothing to count" for one in items if one.system == "model") == none
