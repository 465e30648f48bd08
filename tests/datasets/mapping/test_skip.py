"""Rows that are left out by a rule, with a count and a reason; without a rule an error that says how."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_split
from pefomed.errors import DataError, RecipeError
from pefomed.recipe import Dataset

GOOD = {"image": "a.png", "question": "Where?", "answer": "left", "view": "PA", "n": 1}
SIDES: dict[str, Any] = {"columns": ["x", "y", "w", "h"], "form": "xywh", "unit": "pixel"}


def read(folder: Path, *rows: dict[str, Any], **options: Any) -> tuple[int, dict[str, int]]:
    """Return how many samples there are, and how many rows are left out for which reason."""
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    samples, left_out = load_split(Dataset(loader="table", root="t.jsonl", options=options), "train", folder)
    return len(samples), Counter(each.reason for each in left_out)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"answer": ""}, "empty answer"),
        ({"answer": None}, "empty answer"),
        ({"answer": "[]"}, "empty answer"),
        ({"question": " "}, "empty question"),
        ({"image": ""}, "no image"),
        ({"image": [None]}, "no image"),
    ],
)
def test_a_rule_for_what_is_empty(tmp_path: Path, row: dict[str, Any], kind: str) -> None:
    rows = [GOOD, {**GOOD, **row}, {**GOOD, **row}]
    with pytest.raises(DataError, match=rf'(?s)line 2.*skip = \["{kind}"\]'):
        read(tmp_path, *rows)
    assert read(tmp_path, *rows, skip=kind) == read(tmp_path, *rows, skip=[kind]) == (1, {kind: 2})
    other = "empty answer" if kind != "empty answer" else "no image"
    with pytest.raises(DataError, match="line 2"):
        read(tmp_path, *rows, skip=[other])


def test_images_that_are_not_there(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    write_image("a.png")
    rows = [GOOD, {**GOOD, "image": "a.png#window=lung"}, {**GOOD, "image": "b.png"}]
    assert read(tmp_path, *rows, skip="missing image") == (2, {"missing image": 1})


@pytest.mark.parametrize(
    ("rule", "values", "kept", "reason"),
    [
        ({"is": "PA"}, ["PA", "pa ", "AP", ""], 2, "view is PA"),
        ({"is": ["PA", "AP"]}, ["PA", "AP", "LL"], 1, "view is PA or AP"),
        ({"is": ""}, ["PA", "", None], 1, "view is empty"),
        ({"is_not": "PA"}, ["PA", "AP", None], 1, "view is not PA"),
        ({"is_not": ["PA", "AP"]}, ["PA", "AP", "LL"], 2, "view is not PA or AP"),
        ({"is": 0}, [0, "0", 0.0, "0.0", 1, "00"], 2, "view is 0"),
        ({"is": "0"}, [0, "0", 0.0, "0.0", 1, "00"], 2, "view is 0"),
        ({"is": True}, [True, "true", False], 1, "view is True"),
        ({"is": "effusion"}, [["mass", "Effusion"], ["mass"], []], 2, "view is effusion"),
    ],
)
def test_a_rule_for_the_values_of_a_column(
    tmp_path: Path, rule: dict[str, Any], values: list[Any], kept: int, reason: str
) -> None:
    rows = [{**GOOD, "view": value} for value in values]
    found = read(tmp_path, *rows, skip=[{"column": "view", **rule}])
    assert found == (kept, {reason: len(values) - kept})


def test_a_rule_for_a_path(tmp_path: Path) -> None:
    rows = [{**GOOD, "about": {"view": view}} for view in ("PA", "LL")]
    assert read(tmp_path, *rows, skip=[{"column": "about.view", "is": "LL"}])[0] == 1
    with pytest.raises(DataError, match=r"(?s)line 1: no column 'about.veiw'.*`skip`.*'about.view'"):
        read(tmp_path, *rows, skip=[{"column": "about.veiw", "is": "LL"}])


@pytest.mark.parametrize(
    ("skip", "words"),
    [
        ("empty anser", "no rule 'empty anser'.*did you mean 'empty answer'"),
        ("no category", "no rule 'no category'"),
        ([3], "a rule is one of"),
        ([{"is": "x"}], "a rule is one of"),
        ([{"column": "view"}], "says `is` or `is_not`"),
        ([{"column": "view", "is": "x", "is_not": "y"}], "says `is` or `is_not`"),
        ([{"column": "view", "si": "x"}], "'si' is no part of a rule.*did you mean 'is'"),
        ([{"column": "view", "is": []}], "a value or a list"),
        ([{"column": "view", "is": {"a": 1}}], "a value or a list"),
        ([{"column": "", "is": "x"}], "'column'"),
    ],
)
def test_rules_are_checked(tmp_path: Path, skip: Any, words: str) -> None:
    with pytest.raises(RecipeError, match=f"(?s)skip.*{words}"):
        read(tmp_path, GOOD, skip=skip)


def test_boxes(tmp_path: Path, write_image: Callable[..., Path]) -> None:
    write_image("a.png")  # 12 x 8 pixels
    box = {"x": 3, "y": 2, "w": 6, "h": 4}
    good = {**GOOD, **box}
    none = {**GOOD, "question": "Which?", **dict.fromkeys(box)}
    wide = {**GOOD, "question": "What?", **box, "w": 60}
    assert read(tmp_path, good, none, boxes=SIDES, skip="no box") == (1, {"no box": 1})
    with pytest.raises(DataError, match=r'(?s)line 2.*out of its image.*skip = \["wrong box"\]'):
        read(tmp_path, good, wide, boxes=SIDES)
    # Without all of its boxes an answer would be scored wrongly.
    again = {**wide, **box}
    found = read(tmp_path, good, wide, again, boxes=SIDES, skip="wrong box")
    assert found == (1, {"the box stands out of its image": 1})


def test_every_row_left_out_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)is empty.*0 samples, 1 rows left out"):
        read(tmp_path, {**GOOD, "answer": ""}, skip="empty answer")
