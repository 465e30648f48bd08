"""Somebody else's answers read by a mapping, as the loader `table` reads a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pefomed.cli import main
from pefomed.errors import DataError
from pefomed.files import jsonl
from pefomed.outside.options import answer_table
from pefomed.outside.run import columns_of
from pefomed.schema import Prediction, Sample


def told(study: int, view: str, findings: str, impression: str, path: str, said: str) -> dict[str, Any]:
    about = {"view": view, "findings": findings, "impression": impression}
    return {"study": study, "about": about, "path": path, "said": {"text": said}}


NESTED = [
    told(1, "frontal", "Clear.", "Normal.", "1a.png", "Clear lungs."),
    told(1, "lateral", "Clear.", "Normal.", "1b.png", "Clear lungs."),
    told(2, "frontal", "", "", "2.png", "Effusion."),
    told(3, "frontal", "", "Mass.", "3.png", "A mass."),
]

MAP = """\
task = "report"
skip = ["empty reference"]

[columns]
id = "study"
reference = ["about.findings", "about.impression"]
answer = "said.text"
image = "scans/{path}"
group_by = "study"
role = "about.view"
roles = ["frontal", "lateral"]
meta = []
"""


def run(folder: Path, rows: list[dict[str, Any]], *words: str) -> tuple[list[Sample], list[Prediction]]:
    (folder / "t.json").write_text(json.dumps(rows))
    with pytest.raises(SystemExit) as end:
        main(["evaluate", str(folder / "t.json"), "--out", str(folder / "run"), "--dataset", "d", *words])
    assert not end.value.code
    samples = jsonl.read(folder / "run" / "samples" / "d-test.jsonl", Sample)
    return list(samples), list(jsonl.read(folder / "run" / "predictions" / "d-test.jsonl", Prediction))


def test_a_map_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.toml").write_text(MAP)
    samples, answers = run(tmp_path, NESTED, "--map", str(tmp_path / "map.toml"))
    assert [(sample.id, sample.task, sample.reference) for sample in samples] == [
        ("1", "report", "Clear. Normal."), ("3", "report", "Mass."),
    ]  # fmt: skip
    assert samples[0].images == (str(tmp_path / "scans/1a.png"), str(tmp_path / "scans/1b.png"))
    assert samples[0].meta == {"views": "frontal+lateral"}
    assert [answer.text for answer in answers] == ["Clear lungs.", "A mass."]
    assert "left out 1 rows: empty reference (1)" in capsys.readouterr().err


def test_options_and_columns_on_the_command_line_count_more(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAP)
    columns = '{ reference = "about.impression" }'
    skip = "skip=['empty reference', {column='about.view', is_not='frontal'}]"
    words = ["--map", str(tmp_path / "map.toml"), "--columns", columns, "--option", skip]
    samples, _ = run(tmp_path, NESTED, *words, "--images", str(tmp_path))
    assert [(sample.reference, len(sample.images)) for sample in samples] == [("Normal.", 1), ("Mass.", 1)]


def test_choices_and_words(tmp_path: Path) -> None:
    rows = [{"id": "1", "q": "What?", "A": "Lung", "B": "Liver", "right": 1, "answer": "B"}]
    columns = '{question="q", choices=["A","B"], reference={column="right", words={0="A", 1="B"}}}'
    [sample], _ = run(tmp_path, rows, "--columns", columns)
    assert (sample.question, sample.reference, sample.meta) == ("What?\nA: Lung\nB: Liver", "B", {})


def test_answers_of_a_group_agree(tmp_path: Path) -> None:
    rows = [dict(NESTED[0]), {**NESTED[1], "said": {"text": "Other."}}]
    (tmp_path / "map.toml").write_text(MAP)
    (tmp_path / "t.json").write_text(json.dumps(rows))
    with pytest.raises(SystemExit) as end:
        main(["evaluate", str(tmp_path / "t.json"), "--map", str(tmp_path / "map.toml"), "--out", "x"])
    assert end.value.code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns = { anser = 'x' }", "no field 'anser'.*did you mean 'answer'"),
        ("colums = {}", "no option 'colums'.*did you mean 'columns'"),
        ("columns = 3", "'columns'"),
        ("skip = 'empty answer'", "no rule 'empty answer'.*'empty reference'"),
        ("task = 'vqq'", "'task'"),
        ("delimiter = 'ab'", "one character"),
        ("columns = {", "is not TOML"),
        ("format = {}", "no option 'format'"),
    ],
)
def test_a_wrong_map_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(DataError, match=f"(?s)map.toml.*{words}"):
        answer_table(tmp_path / "map.toml", {})
    with pytest.raises(DataError, match="no file at"):
        answer_table(tmp_path / "none.toml", {})


def test_the_same_fields_as_in_recipes() -> None:
    found = columns_of('{ image = ["a", "b"], meta = { organ = "about.organ" }, joined_by = "; " }')
    assert ([source for _, source in found.images], found.meta) == (["a", "b"], {"organ": "about.organ"})
