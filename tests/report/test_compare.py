from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from tests.report import small_run
from tests.report.parsed import Page

from pefomed import recipe
from pefomed.errors import DataError, RunError
from pefomed.evaluation.compare import compare_runs
from pefomed.evaluation.run import evaluate_run
from pefomed.files import jsonl
from pefomed.outside.run import outside_run
from pefomed.report import write_report, write_reports
from pefomed.report.runs import joined_scores, named

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def other(run: Path) -> Path:
    """A second run on the same samples: q2 and q3 became right, q4 wrong."""
    return copy_of(run, "second", {"q2": "liver", "q3": "no", "q4": "right"})


def copy_of(run: Path, name: str, answers: dict[str, str]) -> Path:
    folder = run.parent / name
    shutil.copytree(run, folder)
    text = (folder / "recipe.toml").read_text()
    (folder / "recipe.toml").write_text(text.replace('name = "small"', f'name = "{name}"'))
    images = run.parent.parent / "images"
    rows = [
        (*row[:1], str(images / row[1]), *row[2:4], answers.get(row[0], row[4]), *row[5:])
        for row in small_run.ROWS
    ]
    small_run.write_answers(folder, rows)
    return folder


def opened(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def words(path: Path) -> str:
    return " ".join(opened(path).text.split())


def test_two_runs_give_two_pages_and_their_difference(run: Path, other: Path) -> None:
    first, second, compared = write_reports([run, other])
    assert (first, second) == (run / "report" / "index.html", other / "report" / "index.html")
    assert compared == run / "report" / "compare.html"
    text = words(compared)
    assert "small · second" in text
    # Plain match 2 of 4 -> 3 of 4; two items up, one down; McNemar with 2 against 1: p = 1.
    (path,) = (run / "report" / "compare-tables").glob("difference-*.csv")
    row = next(csv.DictReader(io.StringIO(path.read_text())))
    assert (row["metric"], row["first"], row["second"], row["difference"]) == (
        "Exact match",
        "0.5",
        "0.75",
        "0.25",
    )
    assert (row["better"], row["worse"], row["p"]) == ("2", "1", "1")
    # How each p was made; McNemar's stands beside that of right and wrong.
    assert "exact sign flips by image" in text
    assert "McNemar's p: his exact test, which takes items as independent" in text
    # The first run's own tables are still there.
    assert (run / "report" / "tables" / "rad-test-methods.csv").exists()


def test_the_items_that_changed_can_be_browsed(run: Path, other: Path) -> None:
    data = opened(write_reports([run, other])[-1]).data
    assert data["names"] == {"second": "second", "first": "small"}
    assert (data["compares"], data["start"]) == (True, "changed")
    verdicts = [
        [item["answers"][name]["verdicts"][0] for name in ("first", "second")] for item in data["items"]
    ]
    assert verdicts == [[1, 1], [0, 1], [0, 1], [1, 0]]


def test_runs_floors_and_published_rows_stand_in_one_table(run: Path, other: Path) -> None:
    scores = joined_scores(named([run, other]))
    overall = [s.system for s in scores if (s.metric, s.group) == ("exact_match", "overall")]
    assert overall == ["run:small", "run:second", "floor:majority", "published:PeFoMed"]
    page = opened(write_reports([run, other])[-1])
    rows = [tag.get("class", "").split()[0] for tag in page.attributes("tr") if tag.get("class")]
    assert rows[:5] == ["model", "model", "floor", "divider", "published"]


def test_a_floor_that_differs_is_shown_for_both(run: Path, other: Path) -> None:
    path = other / "scores.jsonl"
    scores = [
        score.model_copy(update={"value": 0.3}) if score.system == "floor:majority" else score
        for score in small_run.scores()
    ]
    path.unlink()
    jsonl.append(path, scores)
    systems = {score.system: score.value for score in joined_scores(named([run, other]))}
    assert systems["floor:majority"] == 0.25
    assert systems["floor:majority (second)"] == 0.3


def test_an_ablation_is_one_page_over_its_arms(run: Path, other: Path) -> None:
    folder = run.parent / "small-ablation"
    folder.mkdir()
    folders = {"none": "../second", "stage-2": "../second", "both": "../small"}
    arms = [{"name": name, "run": folder} for name, folder in folders.items()]
    small_run.write_json(folder / "ablation.json", {"recipe": "small", "arms": arms})
    page = write_report(folder)
    assert page == folder / "report" / "index.html"
    text = words(page)
    assert "Ablation of small" in text
    assert "The arm both against each of the others" in text
    assert "both against none" in text
    assert "both against stage-2" in text
    assert "compare both with stage-2" in text
    assert [path.suffix for path in sorted((folder / "report" / "tables").glob("*-runs-methods.*"))] == [
        ".csv", ".tex",
    ]  # fmt: skip
    compared = write_reports([folder, run])[-1]
    assert "small, none" in words(compared)


def test_links_to_the_runs_pages_are_relative(run: Path, other: Path) -> None:
    page = opened(write_reports([run, other])[-1])
    links = [tag["href"] for tag in page.attributes("a") if tag["href"].endswith("index.html")]
    assert links == ["index.html", "../../second/report/index.html"]
    assert str(run.parent) not in page.html


def test_runs_of_the_same_name_are_told_apart_by_folder(run: Path) -> None:
    twin = run.parent / "twin"
    shutil.copytree(run, twin)
    assert [one.label for one in named([run, twin])] == ["small (runs/small)", "small (runs/twin)"]


def test_the_page_goes_where_it_is_asked_to(run: Path, other: Path, tmp_path: Path) -> None:
    out = tmp_path / "paper" / "both.html"
    assert write_reports([run, other], out)[-1] == out
    assert (tmp_path / "paper" / "both-tables").is_dir()


def test_runs_on_other_samples_cannot_be_compared(run: Path, other: Path) -> None:
    small_run.write_answers(other, [("x1", "a.png", "New?", "yes", "yes", "no", "OPEN")])
    with pytest.raises(RunError):
        write_reports([run, other])


def test_of_three_runs_those_that_fit_are_compared_and_the_others_named(run: Path, other: Path) -> None:
    third = copy_of(run, "third", {})
    small_run.write_answers(third, [("x1", "a.png", "New?", "yes", "yes", "no", "OPEN")])
    text = words(write_reports([run, third, other])[-1])
    assert "Not compared: third against small" in text
    assert "The items below compare second with small." in text


def test_each_of_several_differences_names_its_tests(run: Path, other: Path) -> None:
    text = words(write_reports([run, copy_of(run, "third", {"q4": "right"}), other])[-1])
    assert text.count("McNemar's p: his exact test") == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"recipe": "x"}', '{"recipe": "x", "arms": [{"name": "a"}]}'])
