"""An answer that is the letter of a choice is never trained without its choices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pefomed.datasets import load_samples
from pefomed.errors import DataError
from pefomed.recipe import Dataset
from pefomed.schema import Sample


def read(folder: Path, row: dict[str, Any], **columns: Any) -> Sample:
    (folder / "t.jsonl").write_text(json.dumps({"image": "a.png", "question": "What is shown?", **row}))
    options = {"columns": columns}
    [sample] = load_samples(Dataset(loader="table", root="t.jsonl", options=options), "train", folder)
    return sample


@pytest.mark.parametrize(
    "choices",
    [
        {"Choice A": "A: Lung", "Choice B": "B: Liver"},
        {"option_a": "Lung", "option_b": "Liver"},
        {"A": "Lung", "B": "Liver"},
        {"opa": "Lung", "opb": "Liver"},
        {"choice_1": "Lung", "choice_2": "Liver"},
        {"options": ["Lung", "Liver"]},
        {"choices": {"A": "Lung", "B": "Liver"}},
        {"options": '["(A) Lung", "(B) Liver"]'},
    ],
)
def test_choices_in_columns(tmp_path: Path, choices: dict[str, Any]) -> None:
    for answer in ("A", "(B)", "b."):
        with pytest.raises(DataError, match=r"(?s)is the letter of a choice.*columns\.choices"):
            read(tmp_path, {**choices, "answer": answer})
    sample = read(tmp_path, {**choices, "answer": "B"}, choices=list(choices))
    assert sample.question == "What is shown?\nA: Lung\nB: Liver"
    assert sample.reference == "B"


def test_letters_that_are_right_as_they_stand(tmp_path: Path) -> None:
    assert read(tmp_path, {"answer": "A"}).reference == "A"
    assert read(tmp_path, {"answer": "Lung", "Choice A": "Lung", "Choice B": "Liver"}).reference == "Lung"
    asked = {"question": "What is shown? A: Lung, B: Liver", "Choice A": "A: Lung", "Choice B": "B: Liver"}
    assert read(tmp_path, {**asked, "answer": "A"}).question == asked["question"]
