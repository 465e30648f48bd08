"""Versions and machines of a run's sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pefomed.runs import environment


def test_a_session_that_adds_more_stays_one_entry_and_a_new_beginning_forgets_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.add(tmp_path, "stage a", begun=False, precision="float32") == ""
    assert environment.add(tmp_path, "stage b", begun=False, precision="float32") == ""
    [one] = environment.read(tmp_path)
    assert one["did"] == ["stage a", "stage b"]
    assert one["machine"]["cpu"].endswith("cores")
    # Another session, on a card and in another precision.
    monkeypatch.setattr(environment, "_BEGAN", "later")
    said = environment.add(tmp_path, "stage b", begun=True, card="H100", precision="bfloat16")
    assert said == "begun with card none (now H100), precision float32 (now bfloat16)"
    assert len(environment.read(tmp_path)) == 2
    # Nothing of stage b was kept: it begins here.
    assert environment.add(tmp_path, "stage b", begun=False, card="H100", precision="bfloat16") == ""
    assert [one["did"] for one in environment.read(tmp_path)] == [["stage a"], ["stage b"]]


@pytest.mark.parametrize("text", ["", "[]", '{"sessions": 3}', '{"sessions": [{"began": "x", "did": [1]}]}'])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "environment.json").write_text(text)
    assert environment.add(tmp_path, "stage a", begun=True) == ""
    assert len(json.loads((tmp_path / "environment.json").read_text())["sessions"]) == 1
