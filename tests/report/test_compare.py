from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from tests.report import small_run
from tests.report.parsed import Page

from pefomed import jsonl, recipe
from pefomed.errors import DataError, RunError
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
    # Which p is of which test: right or wrong by McNemar, means of overlaps by the bootstrap.
    assert "p of Exact match, Exact match, VQA-style: McNemar, exact" in text
    assert "p of Token recall, Token precision, Token F1, Token recall, LLaVA-Med's: paired boot" in text
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
    assert text.count("p of Exact match, Exact match, VQA-style: McNemar, exact") == 2


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