def test_a_damaged_ablation_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "ablation.json").write_text(text)
    with pytest.raises(DataError, match=r"ablation\.json"):
        write_report(tmp_path)


def test_what_strangers_wrote_stays_text(run: Path, other: Path) -> None:
    values = recipe.load(other / "recipe.toml").model_copy(update={"description": HOSTILE})
    (other / "recipe.toml").write_text(recipe.dumps(values))
    images = str(run / "absent.png")
    for folder in (run, other):
        small_run.write_answers(folder, [("q1", images, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    page = opened(write_reports([run, other])[-1])
    assert len(page.scripts) == 3
    assert page.data["items"][0]["question"] == HOSTILE
    assert HOSTILE in page.text
    assert json.dumps(page.data)


def with_settings(run: Path, settings: str) -> None:
    """Write what `[evaluate]` of the run's recipe is to say."""
    values = recipe.load(run / "recipe.toml")
    changed = values.model_copy(update={"evaluate": values.evaluate.model_copy(update=json.loads(settings))})
    (run / "recipe.toml").write_text(recipe.dumps(changed))


def test_without_draws_no_difference_has_an_interval_or_p(run: Path, other: Path) -> None:
    with_settings(other, '{"bootstrap": 0}')
    found = compare_runs(run, other)
    assert found
    assert {(one.low, one.high, one.p, one.interval, one.test) for one in found} == {
        (None, None, None, "", "")
    }
    assert found[0].difference == 0.25
    text = words(write_reports([run, other])[-1])
    assert "none, as [evaluate] bootstrap = 0 asks for no draws" in text
    (path,) = (run / "report" / "compare-tables").glob("difference-*.csv")
    row = next(csv.DictReader(io.StringIO(path.read_text())))
    assert (row["p"], row["difference"]) == ("", "0.25")
    assert "difference low" not in row


def test_draws_and_seed_of_the_recipes_reach_the_p(run: Path, tmp_path: Path) -> None:
    # 30 images whose recall differs by other shares each: too many to count.
    words_of = [" ".join("abcdefgh"[: 1 + i % 8]) for i in range(30)]
    rows = [(f"q{i}", f"{i}.png", "?", text, "x", "x", "OPEN") for i, text in enumerate(words_of)]
    second = copy_of(run, "second", {})
    small_run.write_answers(run, rows)
    small_run.write_answers(second, [(*row[:4], row[3][: 1 + i], *row[5:]) for i, row in enumerate(rows)])
    for folder, settings in ((run, '{"bootstrap": 300, "seed": 5}'), (second, '{"bootstrap": 400}')):
        with_settings(folder, settings)
    tests = {one.metric: one.test for one in compare_runs(run, second)}
    assert tests["token_f1"] == "300 drawn sign flips by image, seed 5"


FULL = ("left lung", "right kidney", "small bowel")


def test_three_questions_better_by_the_same_have_a_p_of_a_quarter(tmp_path: Path) -> None:
    for name, answers in (("a", ("lung", "kidney", "bowel")), ("b", FULL)):
        lines = [
            f"q{i},i{i},Q?,{reference},{answer}"
            for i, (reference, answer) in enumerate(zip(FULL, answers, strict=True))
        ]
        (tmp_path / f"{name}.csv").write_text(
            "\n".join(["id,image,question,reference,answer", *lines]) + "\n"
        )
        evaluate_run(outside_run(tmp_path / f"{name}.csv", tmp_path / name, "few"))
    found = {one.metric: one for one in compare_runs(tmp_path / "a", tmp_path / "b")}
    assert (found["token_recall"].difference, found["token_recall"].p) == (0.5, 0.25)
    assert (found["exact_match"].p, found["exact_match"].mcnemar) == (0.25, 0.25)
    assert {one.test for one in found.values() if one.difference} == {"exact sign flips by image, 3 images"}
    text = words(write_reports([tmp_path / "a", tmp_path / "b"])[-1])
    assert "exact sign flips by image, 3 images" in text
    assert "No interval of Token recall, Token F1" in text
    assert "all images differ by the same" in text
